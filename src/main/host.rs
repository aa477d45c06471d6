//! The running host: its kernel, its process table, its names.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use sockdiag::bytecode::{Filter, compile};
use sockdiag::{Extensions, Netlink, Protocol, Request, State, StateSet, dump};
use ss_exporter::attribute::{Cgroups, Namespace, Namespaces, NetnsListing, Users};
use ss_exporter::collection::{Entered, Host, InterfaceNames};
use ss_exporter::plan::Plan;
use ss_exporter::resolver::Resolver;
use ss_exporter::select::Lookup;
use ss_exporter::view::PROTOCOL;

use crate::failure::Failure;

/// Where the process table and the kernel's tables of the network are.
pub const PROC: &str = "/proc";

/// Percent of the last ten seconds in which a thread of the host waited for a core, above which two dumps at once would only
/// take turns. A host whose cores are all in use has more than 80, an idle one almost none.
const CROWDED: f64 = 50.0;

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
        sockdiag::dumps_at_once() && self.has_idle_core()
    }

    fn has_idle_core(&self) -> bool {
        available_parallelism().is_ok_and(|cores| cores.get() > 1) && !is_crowded()
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

    fn interface_names(&self) -> InterfaceNames {
        let namespaces = self.namespaces.clone();
        Arc::new(move |namespace, index| {
            let named = move || rustix::net::netdevice::index_to_name(any_socket()?, index).ok();
            namespaces.within(namespace, named).ok()?
        })
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
            Netlink::open().is_ok_and(|kernel| dump(kernel, &request, soon, (), |(), _| {}).1.is_ok())
        })
    }
}

/// Whether threads of the host wait for a core most of the time. A kernel without pressure stall information does not say so.
fn is_crowded() -> bool {
    let pressure = std::fs::read_to_string(Path::new(PROC).join("pressure/cpu")).ok();
    pressure.and_then(|text| percent_waiting(&text)).is_some_and(|percent| percent > CROWDED)
}

/// The percent of ten seconds, of the text of `/proc/pressure/cpu`.
fn percent_waiting(pressure: &str) -> Option<f64> {
    pressure.strip_prefix("some avg10=")?.split(' ').next()?.parse().ok()
}

/// The kernel answers questions about interfaces through any socket.
fn any_socket() -> Option<std::os::fd::OwnedFd> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pressure_on_cores_is_that_of_the_last_ten_seconds() {
        let text = "some avg10=87.78 avg60=84.97 avg300=70.18 total=3283711781\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(percent_waiting(text), Some(87.78));
        assert_eq!(percent_waiting(""), None);
    }
}
