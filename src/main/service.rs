//! The service: from a plan to answers, until the process is asked to stop.
//!
//! What needs privileges comes first, then they are dropped, then the threads are made: each inherits
//! what its maker has. Refuses to know how metrics are made.

use std::path::Path;
use std::time::{Duration, Instant};

use ss_exporter::cli::{Cli, Listen};
use ss_exporter::collect::{Memory, Remembered, collect, standing, subscribe, watch};
use ss_exporter::collector::Collector;
use ss_exporter::http;
use ss_exporter::plan::Plan;
use ss_exporter::privileges::Feature;
use ss_exporter::sockdiag::{DumpError, Events, Extensions, Netlink, Request, State, StateSet, dump};

use crate::failure::Failure;
use crate::host::{Host, PROC};
use crate::{rights, stop};

/// How long answers in progress may take after a signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until the process is asked to stop; `source` is where the configuration came from.
pub fn serve(cli: &Cli, plan: Plan, source: &str) -> Result<(), Failure> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), config = source, "starting");
    ask_the_kernel()?;
    let mut features = rights::needed(&plan, plan.past.events);
    let mut memory = Memory::new(&plan, rights::held(&features));
    let remembered = memory.remembered();
    let events = plan.past.events.then(|| hear(&plan, &remembered)).flatten();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::at_run_time(format!("cannot start the runtime: {error}")))?;
    let listeners =
        runtime.block_on(async { cli.listen().into_iter().map(bind).collect::<Result<_, _>>() })?;
    let namespaces = rights::namespaces(&plan)?;
    // The buffer is there already, and only one thread enters namespaces.
    features.retain(|feature| !matches!(feature, Feature::EventBuffer | Feature::Namespaces));
    rights::keep(&features);

    let host = Host::of(&plan, namespaces)?;
    let (standing_plan, standing_of) = (plan.clone(), remembered.clone());
    let (watched, watching) = (plan.clone(), host.clone());
    let (collector, _thread) = Collector::start(
        plan.collect.deadline,
        move || standing(&standing_plan, &standing_of, Path::new(PROC)),
        move || collect(&plan, &host, &mut memory),
    )
    .map_err(|error| Failure::at_run_time(format!("cannot start the collector's thread: {error}")))?;
    follow(events, &watched, watching, remembered, &collector);
    runtime.block_on(http::serve(listeners, collector.clone(), http::Limits::default(), stop::asked(GRACE)));
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
    let request =
        Request { states: StateSet::of(&[State::Listen]), extensions: Extensions::NONE, filter: None };
    let asked = Netlink::open()
        .map_err(DumpError::Open)
        .and_then(|kernel| dump(kernel, &request, Instant::now() + Duration::from_secs(5), |_| {}));
    asked.map(drop).map_err(|error| Failure::at_run_time(error.to_string()))
}

/// A subscription to the ends of sockets; there is much to show without one.
fn hear(plan: &Plan, remembered: &Remembered) -> Option<Events> {
    subscribe(plan, remembered).inspect_err(cannot_hear).ok()
}

fn cannot_hear(error: &std::io::Error) {
    tracing::warn!(
        %error,
        "cannot hear of closing sockets; what a connection does after its last collection is lost"
    );
}

fn bind(listen: Listen) -> Result<tokio::net::TcpListener, Failure> {
    let bound = match listen {
        Listen::Any(port) => http::bind_default(port),
        Listen::At(address) => http::bind(address),
    };
    let listener =
        bound.map_err(|error| Failure::at_run_time(format!("{error} (--port or --web.listen-address)")))?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "listening");
    }
    Ok(listener)
}

/// Has the ends of sockets told, and makes the first collection: the baseline of all counters.
fn follow(events: Option<Events>, plan: &Plan, host: Host, remembered: Remembered, collector: &Collector) {
    if plan.past.is_empty() {
        return;
    }
    let soon = {
        let (collector, patience) = (collector.clone(), plan.collect.deadline);
        // If too many wait already, there will be a collection anyway.
        move || _ = collector.request(Instant::now() + patience, drop)
    };
    if let Some(Err(error)) = events.map(|events| watch(events, plan, host, remembered, soon.clone())) {
        cannot_hear(&error);
    }
    soon();
}
