//! The owner and the namespace of a socket, as far as they are needed and known.

use std::sync::Arc;

use super::cgroup::Cgroup;
use super::netns::Namespace;
use super::process::{Owner, OwnerId};

/// A network namespace, as sockets are identified and labelled by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netns {
    /// 0 for the exporter's own, else one that no other namespace ever has.
    pub number: u32,
    /// The text of the label `netns`: the namespace's name, or its inode.
    pub name: String,
    /// The cgroup of a process in it, where that is not the exporter's own namespace.
    pub cgroup: Option<Cgroup>,
}

impl Default for Netns {
    /// The exporter's own namespace, of which nothing is known.
    fn default() -> Self {
        Self { number: 0, name: Namespace::own().name, cgroup: None }
    }
}

impl Netns {
    /// What identifies a socket among all of the host.
    ///
    /// Before Linux 5.10 each namespace numbers its sockets for itself. A cookie counts up from 1, so that its
    /// upper 24 bits are free for three years at 10,000 sockets a second.
    #[inline]
    pub(crate) const fn identity(&self, cookie: u64) -> u64 {
        cookie ^ (self.number as u64).rotate_right(24)
    }
}

/// To whom and where a socket belongs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ownership<'a> {
    /// Stands for the owner.
    pub owner_id: OwnerId,
    /// The processes that hold it; `None` if unknown.
    pub owner: Option<&'a Arc<Owner>>,
    /// The processes that hold its peer, of a unix socket; `None` if unknown.
    pub peer: Option<&'a Arc<Owner>>,
    /// The cgroup that the kernel names.
    pub cgroup: Option<&'a Cgroup>,
    /// The namespace that it is in.
    pub netns: Option<&'a Netns>,
}

impl<'a> Ownership<'a> {
    /// The identity of its socket on this host.
    #[inline]
    pub(crate) fn identity(&self, cookie: u64) -> u64 {
        self.netns.map_or(cookie, |netns| netns.identity(cookie))
    }

    /// The cgroup: the socket's, else that of its first process, else that of its namespace.
    ///
    /// On hosts with cgroup v1 the kernel names the root of v2 for every socket.
    pub(crate) fn cgroup(&self) -> Option<&'a Cgroup> {
        let of_owner = || self.owner?.processes().first()?.cgroup();
        let of_netns = || self.netns?.cgroup.as_ref();
        let named = self.cgroup.filter(|cgroup| !cgroup.is_root());
        named.or_else(of_owner).or_else(of_netns).or(self.cgroup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_with_one_cookie_in_two_namespaces_are_two() {
        let netns = |number| Netns { number, ..Netns::default() };
        let numbers = [0, 1, 2, 255, 256, 65_536, (1 << 24) - 1];
        let mut identities: Vec<_> = numbers
            .iter()
            .flat_map(|number| (1..100).map(|cookie| netns(*number).identity(cookie)))
            .collect();
        identities.sort_unstable();
        identities.dedup();
        assert_eq!(identities.len(), numbers.len() * 99);
        assert_eq!(netns(0).identity(7), 7);
    }

    #[test]
    fn the_cgroup_that_the_kernel_names_comes_before_that_of_the_namespace_unless_it_is_the_root() {
        let (root, nginx, pause) =
            (Cgroup::of_path("/"), Cgroup::of_path("/nginx"), Cgroup::of_path("/pause"));
        let netns = Netns { cgroup: Some(pause.clone()), ..Netns::default() };
        let of = |cgroup, netns| Ownership { cgroup, netns, ..Ownership::default() }.cgroup();
        assert_eq!(of(Some(&nginx), Some(&netns)), Some(&nginx));
        assert_eq!(of(Some(&root), Some(&netns)), Some(&pause));
        assert_eq!(of(None, Some(&netns)), Some(&pause));
        assert_eq!(of(Some(&root), None), Some(&root));
        assert_eq!(of(None, None), None);
    }
}
