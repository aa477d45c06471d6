//! Whose sockets are: the tables of processes, cgroups and users that one collector keeps. What no view needs is not
//! read.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::attribute::{
    Cgroup, Cgroups, ListenerOwner, Netns, Owner, OwnerId, OwnerLookup, Ownership, Processes, Users,
};
use crate::plan::Plan;
use crate::properties::Needs;
use sockdiag::Socket;
use sockdiag::unix::Peering;

/// What is known of owners.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    processes: Option<Processes>,
    cgroups: Option<Cgroups>,
    /// The host has cgroup v1, alone or beside v2.
    v1: bool,
    /// Views show the processes of peers.
    peers: bool,
    pub(crate) users: Users,
}

impl Attribution {
    /// What a plan needs.
    pub(crate) fn of(plan: &Plan, proc: &Path) -> Self {
        let cgroups = plan.needs.has(Needs::CGROUPS).then(Cgroups::mounted);
        // Without cgroup v2 the kernel reports no cgroup, and beside v1 often the root; the process table has it.
        let needed = cgroups.as_ref().is_some_and(|cgroups| !cgroups.is_mounted());
        let of_processes = plan.reads_cgroups_of_processes();
        let v1 = Cgroup::has_v1(&std::fs::read_to_string(proc.join("self/cgroup")).unwrap_or_default());
        // Another plan may need cgroups, and continues with the same processes.
        let processes = (plan.needs.has(Needs::PROCESSES) || needed || of_processes)
            .then(|| Processes::new(proc.to_owned(), v1 || of_processes));
        Self { processes, cgroups, v1, peers: plan.needs.has_all(Needs::PEERS), users: Users::default() }
    }

    /// What is known without the process table.
    pub(crate) fn without_processes(plan: &Plan) -> Self {
        Self { cgroups: plan.needs.has(Needs::CGROUPS).then(Cgroups::mounted), ..Self::default() }
    }

    /// Continues under another plan that finds owners in the same way.
    pub(crate) fn adopt(&mut self, before: &Plan, plan: &Plan) {
        if before.needs.has(Needs::CGROUPS) != plan.needs.has(Needs::CGROUPS) {
            self.cgroups = plan.needs.has(Needs::CGROUPS).then(Cgroups::mounted);
        }
        self.peers = plan.needs.has_all(Needs::PEERS);
    }

    /// The processes, if owners are needed.
    pub(crate) fn processes(&self) -> Option<&Processes> {
        self.processes.as_ref()
    }

    /// The cgroups of cgroup v2, if they are needed and the process table does not show those of v1 instead.
    pub(crate) fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.as_ref().filter(|cgroups| cgroups.is_mounted() || !self.v1)
    }

    /// Reads the process table until then, before the first collection.
    pub(crate) fn read_ahead(&mut self, now: Instant, until: Instant) {
        if let Some(processes) = &mut self.processes {
            processes.read_ahead(now, until);
        }
    }

    /// Begins a collection, which may read the process table until then.
    pub(crate) fn begin(&mut self, now: Instant, until: Instant) -> io::Result<()> {
        self.users.begin();
        if let Some(cgroups) = &mut self.cgroups {
            cgroups.begin();
        }
        self.processes.as_mut().map_or(Ok(()), |processes| processes.begin(now, until))
    }

    /// Searches for the owners that [`Attribution::whose`] did not know.
    pub(crate) fn resolve(&mut self, now: Instant, until: Instant) {
        if let Some(processes) = &mut self.processes {
            processes.resolve(now, until);
        }
    }

    /// The owner of the socket with that inode; no process if owners are not needed.
    #[inline]
    pub(crate) fn whose(&mut self, inode: u32) -> OwnerLookup {
        self.processes.as_mut().map_or(OwnerLookup::NoProcess, |processes| processes.of(inode))
    }

    /// Whether the owner of the peer of a unix socket is needed and not known yet.
    #[inline]
    pub(crate) fn awaits_peer(&mut self, socket: &Socket<'_>) -> bool {
        self.peers && self.peer(socket) == OwnerLookup::Unknown
    }

    fn peer(&mut self, socket: &Socket<'_>) -> OwnerLookup {
        match socket.peering() {
            Some(Peering::Connected(inode)) => self.whose(inode),
            _ => OwnerLookup::NoProcess,
        }
    }

    /// Keeps an owner from being forgotten that is known by its number alone.
    pub(crate) fn keep(&mut self, owner: OwnerId) {
        if let Some(processes) = &mut self.processes {
            processes.keep(owner);
        }
    }

    /// What a socket of that owner belongs to.
    #[inline]
    pub(crate) fn ownership<'a>(
        &'a mut self,
        socket: &Socket<'_>,
        owner_id: OwnerId,
        netns: &'a Netns,
    ) -> (Ownership<'a>, &'a Users) {
        let peer_id = match self.peers.then(|| self.peer(socket)) {
            Some(OwnerLookup::Known(id)) => id,
            _ => OwnerId::NO_PROCESS,
        };
        let Self { processes, cgroups, users, .. } = self;
        let known = |owner: &&Arc<Owner>| !owner.processes().is_empty();
        let of = |id| processes.as_ref().map(|all| all.owner(id)).filter(known);
        let (owner, peer) = (of(owner_id), of(peer_id));
        let cgroup = cgroups.as_mut().and_then(|cgroups| cgroups.get(socket.cgroup()?));
        (Ownership { owner_id, owner, peer, cgroup, netns: Some(netns) }, users)
    }

    /// What connections inherit from a listener, and whether its owner may yet be found.
    pub(crate) fn claim(&mut self, socket: &Socket<'_>, netns: &Netns) -> (ListenerOwner, bool) {
        let whose = socket.inode().map_or(OwnerLookup::NoProcess, |inode| self.whose(inode));
        let id = if let OwnerLookup::Known(id) = whose { id } else { OwnerId::NO_PROCESS };
        let owner = self.processes.as_ref().map(|processes| Arc::clone(processes.owner(id)));
        let cgroups = self.cgroups.as_mut();
        let cgroup: Option<Cgroup> = cgroups.and_then(|cgroups| cgroups.get(socket.cgroup()?)).cloned();
        let claim =
            ListenerOwner { cookie: netns.identity(socket.cookie()), owner, cgroup: cgroup.map(Arc::new) };
        (claim, whose == OwnerLookup::Unknown)
    }
}
