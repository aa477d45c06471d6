//! Hosts as a collection sees them: one whose sockets a test decides, and the network namespace of a test.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sockdiag::{Netlink, Protocol};
use ss_exporter::attribute::{Cgroups, Namespace, NetnsListing};
use ss_exporter::collection::{Entered, Host, Opened};
use ss_exporter::exposition::{FamilyFilter, Format};
use ss_exporter::select::Lookup;
use ss_exporter::snapshot::Snapshot;

use crate::process_table::ProcessTable;
use crate::recording::{Recording, dump};

/// What changes while a host runs.
#[derive(Default)]
struct Now {
    connections: HashMap<String, Arc<[u8]>>,
    listeners: Option<Arc<[u8]>>,
    closed: HashSet<String>,
    delay: Duration,
}

/// A host whose sockets, network namespaces and processes a test decides.
pub struct FakeHost {
    /// Its processes.
    pub processes: ProcessTable,
    namespaces: Vec<String>,
    now: Mutex<Now>,
}

impl FakeHost {
    /// A host with these network namespaces, the exporter's own first, and without sockets.
    pub fn new(namespaces: &[&str]) -> Self {
        let namespaces = namespaces.iter().map(ToString::to_string).collect();
        Self { processes: ProcessTable::default(), namespaces, now: Mutex::default() }
    }

    /// Sets the dump of the connections in a network namespace, or of the protocol with that name in each.
    pub fn set_connections(&self, namespace: &str, dump: impl Into<Arc<[u8]>>) {
        self.now().connections.insert(namespace.to_owned(), dump.into());
    }

    /// Sets the dump of the listeners in the exporter's own network namespace.
    pub fn set_listeners(&self, dump: impl Into<Arc<[u8]>>) {
        self.now().listeners = Some(dump.into());
    }

    /// Sets whether a network namespace refuses to be entered, or each of them for the protocol with that name.
    pub fn set_closed(&self, namespace: &str, is_closed: bool) {
        if is_closed {
            self.now().closed.insert(namespace.to_owned());
        } else {
            self.now().closed.remove(namespace);
        }
    }

    /// Sets how long a dump of connections takes.
    pub fn set_delay(&self, delay: Duration) {
        self.now().delay = delay;
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().expect("no test panics while it changes the host")
    }
}

impl Host for FakeHost {
    type Transport = Recording;

    fn namespaces(&self) -> io::Result<NetnsListing> {
        let one = |(name, inode): (&String, u64)| Namespace {
            name: name.clone(),
            own: inode == 1,
            inode,
            ..Namespace::own()
        };
        let namespaces = self.namespaces.iter().zip(1..).map(one).collect();
        Ok(NetnsListing { namespaces, ..NetnsListing::default() })
    }

    fn enter(
        &self,
        namespace: &Namespace,
        protocols: &[&'static Protocol],
    ) -> io::Result<Entered<Recording>> {
        let now = self.now();
        let closed = || io::Error::other("closed");
        if now.closed.contains(&namespace.name) {
            return Err(closed());
        }
        let open = |protocol: &&'static Protocol| {
            if now.closed.contains(protocol.name) {
                return Err(closed());
            }
            let connections =
                now.connections.get(protocol.name).or(now.connections.get(&namespace.name)).cloned();
            let listeners = now.listeners.clone().filter(|_| namespace.own);
            let [connections, listeners] =
                [connections, listeners].map(|dumped| dumped.unwrap_or_else(|| dump(&[])));
            let transport = Some(Recording::delayed(connections, now.delay));
            Ok(Opened { transport, for_listeners: Some(Recording::of(listeners)), ..Opened::default() })
        };
        Ok(Entered { ports: String::new(), protocols: protocols.iter().map(open).collect() })
    }

    fn proc(&self) -> &Path {
        self.processes.path()
    }
}

impl Lookup for FakeHost {
    fn judges_cgroups(&self) -> bool {
        true
    }
}

/// The network namespace of the calling thread, with the real kernel and processes. Every host name has the address
/// `::1`.
pub struct ThisNetns;

impl Host for ThisNetns {
    type Transport = Netlink;

    fn enter(&self, _: &Namespace, protocols: &[&'static Protocol]) -> io::Result<Entered<Netlink>> {
        Ok(Entered::here(self.proc(), protocols, |_| false))
    }

    fn proc(&self) -> &Path {
        Path::new("/proc")
    }

    fn interface_index(&self, _: &Namespace, name: &str) -> Option<u32> {
        self.interface(name)
    }
}

impl Lookup for ThisNetns {
    fn addresses(&self, _: &str) -> Vec<IpAddr> {
        vec![Ipv6Addr::LOCALHOST.into()]
    }

    fn interface(&self, name: &str) -> Option<u32> {
        // The first of a new namespace.
        (name == "lo").then_some(1)
    }

    fn cgroup(&self, path: &str) -> Option<u64> {
        Cgroups::mounted().id(path)
    }

    fn user(&self, name: &str) -> Option<u32> {
        (name == "root").then_some(0)
    }

    fn judges_cgroups(&self) -> bool {
        true
    }
}

/// The whole exposition of a snapshot.
pub fn exposition(snapshot: &Snapshot, format: Format) -> String {
    let chunks = snapshot.chunks(FamilyFilter::default(), format);
    String::from_utf8(chunks.flatten().collect()).expect("UTF-8")
}
