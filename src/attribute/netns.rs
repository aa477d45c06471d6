//! The network namespaces of the host: which exist, their names, and work inside of one.
//!
//! Nothing of ours keeps a namespace alive: no thread stays inside and no file of one stays open. Refuses to
//! know what is done inside, and which of them are worth it.

mod discovery;
mod nsid;
mod sockstat;
mod thread;
mod threads;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::fs::stat;

pub use sockstat::Sockstat;

use discovery::{discover, own_name};
use thread::NetnsThread;
use threads::Threads;

/// The namespace of the calling thread (`namespaces(7)`).
const OWN: &str = "/proc/thread-self/ns/net";
/// The name of our own if nothing can be read. A name is never empty.
const UNKNOWN: &str = "unknown";

/// Which namespaces are collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The exporter's own alone; no process is read for others.
    Own,
    /// All that a process or thread is in or a file names.
    All,
    /// Our own, and those with these names, or with these inodes where they have no name.
    Named(Vec<String>),
}

/// A network namespace, as it was when it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The inode of its files. The kernel gives it to another namespace once this one is gone.
    pub inode: u64,
    /// Its name if it has one, else the inode; `unknown` for our own if that cannot be read.
    pub name: String,
    /// The file that names it, below `/run/netns` (`ip-netns(8)`) or `/run/docker/netns`.
    pub file: Option<PathBuf>,
    /// The lowest id of a process in it, or that of a thread in one without a process; `None` if there is none that can
    /// be seen, or `/proc` was not read.
    pub pid: Option<u32>,
    /// Whether it is our own.
    pub own: bool,
}

impl Namespace {
    /// Our own, of which nothing else is known.
    #[must_use]
    pub fn own() -> Self {
        Self { inode: 0, name: UNKNOWN.to_owned(), file: None, pid: None, own: true }
    }
}

/// The namespaces that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetnsListing {
    /// Our own first, then by inode.
    pub namespaces: Vec<Namespace>,
    /// Processes whose namespace could not be read: that takes `CAP_SYS_PTRACE`.
    pub hidden: u64,
    /// Names of [`Which::Named`] that no namespace has.
    pub unknown: Vec<String>,
}

impl NetnsListing {
    /// Our own alone, of which nothing else is known.
    pub(crate) fn own() -> Self {
        Self { namespaces: vec![Namespace::own()], ..Self::default() }
    }
}

/// A handle to the one thread that enters namespaces.
#[derive(Clone, Debug)]
pub struct Namespaces {
    scope: Arc<Scope>,
    thread: Option<NetnsThread>,
}

/// Which namespaces are collected, and from which process table.
#[derive(Debug)]
struct Scope {
    proc: PathBuf,
    which: Which,
    /// The inode of our own; 0 if it cannot be read.
    own: u64,
    /// What our own is called.
    name: String,
    threads: Mutex<Threads>,
}

impl Namespaces {
    /// Starts the thread, which keeps the capabilities of this moment; our own namespace needs none.
    ///
    /// # Errors
    /// If our own namespace cannot be distinguished from others that are asked for, or the thread cannot be made.
    pub fn start(proc: PathBuf, which: Which) -> io::Result<Self> {
        let own = match stat(OWN) {
            Ok(own) => own.st_ino,
            // An empty root directory has no process table, and the question which namespace is ours does not arise.
            Err(_) if which == Which::Own => 0,
            Err(error) => return Err(error.into()),
        };
        let thread = (which != Which::Own).then(NetnsThread::start).transpose()?;
        Ok(Self {
            scope: Arc::new(Scope { proc, which, own, name: own_name(own), threads: Mutex::default() }),
            thread,
        })
    }

    /// Our own, as every listing has it.
    #[must_use]
    pub fn own(&self) -> Namespace {
        Namespace { inode: self.scope.own, name: self.scope.name.clone(), ..Namespace::own() }
    }

    /// The namespaces that there are now.
    ///
    /// # Errors
    /// If the process table cannot be read, or the thread is gone (see [`Self::within`]).
    pub fn list(&self) -> io::Result<NetnsListing> {
        let scope = Arc::clone(&self.scope);
        self.aside(move || discover(&scope))?
    }

    /// Runs `work` inside the namespace, on the thread, and leaves it at once; inside our own, on the calling
    /// thread.
    ///
    /// # Errors
    /// `NotFound` if the namespace is gone, `PermissionDenied` with the capability that it takes. The thread tries the
    /// way back before it leaves. If it still cannot come back, it ends, so that it keeps no namespace alive, and a
    /// spare that was made before takes its place.
    pub fn within<T: Send + 'static>(
        &self,
        namespace: &Namespace,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        if namespace.own {
            return Ok(work());
        }
        let only_own = || io::Error::other("no network namespace but our own is to be entered");
        let thread = self.thread.as_ref().ok_or_else(only_own)?;
        let (scope, namespace) = (Arc::clone(&self.scope), namespace.clone());
        thread.ask(move |context| context.within(&namespace, &scope.proc, work))?
    }

    /// The namespace's nsid in ours, which close events carry; `None` without one.
    ///
    /// It is only asked for (`RTM_GETNSID`) and never given: the host stays as it is.
    #[must_use]
    pub fn nsid(&self, namespace: &Namespace) -> Option<i32> {
        let (scope, namespace) = (Arc::clone(&self.scope), namespace.clone());
        self.aside(move || nsid::of(namespace.open(&scope.proc).ok()?).ok()?).ok()?
    }

    /// The numbers of all namespaces that have one in ours, whether or not the listing finds them.
    ///
    /// # Errors
    /// What the kernel answers, or that the thread is gone.
    pub fn nsids(&self) -> io::Result<Vec<i32>> {
        self.aside(nsid::all)?
    }

    /// Runs `work` where the capabilities are, in our own namespace.
    fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        match &self.thread {
            Some(thread) => thread.ask(|_| work()),
            None => Ok(work()),
        }
    }
}
