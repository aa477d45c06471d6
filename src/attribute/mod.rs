//! Whose socket is it: from what the kernel says of a socket to what people call its owner.
//!
//! Refuses to know metrics, folding and configuration.

mod cgroup;
mod folder;
mod listener;
mod netns;
mod network;
mod ownership;
mod process;
mod restriction;
mod user;

pub use cgroup::{Cgroup, Cgroups};
pub use listener::{Claim, Direction, End, Listeners};
pub use netns::{Listing, Namespace, Namespaces, Sockstat, Which};
pub use network::Networks;
pub use ownership::{Netns, Ownership};
pub use process::{Looks, Owner, OwnerId, Process, Processes, Whose};
pub use restriction::{Confinement, Restriction, hidden_by, profile};
pub use user::Users;
