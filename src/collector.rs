//! The collector: one thread, one collection at a time, shared by all who ask meanwhile.
//!
//! Nothing is collected without a request, except for a baseline, and never a dump behind one that the kernel holds.
//! Refuses to know how a collection is made, and HTTP.

mod baseline;
mod lease;

pub use lease::{Chunks, Lease, Revoked};

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::self_metrics::{CollectorReport, DumpReport, ProcessReport, SelfReport, Stage};
use crate::snapshot::Snapshot;
use baseline::BaselineRequest;
use lease::Hold;

/// The least time between two warnings of the same kind.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);
/// What is shown without a dump is made again after this time.
const BETWEEN_STANDING: Duration = Duration::from_secs(1);
/// At most four live snapshots; a fifth revokes the oldest.
const MOST_ALIVE: usize = 4;
/// While that many are alive, scrapes share the newest if it is not older, so that readers have time to read.
const SHARED: Duration = Duration::from_secs(1);

/// A handle to the collector.
#[derive(Clone)]
pub struct Collector(Arc<Shared>);

/// The limit of scrapes that wait for a collection is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} scrapes wait for a collection already")]
pub struct Busy(pub usize);

/// How long and how many may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The longest that a scrape waits for a collection.
    pub timeout: Duration,
    /// The most scrapes that wait for one.
    pub waiting: usize,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    most_waiting: usize,
    /// What can be shown without a dump.
    standing: Box<dyn Fn() -> Snapshot + Send + Sync>,
}

#[derive(Default)]
struct State {
    timeout: Duration,
    waiting: Vec<Waiting>,
    alive: VecDeque<(Instant, Arc<Snapshot>)>,
    /// Since when a collection has been under way, and how long it may take.
    running: Option<(Instant, Duration)>,
    baseline: BaselineRequest,
    /// Since when the kernel has been holding a dump that the last collection left behind, and whether rows
    /// were withheld.
    left: Option<(Instant, bool)>,
    collections: u64,
    /// Scrapes that found too many waiting.
    refused: u64,
    /// What was last shown without a dump, and when: as many share it as ask within a second.
    stood: Option<(Instant, Arc<Snapshot>)>,
    /// How the last collection went.
    last: Option<SelfReport>,
    /// When a scrape that came away without sockets was last logged.
    warned: Option<Instant>,
    stopped: bool,
}

struct Waiting {
    /// Whether it counts among those that may wait.
    counts: bool,
    until: Instant,
    reply: Box<dyn FnOnce(Lease) + Send>,
}

impl Collector {
    /// Starts the thread that calls `collect` for each request, with the time that it may take.
    ///
    /// `standing` makes what is shown when there is no dump.
    ///
    /// # Errors
    /// If the thread cannot be made.
    pub fn start(
        terms: Terms,
        standing: impl Fn() -> Snapshot + Send + Sync + 'static,
        mut collect: impl FnMut(Duration) -> Snapshot + Send + 'static,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let state = Mutex::new(State { timeout: terms.timeout, ..State::default() });
        let (wake, standing) = (Condvar::new(), Box::new(standing));
        let shared = Arc::new(Shared { state, wake, most_waiting: terms.waiting, standing });
        let collector = Self(Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("collector".into())
            .spawn(move || while shared.serve(&mut collect) {})?;
        Ok((collector, thread))
    }

    /// Joins the collection in progress or starts one; `reply` is called once, at once or on the collector's
    /// thread, unless the instant has passed by then.
    ///
    /// # Errors
    /// [`Busy`] if too many wait already.
    pub fn request(&self, until: Instant, reply: impl FnOnce(Lease) + Send + 'static) -> Result<(), Busy> {
        let mut state = self.0.lock();
        if let Some(newest) = state.shared() {
            let lease = self.0.lend(newest);
            drop(state);
            reply(lease);
            return Ok(());
        }
        // Those who gave up hold no place: a dump that the kernel holds would fill them all.
        let now = Instant::now();
        state.waiting.retain(|waiting| waiting.until > now);
        if state.waiting.iter().filter(|waiting| waiting.counts).count() >= self.0.most_waiting {
            state.refused += 1;
            return Err(Busy(self.0.most_waiting));
        }
        state.waiting.push(Waiting { counts: true, until, reply: Box::new(reply) });
        drop(state);
        self.0.wake.notify_one();
        Ok(())
    }

    /// Has a collection made soon that no scrape asks for, and takes no scrape's place.
    pub fn collect_soon(&self) {
        let mut state = self.0.lock();
        let until = Instant::now() + state.timeout;
        state.waiting.push(Waiting { counts: false, until, reply: Box::new(drop) });
        drop(state);
        self.0.wake.notify_one();
    }

    /// Has collections made until there is a baseline. If `done` is given, the exporter is not ready before, and `done`
    /// is dropped then, or when it takes too long.
    pub fn collect_baseline(&self, done: Option<Box<dyn Send>>) {
        let mut state = self.0.lock();
        match done {
            Some(done) => state.baseline.ask_first(Instant::now(), done),
            None => state.baseline.ask(Instant::now()),
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// What needs no dump, with the collection marked as failed: for a scrape that cannot wait any
    /// longer.
    #[must_use]
    pub fn without_dump(&self) -> Lease {
        let mut state = self.0.lock();
        let begun = state.running.map(|(since, _)| since);
        let running = begun.map(|since| since.elapsed());
        let seconds = running.unwrap_or_default().as_secs_f64();
        if state.warned.is_none_or(|at| at.elapsed() >= BETWEEN_WARNINGS) {
            state.warned = Some(Instant::now());
            tracing::warn!(
                seconds,
                hint = "see ss_exporter_dump_stuck_seconds; raise scrape_timeout and collect.deadline",
                "a scrape was answered without sockets: the collection has not ended"
            );
        }
        if let Some((_, stood)) = state.stood.as_ref().filter(|(at, _)| at.elapsed() < BETWEEN_STANDING) {
            return Lease(Hold::Own(Arc::clone(stood)));
        }
        let collector = CollectorReport { collections: state.collections, refused: state.refused };
        drop(state);
        let stuck = self.stuck_for();
        let mut snapshot = (self.0.standing)();
        snapshot.report = SelfReport {
            stages: vec![Stage {
                name: "collection".into(),
                duration: running.unwrap_or_default(),
                success: false,
            }],
            dump: DumpReport { stuck, ..DumpReport::default() },
            collector,
            process: ProcessReport::read(),
            ..snapshot.report
        };
        let snapshot = Arc::new(snapshot);
        let mut state = self.0.lock();
        // After the end of the collection, a scrape has counted more.
        if state.running.map(|(since, _)| since) == begun {
            state.stood = Some((Instant::now(), Arc::clone(&snapshot)));
        }
        Lease(Hold::Own(snapshot))
    }

    /// The longest that a scrape waits for a collection.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.lock().timeout
    }

    /// Sets the longest that a scrape waits for a collection, for requests from now on.
    pub fn set_timeout(&self, timeout: Duration) {
        self.0.lock().timeout = timeout;
    }

    /// Whether collections can be had now; if the last one found a dump held, another one is asked for, since
    /// nothing else tells that it no longer is.
    ///
    /// # Errors
    /// A sentence for people.
    pub fn ready(&self) -> Result<(), String> {
        let blind = self.0.lock().left.is_some_and(|(_, withheld)| withheld);
        // However many ask, one collection answers them.
        if blind && self.0.lock().waiting.is_empty() {
            self.collect_soon();
        }
        let late = self.0.lock().late();
        match (self.stuck_for().filter(|_| blind), late) {
            (Some(held), _) => Err(format!("the kernel has been holding a dump for {} s", held.as_secs())),
            (None, Some(late)) => {
                Err(format!("a collection has been under way for {} s, which is too long", late.as_secs()))
            }
            (None, None) if self.0.lock().baseline.is_missing() => {
                Err("the counters of sockets that existed before the exporter have not all been read yet"
                    .to_owned())
            }
            (None, None) => Ok(()),
        }
    }

    /// How long the kernel has been holding a dump that the last collection left behind.
    #[must_use]
    pub fn stuck_for(&self) -> Option<Duration> {
        self.0.lock().left.map(|(since, _)| since.elapsed())
    }

    /// How the last collection went, if there was one.
    #[must_use]
    pub fn last(&self) -> Option<SelfReport> {
        self.0.lock().last.clone()
    }

    /// Ends the thread after the collection in progress.
    pub fn stop(&self) {
        self.0.lock().stopped = true;
        self.0.wake.notify_all();
    }
}

impl Shared {
    /// Waits for a request or until a baseline is due, collects, and answers all requests; `false` when stopped.
    fn serve(self: &Arc<Self>, collect: &mut impl FnMut(Duration) -> Snapshot) -> bool {
        let Some((of_its_own, time)) = self.wait() else { return false };
        let mut state = self.lock();
        state.running = Some((Instant::now(), time));
        state.collections += 1;
        // The one to come counts, while it grows too.
        while state.alive.len() >= MOST_ALIVE {
            state.alive.pop_front();
        }
        drop(state);

        let mut snapshot = collect(time);

        let mut state = self.lock();
        snapshot.report.collector =
            CollectorReport { collections: state.collections, refused: state.refused };
        state.last = Some(snapshot.report.clone());
        let snapshot = Arc::new(snapshot);
        // What was shown without it has counted less.
        (state.running, state.stood) = (None, None);
        let now = Instant::now();
        let done = state.baseline.ended(&snapshot.report, of_its_own, now);
        let SelfReport { dump, stages, .. } = &snapshot.report;
        let withheld = stages.iter().any(|stage| stage.is_dump() && !stage.success);
        state.left = dump.stuck.and_then(|held| Some((now.checked_sub(held)?, withheld)));
        let mut waiting = std::mem::take(&mut state.waiting);
        waiting.retain(|waiting| waiting.until > now);
        let answers: Vec<_> =
            waiting.into_iter().map(|waiting| (waiting.reply, self.lend(&snapshot))).collect();
        state.alive.push_back((now, snapshot));
        state.forget_unread();
        drop(state);
        drop(done);
        for (reply, lease) in answers {
            reply(lease);
        }
        true
    }

    fn lend(self: &Arc<Self>, snapshot: &Arc<Snapshot>) -> Lease {
        Lease(Hold::Shared(Arc::downgrade(snapshot), Arc::clone(self)))
    }

    /// Waits until there is something to collect: whether it is a baseline, and the time for it. `None` when stopped.
    fn wait(&self) -> Option<(bool, Duration)> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let late = state.baseline.late(now);
            let time = state.baseline.time(now, state.timeout);
            if state.stopped {
                return None;
            }
            if late.is_none() && (time.is_some() || !state.waiting.is_empty()) {
                return Some((time.is_some(), time.unwrap_or(state.timeout)));
            }
            let pause = state.baseline.due().map(|due| due.saturating_duration_since(now));
            if late.is_some() {
                drop(state);
                drop(late);
                state = self.lock();
            } else if let Some(pause) = pause {
                let waited = self.wake.wait_timeout(state, pause);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two of its statements, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long the collection in progress has taken so far, if that is too long.
    fn late(&self) -> Option<Duration> {
        self.running
            .map(|(since, most)| (since.elapsed(), most))
            .filter(|(time, most)| time > most)
            .map(|(time, _)| time)
    }

    /// The newest snapshot, if another one would take the oldest from its readers soon after the last did.
    fn shared(&self) -> Option<&Arc<Snapshot>> {
        let (since, newest) = self.alive.back()?;
        (self.alive.len() >= MOST_ALIVE && since.elapsed() < SHARED).then_some(newest)
    }

    fn forget_unread(&mut self) {
        self.alive.retain(|(_, snapshot)| Arc::weak_count(snapshot) > 0);
    }
}

#[cfg(test)]
mod tests;
