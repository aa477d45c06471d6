//! The running host: its kernel, its process table, its names.

use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sockdiag::bytecode::{Filter, compile};
use sockdiag::{Extensions, Netlink, Protocol, Request, State, StateSet, dump};
use ss_exporter::attribute::{Cgroups, Namespace, Namespaces, NetnsListing, Users};
use ss_exporter::collection::{Entered, Host};
use ss_exporter::plan::Plan;
use ss_exporter::resolver::Resolver;
use ss_exporter::select::Lookup;
use ss_exporter::view::PROTOCOL;

use crate::failure::Failure;

/// Where the process table and the kernel's tables of the network are.
pub const PROC: &str = "/proc";

/// Where cgroup v2 is mounted; it never changes.
static CGROUPS: OnceLock<Cgroups> = OnceLock::new();

/// The running host.
#[derive(Clone)]
pub struct LinuxHost {
    /// The addresses of host names.
    pub resolver: Resolver,
    /// The network namespaces.
    pub namespaces: Namespaces,
}

impl LinuxHost {
    /// The host for a plan, whose host names are resolved from now on.
    pub fn of(plan: &Plan, namespaces: Namespaces) -> Result<Self, Failure> {
        let resolver = Resolver::start(&plan.hosts)
            .map_err(|error| Failure::at_run_time(format!("cannot start resolving host names: {error}")))?;
        Ok(Self { resolver, namespaces })
    }
}

impl Host for LinuxHost {
    type Transport = Netlink;

    fn own(&self) -> Namespace {
        self.namespaces.own()
    }

    fn namespaces(&self) -> io::Result<NetnsListing> {
        self.namespaces.list()
    }

    fn enter(&self, namespace: &Namespace, protocols: &[&'static Protocol]) -> io::Result<Entered<Netlink>> {
        let (own, protocols) = (namespace.own, protocols.to_vec());
        // Whether the kernel knows TCP is asked even if there is no socket.
        let skippable = move |protocol: &Protocol| !own || protocol != PROTOCOL;
        self.namespaces.within(namespace, move || Entered::here(Path::new(PROC), &protocols, skippable))
    }

    fn dumps_at_once(&self) -> bool {
        sockdiag::dumps_at_once()
    }

    fn nsid(&self, namespace: &Namespace) -> Option<i32> {
        self.namespaces.nsid(namespace)
    }

    fn nsids(&self) -> Vec<i32> {
        self.namespaces.nsids().unwrap_or_default()
    }

    fn proc(&self) -> &Path {
        Path::new(PROC)
    }

    fn interface_name(&self, namespace: &Namespace, index: u32) -> Option<String> {
        let named = move || rustix::net::netdevice::index_to_name(any_socket()?, index).ok();
        self.namespaces.within(namespace, named).ok()?
    }

    fn interface_index(&self, namespace: &Namespace, name: &str) -> Option<u32> {
        let name = name.to_owned();
        let numbered = move || rustix::net::netdevice::name_to_index(any_socket()?, &name).ok();
        self.namespaces.within(namespace, numbered).ok()?
    }
}

impl Lookup for LinuxHost {
    fn addresses(&self, host: &str) -> Vec<std::net::IpAddr> {
        self.resolver.addresses(host)
    }

    fn interface(&self, name: &str) -> Option<u32> {
        self.interface_index(&Namespace::own(), name)
    }

    fn cgroup(&self, path: &str) -> Option<u64> {
        CGROUPS.get_or_init(Cgroups::mounted).id(path)
    }

    fn user(&self, name: &str) -> Option<u32> {
        let mut users = Users::default();
        users.begin();
        users.id(name)
    }

    fn judges_cgroups(&self) -> bool {
        static JUDGES: OnceLock<bool> = OnceLock::new();
        *JUDGES.get_or_init(|| {
            let filter = compile(&Filter::Cgroup(0)).ok();
            let states = StateSet::of(&[State::Listen]);
            let request = Request { filter, ..Request::new(PROTOCOL, states, Extensions::NONE) };
            let soon = Instant::now() + Duration::from_secs(1);
            Netlink::open().is_ok_and(|kernel| dump(kernel, &request, soon, |_| {}).is_ok())
        })
    }
}

/// The kernel answers questions about interfaces through any socket.
fn any_socket() -> Option<std::os::fd::OwnedFd> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()
}
