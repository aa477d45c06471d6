//! The signals: SIGTERM and SIGINT stop the process, SIGHUP reloads the configuration.

use std::io;
use std::time::Duration;

use ss_exporter::workers::Worker;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals, received from now on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Begins to receive them. To be called inside the runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Resolves when the process is asked to stop, with the time for answers in progress. Meanwhile the worker calls
    /// `reload` for each SIGHUP, or once for all that arrive while it runs.
    pub async fn asked_to_stop(
        mut self,
        grace: Duration,
        worker: Worker,
        reload: impl Fn() + Clone + Send + 'static,
    ) {
        let reloads = async {
            while self.hang_up.recv().await.is_some() {
                // If there is no room, a reload that waits will read what is in the file now.
                let _ = worker.ask(reload.clone()).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = reloads => {}
        }
        tracing::info!(grace_seconds = grace.as_secs(), "stopping");
    }
}
