//! The kernel's socket filter: a compiler to `INET_DIAG_REQ_BYTECODE` programs.
//!
//! An operation is `struct inet_diag_bc_op { u8 code; u8 yes; u16 no; }` and its arguments. A
//! program accepts by landing exactly on its end and rejects by jumping four bytes past it
//! (`net/ipv4/inet_diag.c: inet_diag_bc_run`).

use std::net::IpAddr;
use std::ops::RangeInclusive;

/// What the kernel can judge of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every socket.
    Always,
    /// No socket.
    Never,
    /// Sockets that pass each of these.
    All(Vec<Filter>),
    /// Sockets that pass at least one of these.
    Any(Vec<Filter>),
    /// Sockets that do not pass this.
    Not(Box<Filter>),
    /// The local port lies in the range.
    LocalPort(RangeInclusive<u16>),
    /// The remote port lies in the range.
    RemotePort(RangeInclusive<u16>),
    /// The local address has this prefix; IPv4 also matches IPv4-mapped IPv6.
    LocalAddress(IpAddr, u8),
    /// The remote address has this prefix; IPv4 also matches IPv4-mapped IPv6.
    RemoteAddress(IpAddr, u8),
    /// Bound to the interface with this index, or to none if it is 0 (Linux 4.9).
    Interface(u32),
    /// Made in the cgroup with this id (Linux 5.8).
    Cgroup(u64),
}

/// A compiled program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytecode(Vec<u8>);

impl Bytecode {
    /// The program as the kernel takes it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The program that accepts what this one and the filter accept. The kernel checks the filter first.
    ///
    /// # Errors
    /// [`TooLong`] if the program exceeds the kernel's limit.
    pub fn within(&self, filter: &Filter) -> Result<Self, TooLong> {
        let code = both(program(filter)?, &self.0);
        if code.len() > MAX_BYTES { Err(TooLong) } else { Ok(Self(code)) }
    }
}

/// The program would not fit into one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the filter program exceeds the kernel's limit of {MAX_BYTES} bytes")]
pub struct TooLong;

/// An attribute's length is 16 bits, its header included, and a jump reaches four bytes further.
const MAX_BYTES: usize = 65_535 - 4 - 4 - 7;

const NOP: u8 = 0;
const JMP: u8 = 1;
const S_GE: u8 = 2;
const S_LE: u8 = 3;
const D_GE: u8 = 4;
const D_LE: u8 = 5;
const S_COND: u8 = 7;
const D_COND: u8 = 8;
const DEV_COND: u8 = 9;
const CGROUP_COND: u8 = 13;

/// The first of the ports that the kernel gives to clients by default (`net.ipv4.ip_local_port_range`).
const CLIENTS: u16 = 32_768;

/// `sizeof(struct inet_diag_bc_op)`
const OP: usize = 4;

/// Compiles a filter.
///
/// # Errors
/// [`TooLong`] if the program exceeds the kernel's limit, at about 3,000 networks.
pub fn compile(filter: &Filter) -> Result<Bytecode, TooLong> {
    program(filter).map(Bytecode)
}

fn program(filter: &Filter) -> Result<Vec<u8>, TooLong> {
    let code = match filter {
        Filter::Always => op(NOP, OP, OP),
        Filter::Never => op(JMP, OP, 2 * OP),
        Filter::All(list) => list.iter().try_fold(Vec::new(), |code, one| Ok(both(code, &program(one)?)))?,
        Filter::Any(list) => list.iter().rev().try_fold(Vec::new(), |rest: Vec<u8>, one| {
            let first = program(one)?;
            if rest.is_empty() { Ok(first) } else { either(first, &rest) }
        })?,
        Filter::Not(inner) => {
            // What the inner program accepts lands on the jump, which rejects; what it rejects
            // lands right behind the jump: on the end.
            let mut code = program(inner)?;
            code.extend(op(JMP, OP, 2 * OP));
            code
        }
        Filter::LocalPort(range) => ports(S_GE, S_LE, range),
        Filter::RemotePort(range) => ports(D_GE, D_LE, range),
        Filter::LocalAddress(address, prefix) => prefixed(S_COND, *address, *prefix),
        Filter::RemoteAddress(address, prefix) => prefixed(D_COND, *address, *prefix),
        Filter::Interface(index) => {
            let mut code = op(DEV_COND, 2 * OP, 3 * OP);
            code.extend(index.to_ne_bytes());
            code
        }
        Filter::Cgroup(id) => {
            let mut code = op(CGROUP_COND, 3 * OP, 4 * OP);
            code.extend(id.to_ne_bytes());
            code
        }
    };
    match (code.len(), filter) {
        (0, Filter::Any(_)) => program(&Filter::Never),
        (0, _) => program(&Filter::Always),
        (length, _) if length > MAX_BYTES => Err(TooLong),
        _ => Ok(code),
    }
}

/// An operation whose failure jumps `no` bytes; no program is long enough to saturate it.
fn op(code: u8, yes: usize, no: usize) -> Vec<u8> {
    let no = u16::try_from(no).unwrap_or(u16::MAX).to_ne_bytes();
    vec![code, u8::try_from(yes).unwrap_or(u8::MAX), no[0], no[1]]
}

/// First and second: the first one's rejections have to jump over the second.
fn both(mut first: Vec<u8>, second: &[u8]) -> Vec<u8> {
    let length = first.len();
    let mut at = 0;
    while let Some([_, yes, no_low, no_high]) = first.get_mut(at..at + OP) {
        let no = usize::from(u16::from_ne_bytes([*no_low, *no_high]));
        if at + no == length + OP {
            let moved = u16::try_from(no + second.len()).unwrap_or(u16::MAX).to_ne_bytes();
            [*no_low, *no_high] = moved;
        }
        at += usize::from(*yes);
    }
    first.extend_from_slice(second);
    first
}

/// First or second: the first one's acceptance jumps over the second, its rejection lands on it.
fn either(mut first: Vec<u8>, second: &[u8]) -> Result<Vec<u8>, TooLong> {
    if first.len() + OP + second.len() > MAX_BYTES {
        return Err(TooLong);
    }
    first.extend(op(JMP, OP, OP + second.len()));
    first.extend_from_slice(second);
    Ok(first)
}

/// Two comparisons, because the equality operations exist only since Linux 4.16. Of most sockets the first is enough: what is
/// asked for mostly is a service's port, and one end of every connection has a client's, which is above.
fn ports(at_least: u8, at_most: u8, range: &RangeInclusive<u16>) -> Vec<u8> {
    let compare = |code, port: u16| {
        let mut code = op(code, 2 * OP, 3 * OP);
        code.extend(op(0, 0, usize::from(port)));
        code
    };
    let (at_least, at_most) = (compare(at_least, *range.start()), compare(at_most, *range.end()));
    if *range.end() < CLIENTS { both(at_most, &at_least) } else { both(at_least, &at_most) }
}

/// `struct inet_diag_hostcond` with the address's bytes behind it.
fn prefixed(code: u8, address: IpAddr, prefix: u8) -> Vec<u8> {
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const ANY_PORT: i32 = -1;
    let (family, bytes) = match address {
        IpAddr::V4(v4) => (AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (AF_INET6, v6.octets().to_vec()),
    };
    let length = OP + 8 + bytes.len();
    let mut code = op(code, length, length + OP);
    code.extend([family, prefix, 0, 0]);
    code.extend(ANY_PORT.to_ne_bytes());
    code.extend(bytes);
    code
}

#[cfg(test)]
mod tests;
