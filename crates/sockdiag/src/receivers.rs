//! The threads that receive dumps and read them.
//!
//! A dump has its own thread, because it may get stuck in the kernel. A few threads are made at the start and reused, so
//! that a dump needs no new thread on a host that gives none.

use std::io;
use std::sync::mpsc::{self, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::sys;

/// Idle threads that are kept: two for the halves of a dump, and one for another collection or for the dump after a stuck
/// one.
const KEPT: usize = 3;
/// Bytes of stack of each thread, which also reads what it has received.
const STACK: usize = 512 * 1024;
/// Bytes that must be free for a new thread. Without memory for its signal stack the new thread would end the process.
const ROOM: usize = 4 * 1024 * 1024;

/// How long a thread looks for what is about to come before it sleeps. The dump of a protocol without sockets takes less than
/// 10 us, and to wake a thread on an idle processor takes about 40 us.
const A_MOMENT: Duration = Duration::from_micros(50);

/// One dump.
type Job = Box<dyn FnOnce() + Send>;

/// The threads of this process.
pub(super) static RECEIVERS: LazyLock<Receivers> = LazyLock::new(Receivers::default);

/// Makes the threads that receive dumps, with the capabilities of the caller, and keeps them.
///
/// Without this call each dump makes a thread, which ends with the dump.
///
/// # Errors
/// If the host gives no thread.
pub fn keep_receivers() -> io::Result<()> {
    RECEIVERS.keep(KEPT)
}

/// Threads that receive dumps.
#[derive(Clone, Debug, Default)]
pub(super) struct Receivers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// A thread has become idle.
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many idle threads are kept.
    kept: usize,
    idle: Vec<SyncSender<Job>>,
}

impl Receivers {
    /// Makes `kept` idle threads, and keeps that many from now on.
    pub(super) fn keep(&self, kept: usize) -> io::Result<()> {
        self.lock().kept = kept;
        self.fill()
    }

    /// An idle thread, or else a new one. If the host gives none, the first one that becomes idle until `deadline`.
    pub(super) fn take(&self, deadline: Instant) -> io::Result<Receiver> {
        if let Some(jobs) = self.lock().idle.pop() {
            return Ok(Receiver(jobs));
        }
        let error = match self.spawn() {
            Ok(jobs) => return Ok(Receiver(jobs)),
            Err(error) => error,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let none_idle = |state: &mut State| state.kept > 0 && state.idle.is_empty();
        let waited = self.0.returned.wait_timeout_while(self.lock(), left, none_idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.idle.pop().map(Receiver).ok_or(error)
    }

    /// Replaces a stuck thread, if the host gives another one; else a later dump tries again.
    pub(super) fn replace(&self) {
        // The dump that needs the thread reports the error.
        let _ = self.fill();
    }

    fn fill(&self) -> io::Result<()> {
        while self.lacks_one() {
            let jobs = self.spawn()?;
            self.lock().idle.push(jobs);
        }
        Ok(())
    }

    fn lacks_one(&self) -> bool {
        let state = self.lock();
        state.idle.len() < state.kept
    }

    fn spawn(&self) -> io::Result<SyncSender<Job>> {
        if !sys::can_map(ROOM) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let (jobs, to_do) = sync_channel::<Job>(1);
        let (all, own) = (self.clone(), jobs.clone());
        std::thread::Builder::new().name("receiver".into()).stack_size(STACK).spawn(move || {
            // A collection has one dump after another.
            while let Ok(job) = soon(&to_do).or_else(|_| to_do.recv()) {
                job();
                if !all.put_back(&own) {
                    break;
                }
            }
        })?;
        Ok(jobs)
    }

    /// Takes a thread back, unless enough are idle.
    fn put_back(&self, jobs: &SyncSender<Job>) -> bool {
        let mut state = self.lock();
        let wanted = state.idle.len() < state.kept;
        if wanted {
            state.idle.push(jobs.clone());
            self.0.returned.notify_one();
        }
        wanted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two of its statements.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What comes within a moment, without a sleep until then.
pub(super) fn soon<T>(from: &mpsc::Receiver<T>) -> Result<T, TryRecvError> {
    let begun = Instant::now();
    loop {
        match from.try_recv() {
            // The thread that is to send it may wait for this core.
            Err(TryRecvError::Empty) if begun.elapsed() < A_MOMENT => std::thread::yield_now(),
            other => return other,
        }
    }
}

/// A thread that waits for one job.
pub(super) struct Receiver(SyncSender<Job>);

impl Receiver {
    /// Runs a job on the thread.
    pub(super) fn run(self, job: impl FnOnce() + Send + 'static) {
        // There is room for one job, and the thread keeps its end open.
        let _ = self.0.try_send(Box::new(job));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread::{ThreadId, current};
    use std::time::Duration;

    use super::*;

    /// More time than any test takes.
    const GENEROUS: Duration = Duration::from_mins(1);

    fn soon() -> Instant {
        Instant::now() + GENEROUS
    }

    /// Runs one job; the thread it was run on is idle again, or has ended.
    fn run(receivers: &Receivers) -> ThreadId {
        let (say, said) = channel();
        receivers.take(soon()).expect("a thread").run(move || say.send(current().id()).expect("a reader"));
        let thread = said.recv_timeout(GENEROUS).expect("the job was run");
        let kept = receivers.lock().kept;
        while receivers.lock().idle.len() < kept {
            std::thread::yield_now();
        }
        thread
    }

    #[test]
    fn a_thread_that_is_kept_receives_dump_after_dump() {
        let receivers = Receivers::default();
        receivers.keep(1).expect("a thread");
        let first = run(&receivers);
        assert!((0..10).all(|_| run(&receivers) == first));
    }

    #[test]
    fn without_threads_to_keep_each_dump_has_one_that_ends_with_it() {
        let receivers = Receivers::default();
        assert_ne!(run(&receivers), run(&receivers));
        assert_eq!(receivers.lock().idle.len(), 0);
    }

    #[test]
    fn a_stuck_thread_is_replaced_and_ends_when_it_gets_free() {
        let receivers = Receivers::default();
        receivers.keep(1).expect("a thread");
        let (release, holding) = channel::<()>();
        let (end, ended) = channel::<ThreadId>();
        receivers.take(soon()).expect("a thread").run(move || {
            let _ = holding.recv();
            end.send(current().id()).expect("a reader");
        });
        receivers.replace();
        let replacement = run(&receivers);
        drop(release);
        assert_ne!(ended.recv_timeout(GENEROUS).expect("the job has ended"), replacement);
        assert_eq!(run(&receivers), replacement);
    }
}
