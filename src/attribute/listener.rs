//! Which way a connection was made: towards a listener of this host, or from here.
//!
//! Refuses to know what a port is used for: the smaller port proves nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::belongs::{Belongs, Home};
use super::cgroup::Cgroup;
use super::process::{Owner, OwnerId};

/// A listener that is gone still claims the connections it accepted, as long as this.
///
/// Its connections may be seen for the first time at their end, after a restart for instance.
const LINGER: Duration = Duration::from_mins(1);

/// Which end asked for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The remote end; the local port is a listener's.
    Inbound,
    /// This host.
    Outbound,
}

impl Direction {
    /// The label's text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// A listening socket, and to whom it and what it accepts belong.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// Its cookie.
    pub cookie: u64,
    /// The processes that hold it, the empty owner if they were looked for in vain; `None` if nobody looked.
    pub owner: Option<Arc<Owner>>,
    /// Its cgroup, if known.
    pub cgroup: Option<Arc<Cgroup>>,
}

impl Claim {
    /// To whom a connection to the listener belongs.
    #[must_use]
    pub fn belongs<'a>(&'a self, home: &'a Home) -> Belongs<'a> {
        let (owner, cgroup) = (self.owner(), self.cgroup.as_deref());
        Belongs { owner_id: OwnerId::NOBODY, owner, cgroup, home: Some(home) }
    }

    fn owner(&self) -> Option<&Owner> {
        self.owner.as_deref().filter(|owner| !owner.processes().is_empty())
    }
}

/// The listeners of one network namespace, and those that were there a moment ago.
#[derive(Debug)]
pub struct Listeners {
    /// The ports that the kernel gives to clients (`net.ipv4.ip_local_port_range`).
    ephemeral: RangeInclusive<u16>,
    /// By their cookies: any number may share an address.
    seen: HashMap<SocketAddr, BTreeMap<u64, (Instant, Claim)>>,
    /// Whether a port has any listener: most local ports have none, and this tells it fastest.
    ports: HashMap<u16, u32>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { ephemeral: 32_768..=60_999, seen: HashMap::new(), ports: HashMap::new() }
    }
}

impl Listeners {
    /// Notes which ports the kernel gives to clients, by the text of `ip_local_port_range`.
    pub fn note_range(&mut self, text: &str) {
        let mut ends = text.split_ascii_whitespace().filter_map(|port| port.parse().ok());
        if let (Some(first), Some(last)) = (ends.next(), ends.next()) {
            self.ephemeral = first..=last;
        }
    }

    /// The direction of a connection whose end is the first that is seen of it.
    ///
    /// Its listener may have come and gone unseen. If no listener is known, a client's port at the other
    /// end and none at this one tell as much.
    #[must_use]
    pub fn direction_at_end(&self, local: SocketAddr, remote: SocketAddr) -> Direction {
        let client = |end: SocketAddr| self.ephemeral.contains(&end.port());
        match self.direction(local) {
            Direction::Outbound if client(remote) && !client(local) => Direction::Inbound,
            direction => direction,
        }
    }

    /// Notes that a listener is there now; what is not known of it stays as it was known.
    pub fn note(&mut self, address: SocketAddr, claim: Claim, now: Instant) {
        let claims = self.seen.entry(address).or_insert_with(|| {
            *self.ports.entry(address.port()).or_default() += 1;
            BTreeMap::new()
        });
        let (seen, known) = claims.entry(claim.cookie).or_insert_with(|| (now, claim.clone()));
        *seen = now;
        known.owner = claim.owner.or(known.owner.take());
        known.cgroup = claim.cgroup.or(known.cgroup.take());
    }

    /// Forgets the listeners that have been gone for a minute.
    pub fn forget(&mut self, now: Instant) {
        let Self { seen, ports, .. } = self;
        seen.retain(|address, claims| {
            claims.retain(|_, (at, _)| now.saturating_duration_since(*at) < LINGER);
            let stays = !claims.is_empty();
            if !stays && let Some(count) = ports.get_mut(&address.port()) {
                *count -= 1;
                if *count == 0 {
                    ports.remove(&address.port());
                }
            }
            stays
        });
    }

    /// The direction of a connection with this local end.
    #[must_use]
    #[inline]
    pub fn direction(&self, local: SocketAddr) -> Direction {
        if self.accepting(local).is_some() { Direction::Inbound } else { Direction::Outbound }
    }

    /// To whom a connection with this local end belongs that nobody saw alive, as far as its listener tells.
    ///
    /// Of several that share the address (`SO_REUSEPORT`), only what is so of all of them.
    #[must_use]
    pub fn claim(&self, local: SocketAddr) -> (Option<&Owner>, Option<&Cgroup>) {
        let claims = || self.accepting(local).into_iter().flat_map(BTreeMap::values);
        let latest = claims().map(|(at, _)| *at).max();
        let mut now = claims().filter(|(at, _)| Some(*at) == latest).map(|(_, claim)| claim);
        let Some(first) = now.next() else { return (None, None) };
        let (mut owner, mut cgroup) = (first.owner(), first.cgroup.as_deref());
        for other in now {
            owner = owner.filter(|owner| other.owner() == Some(owner));
            cgroup = cgroup.filter(|cgroup| other.cgroup.as_deref() == Some(cgroup));
        }
        (owner, cgroup)
    }

    /// The listeners that accept for a local end: one on `0.0.0.0` does for every IPv4 address, one on `::` for
    /// every address.
    #[inline]
    fn accepting(&self, local: SocketAddr) -> Option<&BTreeMap<u64, (Instant, Claim)>> {
        let port = local.port();
        if !self.ports.contains_key(&port) {
            return None;
        }
        let of = |ip: IpAddr| self.seen.get(&SocketAddr::new(ip, port));
        let any_v4 = || local.is_ipv4().then(|| of(Ipv4Addr::UNSPECIFIED.into())).flatten();
        of(local.ip()).or_else(any_v4).or_else(|| of(Ipv6Addr::UNSPECIFIED.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Process;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_connection_is_inbound_if_and_only_if_a_listener_accepts_for_its_local_end() {
        let mut listeners = Listeners::default();
        let now = Instant::now();
        for address in ["0.0.0.0:80", "[::]:443", "10.0.0.1:22", "[2001:db8::1]:25"] {
            listeners.note(at(address), Claim::default(), now);
        }
        for (local, inbound) in [
            ("10.0.0.9:80", true),
            ("[2001:db8::9]:80", false),
            ("10.0.0.9:443", true),
            ("[2001:db8::9]:443", true),
            ("10.0.0.1:22", true),
            ("10.0.0.2:22", false),
            ("[2001:db8::1]:25", true),
            ("10.0.0.1:25", false),
            ("10.0.0.1:40000", false),
        ] {
            let expected = if inbound { Direction::Inbound } else { Direction::Outbound };
            assert_eq!(listeners.direction(at(local)), expected, "{local}");
        }
    }

    #[test]
    fn a_connection_seen_at_its_end_alone_came_from_the_end_with_a_clients_port() {
        let mut listeners = Listeners::default();
        listeners.note(at("0.0.0.0:40000"), Claim::default(), Instant::now());
        listeners.note_range("30000 50000\n");
        for (local, remote, inbound) in [
            ("10.0.0.1:443", "10.0.0.2:35000", true),
            ("10.0.0.1:35000", "10.0.0.2:443", false),
            ("10.0.0.1:35000", "10.0.0.2:45000", false),
            ("10.0.0.1:40000", "10.0.0.2:45000", true),
            ("10.0.0.1:443", "10.0.0.2:55000", false),
        ] {
            let expected = if inbound { Direction::Inbound } else { Direction::Outbound };
            assert_eq!(listeners.direction_at_end(at(local), at(remote)), expected, "{local} {remote}");
        }
        listeners.note_range("nonsense");
        assert_eq!(listeners.ephemeral, 30_000..=50_000);
    }

    #[test]
    fn a_listener_that_stopped_a_moment_ago_still_claims_its_connections() {
        let mut listeners = Listeners::default();
        let start = Instant::now();
        listeners.note(at("0.0.0.0:80"), Claim::default(), start);
        listeners.note(at("10.0.0.1:80"), Claim::default(), start + LINGER);
        listeners.forget(start + LINGER / 2);
        assert_eq!(listeners.direction(at("10.0.0.2:80")), Direction::Inbound);
        listeners.forget(start + LINGER);
        assert_eq!(listeners.direction(at("10.0.0.2:80")), Direction::Outbound);
        assert_eq!(listeners.direction(at("10.0.0.1:80")), Direction::Inbound);
        listeners.forget(start + 3 * LINGER);
        assert_eq!(listeners.direction(at("10.0.0.1:80")), Direction::Outbound);
    }

    #[test]
    fn a_connection_nobody_saw_belongs_to_whom_all_its_listeners_belong_to() {
        let owner = |pid| Arc::new(Owner::of(vec![Process::new(pid, "nginx".into(), String::new())]));
        let claim =
            |cookie, owner: Option<&Arc<Owner>>| Claim { cookie, owner: owner.cloned(), cgroup: None };
        let (one, two, start) = (owner(1), owner(2), Instant::now());
        let mut listeners = Listeners::default();
        let now =
            |listeners: &Listeners| listeners.claim(at("10.0.0.1:80")).0.map(|owner| owner.pids().to_owned());
        listeners.note(at("0.0.0.0:80"), claim(7, Some(&one)), start);
        assert_eq!(now(&listeners).as_deref(), Some("1"));
        // A look that cannot tell owners forgets none.
        listeners.note(at("0.0.0.0:80"), claim(7, None), start + LINGER / 4);
        assert_eq!(now(&listeners).as_deref(), Some("1"));
        listeners.note(at("0.0.0.0:80"), claim(8, Some(&one)), start + LINGER / 4);
        assert_eq!(now(&listeners).as_deref(), Some("1"));
        listeners.note(at("0.0.0.0:80"), claim(9, Some(&two)), start + LINGER / 4);
        assert_eq!(now(&listeners), None, "it may be either's");
        listeners.note(at("0.0.0.0:80"), claim(9, None), start + LINGER / 2);
        assert_eq!(now(&listeners).as_deref(), Some("2"), "the others are gone");
        listeners.note(at("0.0.0.0:80"), claim(10, None), start + LINGER);
        assert_eq!(now(&listeners), None, "nobody knows whose the new one is");
        listeners.note(at("0.0.0.0:80"), claim(10, Some(&two)), start + LINGER);
        listeners.note(at("0.0.0.0:80"), claim(10, Some(&Arc::default())), start + LINGER);
        assert_eq!(now(&listeners), None, "whoever held it holds it no longer");
    }
}
