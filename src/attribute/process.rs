//! Which processes hold which sockets, by the links in `/proc/PID/fd` (`proc(5)`).

#[cfg(test)]
mod fake;
mod fds;
mod handle;
mod holders;
mod owner;
mod refresh;
mod running;
mod scan;
mod sockets;
mod stat;
mod table;

use super::cgroup::Cgroup;
use super::dir::label_text;
use crate::pattern;

pub use owner::{Owner, OwnerId};
pub use scan::ScanCost;
pub use sockets::OwnerLookup;
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
    #[cfg(test)]
    pub(crate) const fn new(pid: u32, comm: String, executable: String) -> Self {
        Self { pid, comm, executable, cgroup: None }
    }

    /// The name that it gave itself, at most 15 bytes of it (`/proc/PID/comm`).
    pub(crate) fn comm(&self) -> &str {
        &self.comm
    }

    /// Its executable's base name; empty where the link `/proc/PID/exe` may not be read.
    pub(crate) fn executable(&self) -> &str {
        &self.executable
    }

    /// Its cgroup, if it was asked for and can be read (`/proc/PID/cgroup`).
    pub(crate) fn cgroup(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref()
    }

    /// Whether its comm or its executable's base name is this, or fits this pattern.
    ///
    /// The kernel cuts a comm after 15 bytes, also within a letter, so a longer name is cut in the same way.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        const COMM: usize = 15;
        let cut = |name: &str| name.as_bytes().get(..COMM).map(label_text);
        pattern::fits(name.as_bytes(), self.comm.as_bytes())
            || pattern::fits(name.as_bytes(), self.executable.as_bytes())
            || (name.len() > COMM && cut(name).as_deref() == Some(&self.comm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_longer_than_the_kernel_keeps_selects_also_where_it_is_cut_within_a_letter() {
        for name in [
            "prometheus-exporter",
            "abcdefghijklmn\u{e9}t\u{e9}",
            "\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{540d}\u{524d}",
            "\u{1f980}\u{1f980}\u{1f980}\u{1f980}",
        ] {
            let comm = label_text(&name.as_bytes()[..15]);
            let process = Process::new(1, comm.clone(), String::new());
            assert!(process.is_called(name), "{name}");
            assert!(process.is_called(&comm), "{comm}");
            assert!(!process.is_called(&name.chars().take(2).collect::<String>()), "{name}");
        }
        let web = Process::new(2, "web: worker".to_owned(), "webd".to_owned());
        for (pattern, fits) in
            [("web*", true), ("webd", true), ("we?d", true), ("*worker", true), ("we?", false)]
        {
            assert_eq!(web.is_called(pattern), fits, "{pattern}");
        }
        let short = Process::new(1, "abcdefghijklmn".to_owned(), String::new());
        assert!(!short.is_called("abcdefghijklmno"));
    }
}
