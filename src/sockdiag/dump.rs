//! One dump: a request and all its replies up to `NLMSG_DONE`.
//!
//! The result cannot say "short but fine": whatever ends a dump other than `NLMSG_DONE` without an
//! error code is an error. Refuses to know what the sockets are for.

use std::io;
use std::time::Instant;

use rustix::io::Errno;

use super::frame::Messages;
use super::request::{Request, TCPDIAG_GETSOCK};
use super::socket::Socket;

/// The largest reply the kernel makes is a little under 32 KiB (`net/netlink/af_netlink.c:
/// netlink_dump`), and it makes them that large only for a reader who offers that much.
const BUFFER: usize = 32 * 1024;
/// One dump a socket, so that any number will do.
const SEQUENCE: u32 = 1;

/// `NLMSG_ERROR`
const ERROR: u16 = 2;
/// `NLMSG_DONE`
const DONE: u16 = 3;
/// `NLMSG_OVERRUN`
const OVERRUN: u16 = 4;
/// `NLM_F_DUMP_INTR`
const DUMP_INTR: u16 = 0x10;

/// Somebody who answers netlink requests: the kernel, or a test.
pub trait Kernel {
    /// Sends one message.
    ///
    /// # Errors
    /// What `sendto(2)` says.
    fn send(&mut self, message: &[u8]) -> io::Result<()>;

    /// Receives one datagram into the buffer.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, else what `recvfrom(2)` says; never `EINTR`.
    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram>;
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub struct Datagram {
    /// Its own length, which may exceed the buffer's.
    pub length: usize,
    /// The netlink port of its sender; the kernel's is 0.
    pub sender: u32,
}

/// What a complete dump was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DumpStats {
    /// Sockets handed on.
    pub sockets: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Messages and datagrams of other senders or other requests.
    pub foreign: u64,
    /// Replies that could not be read.
    pub malformed: u64,
    /// Whether the kernel said that its tables changed meanwhile (`NLM_F_DUMP_INTR`); sockets may
    /// be missing or come twice then. TCP dumps do both without saying so.
    pub interrupted: bool,
}

/// Why there is no complete dump.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// There is no socket to ask through.
    #[error("cannot open a sock_diag socket: {0}; the kernel needs CONFIG_INET_DIAG")]
    Open(#[source] io::Error),
    /// The request could not be sent.
    #[error("cannot send a dump request to the kernel: {0}")]
    Send(#[source] io::Error),
    /// A reply could not be received.
    #[error("cannot receive the kernel's reply to a dump request: {0}")]
    Receive(#[source] io::Error),
    /// The kernel refused the request, at once or in its last message.
    #[error("the kernel refused to dump TCP sockets: {0}{hint}", hint = hint(*.0))]
    Refused(Errno),
    /// A reply was longer than any buffer the kernel is told of.
    #[error("the kernel sent {0} bytes at once, more than the {BUFFER} offered")]
    Truncated(usize),
    /// Replies were dropped for want of buffer space.
    #[error("the kernel dropped replies for want of buffer space (ENOBUFS)")]
    Overrun,
    /// Bytes that are no netlink messages.
    #[error("the kernel's reply is no sequence of netlink messages")]
    Malformed,
    /// The end of the dump had not come.
    #[error("the dump was not complete at its deadline")]
    Deadline,
}

fn hint(errno: Errno) -> &'static str {
    match errno {
        Errno::NOENT | Errno::OPNOTSUPP => "; load the modules inet_diag and tcp_diag",
        Errno::PERM | Errno::ACCESS => "; a security module or seccomp profile forbids it",
        _ => "",
    }
}

/// Asks the kernel for sockets and hands each to `each`, until the kernel says that was all.
///
/// A socket may come twice and a live one may be missing: the kernel takes no snapshot.
///
/// # Errors
/// [`DumpError`] whenever the dump did not reach its end; sockets handed on until then are a part.
pub fn dump(
    kernel: &mut impl Kernel,
    request: &Request,
    deadline: Instant,
    mut each: impl FnMut(&Socket<'_>),
) -> Result<DumpStats, DumpError> {
    kernel.send(&request.encode(SEQUENCE)).map_err(DumpError::Send)?;
    let mut buffer = vec![0; BUFFER];
    let mut stats = DumpStats::default();
    loop {
        let datagram = kernel.receive(&mut buffer, deadline).map_err(ending)?;
        if datagram.sender != 0 {
            stats.foreign += 1;
            continue;
        }
        let bytes = buffer.get(..datagram.length).ok_or(DumpError::Truncated(datagram.length))?;
        if bytes.is_empty() {
            return Err(DumpError::Malformed);
        }
        stats.bytes += bytes.len() as u64;
        for message in Messages(bytes) {
            let message = message.map_err(|_| DumpError::Malformed)?;
            if message.header.sequence.get() != SEQUENCE {
                stats.foreign += 1;
                continue;
            }
            stats.interrupted |= message.header.flags.get() & DUMP_INTR != 0;
            match message.header.kind.get() {
                DONE => {
                    return code(message.payload).map_or(Ok(stats), |errno| Err(DumpError::Refused(errno)));
                }
                ERROR => return Err(code(message.payload).map_or(DumpError::Malformed, DumpError::Refused)),
                OVERRUN => return Err(DumpError::Overrun),
                TCPDIAG_GETSOCK => match Socket::parse(message.payload) {
                    Some(socket) => {
                        stats.sockets += 1;
                        each(&socket);
                    }
                    None => stats.malformed += 1,
                },
                _ => stats.foreign += 1,
            }
        }
    }
}

fn ending(error: io::Error) -> DumpError {
    match error.kind() {
        io::ErrorKind::TimedOut => DumpError::Deadline,
        _ if error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => DumpError::Overrun,
        _ => DumpError::Receive(error),
    }
}

/// The negative error number that `NLMSG_DONE` and `NLMSG_ERROR` begin with; `None` for success.
fn code(payload: &[u8]) -> Option<Errno> {
    let number = i32::from_ne_bytes(*payload.first_chunk()?);
    (number < 0).then(|| Errno::from_raw_os_error(number.saturating_neg()))
}

#[cfg(test)]
mod tests;
