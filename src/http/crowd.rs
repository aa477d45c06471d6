//! Who is inside, and who has to leave when it is full. Refuses to know what they ask for.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::pulse::Pulse;

/// The open connections.
pub(super) struct Crowd {
    members: Vec<Member>,
    most: usize,
}

struct Member {
    pulse: Arc<Pulse>,
    task: JoinHandle<()>,
}

impl Crowd {
    pub(super) fn new(most: usize) -> Self {
        Self { members: Vec::new(), most }
    }

    /// Makes room for one more at the cost of the one that has been without a whole request for longest.
    ///
    /// False when all are being answered.
    pub(super) fn makes_room(&mut self) -> bool {
        self.members.retain(|member| !member.task.is_finished());
        if self.members.len() < self.most {
            return true;
        }
        let waiting = self.members.iter().enumerate();
        let waiting = waiting.filter_map(|(index, member)| Some((member.pulse.waiting_since()?, index)));
        let Some((_, oldest)) = waiting.min() else { return false };
        self.members.swap_remove(oldest).task.abort();
        true
    }

    pub(super) fn admit(&mut self, pulse: Arc<Pulse>, task: JoinHandle<()>) {
        self.members.push(Member { pulse, task });
    }

    /// Waits for everyone to leave, at most for `grace`, then puts out the rest.
    pub(super) async fn leave(mut self, grace: Duration) {
        let all_gone = async {
            for member in &mut self.members {
                // How a connection ended is its own affair.
                let _ = (&mut member.task).await;
            }
        };
        if tokio::time::timeout(grace, all_gone).await.is_err() {
            tracing::debug!("answers were cut off: they took longer than {grace:?} after the order to stop");
        }
        for member in &self.members {
            member.task.abort();
        }
    }
}
