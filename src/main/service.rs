//! The service: from a plan to answers, until the process is asked to stop.
//!
//! What needs privileges comes first, then they are dropped, then the threads are made: each inherits
//! what its maker has. The socket for close events is opened with privileges and subscribed later, after the inventory
//! of the sockets that exist, which must not see what those privileges show.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ss_exporter::cli::Cli;
use ss_exporter::collect::{CollectorState, cumulative_snapshot};
use ss_exporter::collector::{Collector, Terms};
use ss_exporter::http::{self, Options, Settings, Workers};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::{Feature, Held};
use ss_exporter::self_metrics::Reload;
use ss_exporter::sockdiag::{
    DumpError, Extensions, Netlink, Request, State, StateSet, TCP, dump, keep_receivers,
};
use ss_exporter::workers::Worker;

use crate::configuration::Loaded;
use crate::failure::Failure;
use crate::host::Host;
use crate::lifecycle::{InForce, Lifecycle, Shared, Work, since_1970};
use crate::listen::{listen, listeners};
use crate::status::Status;
use crate::stop::Signals;
use crate::{door, files, lifecycle, notify, rights, status, stderr};

/// How long answers in progress may take after a signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until the process is asked to stop.
pub fn serve(cli: &Cli, loaded: Loaded) -> Result<(), Failure> {
    let Loaded { config, effective, source } = loaded;
    let shown = config.clone();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), config = source, "starting");
    let plan = Arc::new(Plan::new(config));
    // Before anything listens: a client that connects gets an answer, and never a broken configuration.
    door::check(cli)?;
    let mut features = rights::needed(&plan, plan.tracking.events);
    let privileges = rights::held(&features);
    let held = Held::now();
    let mut state = CollectorState::new(&plan, privileges.clone());
    let tracker = state.tracker();
    tracker.reloaded(Reload { successful: true, at: since_1970() });
    let events = plan.tracking.events.then(|| lifecycle::open_events(&plan)).flatten();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::at_run_time(format!("cannot start the runtime: {error}")))?;
    let (listeners, signals) = runtime.block_on(async { Ok((listeners(cli)?, Signals::hear())) })?;
    let signals =
        signals.map_err(|error| Failure::at_run_time(format!("cannot hear of signals: {error}")))?;
    let namespaces = rights::namespaces(&plan)?;
    // The buffer is there already, and only one thread enters namespaces.
    features.retain(|feature| !matches!(feature, Feature::EventBuffer | Feature::Namespaces));
    rights::keep(&features);
    let (workers, events_thread) = keep_receivers()
        .and_then(|()| Ok((Workers::start()?, Worker::start("events", 1)?)))
        .map_err(|error| Failure::at_run_time(format!("cannot start the threads of the server: {error}")))?;
    // Without CAP_NET_ADMIN, to which the kernel shows the keys of TCP-MD5.
    ask_the_kernel()?;
    // With the rights that reading it again will have.
    let web = door::open(cli, &listeners, tracker.clone())?;
    let host = Host::of(&plan, namespaces)?;
    // Sockets that exist, then close events, then clients: what a client opens is young, and its close event is read.
    state.take_inventory(&plan, &host);
    let events = events.and_then(|events| lifecycle::subscribe(events, &tracker));
    listen(&listeners)?;
    let waiting = if cli.max_requests == 0 { usize::MAX } else { cli.max_requests };
    let terms = Terms { timeout: plan.collect.deadline, waiting };
    let watching = host.clone();
    let live = lifecycle::live(&host, &shown);
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let views = plan.views.iter().map(|view| view.name.clone()).collect();
    let status = status::Shared::new(Status { source, views, addresses, ..Status::default() });
    let in_force = Arc::new(Mutex::new(InForce::of(&plan, effective, live)));
    let work = Shared::new(Work { plan, host, state, privileges });
    let (shared, collecting) = (tracker.clone(), work.clone());
    let (collector, _thread) =
        Collector::start(terms, move || cumulative_snapshot(&shared), move |time| collecting.collect(time))
            .map_err(|error| Failure::at_run_time(format!("cannot start the collector's thread: {error}")))?;
    let (cli, heartbeat) = (cli.clone(), notify::watchdog(tracker.clone()));
    let options = Options {
        telemetry_path: cli.telemetry_path.clone(),
        process_metrics: !cli.disable_exporter_metrics,
        lifecycle: cli.enable_lifecycle,
        sockets_to_all: cli.enable_sockets_api,
    };
    let lifecycle = Lifecycle {
        cli,
        work,
        tracker,
        collector: collector.clone(),
        events: events_thread,
        held,
        in_force,
        status,
    };
    notify::status(&lifecycle.status.lock());
    lifecycle.follow(events, watching, Some(notify::Ready(lifecycle.status.clone())));
    let settings = Settings { limits: files::limits(), options, heartbeat };
    let (reloads, reloading) = (workers.reloads.clone(), lifecycle.clone());
    // Its failure is logged.
    let stopped = signals.asked_to_stop(GRACE, reloads, move || _ = reloading.reload_and_say());
    let backend = Arc::new(lifecycle);
    runtime.spawn(stderr::watch());
    runtime.spawn(notify::send_again());
    runtime.block_on(http::serve(listeners, backend, web, workers, settings, stopped));
    notify::stopping();
    collector.stop();
    if let Some(held) = collector.held() {
        let seconds = held.as_secs();
        tracing::warn!(
            seconds,
            "the kernel was holding a dump when last asked; this process ends when the kernel lets go of it"
        );
    }
    tracing::info!("stopped");
    Ok(())
}

/// A dump of the listeners costs microseconds and tells at once what every scrape would.
fn ask_the_kernel() -> Result<(), Failure> {
    let request = Request {
        protocol: &TCP,
        states: StateSet::of(&[State::Listen]),
        extensions: Extensions::NONE,
        filter: None,
    };
    let asked = Netlink::open()
        .map_err(DumpError::Open)
        .and_then(|kernel| dump(kernel, &request, Instant::now() + Duration::from_secs(5), |_| {}));
    asked.map(drop).map_err(|error| Failure::at_run_time(error.to_string()))
}
