//! What systemd is told: that the service is ready, reloads, stops, and lives (`sd_notify(3)`).
//!
//! Without a service manager nothing is told. Refuses to know what the states mean to the exporter.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use ss_exporter::collect::Remembered;
use ss_exporter::http::Beat;

/// The service answers.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the service is ready when it is dropped.
pub struct Ready;

impl Drop for Ready {
    fn drop(&mut self) {
        ready();
    }
}

/// The configuration is being read again; [`ready`] ends that.
pub fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// The service is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// If the service manager wants to know: that the thread which hears of closing sockets still waits for the next one,
/// told from where connections are accepted, so that neither may hang.
pub fn watchdog(remembered: Remembered) -> Option<Beat> {
    let every = sd_notify::watchdog_enabled()? / 2;
    let mut last = 0;
    let act = move || {
        let waits = remembered.waits();
        if !remembered.hears() || waits != last {
            last = waits;
            tell(&[NotifyState::Watchdog]);
        }
    };
    Some(Beat { every, act: Box::new(act) })
}

/// The longest that any thread may sleep for the service manager to know that it lives; `None` if it does not want to.
pub fn pause() -> Option<Duration> {
    // Shorter than a beat, so that there is a new one at each.
    Some(sd_notify::watchdog_enabled()? / 4)
}

fn tell(state: &[NotifyState<'_>]) {
    match sd_notify::notify(state) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::debug!(%error, "cannot tell the service manager");
        }
        _ => {}
    }
}
