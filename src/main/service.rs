//! The service: from a plan to answers, until the process is asked to stop.
//!
//! What needs capabilities is opened first, then they are dropped, then the threads are started: each inherits the
//! capabilities of the thread that starts it. The socket for close events is opened with capabilities and subscribed
//! after the inventory of the sockets that exist; the inventory must not see what those capabilities show.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sockdiag::{
    DumpError, Events, Extensions, Netlink, Protocol, Request, State, StateSet, dump, keep_receivers,
};
use ss_exporter::attribute::Namespaces;
use ss_exporter::cli::Cli;
use ss_exporter::collection::{CollectorState, SharedTracker, cumulative_snapshot};
use ss_exporter::collector::{Collector, Terms};
use ss_exporter::http::{self, Options, Settings, Workers};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::{EffectiveCapabilities, Feature, Privileges};
use ss_exporter::self_metrics::Reload;
use ss_exporter::view::PROTOCOL;
use ss_exporter::workers::Worker;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::configuration::Loaded;
use crate::failure::Failure;
use crate::host::LinuxHost;
use crate::lifecycle::{ActiveConfig, Lifecycle, SharedWork, Work, since_1970};
use crate::listen::{listen, listeners};
use crate::status::{SharedStatus, Status};
use crate::stop::Signals;
use crate::{capabilities, files, lifecycle, notify, stderr, web_config};

/// How long answers in progress may take after a signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until the process is asked to stop.
pub fn serve(cli: &Cli, loaded: Loaded) -> Result<(), Failure> {
    let Loaded { config, effective, source } = loaded;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), config = source, "starting");
    let plan = Arc::new(Plan::new(config));
    // Before anything listens: a client that connects gets an answer, and never a broken configuration.
    web_config::check(cli)?;
    let opened = Privileged::open(cli, &plan)?;
    let Privileged { runtime, listeners, signals, events, namespaces, privileges, held } = opened;
    let (workers, events_thread) = keep_receivers()
        .and_then(|()| Ok((Workers::start()?, Worker::start("events", 1)?)))
        .map_err(|error| Failure::at_run_time(format!("cannot start the threads of the server: {error}")))?;
    // Without CAP_NET_ADMIN, to which the kernel shows the keys of TCP-MD5.
    ask_the_kernel(&plan.protocols)?;
    let mut state = CollectorState::new(&plan, privileges.clone());
    let tracker = state.tracker();
    tracker.reloaded(Reload { successful: true, at: since_1970() });
    // With the capabilities that reading it again will have.
    let web = web_config::open(cli, &listeners, tracker.clone())?;
    let host = LinuxHost::of(&plan, namespaces)?;
    // Sockets that exist, then close events, then clients: what a client opens is young, and its close event is read.
    state.take_inventory(&plan, &host);
    let events = events.and_then(|events| lifecycle::subscribe(events, &tracker));
    listen(&listeners)?;
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let views = plan.views.iter().map(|view| view.name.clone()).collect();
    let status = SharedStatus::new(Status { source, views, addresses, ..Status::default() });
    let active = Arc::new(Mutex::new(ActiveConfig::of(&plan, effective)));
    let timeout = plan.collect.deadline;
    let work = SharedWork::new(Work { plan, host: host.clone(), state, privileges });
    let collector = start_collector(cli, timeout, &tracker, &work)?;
    let lifecycle = Lifecycle {
        cli: cli.clone(),
        work,
        tracker: tracker.clone(),
        collector: collector.clone(),
        events: events_thread,
        held,
        active,
        status,
        host_totals: Arc::default(),
    };
    notify::status(&lifecycle.status.lock());
    lifecycle.follow(events, host, Some(notify::Ready(lifecycle.status.clone())));
    let (limits, heartbeat) = (files::limits(), notify::watchdog(tracker));
    let settings = Settings { limits, options: options(cli), heartbeat };
    let (reloads, reloading) = (workers.reloads.clone(), lifecycle.clone());
    // Its failure is logged.
    let stopped = signals.asked_to_stop(GRACE, reloads, move || _ = reloading.reload_and_report());
    runtime.spawn(stderr::watch());
    runtime.spawn(notify::send_again());
    runtime.block_on(http::serve(listeners, Arc::new(lifecycle), web, workers, settings, stopped));
    stop(&collector);
    Ok(())
}

/// What is opened with capabilities that are dropped afterwards.
struct Privileged {
    runtime: Runtime,
    listeners: Vec<TcpListener>,
    signals: Signals,
    /// The socket for close events, if the plan needs one and the kernel gave one.
    events: Option<Events>,
    namespaces: Namespaces,
    privileges: Privileges,
    /// The effective capabilities before any was dropped.
    held: EffectiveCapabilities,
}

impl Privileged {
    /// Opens it, then drops the capabilities that nothing needs any more.
    fn open(cli: &Cli, plan: &Plan) -> Result<Self, Failure> {
        let mut features = capabilities::needed(plan, plan.tracking.needs_events());
        let privileges = capabilities::held(&features);
        let held = EffectiveCapabilities::now();
        let events = plan.tracking.needs_events().then(|| lifecycle::open_events(plan)).flatten();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::at_run_time(format!("cannot start the runtime: {error}")))?;
        let (listeners, signals) = runtime.block_on(async { Ok((listeners(cli)?, Signals::listen())) })?;
        let signals =
            signals.map_err(|error| Failure::at_run_time(format!("cannot receive signals: {error}")))?;
        let namespaces = capabilities::namespaces(plan)?;
        // The buffer was granted already, and only one thread enters namespaces.
        features.retain(|feature| !matches!(feature, Feature::EventBuffer | Feature::Namespaces));
        capabilities::keep(&features);
        Ok(Self { runtime, listeners, signals, events, namespaces, privileges, held })
    }
}

fn start_collector(
    cli: &Cli,
    timeout: Duration,
    tracker: &SharedTracker,
    work: &SharedWork,
) -> Result<Collector, Failure> {
    let waiting = if cli.max_requests == 0 { usize::MAX } else { cli.max_requests };
    let (tracker, work) = (tracker.clone(), work.clone());
    let without_dump = move || cumulative_snapshot(&tracker);
    let started = Collector::start(Terms { timeout, waiting }, without_dump, move |time| work.collect(time));
    let failure = |error| Failure::at_run_time(format!("cannot start the collector's thread: {error}"));
    started.map(|(collector, _)| collector).map_err(failure)
}

fn options(cli: &Cli) -> Options {
    Options {
        telemetry_path: cli.telemetry_path.clone(),
        process_metrics: !cli.disable_exporter_metrics,
        lifecycle: cli.enable_lifecycle,
        sockets_to_all: cli.enable_sockets_api,
    }
}

fn stop(collector: &Collector) {
    notify::stopping();
    collector.stop();
    if let Some(stuck) = collector.stuck_for() {
        tracing::warn!(
            seconds = stuck.as_secs(),
            "the kernel has not answered a dump; this process ends when it does"
        );
    }
    tracing::info!("stopped");
}

/// Fails at once where every scrape would: the kernel has to answer about each protocol that it knows. TCP alone it has to
/// know; views of any other are empty without it.
fn ask_the_kernel(protocols: &[&'static Protocol]) -> Result<(), Failure> {
    let (mut known, mut missing) = (false, None);
    for error in protocols.iter().map(|protocol| ask_about(protocol).err()) {
        match error {
            None => known = true,
            Some(error) if error.is_of_missing_protocol() => missing = missing.or(Some(error)),
            Some(error) => return Err(Failure::at_run_time(error.to_string())),
        }
    }
    match missing {
        Some(error) if !known && protocols.contains(&PROTOCOL) => {
            Err(Failure::at_run_time(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// A dump of the listeners costs microseconds.
fn ask_about(protocol: &'static Protocol) -> Result<(), DumpError> {
    let states = StateSet::of(&[State::Listen]).intersection(protocol.states);
    let request = Request::new(protocol, states, Extensions::NONE);
    let kernel = Netlink::open().map_err(DumpError::Open)?;
    dump(kernel, &request, Instant::now() + Duration::from_secs(5), (), |(), _| {}).1.map(drop)
}
