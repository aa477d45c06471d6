//! Which processes hold which sockets, by the links in `/proc/PID/fd` (`proc(5)`).
//!
//! Refuses to know what a socket is connected to.

#[cfg(test)]
mod fake;
mod fds;
mod handle;
mod owner;
mod pass;
mod running;
mod sockets;
mod stat;
mod table;
mod turn;

use super::cgroup::Cgroup;

pub use owner::{Owner, OwnerId};
pub use pass::Looks;
pub use sockets::Whose;
pub use table::Processes;

/// A process that holds sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id as `/proc` shows it.
    pub pid: u32,
    comm: String,
    executable: String,
    cgroup: Option<Cgroup>,
}

impl Process {
    /// A process with its comm and its executable's base name.
    #[must_use]
    pub const fn new(pid: u32, comm: String, executable: String) -> Self {
        Self { pid, comm, executable, cgroup: None }
    }

    /// The name that it gave itself, at most 15 bytes of it (`/proc/PID/comm`).
    #[must_use]
    pub fn comm(&self) -> &str {
        &self.comm
    }

    /// Its executable's base name; empty where the link `/proc/PID/exe` may not be read.
    #[must_use]
    pub fn executable(&self) -> &str {
        &self.executable
    }

    /// Its cgroup, if it was asked for and can be read (`/proc/PID/cgroup`).
    #[must_use]
    pub fn cgroup(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref()
    }

    /// Whether its comm or its executable's base name is this.
    ///
    /// The kernel cuts a comm after 15 bytes, so a longer name is compared with its cut form too.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        const COMM: usize = 15;
        self.comm == name
            || self.executable == name
            || (self.comm.len() == COMM
                && name.as_bytes().starts_with(self.comm.as_bytes())
                && name.len() > COMM)
    }
}
