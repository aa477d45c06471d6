//! The signals that ask the process to stop, and those that do not.
//!
//! Refuses to know what stops.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the process is asked to stop; answers in progress then have so long.
pub async fn asked(grace: Duration) {
    let wait = async |kind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    let hang_ups = async {
        loop {
            wait(SignalKind::hangup()).await;
            tracing::warn!("SIGHUP changes nothing: start again for another configuration");
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
        () = hang_ups => {}
    }
    tracing::info!("stopping; answers in progress have {} s", grace.as_secs());
}
