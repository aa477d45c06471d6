//! Which sockets are wanted: one expression tree for every way of saying it.
//!
//! The tree is built by `config`, pushed into the kernel as far as it can be by [`split`], and the
//! rest is tested here on a decoded socket. Refuses to know where an expression was written.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net};

use crate::attribute::Process;
use crate::sockdiag::Socket;

mod split;

pub use split::{Split, split};

/// A condition on sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Every socket.
    Always,
    /// No socket.
    Never,
    /// The sockets that satisfy each of these.
    All(Vec<Expression>),
    /// The sockets that satisfy at least one of these.
    Any(Vec<Expression>),
    /// The sockets that do not satisfy this.
    Not(Box<Expression>),
    /// The sockets that pass one test.
    Is(Test),
}

/// One property of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The local port lies in the range.
    LocalPort(RangeInclusive<u16>),
    /// The remote port lies in the range.
    RemotePort(RangeInclusive<u16>),
    /// The local address lies in the network.
    LocalAddress(IpNet),
    /// The remote address lies in the network.
    RemoteAddress(IpNet),
    /// The remote address is one that the host name resolves to.
    RemoteHost(String),
    /// A process with this id holds the socket.
    Pid(u32),
    /// A process whose comm or executable's base name is this holds the socket.
    Command(String),
}

/// What a test may look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The socket.
    pub socket: &'a Socket<'a>,
    /// The processes known to hold it; empty if unknown.
    pub owners: &'a [Process],
}

impl Expression {
    /// The conjunction of two conditions, without the parts that say nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, only) | (only, Self::Always) => only,
            (Self::All(mut all), Self::All(more)) => {
                all.extend(more);
                Self::All(all)
            }
            (Self::All(mut all), one) => {
                all.push(one);
                Self::All(all)
            }
            (one, other) => Self::All(vec![one, other]),
        }
    }

    /// Whether the subject satisfies the condition.
    #[must_use]
    pub fn accepts(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::All(all) => all.iter().all(|one| one.accepts(subject)),
            Self::Any(any) => any.iter().any(|one| one.accepts(subject)),
            Self::Not(inner) => !inner.accepts(subject),
            Self::Is(test) => test.accepts(subject),
        }
    }

    /// The same condition with every host name replaced by the addresses it has now.
    ///
    /// A name without an address matches nothing.
    #[must_use]
    pub fn resolve(&self, lookup: &dyn Fn(&str) -> Vec<IpAddr>) -> Self {
        let each = |list: &[Self]| list.iter().map(|one| one.resolve(lookup)).collect();
        match self {
            Self::All(all) => Self::All(each(all)),
            Self::Any(any) => Self::Any(each(any)),
            Self::Not(inner) => Self::Not(Box::new(inner.resolve(lookup))),
            Self::Is(Test::RemoteHost(name)) => Self::Any(
                lookup(name)
                    .into_iter()
                    .map(|a| Self::Is(Test::RemoteAddress(canonical(a.into()))))
                    .collect(),
            ),
            Self::Always | Self::Never | Self::Is(_) => self.clone(),
        }
    }

    /// Every test in the tree, from left to right.
    pub fn tests(&self) -> Box<dyn Iterator<Item = &Test> + '_> {
        match self {
            Self::Always | Self::Never => Box::new(std::iter::empty()),
            Self::All(list) | Self::Any(list) => Box::new(list.iter().flat_map(Self::tests)),
            Self::Not(inner) => inner.tests(),
            Self::Is(test) => Box::new(std::iter::once(test)),
        }
    }

    /// The host names that the tree mentions.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.tests().filter_map(|test| match test {
            Test::RemoteHost(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether a test looks at the owners of a socket.
    #[must_use]
    pub fn needs_processes(&self) -> bool {
        self.tests().any(|test| matches!(test, Test::Pid(_) | Test::Command(_)))
    }
}

impl Test {
    fn accepts(&self, subject: Subject<'_>) -> bool {
        let Subject { socket, owners } = subject;
        match self {
            Self::LocalPort(range) => range.contains(&socket.local().port()),
            Self::RemotePort(range) => range.contains(&socket.remote().port()),
            Self::LocalAddress(network) => network.contains(&socket.local().ip()),
            Self::RemoteAddress(network) => network.contains(&socket.remote().ip()),
            // Names are resolved before a dump; one that still stands here has no address.
            Self::RemoteHost(_) => false,
            Self::Pid(pid) => owners.iter().any(|owner| owner.pid == *pid),
            Self::Command(name) => owners.iter().any(|owner| owner.is_called(name)),
        }
    }
}

/// The network with IPv4-mapped IPv6 addresses written as IPv4, and no host bits.
///
/// Sockets report mapped addresses as IPv4 too (RFC 4291 section 2.5.5.2), so that one spelling
/// matches both.
#[must_use]
pub fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(v6) = network
        && let Some(mapped) = v6.addr().to_ipv4_mapped()
        && let Some(prefix) = v6.prefix_len().checked_sub(96)
        && let Ok(v4) = Ipv4Net::new(mapped, prefix)
    {
        return IpNet::V4(v4.trunc());
    }
    network.trunc()
}

/// The network `::ffff:0:0/96` of the IPv4-mapped addresses.
#[must_use]
pub(crate) fn covers_mapped(network: &IpNet) -> bool {
    const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    matches!(network, IpNet::V6(v6) if v6.contains(&MAPPED))
}
