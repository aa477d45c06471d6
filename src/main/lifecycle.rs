//! Reloads: another configuration is validated as a whole, then becomes active between two collections, or not at all.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sockdiag::Events;
use ss_exporter::cli::Cli;
use ss_exporter::collection::{self, CollectorState, SharedTracker, collect_within, start_event_loop};
use ss_exporter::collector::{Busy, Collector};
use ss_exporter::exposition::{FamilyFilter, Format};
use ss_exporter::http::{Backend, ChunkStream, Page, Reply};
use ss_exporter::listing::{self, Detail, Listing, Query, Question, RecentListings, Refusal, SocketList};
use ss_exporter::page::{Exporter, PageRequest, page, policy};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::{EffectiveCapabilities, Feature, Privileges};
use ss_exporter::problems::{Evidence, HostMonitor, HostRates, Problem, problems};
use ss_exporter::self_metrics::Reload;
use ss_exporter::snapshot::Snapshot;
use ss_exporter::workers::Worker;

use crate::configuration::{self, Loaded};
use crate::host::LinuxHost;
use crate::{capabilities, notify, status};

/// The inputs of collections.
pub struct Work {
    pub plan: Arc<Plan>,
    pub host: LinuxHost,
    pub state: CollectorState,
    pub privileges: Privileges,
}

/// The inputs of collections, locked by a collection, by a listing, or by a reload between two.
#[derive(Clone)]
pub struct SharedWork(Arc<Mutex<Work>>);

impl SharedWork {
    pub fn new(work: Work) -> Self {
        Self(Arc::new(Mutex::new(work)))
    }

    pub fn collect(&self, time: Duration) -> Snapshot {
        let Work { plan, host, state, .. } = &mut *self.lock();
        collect_within(time, plan, host, state)
    }

    /// Lists the sockets of a plan, and says when that began.
    fn list(&self, plan: &Plan) -> Result<(Instant, SocketList), Refusal> {
        let Work { host, state, .. } = &mut *self.lock();
        listing::list(plan, host, state)
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        // A panic ends the program, so that no thread finds it inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a configuration does not become active.
struct Refused {
    reason: String,
    /// What helps.
    hint: &'static str,
}

impl Refused {
    /// The file, or what it needs of the host, is wrong.
    fn of_file(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: "prometheus_ss_exporter --config.check" }
    }

    /// The file is valid, but not for this process.
    fn until_restart(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: "restart the exporter" }
    }
}

/// What users see of the active configuration.
pub struct ActiveConfig {
    /// All of it, as text.
    pub effective: String,
    /// The names of its views.
    pub views: Vec<String>,
    /// The sockets themselves, for the page and the list.
    pub listings: Arc<RecentListings>,
}

impl ActiveConfig {
    pub fn of(plan: &Plan, effective: String) -> Self {
        let views = plan.views.iter().map(|view| view.name.clone()).collect();
        Self { effective, views, listings: Arc::new(RecentListings::new(plan)) }
    }
}

/// The running exporter.
#[derive(Clone)]
pub struct Lifecycle {
    pub cli: Cli,
    pub work: SharedWork,
    pub tracker: SharedTracker,
    pub collector: Collector,
    /// The thread for close events, there from the start: a reload may be the first to need it.
    pub events: Worker,
    /// The effective capabilities before any was dropped.
    pub held: EffectiveCapabilities,
    /// The active configuration. Not part of `work`, whose lock a collection holds.
    pub active: Arc<Mutex<ActiveConfig>>,
    /// What the service manager shows.
    pub status: status::SharedStatus,
    /// What the host counted when the last page was made.
    pub host_totals: Arc<Mutex<HostMonitor>>,
}

impl Lifecycle {
    /// Reads the configuration file and makes it active; log, metrics and status report the result.
    ///
    /// One thread runs all reloads, one after another.
    pub fn reload_and_report(&self) -> Result<(), String> {
        notify::reloading();
        let reloaded = self.try_reload();
        let mut status = self.status.lock();
        status.refused = reloaded.as_ref().err().map(|refused| refused.reason.clone());
        match &reloaded {
            Ok(source) => {
                (status.source, status.views) = (source.clone(), self.views());
                tracing::info!(config = source, "reloaded the configuration");
                self.tracker.reloaded(Reload { successful: true, at: since_1970() });
            }
            Err(Refused { reason, hint }) => {
                let at = self.tracker.reload().map_or(Duration::ZERO, |before| before.at);
                tracing::error!(
                    reason,
                    hint,
                    "cannot reload the configuration; the previous one stays active"
                );
                self.tracker.reloaded(Reload { successful: false, at });
            }
        }
        notify::ready(&status);
        drop(status);
        reloaded.map(drop).map_err(|refused| refused.reason)
    }

    fn try_reload(&self) -> Result<String, Refused> {
        let loaded = configuration::load(&self.cli).map_err(|failure| Refused::of_file(failure.message))?;
        loaded.warn();
        let Loaded { config, effective, source } = loaded;
        let plan = Arc::new(Plan::new(config));
        let mut work = self.work.lock();
        self.check(&work.plan, &plan)?;
        let privileges = work.privileges.again(&self.features(&work, &plan));
        if let Some(dropped) = privileges.dropped(self.held).next() {
            return Err(Refused::until_restart(format!(
                "{} need {}, which was dropped at the start because nothing needed it; restart the exporter",
                dropped.feature, dropped.name
            )));
        }
        if plan.hosts != work.plan.hosts {
            let followed = work.host.resolver.follow(&plan.hosts);
            followed
                .map_err(|error| Refused::until_restart(format!("cannot resolve host names: {error}")))?;
        }
        capabilities::say_missing(&privileges, Some(&work.privileges));
        let host = work.host.clone();
        work.state.adopt(&plan, &host, privileges.clone());
        (work.plan, work.privileges) = (Arc::clone(&plan), privileges);
        drop(work);
        if let Err(error) = self.tracker.follow_events(&plan) {
            warn_no_events(&error);
        }
        *self.active() = ActiveConfig::of(&plan, effective);
        self.collector.set_timeout(plan.collect.deadline);
        let opened = (plan.tracking.needs_events() && !self.tracker.is_subscribed())
            .then(|| open_events(&plan))
            .flatten();
        let events = opened.and_then(|events| subscribe(events, &self.tracker));
        self.follow(events, host, None);
        Ok(source)
    }

    fn active(&self) -> MutexGuard<'_, ActiveConfig> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the sockets that a question is about.
    fn list<T>(&self, question: Question, show: impl FnOnce(&Listing) -> T) -> Result<T, Refusal> {
        let listings = Arc::clone(&self.active().listings);
        listings.show(question, |plan| self.work.list(plan), show)
    }

    /// Refuses a change of what is fixed at the start.
    fn check(&self, before: &Plan, after: &Plan) -> Result<(), Refused> {
        let (old, new) = (&before.collect, &after.collect);
        let subscribed = self.tracker.is_subscribed();
        let changed = [
            ("collect.netns", old.netns != new.netns),
            ("collect.events", subscribed && old.events != new.events),
            ("collect.event_buffer", subscribed && old.event_buffer != new.event_buffer),
        ];
        match changed.into_iter().find(|(_, changed)| *changed) {
            Some((key, _)) => Err(Refused::until_restart(format!(
                "{key} cannot change while the exporter runs; restart it"
            ))),
            None => Ok(()),
        }
    }

    fn features(&self, work: &Work, plan: &Plan) -> Vec<Feature> {
        // The buffer was granted when the subscription was made.
        if self.tracker.is_subscribed() {
            let mut features = plan.features();
            let of_buffer = plan.tracking.needs_events() && work.privileges.are_about(Feature::EventBuffer);
            features.extend(of_buffer.then_some(Feature::EventBuffer));
            features
        } else {
            capabilities::needed(plan, plan.tracking.needs_events())
        }
    }

    /// Reads close events, and collects the baseline of a plan's counters. If `ready` is given, the exporter is not
    /// ready before, and `ready` is dropped then.
    pub fn follow(&self, events: Option<Events>, host: LinuxHost, ready: Option<notify::Ready>) {
        let resync = {
            let collector = self.collector.clone();
            move || collector.collect_soon()
        };
        let pause = notify::pause();
        let tracker = self.tracker.clone();
        let watched =
            events.map(|events| start_event_loop(events, host, tracker, resync, pause, &self.events));
        if let Some(Err(error)) = watched {
            warn_no_events(&std::io::Error::other(error));
        }
        if self.tracker.plan().tracking.is_empty() {
            return;
        }
        self.collector.collect_baseline(ready.map(|ready| Box::new(ready) as Box<dyn Send>));
    }
}

impl Lifecycle {
    /// What the host counted since the last page or list.
    fn host_rates(&self) -> Option<HostRates> {
        self.host_totals.lock().unwrap_or_else(PoisonError::into_inner).sample(Path::new("/proc"))
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
        self.active().views.clone()
    }

    fn page(&self, query: &str) -> Page {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let exporter = Exporter {
            telemetry_path: self.cli.telemetry_path.clone(),
            host: host.trim().to_owned(),
            host_rates: self.host_rates(),
            report: self.collector.last(),
        };
        let (request, wrong) = match PageRequest::read(query) {
            Ok(request) => (request, None),
            Err(wrong) => (PageRequest::default(), Some(wrong)),
        };
        let detail = if request.details { Detail::Everything } else { Detail::Glance };
        let shown = |listing: &Listing| page(&request, Ok(listing), &exporter);
        let (protocols, filter) = (request.protocols.clone(), request.filter.clone());
        let seen = wrong.map_or_else(|| self.list(Question { protocols, filter, detail }, shown), Err);
        let html = seen.unwrap_or_else(|refusal| page(&request, Err(&refusal), &exporter));
        Page { html, policy: policy() }
    }

    fn sockets(&self, query: &str) -> Result<String, String> {
        let answer = Query::read(query).and_then(|query| {
            let (protocols, filter) = (query.protocols.clone(), query.filter.clone());
            let question = Question { protocols, filter, detail: Detail::Everything };
            let (host, report) = (self.host_rates(), self.collector.last());
            self.list(question, |listing| {
                let evidence =
                    Evidence { listing: Some(listing), host: host.as_ref(), report: report.as_ref() };
                let found: Vec<_> = problems(&evidence).iter().map(Problem::to_json).collect();
                query.answer(listing, &found)
            })?
        });
        answer.map_err(|refusal| refusal.to_string())
    }

    fn forget(&self) -> bool {
        let listings = Arc::clone(&self.active().listings);
        let kept = listings.forget();
        if !kept {
            self.work.lock().state.forget_listed_owners();
        }
        kept
    }

    fn configuration(&self) -> String {
        self.active().effective.clone()
    }

    fn reload(&self) -> Result<(), String> {
        self.reload_and_report()
    }
}

/// A socket for close events, not subscribed yet. Without one, gauges and open connections are complete.
pub fn open_events(plan: &Plan) -> Option<Events> {
    collection::open_events(plan).inspect_err(warn_no_events).ok()
}

/// Subscribes to close events.
pub fn subscribe(events: Events, tracker: &SharedTracker) -> Option<Events> {
    collection::subscribe(&events, tracker).inspect_err(warn_no_events).ok().map(|()| events)
}

fn warn_no_events(error: &std::io::Error) {
    tracing::warn!(
        %error,
        lost = "what connections do after their last collection",
        "cannot subscribe to close events"
    );
}

/// The time now.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
