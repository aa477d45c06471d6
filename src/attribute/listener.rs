//! The direction of a connection by the listeners of this host, and the owner of its listener.

use std::collections::BTreeMap;
use std::iter::once;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::cgroup::Cgroup;
use super::ownership::{Netns, Ownership};
use super::process::{Owner, OwnerId};

/// A listener that is gone still claims the connections it accepted, as long as this.
///
/// Its connections may be seen for the first time at their end, after a restart for instance.
const LINGER: Duration = Duration::from_mins(1);

/// Which end opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The remote end; the local port is the service's.
    Inbound,
    /// This host.
    Outbound,
}

impl Direction {
    /// The label's text.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// This host's end of a connection, or a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// Its address.
    pub address: SocketAddr,
    /// The index of the interface that it is bound to.
    pub interface: Option<u32>,
}

/// A listening socket, and to whom it and what it accepts belong.
#[derive(Clone, Debug, Default)]
pub struct ListenerOwner {
    /// Its cookie.
    pub cookie: u64,
    /// The processes that hold it: the empty owner if a search found none, `None` without a search.
    pub owner: Option<Arc<Owner>>,
    /// Its cgroup, if known.
    pub cgroup: Option<Arc<Cgroup>>,
}

impl ListenerOwner {
    /// To whom a connection to the listener belongs.
    pub(crate) fn ownership<'a>(&'a self, netns: &'a Netns) -> Ownership<'a> {
        let (owner, cgroup) = (self.owner(), self.cgroup.as_deref());
        Ownership { owner_id: OwnerId::NO_PROCESS, owner, peer: None, cgroup, netns: Some(netns) }
    }

    fn owner(&self) -> Option<&Arc<Owner>> {
        self.owner.as_ref().filter(|owner| !owner.processes().is_empty())
    }
}

/// The listeners of one network namespace, and those that were there a moment ago.
#[derive(Debug)]
pub struct Listeners {
    /// The ports that the kernel gives to clients (`net.ipv4.ip_local_port_range`).
    ephemeral: RangeInclusive<u16>,
    /// By their cookies: any number may share an address and an interface.
    seen: HashMap<End, BTreeMap<u64, (Instant, ListenerOwner)>>,
    /// What all listeners of an end agree in, since the last note.
    agreed: HashMap<End, Agreed>,
    /// Listening ports with the number of their ends: most local ports have none, and this finds out fastest.
    ports: HashMap<u16, u32>,
}

/// To whom connections belong, as far as all their listeners agree.
type Agreed = (Option<Arc<Owner>>, Option<Arc<Cgroup>>);

impl Default for Listeners {
    fn default() -> Self {
        Self {
            ephemeral: 32_768..=60_999,
            seen: HashMap::new(),
            agreed: HashMap::new(),
            ports: HashMap::new(),
        }
    }
}

impl Listeners {
    /// Notes which ports the kernel gives to clients, by the text of `ip_local_port_range`.
    pub(crate) fn note_range(&mut self, text: &str) {
        let mut ends = text.split_ascii_whitespace().filter_map(|port| port.parse().ok());
        if let (Some(first), Some(last)) = (ends.next(), ends.next()) {
            self.ephemeral = first..=last;
        }
    }

    /// The first and the last of these ports.
    pub(crate) const fn client_ports(&self) -> (u16, u16) {
        (*self.ephemeral.start(), *self.ephemeral.end())
    }

    /// The direction of a connection.
    ///
    /// `initiated`: whether this end opened it, if the kernel reports that. If not, a listener accepted it; and where
    /// none is known, a client's port at the remote end and none at this end mean the same.
    #[inline]
    pub(crate) fn direction(&self, initiated: Option<bool>, local: End, remote: SocketAddr) -> Direction {
        let client = |end: SocketAddr| self.ephemeral.contains(&end.port());
        let inbound = match initiated {
            Some(initiated) => !initiated,
            None => self.accepting(local).is_some() || client(remote) && !client(local.address),
        };
        if inbound { Direction::Inbound } else { Direction::Outbound }
    }

    /// Notes a listener that exists now; a part that is not known keeps its last known value.
    pub(crate) fn note(&mut self, listener: End, claim: ListenerOwner, now: Instant) {
        self.agreed.clear();
        let claims = self.seen.entry(listener).or_insert_with(|| {
            *self.ports.entry(listener.address.port()).or_default() += 1;
            BTreeMap::new()
        });
        let (seen, known) = claims.entry(claim.cookie).or_insert_with(|| (now, claim.clone()));
        *seen = now;
        known.owner = claim.owner.or(known.owner.take());
        known.cgroup = claim.cgroup.or(known.cgroup.take());
    }

    /// Forgets the listeners that have been gone for a minute.
    pub(crate) fn forget(&mut self, now: Instant) {
        let Self { seen, agreed, ports, .. } = self;
        agreed.clear();
        seen.retain(|listener, claims| {
            claims.retain(|_, (at, _)| now.saturating_duration_since(*at) < LINGER);
            let stays = !claims.is_empty();
            if !stays && let Some(count) = ports.get_mut(&listener.address.port()) {
                *count -= 1;
                if *count == 0 {
                    ports.remove(&listener.address.port());
                }
            }
            stays
        });
    }

    /// To whom an inbound connection belongs that no dump showed, by its listeners.
    ///
    /// Where several share the address (`SO_REUSEPORT`), what all agree in: a name, if not the processes.
    pub(crate) fn claim(&mut self, local: End) -> Agreed {
        let Some(listener) = self.accepting(local) else { return Agreed::default() };
        let seen = &self.seen;
        let agree = || seen.get(&listener).map(agreed).unwrap_or_default();
        self.agreed.entry(listener).or_insert_with(agree).clone()
    }

    /// Where the listeners stand that accept for a local end, as the kernel looks them up: on its address, then on
    /// `0.0.0.0` if it is IPv4, then on `::`.
    ///
    /// A connection has the interface of its listener; without one, link-local addresses and VRFs give it one.
    #[inline]
    fn accepting(&self, local: End) -> Option<End> {
        let (ip, port) = (local.address.ip(), local.address.port());
        if !self.ports.contains_key(&port) {
            return None;
        }
        let any_v4 = ip.is_ipv4().then_some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let on = |interface| {
            let ips = once(ip).chain(any_v4).chain(once(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
            { ips }
                .map(|ip| End { address: SocketAddr::new(ip, port), interface })
                .find(|listener| self.seen.contains_key(listener))
        };
        on(local.interface).or_else(|| on(None))
    }
}

/// What the listeners of the latest dump agree in.
fn agreed(claims: &BTreeMap<u64, (Instant, ListenerOwner)>) -> Agreed {
    let latest = claims.values().map(|(at, _)| *at).max();
    let mut now = claims.values().filter(|(at, _)| Some(*at) == latest).map(|(_, claim)| claim);
    let Some(first) = now.next() else { return Agreed::default() };
    let (mut owner, mut cgroup) = (first.owner.clone(), first.cgroup.clone());
    for other in now {
        owner = owner.zip(other.owner.as_ref()).map(|(one, other)| Owner::agreed(one, other));
        cgroup = cgroup
            .zip(other.cgroup.as_ref())
            .map(|(one, other)| if one == *other { one } else { Arc::new(Cgroup::agreed(&one, other)) });
    }
    (owner.filter(|owner| !owner.processes().is_empty()), cgroup)
}

#[cfg(test)]
mod tests;
