//! The thread that enters network namespaces (`setns(2)`), does what it is told, and comes back.
//!
//! Refuses to know what it is told.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel, sync_channel};

use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{Namespace, OWN};

/// The capability to enter a namespace, and to come back: in the user namespace that owns it, and in ours.
const TO_ENTER: &str = "CAP_SYS_ADMIN";
/// The capability to open the files of other users' processes.
const TO_OPEN: &str = "CAP_SYS_PTRACE";

/// What the thread is told to do.
type Job = Box<dyn FnOnce(&mut Home) + Send>;

/// A handle to the thread, which ends with the last of them.
#[derive(Clone)]
pub(super) struct Traveller(Sender<Job>);

impl fmt::Debug for Traveller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Traveller")
    }
}

impl Traveller {
    /// Starts the thread in the caller's namespace, with the caller's capabilities.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, to_do) = channel::<Job>();
        let mut home = Home { door: open_file(Path::new(OWN))?, lost: false };
        std::thread::Builder::new().name("namespaces".into()).spawn(move || {
            for job in to_do {
                job(&mut home);
                if home.lost {
                    // The end of the thread frees the namespace that it is in.
                    break;
                }
            }
        })?;
        Ok(Self(jobs))
    }

    /// Has the thread do something, and waits for it.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Home) -> T + Send + 'static,
    ) -> io::Result<T> {
        let gone = || io::Error::other("the thread that enters network namespaces has ended");
        let (done, result) = sync_channel(1);
        let job = move |home: &mut Home| {
            // Whoever asked waits for it.
            let _ = done.send(work(home));
        };
        self.0.send(Box::new(job)).map_err(|_| gone())?;
        result.recv().map_err(|_| gone())
    }
}

/// Where the thread comes from.
pub(super) struct Home {
    /// A file of our own namespace, which keeps nothing alive that would not live anyway.
    door: OwnedFd,
    /// The thread could not come back.
    lost: bool,
}

impl Home {
    /// Runs `work` inside the namespace.
    pub(super) fn within<T>(
        &mut self,
        namespace: &Namespace,
        proc: &Path,
        work: impl FnOnce() -> T,
    ) -> io::Result<T> {
        // Whoever could not come back does not leave: in a user namespace that does not own ours.
        enter(&self.door).map_err(|error| namespace.failed("enter and leave", error, TO_ENTER))?;
        let file = namespace.open(proc)?;
        enter(&file).map_err(|error| namespace.failed("enter", error, TO_ENTER))?;
        drop(file);
        let result = work();
        self.lost = enter(&self.door).is_err();
        Ok(result)
    }
}

/// Moves the calling thread.
fn enter(namespace: impl AsFd) -> Result<(), Errno> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
}

fn open_file(path: &Path) -> Result<OwnedFd, Errno> {
    open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

impl Namespace {
    /// Opens the namespace, by its file or else by its process, if that is still the same one.
    pub(super) fn open(&self, proc: &Path) -> io::Result<OwnedFd> {
        let own = self.own.then(|| PathBuf::from(OWN));
        let process = || self.pid.map(|pid| proc.join(format!("{pid}/ns/net")));
        let mut error = Errno::NOENT;
        for path in own.into_iter().chain(self.file.clone()).chain(process()) {
            match open_file(&path).and_then(|file| Ok((fstat(&file)?.st_ino, file))) {
                Ok((inode, file)) if inode == self.inode => return Ok(file),
                // The name or the process id was given to another one.
                Ok(_) => {}
                Err(other) => error = other,
            }
        }
        Err(self.failed("open", error, TO_OPEN))
    }

    fn failed(&self, attempt: &str, error: Errno, capability: &str) -> io::Error {
        let (kind, why) = match error {
            Errno::NOENT | Errno::SRCH => (io::ErrorKind::NotFound, "it is gone".to_owned()),
            Errno::PERM | Errno::ACCESS => {
                (io::ErrorKind::PermissionDenied, format!("{error}; it takes {capability}"))
            }
            _ => (io::Error::from(error).kind(), error.to_string()),
        };
        let Self { name, inode, .. } = self;
        io::Error::new(kind, format!("cannot {attempt} the network namespace {name} ({inode}): {why}"))
    }
}
