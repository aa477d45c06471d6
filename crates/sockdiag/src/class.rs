//! What a reply describes: `struct inet_diag_msg` has one shape for four kinds of kernel objects.

use super::{Socket, State, tcp_info};

/// The kind of object behind a reply. It follows from the reply's header alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A socket in one of the states of a connection, in TCP from its SYN to its last FIN: the only class that has counters.
    Connection,
    /// A `struct tcp_sock` in `LISTEN`: its queues count connections, and its `tcp_info` is mostly something else.
    Listener,
    /// A `struct inet_timewait_sock`, in `TIME_WAIT` or `FIN_WAIT2`. Its connection is closed, and had another
    /// cookie. The kernel reports neither `tcp_info` nor an owner.
    Remnant,
    /// A handshake that this end has not completed: a `struct request_sock`, which has neither `tcp_info` nor an
    /// owner, or a socket after a Fast Open or a simultaneous open, which has.
    Request,
    /// A `struct tcp_sock` in `CLOSE`: bound or new, or a connection that was reset while its process holds on to it.
    Unconnected,
}

impl Socket<'_> {
    /// What it is.
    #[must_use]
    #[inline]
    pub const fn class(&self) -> Class {
        if self.header.is_remnant {
            return Class::Remnant;
        }
        match self.state() {
            State::Listen => Class::Listener,
            State::SynRecv => Class::Request,
            // A kernel has no socket in `TIME_WAIT`.
            State::TimeWait => Class::Remnant,
            state if self.protocol.connections.contains(state) => Class::Connection,
            _ => Class::Unconnected,
        }
    }

    /// Whether there is or was a peer that answered: not of a listener, and not before the handshake.
    #[must_use]
    pub const fn has_peer(&self) -> bool {
        !matches!(self.state(), State::Listen | State::SynSent)
    }

    /// Whether the kernel still knew the peer and the counters when the socket was destroyed: always of a protocol whose
    /// close events carry no attribute.
    ///
    /// A socket that was disconnected before has lost both (`net/ipv4/tcp.c: tcp_disconnect`): `SO_LINGER` 0,
    /// `AF_UNSPEC`, never accepted, refused.
    #[must_use]
    pub fn ended_with_information(&self) -> bool {
        self.remote().port() != 0 || !self.protocol.ends_with_values()
    }

    /// Whether a socket that has lost its peer ever was connected: `tcp_disconnect` sets a segment size, which
    /// listeners and sockets that were never connected do not have (`tcpi_rcv_mss`).
    #[must_use]
    pub fn was_disconnected(&self) -> bool {
        self.get(&tcp_info::RCV_MSS).unwrap_or_default() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CloseEvents, Extensions, Protocol, StateSet, TCP};
    use super::*;

    const TIME_WAIT_TIMER: u8 = 3;

    #[test]
    fn the_timer_of_a_remnant_decides_and_then_the_state() {
        let class = |state: State, timer: u8| {
            let mut reply = vec![2, state as u8, timer];
            reply.resize(72, 0);
            TCP.parse(&reply).map(|socket| socket.class())
        };
        assert_eq!(class(State::TimeWait, TIME_WAIT_TIMER), Some(Class::Remnant));
        assert_eq!(class(State::FinWait2, TIME_WAIT_TIMER), Some(Class::Remnant));
        assert_eq!(class(State::FinWait2, 2), Some(Class::Connection));
        assert_eq!(class(State::SynRecv, 1), Some(Class::Request));
        assert_eq!(class(State::Listen, 0), Some(Class::Listener));
        assert_eq!(class(State::Close, 0), Some(Class::Unconnected));
        assert_eq!(class(State::SynSent, 1), Some(Class::Connection));
    }

    #[test]
    fn the_states_of_a_connection_and_what_its_end_tells_are_the_protocols() {
        const DATAGRAMS: Protocol = Protocol {
            connections: StateSet::of(&[State::Close]),
            close_events: Some(CloseEvents { groups: 2, carry: Extensions::NONE }),
            ..TCP
        };
        let mut reply = vec![2, State::Close as u8];
        reply.resize(72, 0);
        let of = |protocol: &'static Protocol| {
            let socket = protocol.parse(&reply).expect("a socket");
            (socket.class(), socket.ended_with_information())
        };
        assert_eq!(of(&TCP), (Class::Unconnected, false));
        assert_eq!(of(&DATAGRAMS), (Class::Connection, true));
    }
}
