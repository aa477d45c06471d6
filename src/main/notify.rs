//! The protocol of the service manager (`sd_notify(3)`): ready, reloading, stopping, alive.
//!
//! Nothing here waits: a service manager that does not read its socket must not stop the exporter.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use ss_exporter::collection::SharedTracker;
use ss_exporter::http::Heartbeat;
use tokio::sync::Notify;

use crate::status::{SharedStatus, Status};

/// Time between two attempts to send what found no room.
const RETRY: Duration = Duration::from_secs(1);

/// Something could not be sent.
static UNSENT: Notify = Notify::const_new();

/// The service answers; `status` is for people.
pub fn ready(status: &Status) {
    manager().say(&format!("READY=1\nSTATUS={status}"));
}

/// What the service does, for people.
pub fn status(status: &Status) {
    manager().say(&format!("STATUS={status}"));
}

/// Says that the service is ready when it is dropped.
pub struct Ready(pub SharedStatus);

impl Drop for Ready {
    fn drop(&mut self) {
        let mut status = self.0.lock();
        status.ready = true;
        ready(&status);
    }
}

/// The configuration is being read again; [`ready`] ends that.
pub fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    manager().say(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1000));
}

/// The service is about to end.
pub fn stopping() {
    manager().say("STOPPING=1");
}

/// Sends again what found no room, until it does. Nothing wakes it before.
pub async fn send_again() {
    loop {
        UNSENT.notified().await;
        while !manager().send_again() {
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// The watchdog's sign of life: the thread of close events still waits for the next one. The thread that accepts
/// connections sends it, so that a hang of either thread is noticed.
pub fn watchdog(tracker: SharedTracker) -> Option<Heartbeat> {
    let every = watchdog_time()? / 2;
    let mut last = 0;
    let act = move || {
        let waits = tracker.waits();
        if !tracker.is_subscribed() || waits != last {
            last = waits;
            // If there is no room, a later one says the same.
            let _ = manager().send("WATCHDOG=1");
        }
    };
    Some(Heartbeat { every, act: Box::new(act) })
}

/// The maximum time that a thread may sleep between two signs of life; `None` without a watchdog.
pub fn pause() -> Option<Duration> {
    // Shorter than a beat, so that there is a new one at each.
    Some(watchdog_time()? / 4)
}

/// The watchdog's time, if it watches this process (`WATCHDOG_PID`).
fn watchdog_time() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let of_another = std::env::var_os("WATCHDOG_PID").is_some()
        && number("WATCHDOG_PID") != Some(std::process::id().into());
    number("WATCHDOG_USEC").filter(|time| *time > 0 && !of_another).map(Duration::from_micros)
}

/// The service manager.
struct Manager {
    /// Our socket and the service manager's address; `None` without a service manager.
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// What could not be sent, the oldest first, and of each variable the last.
    unsent: Mutex<Vec<String>>,
}

fn manager() -> &'static Manager {
    static MANAGER: OnceLock<Manager> = OnceLock::new();
    MANAGER.get_or_init(|| {
        let socket = std::env::var_os("NOTIFY_SOCKET").and_then(|name| {
            let opened = open(&name);
            let unusable = |error: &io::Error| {
                tracing::warn!(%error, "cannot use NOTIFY_SOCKET; the service manager is not notified");
            };
            opened.inspect_err(unusable).ok()
        });
        Manager { socket, unsent: Mutex::default() }
    })
}

/// A socket, and the address of a path or of an abstract name behind an `@`.
fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => Err(io::Error::other("found neither a path nor an abstract name")),
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address?))
}

impl Manager {
    /// Sends a state now or, if that fails, later.
    fn say(&self, state: &str) {
        let mut unsent = self.lock();
        unsent.retain(|other| variable(other) != variable(state));
        unsent.push(state.to_owned());
        if let Err(error) = self.send_all(&mut unsent) {
            tracing::debug!(%error, state, "cannot notify the service manager yet");
            UNSENT.notify_one();
        }
    }

    /// Sends what could not be sent, in its order, as far as that is possible now; whether all is sent.
    fn send_again(&self) -> bool {
        self.send_all(&mut self.lock()).is_ok()
    }

    fn send_all(&self, unsent: &mut Vec<String>) -> io::Result<()> {
        while let Some(oldest) = unsent.first() {
            self.send(oldest)?;
            unsent.remove(0);
        }
        Ok(())
    }

    fn send(&self, state: &str) -> io::Result<()> {
        let Some((socket, address)) = &self.socket else { return Ok(()) };
        socket.send_to_addr(state.as_bytes(), address).map(drop)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a state is about.
fn variable(state: &str) -> &str {
    state.split('=').next().unwrap_or_default()
}
