//! The world of the running host: its kernel, its process table, its names.
//!
//! Refuses to know what is asked of it.

use std::io;
use std::path::Path;

use ss_exporter::attribute;
use ss_exporter::collect::World;
use ss_exporter::hosts::Hosts;
use ss_exporter::plan::Plan;
use ss_exporter::select::Lookup;
use ss_exporter::sockdiag::Netlink;

use crate::failure::Failure;

/// Where the process table and the kernel's tables of the network are.
pub const PROC: &str = "/proc";

/// The world of the running host.
#[derive(Clone)]
pub struct Host {
    /// The addresses of host names.
    pub hosts: Hosts,
}

impl Host {
    /// The world for a plan, whose host names are resolved from now on.
    pub fn of(plan: &Plan) -> Result<Self, Failure> {
        let hosts = Hosts::watch(plan.hosts.clone())
            .map_err(|error| Failure::at_run_time(format!("cannot start resolving host names: {error}")))?;
        Ok(Self { hosts })
    }
}

impl World for Host {
    type Kernel = Netlink;

    fn open(&self) -> io::Result<Netlink> {
        Netlink::open()
    }

    fn proc(&self) -> &Path {
        Path::new(PROC)
    }

    fn interface_name(&self, index: u32) -> Option<String> {
        let socket = any_socket()?;
        rustix::net::netdevice::index_to_name(&socket, index).ok()
    }
}

impl Lookup for Host {
    fn addresses(&self, host: &str) -> Vec<std::net::IpAddr> {
        self.hosts.addresses(host)
    }

    fn interface(&self, name: &str) -> Option<u32> {
        let socket = any_socket()?;
        rustix::net::netdevice::name_to_index(&socket, name).ok()
    }

    fn cgroup(&self, path: &str) -> Option<u64> {
        attribute::cgroup_id(path)
    }
}

/// The kernel answers questions about interfaces through any socket.
fn any_socket() -> Option<std::os::fd::OwnedFd> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()
}
