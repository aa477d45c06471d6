//! One configuration after another, while the exporter runs: validated whole, put in force at once, or not at all.
//!
//! Refuses to know what a configuration asks for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ss_exporter::cli::Cli;
use ss_exporter::collect::{self, CollectorState, SharedTracker, collect_within, start_event_loop};
use ss_exporter::collector::{Busy, Collector};
use ss_exporter::config::Config;
use ss_exporter::exposition::{FamilyFilter, Format};
use ss_exporter::http::{Backend, ChunkStream, Page, Reply};
use ss_exporter::live::{Exporter, Live, Look, Query, Refusal, page, policy};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::{Feature, Held, Privileges};
use ss_exporter::self_metrics::Reload;
use ss_exporter::snapshot::Snapshot;
use ss_exporter::sockdiag::Events;
use ss_exporter::sockets::Detail;
use ss_exporter::workers::Worker;

use crate::configuration::{self, Loaded};
use crate::host::Host;
use crate::{notify, rights, status};

/// What collections are made of.
pub struct Work {
    pub plan: Arc<Plan>,
    pub host: Host,
    pub state: CollectorState,
    pub privileges: Privileges,
}

/// What collections are made of, by one at a time: a collection, or a reload between two.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Work>>);

impl Shared {
    pub fn new(work: Work) -> Self {
        Self(Arc::new(Mutex::new(work)))
    }

    pub fn collect(&self, time: Duration) -> Snapshot {
        let Work { plan, host, state, .. } = &mut *self.lock();
        collect_within(time, plan, host, state)
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        // A panic ends the program, so that nobody finds it in pieces.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What people are told of the configuration in force.
pub struct InForce {
    /// All of it, as text.
    pub effective: String,
    /// The names of its views.
    pub views: Vec<String>,
    /// The sockets themselves, for those who ask for them.
    pub live: Arc<Live<Host>>,
}

impl InForce {
    pub fn of(plan: &Plan, effective: String, live: Arc<Live<Host>>) -> Self {
        Self { effective, views: plan.views.iter().map(|view| view.name.clone()).collect(), live }
    }
}

/// The exporter as it runs.
#[derive(Clone)]
pub struct Lifecycle {
    pub cli: Cli,
    pub work: Shared,
    pub tracker: SharedTracker,
    pub collector: Collector,
    /// The thread for close events, there from the start: a reload may be the first to need it.
    pub events: Worker,
    /// What was held before anything was dropped.
    pub held: Held,
    /// The configuration in force; apart from the work, for which a reader would have to wait.
    pub in_force: Arc<Mutex<InForce>>,
    /// What the service manager shows.
    pub status: status::Shared,
}

impl Lifecycle {
    /// Puts the configuration in force that stands in its file now, and says in log and metrics how that went.
    ///
    /// One thread makes all reloads, one after another.
    pub fn reload_and_say(&self) -> Result<(), String> {
        notify::reloading();
        let reloaded = self.try_reload();
        let mut status = self.status.lock();
        status.refused = reloaded.as_ref().err().cloned();
        match &reloaded {
            Ok(source) => {
                (status.source, status.views) = (source.clone(), self.views());
                self.tracker.reloaded(Reload { successful: true, at: since_1970() });
                tracing::info!(config = source, "the configuration was read again");
            }
            Err(reason) => {
                let at = self.tracker.reload().map_or(Duration::ZERO, |before| before.at);
                self.tracker.reloaded(Reload { successful: false, at });
                tracing::error!(
                    reason,
                    "the configuration could not be read again; the one before stays in force"
                );
            }
        }
        notify::ready(&status);
        drop(status);
        reloaded.map(drop)
    }

    fn try_reload(&self) -> Result<String, String> {
        let loaded = configuration::load(&self.cli).map_err(|failure| failure.message)?;
        loaded.warn();
        let Loaded { config, effective, source } = loaded;
        let shown = config.clone();
        let plan = Arc::new(Plan::new(config));
        let mut work = self.work.lock();
        self.check(&work.plan, &plan)?;
        let privileges = work.privileges.again(&self.features(&work, &plan));
        if let Some(dropped) = privileges.dropped(self.held).next() {
            return Err(format!(
                "{} need {}, which was dropped at the start because nothing needed it; start the exporter again",
                dropped.feature, dropped.name
            ));
        }
        if plan.hosts != work.plan.hosts {
            let followed = work.host.hosts.follow(&plan.hosts);
            followed.map_err(|error| format!("cannot start resolving host names: {error}"))?;
        }
        rights::say_missing(&privileges, Some(&work.privileges));
        let host = work.host.clone();
        work.state.adopt(&plan, &host, privileges.clone());
        (work.plan, work.privileges) = (Arc::clone(&plan), privileges);
        drop(work);
        *self.in_force() = InForce::of(&plan, effective, live(&host, &shown));
        self.collector.set_timeout(plan.collect.deadline);
        let opened = (plan.tracking.events && !self.tracker.hears()).then(|| open_events(&plan)).flatten();
        let events = opened.and_then(|events| subscribe(events, &self.tracker));
        self.follow(events, host, None);
        Ok(source)
    }

    fn in_force(&self) -> MutexGuard<'_, InForce> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the sockets, unless the kernel holds a dump: no other is begun behind it.
    fn look<T>(&self, query: &Query, detail: Detail, show: impl FnOnce(&Look) -> T) -> Result<T, Refusal> {
        if let Some(held) = self.collector.held() {
            return Err(Refusal(format!("The kernel has been holding a dump for {} s.", held.as_secs())));
        }
        let live = Arc::clone(&self.in_force().live);
        live.look(&query.filter, detail, show)
    }

    /// What is decided at the start, once.
    fn check(&self, before: &Plan, after: &Plan) -> Result<(), String> {
        let (old, new) = (&before.collect, &after.collect);
        let hears = self.tracker.hears();
        let changed = [
            ("collect.netns", old.netns != new.netns),
            ("collect.events", hears && old.events != new.events),
            ("collect.event_buffer", hears && old.event_buffer != new.event_buffer),
        ];
        match changed.into_iter().find(|(_, changed)| *changed) {
            Some((key, _)) => Err(format!("{key} cannot change while the exporter runs; start it again")),
            None => Ok(()),
        }
    }

    fn features(&self, work: &Work, plan: &Plan) -> Vec<Feature> {
        // The buffer of a subscription was granted when it was made.
        if self.tracker.hears() {
            let mut features = plan.features();
            let of_buffer = plan.tracking.events && work.privileges.are_about(Feature::EventBuffer);
            features.extend(of_buffer.then_some(Feature::EventBuffer));
            features
        } else {
            rights::needed(plan, plan.tracking.events)
        }
    }

    /// Reads close events, and collects the baseline of a plan's counters. If `ready` is given, the exporter is not
    /// ready before, and `ready` is dropped then.
    pub fn follow(&self, events: Option<Events>, host: Host, ready: Option<notify::Ready>) {
        let resync = {
            let collector = self.collector.clone();
            move || collector.collect_soon()
        };
        let pause = notify::pause();
        let tracker = self.tracker.clone();
        let watched =
            events.map(|events| start_event_loop(events, host, tracker, resync, pause, &self.events));
        if let Some(Err(error)) = watched {
            cannot_hear(&std::io::Error::other(error));
        }
        if self.tracker.plan().tracking.is_empty() {
            return;
        }
        self.collector.collect_baseline(ready.map(|ready| Box::new(ready) as Box<dyn Send>));
    }
}

impl Backend for Lifecycle {
    fn scrape(&self, format: Format, wanted: FamilyFilter, until: Instant, reply: Reply) -> Result<(), Busy> {
        self.collector.request(until, move |lease| reply(Box::new(lease.chunks(format, wanted))))
    }

    fn without_dump(&self, format: Format, wanted: FamilyFilter) -> ChunkStream {
        Box::new(self.collector.without_dump().chunks(format, wanted))
    }

    fn timeout(&self) -> Duration {
        self.collector.timeout()
    }

    fn ready(&self) -> Result<(), String> {
        self.collector.ready()
    }

    fn views(&self) -> Vec<String> {
        self.in_force().views.clone()
    }

    fn page(&self, query: &str) -> Page {
        let exporter =
            Exporter { telemetry_path: self.cli.telemetry_path.clone(), report: self.collector.last() };
        let asked = Query::read(query);
        let filter = asked.as_ref().map_or("", |query| &query.filter).to_owned();
        let shown = |look: &Look| page(&filter, Ok(look), &exporter);
        let seen = asked.and_then(|query| self.look(&query, Detail::Glance, shown));
        let html = seen.unwrap_or_else(|refusal| page(&filter, Err(&refusal), &exporter));
        Page { html, policy: policy() }
    }

    fn sockets(&self, query: &str) -> Result<String, String> {
        let answer = Query::read(query)
            .and_then(|query| self.look(&query, Detail::Everything, |look| query.answer(look))?);
        answer.map_err(|refusal| refusal.to_string())
    }

    fn forget(&self) -> bool {
        let live = Arc::clone(&self.in_force().live);
        live.forget()
    }

    fn configuration(&self) -> String {
        self.in_force().effective.clone()
    }

    fn reload(&self) -> Result<(), String> {
        self.reload_and_say()
    }
}

/// A socket for close events, not subscribed yet; there is much to show without one.
pub fn open_events(plan: &Plan) -> Option<Events> {
    collect::open_events(plan).inspect_err(cannot_hear).ok()
}

/// Subscribes to close events.
pub fn subscribe(events: Events, tracker: &SharedTracker) -> Option<Events> {
    collect::subscribe(&events, tracker).inspect_err(cannot_hear).ok().map(|()| events)
}

fn cannot_hear(error: &std::io::Error) {
    tracing::warn!(
        %error,
        "cannot hear of closing sockets; what a connection does after its last collection is lost"
    );
}

/// Looks at this host for those who ask for the sockets themselves.
pub fn live(host: &Host, config: &Config) -> Arc<Live<Host>> {
    // What is missing is said of the metrics.
    Arc::new(Live::new(host.clone(), config, Privileges::default()))
}

/// The time now.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
