//! The thread that hears of closing sockets, all the time, so that no connection is too short to count.
//!
//! It never ends: what the kernel dropped is counted and made up for by a collection. Nothing that the
//! network can reach delays it. Refuses to know what is counted.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::memory::Remembered;
use super::{World, listen};
use crate::labels::Names;
use crate::plan::Plan;
use crate::sockdiag::{Events, Queue, dropped};

/// The least time between two collections that make up for what was lost.
const BETWEEN: Duration = Duration::from_secs(1);
/// The least time between two looks at the listeners. One costs some 50 microseconds, and a connection that
/// ends before its listener is known counts as outbound.
pub(crate) const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The least time between two warnings of the same kind.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

/// What came of listening so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Hearing {
    /// The netlink port of the subscription; `None` without one.
    pub(super) port: Option<u32>,
    /// Its queue.
    queue: Option<Queue>,
    /// The kernel's buffer, in bytes.
    pub(super) granted: usize,
    /// Events heard.
    pub(super) heard: u64,
    /// Collections asked for because events were dropped.
    pub(super) resyncs: u64,
    /// Events that the kernel dropped, as far as it was asked.
    dropped: u64,
    /// Those of earlier subscriptions.
    dropped_before: u64,
}

impl Hearing {
    /// Events that the kernel has dropped, by the text of `/proc/net/netlink`.
    pub(super) fn dropped(&mut self, table: Option<&str>) -> u64 {
        if let Some(now) = table.zip(self.port).and_then(|(table, port)| dropped(table, port)) {
            self.dropped = now;
        }
        self.dropped_before + self.dropped
    }

    /// Whether all events so far have been told, asked by who keeps the ledger from changing meanwhile.
    pub(super) fn is_done(&self) -> bool {
        self.queue.as_ref().is_none_or(Queue::is_empty)
    }

    fn subscribed(&mut self, events: &Events) {
        self.dropped_before += std::mem::take(&mut self.dropped);
        self.port = Some(events.port());
        self.queue = Some(events.queue());
        self.granted = events.granted();
    }
}

/// Subscribes to the ends of sockets, and starts the thread that tells the ledger of them.
///
/// `resync` is to have a collection made soon: events were dropped.
///
/// # Errors
/// If the kernel refuses the subscription, or the thread cannot be made.
pub fn watch<W: World + 'static>(
    plan: &Plan,
    world: W,
    remembered: Remembered,
    resync: impl Fn() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let plan = plan.clone();
    let events = Events::subscribe(plan.collect.event_buffer, false)?;
    remembered.hearing().subscribed(&events);
    let (asked, granted) = (plan.collect.event_buffer, events.granted());
    if granted < asked {
        tracing::warn!(
            asked,
            granted,
            "the kernel grants less buffer for events than collect.event_buffer; raise net.core.rmem_max, or give CAP_NET_ADMIN"
        );
    }
    let mut watch = Watch { plan, world, remembered, resync, resynced: None, listened: None, warned: None };
    std::thread::Builder::new().name("events".into()).spawn(move || watch.run(events))
}

struct Watch<W, R> {
    plan: Plan,
    world: W,
    remembered: Remembered,
    resync: R,
    /// When a collection was last asked for.
    resynced: Option<Instant>,
    /// When the listeners were last looked at.
    listened: Option<Instant>,
    /// When it was last said that events were dropped.
    warned: Option<Instant>,
}

impl<W: World, R: Fn()> Watch<W, R> {
    fn run(&mut self, mut events: Events) {
        let mut lost = false;
        loop {
            let dropped = events
                .wait(lost.then_some(BETWEEN))
                .and_then(|ready| if ready { self.tell(&mut events) } else { Ok(false) });
            match dropped {
                Ok(dropped) => {
                    if dropped {
                        self.warn();
                    }
                    lost |= dropped;
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot hear of closing sockets; subscribing again");
                    events = self.subscribe_again();
                    lost = true;
                }
            }
            let now = Instant::now();
            if lost && self.resynced.is_none_or(|at| now.duration_since(at) >= BETWEEN) {
                self.resynced = Some(now);
                self.remembered.hearing().resyncs += 1;
                (self.resync)();
                lost = false;
            }
        }
    }

    /// Tells the ledger of the events that are there; whether some were dropped.
    fn tell(&mut self, events: &mut Events) -> io::Result<bool> {
        let now = Instant::now();
        self.remembered.follower().at(now);
        // A connection that no dump shows is inbound if its listener is known.
        let stale = self.listened.is_none_or(|at| now.duration_since(at) >= BETWEEN_LOOKS);
        if self.plan.past.listeners && stale {
            self.listened = Some(now);
            // What is not known now may be known at the next look.
            let _ = listen::learn(&self.plan, &self.world, &self.remembered, now + BETWEEN);
        }
        let interface = |index| self.world.interface_name(index);
        let names = Names { networks: &self.plan.networks, interface: &interface };
        let mut follower = self.remembered.follower();
        // Read while nobody else looks: when the queue is empty to others, everything in it is told.
        let dropped = events.read()?;
        let mut heard = 0;
        for (_, socket) in events.sockets() {
            heard += 1;
            follower.ended(&socket, names);
        }
        drop(follower);
        self.remembered.hearing().heard += heard;
        Ok(dropped)
    }

    fn warn(&mut self) {
        if self.warned.is_none_or(|at| at.elapsed() >= BETWEEN_WARNINGS) {
            self.warned = Some(Instant::now());
            tracing::warn!(
                "the kernel has dropped events of closing sockets, because collect.event_buffer was full; counted in \
                 ss_exporter_events_dropped_total (said at most once a minute)"
            );
        }
    }

    fn subscribe_again(&self) -> Events {
        loop {
            std::thread::sleep(BETWEEN);
            if let Ok(events) = Events::subscribe(self.plan.collect.event_buffer, false) {
                self.remembered.hearing().subscribed(&events);
                return events;
            }
        }
    }
}
