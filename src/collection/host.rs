//! The host as a collection sees it, so that tests can be the host.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::netns::Entered;
use crate::attribute::{Namespace, NetnsListing};
use crate::select::Lookup;
use sockdiag::{Protocol, Transport};

/// The name of the interface with an index in a namespace, if there is one.
pub type InterfaceNames = Arc<dyn Fn(&Namespace, u32) -> Option<String> + Send + Sync>;

/// The host as a collection sees it. Defaults report nothing.
pub trait Host: Lookup + Send + Sync {
    /// What answers dump requests.
    type Transport: Transport;

    /// The network namespace of this program, as every listing has it.
    fn own(&self) -> Namespace {
        Namespace::own()
    }

    /// The network namespaces to collect, the exporter's own first.
    ///
    /// # Errors
    /// If they cannot be found out.
    fn namespaces(&self) -> io::Result<NetnsListing> {
        Ok(NetnsListing::own())
    }

    /// Enters a namespace, opens connections to the kernel for one dump of each of the protocols, and leaves it again.
    ///
    /// # Errors
    /// If it cannot be entered.
    fn enter(
        &self,
        namespace: &Namespace,
        protocols: &[&'static Protocol],
    ) -> io::Result<Entered<Self::Transport>>;

    /// Whether the kernel makes two dumps at once, each on a core.
    fn dumps_at_once(&self) -> bool {
        false
    }

    /// Whether a core is idle, so that two things at once take less time than one after the other.
    fn has_idle_core(&self) -> bool {
        false
    }

    /// The nsid by which the kernel's events name a namespace, if it has one.
    fn nsid(&self, _namespace: &Namespace) -> Option<i32> {
        None
    }

    /// The nsids of all namespaces that have one, whether or not they were found.
    fn nsids(&self) -> Vec<i32> {
        Vec::new()
    }

    /// Where the process table is.
    fn proc(&self) -> &Path;

    /// What knows the names of interfaces, also on other threads.
    fn interface_names(&self) -> InterfaceNames {
        Arc::new(|_, _| None)
    }

    /// The index of the interface of that name in a namespace.
    fn interface_index(&self, _namespace: &Namespace, _name: &str) -> Option<u32> {
        None
    }
}
