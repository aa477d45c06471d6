//! The thread that reads close events, all the time, so that no connection is too short to count.
//!
//! It never ends: what the kernel dropped is counted and made up for by a collection. Nothing that the
//! network can reach delays it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::attribution::Attribution;
use super::host::Host;
use super::listeners::SCAN_INTERVAL;
use super::log_once::BETWEEN_WARNINGS;
use super::observe;
use super::rest;
use super::shared::SharedTracker;
use crate::attribute::Namespace;
use crate::facts::Names;
use crate::plan::Plan;
use crate::workers::{Full, Worker};
use sockdiag::Events;

/// Min time between two collections that make up for dropped events.
const BETWEEN: Duration = Duration::from_secs(1);

/// The time between two attempts to read the queue. The default buffer takes 26,000 events meanwhile.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Opens a socket for close events, whose buffer and scope may need capabilities.
///
/// # Errors
/// If the kernel refuses the socket.
pub fn open_events(plan: &Plan) -> io::Result<Events> {
    let buffer = plan.collect.event_buffer;
    let everywhere = plan.collect.reads_other_namespaces();
    // Without the capability for other namespaces, the exporter subscribes to those of its own.
    let open = |everywhere| Events::open(&plan.tracking.events, buffer, everywhere);
    open(everywhere).or_else(|error| {
        let forbidden = everywhere && error.kind() == io::ErrorKind::PermissionDenied;
        if forbidden { open(false) } else { Err(error) }
    })
}

/// Subscribes to close events: from now on the kernel keeps them, as far as its buffer reaches.
///
/// # Errors
/// If the kernel refuses the subscription.
pub fn subscribe(events: &Events, tracker: &SharedTracker) -> io::Result<()> {
    events.bind()?;
    tracker.subscription().subscribed(events);
    Ok(())
}

/// Has the thread read close events from now on, into the tracker.
///
/// `resync` is to have a collection made soon: events were dropped. The thread waits at most for `pause` at a time, so
/// that [`SharedTracker::waits`] grows as long as it lives.
///
/// # Errors
/// If the thread does something else already.
pub fn start_event_loop<W: Host + 'static>(
    events: Events,
    host: W,
    tracker: SharedTracker,
    resync: impl Fn() + Send + 'static,
    pause: Option<Duration>,
    thread: &Worker,
) -> Result<(), Full> {
    let plan = tracker.plan();
    // A connection may close before the first collection.
    tracker.lock().name_own(host.own().name);
    let attribution = Attribution::without_processes(&plan);
    let mut event_loop = EventLoop {
        plan,
        host,
        tracker,
        resync,
        pause,
        attribution,
        resynced: None,
        listened: None,
        sought: None,
        warned: None,
        failed: None,
    };
    thread.run(move || event_loop.run(events))
}

struct EventLoop<W, R> {
    plan: Arc<Plan>,
    host: W,
    tracker: SharedTracker,
    resync: R,
    pause: Option<Duration>,
    attribution: Attribution,
    /// When a collection was last asked for.
    resynced: Option<Instant>,
    /// When the listeners were last scanned.
    listened: Option<Instant>,
    /// When cgroups were last searched.
    sought: Option<Instant>,
    /// When the log last said that events were dropped, and that they could not be read.
    warned: Option<Instant>,
    failed: Option<Instant>,
}

impl<W: Host, R: Fn()> EventLoop<W, R> {
    fn run(&mut self, mut events: Events) {
        let mut lost = false;
        loop {
            self.tracker.waited();
            let pause = lost.then_some(BETWEEN);
            let pause = self.pause.map_or(pause, |most| Some(pause.unwrap_or(most).min(most)));
            match self.wait_and_hand_on(&mut events, pause) {
                Ok(dropped) => {
                    if dropped {
                        self.warn();
                    }
                    lost |= dropped;
                }
                // The kernel goes on filling the queue, so that nothing is lost.
                Err(error) => self.wait_after(&error),
            }
            let now = Instant::now();
            if lost && self.resynced.is_none_or(|at| now.duration_since(at) >= BETWEEN) {
                self.resynced = Some(now);
                self.tracker.subscription().resyncs += 1;
                (self.resync)();
                lost = false;
            }
        }
    }

    /// Waits for events at most for `pause`, and hands on all that there are; whether some were dropped.
    ///
    /// If the last events were a moment ago, more are on their way: it lets them come.
    fn wait_and_hand_on(&mut self, events: &mut Events, pause: Option<Duration>) -> io::Result<bool> {
        let began = Instant::now();
        if !events.wait(pause)? {
            return Ok(false);
        }
        if began.elapsed() < rest::LONGEST {
            self.tracker.rest().rest(rest::length(events.granted()));
        }
        let mut dropped = self.hand_on(events)?;
        while events.may_have_more() {
            dropped |= self.hand_on(events)?;
        }
        self.tracker.rest().has_read();
        Ok(dropped)
    }

    /// Hands a batch of events to the tracker; whether some were dropped.
    fn hand_on(&mut self, events: &mut Events) -> io::Result<bool> {
        let now = Instant::now();
        self.note_plan(now);
        // A connection that no dump shows is inbound if its listener is known.
        let stale = self.listened.is_none_or(|at| now.duration_since(at) >= SCAN_INTERVAL);
        if self.plan.tracking.listeners && stale {
            self.listened = Some(now);
            self.listen(now);
        }
        let interface = self.host.interface_names();
        let own = Namespace::own();
        let of_own = |index| interface(&own, index);
        let users = Some(&self.attribution.users);
        let mut tracker = self.tracker.lock();
        let plan = tracker.plan();
        let names = Names { configured: &plan.names, interface: &of_own, users };
        // Read under the lock: when others find the queue empty, the tracker knows everything that was in it.
        let dropped = events.read()?;
        let mut confirmed = HashMap::new();
        let mut is_still = |nsid, namespace: &Namespace| {
            *confirmed.entry(nsid).or_insert_with(|| self.host.nsid(namespace) == Some(nsid))
        };
        let (mut received, mut ignored) = (0, 0);
        let sockets: Vec<_> = events.sockets().collect();
        for ((nsid, socket), record) in sockets.iter().zip(tracker.records_of(&sockets)) {
            received += 1;
            let counts = tracker.on_close(*nsid, socket, record, names, &*interface, &mut is_still);
            ignored += u64::from(!counts);
        }
        drop(tracker);
        let mut subscription = self.tracker.subscription();
        subscription.received += received;
        subscription.ignored += ignored;
        Ok(dropped)
    }

    /// Takes note of the time, and of a plan that was adopted meanwhile.
    fn note_plan(&mut self, now: Instant) {
        let mut tracker = self.tracker.lock();
        tracker.at(now);
        let plan = tracker.plan();
        drop(tracker);
        if !Arc::ptr_eq(&plan, &self.plan) {
            self.attribution = Attribution::without_processes(&plan);
            (self.plan, self.listened, self.sought) = (plan, None, None);
        }
    }

    /// Scans the listeners of the exporter's own namespace. What is not known now may be known to the next scan.
    fn listen(&mut self, now: Instant) {
        // A new cgroup is searched in the whole tree.
        if self.sought.is_none_or(|at| now.duration_since(at) >= BETWEEN) {
            self.sought = Some(now);
            // Without the process table nothing can fail here.
            let _ = self.attribution.begin(now, now);
        }
        observe::scan(&self.plan, &self.host, &self.tracker, &mut self.attribution, |_, _| {});
    }

    fn warn(&mut self) {
        if self.warned.is_none_or(|at| at.elapsed() >= BETWEEN_WARNINGS) {
            self.warned = Some(Instant::now());
            tracing::warn!(
                metric = "ss_exporter_destroy_events_dropped_total",
                hint = "raise collect.event_buffer and net.core.rmem_max",
                "the kernel has dropped close events"
            );
        }
    }

    fn wait_after(&mut self, error: &io::Error) {
        if self.failed.is_none_or(|at| at.elapsed() >= BETWEEN_WARNINGS) {
            self.failed = Some(Instant::now());
            tracing::warn!(
                %error,
                "cannot read close events; they wait in the queue"
            );
        }
        std::thread::sleep(BETWEEN_TRIES);
    }
}
