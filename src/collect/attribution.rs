//! Whose sockets are: the tables of processes, cgroups and users that one collector keeps.
//!
//! Nothing that nobody asks for is looked at. Refuses to know what the answers are used for.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::attribute::{Cgroup, Cgroups, Claim, Netns, Owner, OwnerId, Ownership, Processes, Users, Whose};
use crate::plan::Plan;
use crate::sockdiag::Socket;

/// What is known of owners.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    processes: Option<Processes>,
    cgroups: Option<Cgroups>,
    /// The host has cgroup v1, alone or beside v2.
    v1: bool,
    pub(crate) users: Users,
}

impl Attribution {
    /// What a plan asks for.
    pub(crate) fn of(plan: &Plan, proc: &Path) -> Self {
        let cgroups = plan.needs_cgroups().then(Cgroups::mounted);
        // Without cgroup v2 the kernel tells of no cgroup, and beside v1 often of the root, but the process table does.
        let needed = cgroups.as_ref().is_some_and(|cgroups| !cgroups.is_mounted());
        let v1 = Cgroup::has_v1(&std::fs::read_to_string(proc.join("self/cgroup")).unwrap_or_default());
        // Another plan may ask for cgroups, and goes on with the same processes.
        let processes = (plan.needs_processes || needed).then(|| Processes::new(proc.to_owned(), v1));
        Self { processes, cgroups, v1, users: Users::default() }
    }

    /// What can be told without the process table.
    pub(crate) fn without_processes(plan: &Plan) -> Self {
        Self { cgroups: plan.needs_cgroups().then(Cgroups::mounted), ..Self::default() }
    }

    /// Goes on under another plan that finds owners in the same way.
    pub(crate) fn adopt(&mut self, before: &Plan, plan: &Plan) {
        if before.needs_cgroups() != plan.needs_cgroups() {
            self.cgroups = plan.needs_cgroups().then(Cgroups::mounted);
        }
    }

    /// The processes, if anybody asks for owners.
    pub(crate) fn processes(&self) -> Option<&Processes> {
        self.processes.as_ref()
    }

    /// The cgroups of cgroup v2, if they are asked for and the process table does not show those of v1 instead.
    pub(crate) fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.as_ref().filter(|cgroups| cgroups.is_mounted() || !self.v1)
    }

    /// A collection begins, which has until then to look at the process table.
    pub(crate) fn begin(&mut self, now: Instant, until: Instant) -> io::Result<()> {
        self.users.begin();
        if let Some(cgroups) = &mut self.cgroups {
            cgroups.begin();
        }
        self.processes.as_mut().map_or(Ok(()), |processes| processes.begin(now, until))
    }

    /// Looks for the owners that [`Attribution::whose`] could not tell.
    pub(crate) fn resolve(&mut self, now: Instant, until: Instant) {
        if let Some(processes) = &mut self.processes {
            processes.resolve(now, until);
        }
    }

    /// Whose the socket with that inode is; nobody's if nobody asks.
    #[inline]
    pub(crate) fn whose(&mut self, inode: u32) -> Whose {
        self.processes.as_mut().map_or(Whose::Nobody, |processes| processes.of(inode))
    }

    /// Keeps an owner from being forgotten that is known by its number alone.
    pub(crate) fn keep(&mut self, owner: OwnerId) {
        if let Some(processes) = &mut self.processes {
            processes.keep(owner);
        }
    }

    /// To whom a socket of that owner belongs.
    #[inline]
    pub(crate) fn ownership<'a>(
        &'a mut self,
        socket: &Socket<'_>,
        owner_id: OwnerId,
        netns: &'a Netns,
    ) -> (Ownership<'a>, &'a Users) {
        let Self { processes, cgroups, users, .. } = self;
        let known = |owner: &&Arc<Owner>| !owner.processes().is_empty();
        let owner =
            processes.as_ref().map(|processes| processes.owner(owner_id)).filter(known).map(AsRef::as_ref);
        let cgroup = cgroups.as_mut().and_then(|cgroups| cgroups.get(socket.cgroup()?));
        (Ownership { owner_id, owner, cgroup, netns: Some(netns) }, users)
    }

    /// What a listener hands on to the connections that it accepts, and whether its owner may yet be found.
    pub(crate) fn claim(&mut self, socket: &Socket<'_>, netns: &Netns) -> (Claim, bool) {
        let whose = socket.inode().map_or(Whose::Nobody, |inode| self.whose(inode));
        let id = if let Whose::Known(id) = whose { id } else { OwnerId::NOBODY };
        let owner = self.processes.as_ref().map(|processes| Arc::clone(processes.owner(id)));
        let cgroups = self.cgroups.as_mut();
        let cgroup: Option<Cgroup> = cgroups.and_then(|cgroups| cgroups.get(socket.cgroup()?)).cloned();
        let claim = Claim { cookie: netns.identity(socket.cookie()), owner, cgroup: cgroup.map(Arc::new) };
        (claim, whose == Whose::Unknown)
    }
}
