//! A request in two halves, for two dumps at once.
//!
//! Each half has the sockets on one side of a pair of ports. Both programs compare the same two numbers of a socket, and
//! the second is the negation of the first: a socket is in exactly one half, as long as its ports stay the same. They do
//! for as long as a socket of TCP is in one of the kernel's tables:
//!
//! - A listener and a socket that is only bound have a local port, and 0 as the remote one.
//! - A connecting socket has both before it enters the table of connections (`net/ipv4/inet_hashtables.c:
//!   __inet_hash_connect`). A request has those of the connection that it becomes, and the cookie (`inet_csk_clone_lock`).
//! - A remnant in `TIME_WAIT` has those of its socket, and the cookie (`inet_twsk_alloc`).
//!
//! A socket whose ports change also changes its table: a bound one that connects, a connected one that disconnects. Any
//! dump may miss such a socket or show it twice, because the kernel walks the tables one after the other. The same holds
//! for a socket that takes another place in a table. Two dumps add no other gap, and a socket that both show has one
//! cookie.

use super::bytecode::{Filter, compile};
use super::kernel;
use super::protocol::{Protocol, Request};

/// A local and a remote port. They are ordered by the local port first: many sockets of a server share theirs.
pub type Ports = (u16, u16);

/// Whether the kernel makes two dumps at once, if there are two cores. Up to Linux 6.8 it holds a mutex while it makes a reply
/// (`net/ipv4/inet_diag.c: inet_diag_lock_handler`). Linux 6.12 is the first long-term release without that.
#[must_use]
pub fn dumps_at_once() -> bool {
    kernel::is_at_least(6, 12)
}

impl Protocol {
    /// Whether its sockets can be dumped in two halves: the kernel compares their ports, which stay the same.
    #[must_use]
    pub fn has_halves(&self) -> bool {
        self.takes_filter && self.header.internet && !self.reconnects()
    }
}

impl Request {
    /// The request for the sockets whose ports come before these, and the one for all others. `None` if the protocol has no
    /// halves or a program would be too long.
    #[must_use]
    pub fn halves(&self, at: Ports) -> Option<[Self; 2]> {
        let lower = before(at);
        let halves = [lower.clone(), Filter::Not(Box::new(lower))].map(|half| self.within(&half));
        let [Some(lower), Some(upper)] = halves else { return None };
        self.protocol.has_halves().then_some([lower, upper])
    }

    /// The request for those of its sockets that pass the filter.
    fn within(&self, filter: &Filter) -> Option<Self> {
        let joined = self.filter.as_ref().map_or_else(|| compile(filter), |program| program.within(filter));
        Some(Self { filter: Some(joined.ok()?), ..self.clone() })
    }
}

/// Sockets whose ports come before these.
fn before((local, remote): Ports) -> Filter {
    let below = |port: u16, range: fn(std::ops::RangeInclusive<u16>) -> Filter| {
        port.checked_sub(1).map_or(Filter::Never, |last| range(0..=last))
    };
    let same_local = Filter::LocalPort(local..=local);
    Filter::Any(vec![
        below(local, Filter::LocalPort),
        Filter::All(vec![same_local, below(remote, Filter::RemotePort)]),
    ])
}
