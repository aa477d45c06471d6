//! Dumps that take long: whether the kernel holds one, or its thread only lacks time.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// For how long a thread must sleep in the kernel before its dump counts as held. A thread that lacks processor time is
/// runnable, and one that waits for a disk or for a busy socket wakes sooner.
const ASLEEP: Duration = Duration::from_millis(50);

/// The dumps under way, and some that have ended.
static UNDER_WAY: Mutex<Vec<Held>> = Mutex::new(Vec::new());

/// Whether the kernel holds a dump of this process now.
#[must_use]
pub fn is_any_held() -> bool {
    let dumps = under_way().clone();
    dumps.iter().any(Held::is_held)
}

fn under_way() -> MutexGuard<'static, Vec<Held>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that talks to the kernel, as long as it does.
#[derive(Debug, Default)]
pub(super) struct Talking(AtomicI32);

impl Talking {
    /// A dump begins.
    pub(super) fn begin() -> (Arc<Self>, Held) {
        let talking = Arc::new(Self::default());
        let held = Held(Arc::downgrade(&talking));
        let mut dumps = under_way();
        dumps.retain(Held::is_alive);
        dumps.push(held.clone());
        (talking, held)
    }

    /// The calling thread is the one.
    pub(super) fn is_here(&self) {
        self.0.store(rustix::thread::gettid().as_raw_nonzero().get(), Ordering::Relaxed);
    }
}

/// A dump that has not ended at its deadline.
///
/// The kernel makes a reply with `tcp_info` under the lock of each socket, and waits for it without end
/// and signal while a process sits in a page fault inside `recv(2)` (`net/ipv4/tcp.c: tcp_get_info`).
#[derive(Clone, Debug, Default)]
pub struct Held(Weak<Talking>);

impl Held {
    /// Whether its thread is still there, with the dump's socket open, which keeps a network namespace alive.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Whether the kernel holds it: its thread is in an uninterruptible sleep, and stays in it.
    ///
    /// To find out takes a moment, if it is asleep.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let asleep = self.asleep();
        if asleep.is_some() {
            std::thread::sleep(ASLEEP);
        }
        asleep.is_some() && self.asleep() == asleep
    }

    /// How often the thread has gone to sleep, if its sleep is uninterruptible.
    fn asleep(&self) -> Option<u64> {
        let thread = self.0.upgrade()?.0.load(Ordering::Relaxed);
        asleep(&std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).ok()?)
    }
}

/// The same by the text of `/proc/PID/task/TID/status`.
fn asleep(status: &str) -> Option<u64> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    field("State:").filter(|state| state.starts_with('D'))?;
    field("voluntary_ctxt_switches:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_in_an_uninterruptible_sleep_is_held() {
        let status = |state: &str| {
            format!(
                "Name:\treceiver\nState:\t{state}\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n"
            )
        };
        assert_eq!(asleep(&status("D (disk sleep)")), Some(7));
        assert_eq!(
            ["R (running)", "S (sleeping)", "T (stopped)"].map(|state| asleep(&status(state))),
            [None; 3]
        );
    }

    #[test]
    fn a_thread_that_waits_for_its_turn_is_not_held_and_one_that_has_ended_neither() {
        let (talking, held) = Talking::begin();
        talking.is_here();
        assert!(held.is_alive() && !held.is_held() && !is_any_held());
        drop(talking);
        assert!(!held.is_alive() && !held.is_held());
    }
}
