//! The owner of a socket: from the kernel's inode, cgroup and uid to names of processes, units and users.
//!
//! Refuses to know metrics, aggregation and configuration.

mod cgroup;
mod configured;
mod dir;
mod listener;
mod netns;
mod network;
mod ownership;
mod paths;
mod process;
mod restriction;
mod user;

pub use cgroup::{Cgroup, Cgroups};
pub use configured::ConfiguredNames;
pub use listener::{Direction, End, ListenerOwner, Listeners};
pub use netns::{Namespace, Namespaces, NetnsListing, Sockstat, Which};
pub use network::Networks;
pub use ownership::{Netns, Ownership};
pub use paths::Paths;
pub use process::{Owner, OwnerId, OwnerLookup, Process, Processes, ScanCost};
pub use restriction::{Confinement, Restriction, hidden_by, profile};
pub use user::Users;
