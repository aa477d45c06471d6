//! The thread that enters network namespaces (`setns(2)`), does a job there, and comes back.
//!
//! A thread that cannot come back ends, and its spare does the next job.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fstat, open, stat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{Namespace, OWN};

/// The capability to enter a namespace, and to come back: in the user namespace that owns it, and in ours.
const TO_ENTER: &str = "CAP_SYS_ADMIN";
/// The capability to open the files of other users' processes.
const TO_OPEN: &str = "CAP_SYS_PTRACE";

/// Attempts to come back at once.
const ATTEMPTS: u32 = 3;
/// Time between two attempts of a thread that has no spare.
const PAUSE: Duration = Duration::from_millis(100);

/// A job of the thread.
type Job = Box<dyn FnOnce(&mut ThreadContext<'_>) + Send>;

/// A handle to the thread, which ends with the last of them.
#[derive(Clone)]
pub(super) struct NetnsThread {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

/// What the thread shares with its spare.
struct Shared {
    /// Held by the thread. The spare waits for it.
    to_do: Mutex<Receiver<Job>>,
    /// A file of our own namespace, which keeps nothing alive that would not live anyway.
    door: OwnedFd,
    /// The thread could not come back, and there was no spare.
    away: AtomicBool,
}

impl fmt::Debug for NetnsThread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NetnsThread")
    }
}

impl NetnsThread {
    /// Starts the thread and a spare in the caller's namespace, with the caller's capabilities.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, to_do) = channel::<Job>();
        let door = open_file(Path::new(OWN))?;
        let shared = Arc::new(Shared { to_do: Mutex::new(to_do), door, away: AtomicBool::new(false) });
        // Only one of the two ever finds that it has no spare.
        shared.spawn(true)?;
        shared.spawn(false)?;
        Ok(Self { jobs, shared })
    }

    /// Has the thread do something, and waits for it.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ThreadContext<'_>) -> T + Send + 'static,
    ) -> io::Result<T> {
        let gone = || io::Error::other("the thread that enters network namespaces has ended");
        if self.shared.away.load(Ordering::Acquire) {
            return Err(io::Error::other("the thread that enters network namespaces cannot come back yet"));
        }
        let (done, result) = sync_channel(1);
        let job = move |context: &mut ThreadContext<'_>| {
            // The caller waits for it.
            let _ = done.send(work(context));
        };
        self.jobs.send(Box::new(job)).map_err(|_| gone())?;
        result.recv().map_err(|_| gone())
    }
}

impl Shared {
    fn spawn(self: &Arc<Self>, has_spare: bool) -> io::Result<()> {
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name("namespaces".into());
        thread.spawn(move || shared.serve(has_spare)).map(drop)
    }

    /// Does one job after another, once the thread before has ended, until no handle is left or the thread cannot
    /// come back. Its end then frees the namespace that it is in, and the spare goes on in our own.
    fn serve(self: Arc<Self>, mut has_spare: bool) {
        let to_do = self.to_do.lock().unwrap_or_else(PoisonError::into_inner);
        let mut context = ThreadContext { shared: &self, lost: false };
        while let Ok(job) = to_do.recv() {
            // Made while this thread is in our own namespace, which the new one inherits.
            has_spare = has_spare || self.spawn(false).is_ok();
            job(&mut context);
            if context.lost && has_spare {
                tracing::warn!("cannot leave a network namespace; another thread continues");
                return;
            }
            while context.lost {
                self.away.store(true, Ordering::Release);
                std::thread::sleep(PAUSE);
                context.comes_back();
            }
            self.away.store(false, Ordering::Release);
        }
    }
}

/// Where the thread comes from.
pub(super) struct ThreadContext<'a> {
    shared: &'a Shared,
    /// The thread could not come back.
    lost: bool,
}

impl ThreadContext<'_> {
    /// Runs `work` inside the namespace.
    pub(super) fn within<T>(
        &mut self,
        namespace: &Namespace,
        proc: &Path,
        work: impl FnOnce() -> T,
    ) -> io::Result<T> {
        // A thread that could not come back does not leave: in a user namespace that does not own ours.
        enter(&self.shared.door).map_err(|error| namespace.failed("enter and leave", error, TO_ENTER))?;
        let file = namespace.open(proc)?;
        enter(&file).map_err(|error| namespace.failed("enter", error, TO_ENTER))?;
        drop(file);
        let result = work();
        self.comes_back();
        Ok(result)
    }

    /// Tries a few times: the kernel may be short of memory for a moment.
    fn comes_back(&mut self) {
        self.lost = (0..ATTEMPTS).all(|_| enter(&self.shared.door).is_err());
    }
}

/// Moves the calling thread.
fn enter(namespace: impl AsFd) -> Result<(), Errno> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
}

/// Whether the error means that there is no such namespace: neither its file or process, nor, for `setns(2)`
/// (`EINVAL`), a namespace behind the file.
const fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::SRCH | Errno::INVAL)
}

fn open_file(path: &Path) -> Result<OwnedFd, Errno> {
    open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

impl Namespace {
    /// Opens the namespace, by its file or else by its process, if that is still the same one.
    pub(super) fn open(&self, proc: &Path) -> io::Result<OwnedFd> {
        let own = self.own.then(|| PathBuf::from(OWN));
        let process = || self.pid.map(|pid| proc.join(format!("{pid}/ns/net")));
        let mut refused = Errno::NOENT;
        for path in own.into_iter().chain(self.file.clone()).chain(process()) {
            match open_file(&path).and_then(|file| Ok((fstat(&file)?.st_ino, file))) {
                Ok((inode, file)) if inode == self.inode => return Ok(file),
                Err(error) if self.may_be_at(&path) => refused = error,
                // The name or the process id was given to another one, or is no more.
                Ok(_) | Err(_) => {}
            }
        }
        Err(self.failed("open", refused, TO_OPEN))
    }

    /// Whether a path that cannot be opened may still lead to the namespace.
    ///
    /// `ip netns` makes a file without any permission, mounts the namespace over it, and unlinks the file after the
    /// unmount. Outside of the mount, that the file cannot be opened says nothing about the namespace.
    fn may_be_at(&self, path: &Path) -> bool {
        match stat(path) {
            Ok(found) => found.st_ino == self.inode,
            Err(error) => !is_gone(error),
        }
    }

    fn failed(&self, attempt: &str, error: Errno, capability: &str) -> io::Error {
        let (kind, why) = match error {
            error if is_gone(error) => (io::ErrorKind::NotFound, "it is gone".to_owned()),
            Errno::PERM | Errno::ACCESS => {
                (io::ErrorKind::PermissionDenied, format!("{error}; it takes {capability}"))
            }
            _ => (io::Error::from(error).kind(), error.to_string()),
        };
        let Self { name, inode, .. } = self;
        io::Error::new(kind, format!("cannot {attempt} the network namespace {name} ({inode}): {why}"))
    }
}
