//! Dumps that have not ended in time: the kernel holds them, or their thread has had no time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::netns::{NetnsError, NetnsTarget};
use sockdiag::{DumpError, Protocol, UnfinishedDump};

/// A dump: the inode of its namespace, which is not used again as long as the dump has it, and its protocol.
type DumpKey = (u64, &'static str);

/// Those of all collections. The dumps of one protocol hold up no other.
#[derive(Clone, Debug, Default)]
pub(super) struct StuckDumps(Arc<Mutex<HashMap<DumpKey, Left>>>);

/// A dump that was left behind.
#[derive(Debug)]
struct Left {
    since: Instant,
    dump: UnfinishedDump,
    /// Whether the kernel held it when it was last asked about.
    held: bool,
}

impl StuckDumps {
    /// Notes that the dump of a protocol in a namespace, begun at that time, has not ended.
    pub(super) fn leave(
        &self,
        target: &NetnsTarget,
        protocol: &Protocol,
        since: Instant,
        dump: UnfinishedDump,
    ) {
        let mut dumps = self.lock();
        dumps.retain(|_, left| left.dump.is_alive());
        dumps.insert(key(target, protocol), Left { since, dump, held: false });
    }

    /// Why the dump of a protocol in a namespace, begun at that time, has failed. One that has not ended is left behind.
    pub(super) fn judge(
        &self,
        target: &NetnsTarget,
        protocol: &Protocol,
        since: Instant,
        until: Instant,
        error: NetnsError,
    ) -> NetnsError {
        match error {
            NetnsError::Dump(DumpError::Deadline(dump)) => {
                self.leave(target, protocol, since, dump);
                self.blocked(target, protocol, until).unwrap_or(NetnsError::Late)
            }
            error => error,
        }
    }

    /// Why no dump of a protocol in a namespace can begin, if an earlier one has not ended. One that the kernel does not hold ends
    /// as soon as its thread gets time, and is waited for until then.
    pub(super) fn blocked(
        &self,
        target: &NetnsTarget,
        protocol: &Protocol,
        until: Instant,
    ) -> Option<NetnsError> {
        /// Time between two checks of its thread.
        const PAUSE: Duration = Duration::from_millis(2);
        let mut dumps = self.lock();
        let left = dumps.get_mut(&key(target, protocol))?;
        while left.dump.is_alive() {
            left.held = left.dump.is_stuck();
            if left.held || Instant::now() >= until {
                return Some(if left.held { NetnsError::Stuck } else { NetnsError::Late });
            }
            std::thread::sleep(PAUSE);
        }
        None
    }

    /// For how long the dump of a protocol in a namespace has been stuck, by the last answer of [`Self::blocked`].
    pub(super) fn stuck(&self, target: &NetnsTarget, protocol: &Protocol) -> Option<Duration> {
        let dumps = self.lock();
        let left = dumps.get(&key(target, protocol))?;
        (left.held && left.dump.is_alive()).then(|| left.since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DumpKey, Left>> {
        // A panic ends the program, so that no thread finds it in pieces.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn key(target: &NetnsTarget, protocol: &Protocol) -> DumpKey {
    (target.namespace.inode, protocol.name)
}
