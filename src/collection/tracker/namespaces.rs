//! The network namespaces, as the tracker knows them.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::attribute::{Listeners, Netns};
use crate::collection::netns::NetnsTarget;
use crate::plan::Program;
use sockdiag::Protocol;

/// All namespaces that a collection has found.
#[derive(Debug)]
pub(super) struct TrackedNamespaces {
    /// The exporter's own.
    pub(super) own: Arc<Netns>,
    /// Those that close events name by nsid.
    pub(super) by_nsid: HashMap<i32, Arc<NetnsTarget>>,
    by_number: HashMap<u32, TrackedNetns>,
    /// What is wanted of the sockets of each protocol where no program is known yet.
    programs: Vec<Arc<Program>>,
}

/// What is known of a namespace.
#[derive(Debug, Default)]
pub(super) struct TrackedNetns {
    pub(super) listeners: Option<Listeners>,
    /// What was wanted of its sockets when it was last dumped, by protocol.
    programs: Vec<Arc<Program>>,
}

impl TrackedNetns {
    /// It is to be dumped, with that program.
    pub(super) fn enter(&mut self, program: &Arc<Program>) {
        self.programs.retain(|known| known.protocol != program.protocol);
        self.programs.push(Arc::clone(program));
    }
}

/// The program of a protocol.
fn of<'a>(programs: &'a [Arc<Program>], protocol: &Protocol) -> Option<&'a Arc<Program>> {
    programs.iter().find(|program| program.protocol == protocol)
}

impl TrackedNamespaces {
    pub(super) fn new(programs: Vec<Arc<Program>>) -> Self {
        let (by_nsid, by_number) = (HashMap::new(), HashMap::new());
        Self { own: Arc::default(), by_nsid, by_number, programs }
    }

    /// The namespaces are these, and their numbers are `all`.
    pub(super) fn know(&mut self, own: Arc<Netns>, by_nsid: Vec<(i32, NetnsTarget)>, all: &HashSet<u32>) {
        self.own = own;
        self.by_nsid = by_nsid.into_iter().map(|(nsid, target)| (nsid, Arc::new(target))).collect();
        self.by_number.retain(|number, _| all.contains(number));
    }

    /// The exporter's own namespace has that name, unless it has one already.
    pub(super) fn name_own(&mut self, name: String) {
        if *self.own == Netns::default() {
            self.own = Arc::new(Netns { name, ..Netns::default() });
        }
    }

    /// What is known of the namespace with that number, to be changed.
    pub(super) fn of(&mut self, number: u32) -> &mut TrackedNetns {
        self.by_number.entry(number).or_default()
    }

    /// The listeners of a namespace, if they were ever scanned.
    pub(super) fn listeners(&self, number: u32) -> Option<&Listeners> {
        self.by_number.get(&number)?.listeners.as_ref()
    }

    /// The ports that the kernel gives to clients in a namespace, if they are known.
    pub(super) fn client_ports(&self, number: u32) -> Option<(u16, u16)> {
        self.listeners(number).map(Listeners::client_ports)
    }

    /// What is wanted of the sockets of a protocol in a namespace; `None` if no view shows the protocol.
    pub(super) fn program(&self, number: u32, protocol: &Protocol) -> Option<&Arc<Program>> {
        let known = self.by_number.get(&number).and_then(|netns| of(&netns.programs, protocol));
        known.or_else(|| of(&self.programs, protocol))
    }

    /// Other programs hold, of which each aggregated view was the one in that place `before`. What names stand for
    /// in other namespaces is known at their next dump; until then, it is what it was.
    pub(super) fn reload(&mut self, programs: Vec<Arc<Program>>, before: &[Option<usize>]) {
        for of_netns in self.by_number.values_mut().map(|netns| &mut netns.programs) {
            let known = std::mem::take(of_netns);
            of_netns.extend(known.iter().filter_map(|known| {
                let mut now = Program::clone(of(&programs, known.protocol)?);
                for (wanted, before) in now.aggregated.iter_mut().zip(before) {
                    if let Some(known) = before.and_then(|before| known.aggregated.get(before)) {
                        wanted.clone_from(known);
                    }
                }
                Some(Arc::new(now))
            }));
        }
        self.programs = programs;
    }
}
