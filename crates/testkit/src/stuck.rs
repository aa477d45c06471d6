//! A socket whose lock a process never releases, so that the kernel's dump of it gets stuck.

use crate::actor::Actor;

/// A process in a page fault inside `recv(2)`. It ends with its guard.
pub struct StuckSocket(#[expect(dead_code, reason = "ends the process")] Actor);

impl StuckSocket {
    /// Starts one in the network namespace of this thread, with its own connection.
    pub fn start() -> Self {
        let mut actor = Actor::new("stuck");
        actor.does("stick");
        Self(actor)
    }
}
