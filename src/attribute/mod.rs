//! Whose socket is it: from what the kernel says of a socket to what people call its owner.
//!
//! Refuses to know metrics, folding and configuration.

mod cgroup;
mod folder;
mod listener;
mod network;
mod process;
mod user;

pub use cgroup::{Cgroup, Cgroups, cgroup_id};
pub use listener::{Direction, Listeners};
pub use network::Networks;
pub use process::{Process, Processes};
pub use user::Users;
