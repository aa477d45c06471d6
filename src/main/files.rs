//! The limit of open files: raised as far as it may be, and shared out.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use ss_exporter::http::Limits;

use crate::failure::Failure;

/// What the runtime, the collection and a few connections need.
const LEAST: u64 = 32;
/// The open files to assume if the process table does not show how many there are.
const OPEN: usize = 16;

/// Raises the limit to the one that must not be exceeded.
pub fn raise_limit() -> Result<(), Failure> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
    match getrlimit(Resource::Nofile).current.filter(|files| *files < LEAST) {
        None => Ok(()),
        Some(files) => Err(Failure::at_run_time(format!(
            "the limit of open files is {files}; expected: at least {LEAST}; raise it by ulimit -n or LimitNOFILE="
        ))),
    }
}

/// The limits of the server: as many connections as there are files for.
pub fn limits() -> Limits {
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
    let open = std::fs::read_dir("/proc/self/fd").map_or(OPEN, Iterator::count);
    let limits = Limits::within(files.unwrap_or(usize::MAX), open);
    if limits.connections < Limits::default().connections {
        tracing::warn!(
            connections = limits.connections,
            files,
            hint = "LimitNOFILE= in the systemd unit, ulimit -n",
            "the limit of open files leaves room for few connections"
        );
    }
    limits
}
