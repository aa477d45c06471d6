//! The network namespaces that collections read, and what one collection leaves of them for the next.

use std::io;
use std::path::Path;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::generation::Generation;
use super::halves::WORTH_HALVING;
use crate::attribute::{Cgroup, Namespace, Netns, NetnsListing, Sockstat};
use sockdiag::{DumpStats, Netlink, Protocol, Request, Socket};

/// Collections for which a namespace is kept that is no longer listed: its last process may have ended before its
/// last socket.
const REMEMBERED: u32 = 3;

/// The number of a namespace, and the protocol that is dumped there.
pub(super) type DumpOf = (u32, &'static Protocol);

/// The namespaces that were there at the last collections.
#[derive(Debug, Default)]
pub(crate) struct NetnsRegistry {
    known: HashMap<u64, ListedNetns>,
    /// The last number that was given away.
    last: u32,
    /// Whether they were ever found out.
    listed: bool,
    /// The nsids that led to no namespace in the last collection.
    unreachable: HashSet<i32>,
}

#[derive(Debug)]
struct ListedNetns {
    netns: Arc<Netns>,
    /// The process whose cgroup counts for those of whom no other is known.
    pid: Option<u32>,
    /// When it got its name. Sockets that were placed before may be in rows with another name.
    named_at: Generation,
    /// For how many collections it has not been listed.
    missing: u32,
}

/// A namespace to dump.
#[derive(Clone, Debug)]
pub(crate) struct NetnsTarget {
    pub(crate) namespace: Namespace,
    pub(crate) netns: Arc<Netns>,
    /// When it got its name. Sockets that were placed before may be in rows with another name.
    pub(crate) named_at: Generation,
}

impl NetnsRegistry {
    /// Whether they were found out before: one that is new to a later listing is younger than the exporter.
    pub(crate) const fn were_found(&self) -> bool {
        self.listed
    }

    /// The namespaces to dump, the exporter's own first, of a listing that was `found` or else of its own alone. A change of
    /// a name begins the `next_generation`.
    pub(crate) fn update(
        &mut self,
        listing: NetnsListing,
        found: bool,
        proc: &Path,
        mut next_generation: impl FnMut() -> Generation,
    ) -> Vec<NetnsTarget> {
        self.listed |= found;
        let mut before = std::mem::take(&mut self.known);
        let mut targets = Vec::with_capacity(listing.namespaces.len());
        for namespace in listing.namespaces {
            let known = before.remove(&namespace.inode).filter(|known| known.is(&namespace));
            let mut known = known.unwrap_or_else(|| ListedNetns::new(self.number(&namespace)));
            known.update(&namespace, proc, &mut next_generation);
            let (netns, named_at) = (Arc::clone(&known.netns), known.named_at);
            self.known.insert(namespace.inode, known);
            targets.push(NetnsTarget { namespace, netns, named_at });
        }
        for (inode, mut known) in before {
            known.missing += 1;
            if known.missing <= REMEMBERED {
                self.known.entry(inode).or_insert(known);
            }
        }
        targets
    }

    /// How many of these nsids, which lead to no namespace that was found, did so in the last collection too.
    ///
    /// One that comes or goes during a collection has no other for a moment.
    pub(crate) fn unreachable(&mut self, nsids: impl Iterator<Item = i32>) -> usize {
        let now: HashSet<_> = nsids.collect();
        let again = now.intersection(&self.unreachable).count();
        self.unreachable = now;
        again
    }

    /// The numbers of all that are known.
    pub(crate) fn numbers(&self) -> HashSet<u32> {
        self.known.values().map(|known| known.netns.number).collect()
    }

    /// The numbers of all that are known but these.
    pub(crate) fn others(&self, targets: &[NetnsTarget]) -> Vec<u32> {
        let mut others = self.numbers();
        for target in targets {
            others.remove(&target.netns.number);
        }
        others.into_iter().collect()
    }

    fn number(&mut self, namespace: &Namespace) -> Netns {
        self.last += u32::from(!namespace.own);
        let number = if namespace.own { 0 } else { self.last };
        Netns { number, name: namespace.name.clone(), cgroup: None }
    }
}

impl ListedNetns {
    fn new(netns: Netns) -> Self {
        Self { netns: Arc::new(netns), pid: None, named_at: Generation::NONE, missing: 0 }
    }

    /// Notes how it is listed now.
    fn update(&mut self, namespace: &Namespace, proc: &Path, next_generation: impl FnOnce() -> Generation) {
        self.missing = 0;
        let mut netns = Netns::clone(&self.netns);
        if netns.name != namespace.name {
            netns.name.clone_from(&namespace.name);
            self.named_at = next_generation();
        }
        if !namespace.own && namespace.pid != self.pid {
            self.pid = namespace.pid;
            netns.cgroup = cgroup(namespace, proc);
        }
        if netns != *self.netns {
            self.netns = Arc::new(netns);
        }
    }

    /// Whether it is this one: the inode of one that is gone is another's soon, but not its name or process too.
    fn is(&self, namespace: &Namespace) -> bool {
        self.netns.name == namespace.name
            || namespace.own
            || self.pid.is_some_and(|pid| namespace.pid == Some(pid))
    }
}

/// The cgroup of a process in a namespace.
fn cgroup(namespace: &Namespace, proc: &Path) -> Option<Cgroup> {
    let text = std::fs::read_to_string(proc.join(namespace.pid?.to_string()).join("cgroup")).ok()?;
    Cgroup::of_process(&text)
}

/// What is found in a network namespace after entering it.
#[derive(Debug)]
pub struct Entered<K> {
    /// The text of `ip_local_port_range`, empty if none of the protocols has ports of IP.
    pub ports: String,
    /// What there is to dump of each of the protocols, or the error of `socket(2)`.
    pub protocols: Vec<io::Result<Opened<K>>>,
}

/// What is found of a protocol in a network namespace.
#[derive(Debug)]
pub struct Opened<K> {
    /// For the dump of all sockets; `None` where there is none.
    pub transport: Option<K>,
    /// For one of the halves of that dump, where it may be worth to halve it.
    pub for_half: Option<K>,
    /// For the dump of the listeners, of a protocol that has them.
    pub for_listeners: Option<K>,
    /// The number of sockets in `TIME_WAIT`, remnants in `FIN_WAIT2` included; `None` if `/proc` does not say.
    pub time_wait: Option<u64>,
    /// The text of the protocol's tables in `/proc/net`, for where the kernel has no answer.
    pub tables: String,
}

impl Entered<Netlink> {
    /// What the namespace of this thread shows by that `/proc` of these protocols. A `skippable` one without a socket there has
    /// nothing to dump.
    #[must_use]
    pub fn here(proc: &Path, protocols: &[&'static Protocol], skippable: impl Fn(&Protocol) -> bool) -> Self {
        let read = |name: &str| std::fs::read_to_string(proc.join(name)).unwrap_or_default();
        // What says nothing of the protocols is not read.
        let read_for = |is_wanted: fn(&Protocol) -> bool, name: &str| {
            let wanted = protocols.iter().any(|protocol| is_wanted(protocol));
            if wanted { read(name) } else { String::new() }
        };
        let counted = |protocol: &Protocol| !protocol.sockstat.is_empty();
        let sockstat = read_for(counted, "thread-self/net/sockstat");
        let sockstat6 = read_for(counted, "thread-self/net/sockstat6");
        let open = |protocol: &&'static Protocol| {
            let counts = Some(protocol)
                .filter(|protocol| counted(protocol))
                .and_then(|protocol| Sockstat::read(protocol.sockstat, &sockstat, &sockstat6));
            let is_empty = counts.is_some_and(|counts| counts.sockets == 0 && counts.time_wait == 0);
            let time_wait = counts.map(|counts| counts.time_wait);
            let is_large = counts.is_some_and(|counts| counts.sockets >= WORTH_HALVING);
            if is_empty && skippable(protocol) {
                return Ok(Opened { time_wait, ..Opened::default() });
            }
            let files = protocol.tables.iter().flat_map(|tables| tables.files);
            Ok(Opened {
                transport: Some(Netlink::open()?),
                for_half: (is_large && protocol.has_halves()).then(Netlink::open).transpose()?,
                for_listeners: protocol.has_listeners().then(Netlink::open).transpose()?,
                time_wait,
                tables: files.map(|file| read(&format!("thread-self/net/{file}"))).collect(),
            })
        };
        Self {
            ports: read_for(|protocol| protocol.header.internet, "sys/net/ipv4/ip_local_port_range"),
            protocols: protocols.iter().map(open).collect(),
        }
    }
}

impl<K> Default for Opened<K> {
    /// Nothing to dump.
    fn default() -> Self {
        Self { transport: None, for_half: None, for_listeners: None, time_wait: None, tables: String::new() }
    }
}

/// Takes the wanted sockets of a protocol's tables in `/proc`, of which the kernel reports none.
pub(super) fn listed(request: &Request, tables: &str, mut each: impl FnMut(&Socket<'_>)) -> DumpStats {
    let reply = request.protocol.tables.map(|tables| tables.reply);
    for reply in reply.iter().flat_map(|reply| tables.lines().filter_map(reply)) {
        let socket = request.protocol.parse(&reply);
        if let Some(socket) = socket.filter(|socket| request.states.contains(socket.state())) {
            each(&socket);
        }
    }
    DumpStats { bytes: tables.len() as u64, ..DumpStats::default() }
}

/// Why a namespace was not dumped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetnsError {
    /// It could not be entered.
    #[error("{0}")]
    Enter(#[source] Arc<io::Error>),
    /// Its sockets could not be dumped.
    #[error("{0}")]
    Dump(#[source] sockdiag::DumpError),
    /// The dump, or an earlier one, has had too little time.
    #[error("the dump took too long and was not complete at its deadline")]
    Late,
    /// The kernel holds the dump or an earlier one.
    #[error("the kernel holds a dump (ss_exporter_dump_stuck_seconds)")]
    Stuck,
}

impl NetnsError {
    /// Why there is nothing to dump from.
    pub(super) fn entering(error: io::Error) -> Self {
        Self::Enter(Arc::new(error))
    }

    /// Whether the kernel has no answer about the protocol.
    pub(super) fn is_of_missing_protocol(&self) -> bool {
        matches!(self, Self::Dump(error) if error.is_of_missing_protocol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visited(
        registry: &mut NetnsRegistry,
        listing: NetnsListing,
        found: bool,
    ) -> (bool, Vec<(String, u32)>) {
        let young = registry.were_found();
        let targets = registry.update(listing, found, Path::new("/nonexistent"), Generation::default);
        (young, targets.into_iter().map(|target| (target.netns.name.clone(), target.netns.number)).collect())
    }

    #[test]
    fn what_the_first_listing_shows_is_old_however_late_it_comes_and_our_own_keeps_its_name() {
        let mut registry = NetnsRegistry::default();
        let own = Namespace { inode: 1, name: "1".to_owned(), ..Namespace::own() };
        let alone = || NetnsListing { namespaces: vec![own.clone()], ..NetnsListing::default() };
        assert_eq!(visited(&mut registry, alone(), false), (false, vec![("1".to_owned(), 0)]));
        let other = |inode: u64| Namespace { inode, name: inode.to_string(), own: false, ..Namespace::own() };
        let listing = |last| NetnsListing {
            namespaces: std::iter::once(own.clone()).chain((2..=last).map(other)).collect(),
            ..NetnsListing::default()
        };
        let first = visited(&mut registry, listing(2), true);
        assert_eq!(first, (false, vec![("1".to_owned(), 0), ("2".to_owned(), 1)]));
        let (young, later) = visited(&mut registry, listing(3), true);
        assert_eq!((young, later.last()), (true, Some(&("3".to_owned(), 2))));
        assert_eq!(visited(&mut registry, alone(), false).1, [("1".to_owned(), 0)]);
    }
}
