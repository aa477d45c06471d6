//! What the names in selections stand for, by the protocol of the sockets.

use std::net::IpAddr;

use crate::select::Lookup;
use sockdiag::{Attribute, Protocol};

/// What names stand for in a selection of sockets of a protocol.
pub(super) struct OfProtocol<'a, L> {
    pub(super) lookup: &'a L,
    pub(super) protocol: &'static Protocol,
}

impl<L: Lookup> Lookup for OfProtocol<'_, L> {
    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        self.lookup.addresses(host)
    }

    fn interface(&self, name: &str) -> Option<u32> {
        self.lookup.interface(name)
    }

    /// None of sockets whose cgroup is that of a process, which is known by its path alone.
    fn cgroup(&self, path: &str) -> Option<u64> {
        self.lookup.cgroup(path).filter(|_| self.protocol.has(Attribute::Cgroup))
    }

    fn user(&self, name: &str) -> Option<u32> {
        self.lookup.user(name)
    }

    fn judges_cgroups(&self) -> bool {
        self.lookup.judges_cgroups()
    }
}
