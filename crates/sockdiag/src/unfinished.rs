//! Dumps that have not ended: whether one is stuck in the kernel, or its thread only lacks time.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How long a thread must sleep in the kernel before its dump counts as stuck. A thread that lacks processor time is
/// runnable, and one that waits for a disk or for a busy socket wakes sooner.
const ASLEEP: Duration = Duration::from_millis(50);

/// The dumps under way, and some that have ended.
static DUMPS: Mutex<Vec<UnfinishedDump>> = Mutex::new(Vec::new());

/// Whether a dump of this process is stuck in the kernel now. Takes up to 50 ms a dump that sleeps there.
#[must_use]
pub fn is_any_stuck() -> bool {
    let dumps = dumps().clone();
    dumps.iter().any(UnfinishedDump::is_stuck)
}

fn dumps() -> MutexGuard<'static, Vec<UnfinishedDump>> {
    DUMPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread of a dump, while it talks to the kernel: its task id, or 0 before it runs.
#[derive(Debug, Default)]
pub(super) struct DumpThread(AtomicI32);

impl DumpThread {
    /// Begins a dump, which lasts until the thread drops its part.
    pub(super) fn begin() -> (Arc<Self>, UnfinishedDump) {
        let thread = Arc::new(Self::default());
        let dump = UnfinishedDump(vec![Arc::downgrade(&thread)]);
        let mut dumps = dumps();
        dumps.retain(UnfinishedDump::is_alive);
        dumps.push(dump.clone());
        (thread, dump)
    }

    /// Makes the calling thread the dump's.
    pub(super) fn set_current(&self) {
        self.0.store(rustix::thread::gettid().as_raw_nonzero().get(), Ordering::Relaxed);
    }
}

/// A dump that had not ended at its deadline.
///
/// The kernel makes a reply with `tcp_info` under the lock of each socket, and waits for it without end
/// and signal while a process sits in a page fault inside `recv(2)` (`net/ipv4/tcp.c: tcp_get_info`).
#[derive(Clone, Debug, Default)]
pub struct UnfinishedDump(Vec<Weak<DumpThread>>);

impl UnfinishedDump {
    /// Dumps that were under way at once.
    pub(super) fn together<'a>(dumps: impl Iterator<Item = &'a Self>) -> Self {
        Self(dumps.flat_map(|dump| dump.0.iter().cloned()).collect())
    }

    /// Whether a thread of it is still there. It keeps the dump's socket open, and the socket a network namespace alive.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.iter().any(|thread| thread.strong_count() > 0)
    }

    /// Whether it is stuck: a thread of it is in an uninterruptible sleep, and stays in it for 50 ms.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let before = self.sleeps();
        if before.iter().any(Option::is_some) {
            std::thread::sleep(ASLEEP);
        }
        before.into_iter().zip(self.sleeps()).any(|(before, now)| before.is_some() && before == now)
    }

    /// How often each thread has gone to sleep, if its sleep is uninterruptible.
    fn sleeps(&self) -> Vec<Option<u64>> {
        let status = |thread: &Weak<DumpThread>| {
            let thread = thread.upgrade()?.0.load(Ordering::Relaxed);
            sleeps(&std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).ok()?)
        };
        self.0.iter().map(status).collect()
    }
}

/// The same by the text of `/proc/PID/task/TID/status`.
fn sleeps(status: &str) -> Option<u64> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    field("State:").filter(|state| state.starts_with('D'))?;
    field("voluntary_ctxt_switches:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_in_an_uninterruptible_sleep_is_stuck() {
        let status = |state: &str| {
            format!(
                "Name:\treceiver\nState:\t{state}\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n"
            )
        };
        assert_eq!(sleeps(&status("D (disk sleep)")), Some(7));
        assert_eq!(
            ["R (running)", "S (sleeping)", "T (stopped)"].map(|state| sleeps(&status(state))),
            [None; 3]
        );
    }

    #[test]
    fn a_runnable_thread_is_not_stuck_and_one_that_has_ended_neither() {
        let (thread, dump) = DumpThread::begin();
        thread.set_current();
        assert!(dump.is_alive() && !dump.is_stuck() && !is_any_stuck());
        drop(thread);
        assert!(!dump.is_alive() && !dump.is_stuck());
    }
}
