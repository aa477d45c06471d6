//! What is known of one socket: all that labels, predicates and tables may ask.
//!
//! Refuses to know who asks, and how it was found out.

use crate::attribute::{Cgroup, ConfiguredNames, Direction, ListenerOwner, Netns, Owner, Ownership, Users};
use crate::bottleneck::Bottleneck;
use sockdiag::ulp::Ulp;
use sockdiag::{Socket, State};

/// What is known of one socket. Made by one constructor for each kind of observation.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The kernel's reply.
    pub socket: &'a Socket<'a>,
    /// How the socket came to be known.
    pub observation: Observation,
    /// The state. Of a listener it is that of its connections, `established`; of a close event too if it has none of a connection.
    pub state: State,
    /// Which end opened the connection; `None` if no view asks for it.
    pub direction: Option<Direction>,
    /// The ports that the kernel gives to clients in the socket's namespace; `None` if they are not known.
    pub client_ports: Option<(u16, u16)>,
    /// What limits the connection; `None` if no view asks for it, or if it cannot be known.
    pub bottleneck: Option<Bottleneck>,
    /// For how long it has limited the connection, by the sample before, in microseconds; 0 if this is no new sample.
    pub limited_microseconds: u64,
    /// Processes, cgroup and network namespace.
    pub ownership: Ownership<'a>,
    /// Names that the kernel's reply does not hold.
    pub names: Names<'a>,
}

/// How a socket came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// By a dump.
    Dump,
    /// By its close event alone: the kernel no longer reports user id and congestion control algorithm.
    CloseEvent,
    /// Not at all yet: these are a listener's facts about the connections to come.
    Listener,
}

/// Names of the host and of the configuration.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// The networks and paths that the configuration names.
    pub configured: &'a ConfiguredNames,
    /// The name of the interface with that index.
    pub interface: &'a dyn Fn(u32) -> Option<String>,
    /// The users of the host; `None` if they were not read.
    pub users: Option<&'a Users>,
}

impl Names<'static> {
    /// No name at all.
    pub const NONE: Self = Self { configured: &ConfiguredNames::NONE, interface: &|_| None, users: None };
}

impl<'a> Facts<'a> {
    /// Of a socket that a dump shows, its direction not known yet.
    #[must_use]
    pub fn of_dump(socket: &'a Socket<'a>, ownership: Ownership<'a>, names: Names<'a>) -> Self {
        let (observation, state) = (Observation::Dump, socket.state());
        Self {
            socket,
            observation,
            state,
            direction: None,
            client_ports: None,
            bottleneck: None,
            limited_microseconds: 0,
            ownership,
            names,
        }
    }

    /// Of a connection whose close event is the first that is known of it.
    pub(crate) fn of_close_event(
        socket: &'a Socket<'a>,
        direction: Option<Direction>,
        ownership: Ownership<'a>,
        names: Names<'a>,
    ) -> Self {
        let state = socket.state();
        // One of TCP is no longer in a state of a connection.
        let state = if socket.protocol().connections.contains(state) { state } else { State::Established };
        let observation = Observation::CloseEvent;
        Self { observation, state, direction, ..Self::of_dump(socket, ownership, names) }
    }

    /// Of the connections that a listener will accept.
    pub(crate) fn of_listener(
        socket: &'a Socket<'a>,
        listener: &'a ListenerOwner,
        netns: &'a Netns,
        names: Names<'a>,
    ) -> Self {
        let (observation, state) = (Observation::Listener, State::Established);
        let (direction, ownership) = (Some(Direction::Inbound), listener.ownership(netns));
        Self { observation, state, direction, ..Self::of_dump(socket, ownership, names) }
    }

    /// What identifies the socket among all of the host.
    #[inline]
    pub(crate) fn identity(&self) -> u64 {
        self.ownership.identity(self.socket.cookie())
    }

    /// The user id. Only a dump has it, and not of a request or of what is left of a socket in `TIME_WAIT`.
    pub(crate) fn uid(&self) -> Option<u32> {
        let has_owner = self.observation == Observation::Dump
            && self.state != State::TimeWait
            && self.state != State::SynRecv;
        has_owner.then(|| self.socket.uid())
    }

    /// The port of the service that a socket without listeners uses or offers; `None` if it is a client's that has no peer.
    ///
    /// A port that the kernel gives to clients is no service's, so that a connected socket with any other has its own.
    pub(crate) fn service_port(&self) -> Option<u16> {
        let [local, remote] = [self.socket.local().port(), self.socket.remote().port()];
        let (first, last) = self.client_ports.unwrap_or((32_768, 60_999));
        let is_client = local == 0 || (first..=last).contains(&local);
        if is_client { Some(remote).filter(|port| *port != 0) } else { Some(local) }
    }

    /// The upper layer protocol. Only a dump has it.
    pub(crate) fn ulp(&self) -> Option<Ulp<'a>> {
        (self.observation == Observation::Dump).then(|| self.socket.ulp())?
    }

    /// The processes that hold the socket; `None` if unknown.
    pub(crate) fn owner(&self) -> Option<&'a Owner> {
        self.ownership.owner.map(AsRef::as_ref)
    }

    /// The cgroup; `None` if unknown.
    pub(crate) fn cgroup(&self) -> Option<&'a Cgroup> {
        self.ownership.cgroup()
    }

    /// The network namespace; `None` if unknown.
    pub(crate) const fn netns(&self) -> Option<&'a Netns> {
        self.ownership.netns
    }
}
