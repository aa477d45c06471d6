//! What is printed once: the metrics of one collection, or an estimate.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use sockdiag::is_any_stuck;
use ss_exporter::attribute::Namespaces;
use ss_exporter::collection::{CollectorState, collect};
use ss_exporter::estimate::estimate;
use ss_exporter::exposition::{FamilyFilter, Format};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::Privileges;
use ss_exporter::terminal::inert_json;

use crate::capabilities;
use crate::failure::Failure;
use crate::host::LinuxHost;
use crate::output::{print_metrics, print_text};

/// Prints the metrics of one collection: gauges and per-connection counters. With an interval it is the second one, and also
/// has what sockets that are still open counted since the first.
pub fn once(plan: &Plan, interval: Option<Duration>) -> Result<(), Failure> {
    let (host, privileges) = prepared(plan, false)?;
    let patient = without_deadline(plan);
    let waiting = say_why_it_waits(plan.collect.deadline);
    let snapshot = if let Some(interval) = interval {
        let mut state = CollectorState::new(&patient, privileges);
        drop(collect(&patient, &host, &mut state));
        std::thread::sleep(interval);
        collect(&patient, &host, &mut state)
    } else {
        let mut snapshot = collect(&patient, &host, &mut CollectorState::of_one(&patient, privileges));
        snapshot.forget_past();
        snapshot
    };
    drop(waiting);
    for chunk in snapshot.chunks(FamilyFilter::default(), Format::Text) {
        print_metrics(&chunk)?;
    }
    if snapshot.report.success() { Ok(()) } else { Err(Failure::at_run_time("the collection failed")) }
}

/// The same plan with all the time that its collection may need: no scrape waits for it.
fn without_deadline(plan: &Plan) -> Plan {
    /// Ten years.
    const ENOUGH: Duration = Duration::from_hours(10 * 365 * 24);
    let mut plan = plan.clone();
    (plan.collect.deadline, plan.collect.owners) = (ENOUGH, ENOUGH);
    plan
}

/// Logs that the collection takes longer than its deadline, and why, until the returned value is dropped.
fn say_why_it_waits(deadline: Duration) -> SyncSender<()> {
    let (waiting, ended) = sync_channel(0);
    let waits = move |time| ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    let watch = move || {
        let (mut slow, mut held) = (false, false);
        let mut time = deadline;
        while !held && waits(time) {
            held = is_any_stuck();
            if held {
                tracing::warn!(
                    hint = "see docs/operations/troubleshooting.md",
                    "the kernel has not answered a dump; waiting"
                );
            } else if !slow {
                tracing::warn!("the collection takes longer than collect.deadline; waiting");
            }
            (slow, time) = (true, Duration::from_secs(1));
        }
    };
    // If the host gives no thread, the message is left out.
    let _ = std::thread::Builder::new().name("waiting".into()).spawn(watch);
    waiting
}

/// The exit code for more series than allowed.
const TOO_MANY_SERIES: u8 = 3;

/// Prints what the configuration produces on this host. More series in a scrape than `max_series` are a failure.
pub fn estimated(plan: &Plan, seconds: u64, json: bool, max_series: Option<u64>) -> Result<(), Failure> {
    let (host, privileges) = prepared(plan, true)?;
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "listening for {seconds} s ...");
    }
    let estimate = estimate(plan, &host, privileges, Duration::from_secs(seconds))
        .map_err(|error| Failure::at_run_time(error.to_string()))?;
    print_text(&if json {
        inert_json(&format!("{:#}\n", estimate.to_json()))
    } else {
        estimate.to_string()
    })?;
    let series = estimate.total.samples;
    match max_series.filter(|most| series > *most) {
        Some(most) => Err(Failure {
            code: TOO_MANY_SERIES,
            message: format!("{series} series in a scrape exceed --max-series {most}"),
        }),
        None => Ok(()),
    }
}

/// An address family whose DNS does not answer is waited for no longer than this if another has answered.
const OTHER_FAMILY: Duration = Duration::from_secs(1);

/// The host and the privileges of a single collection: what it does not need is dropped, and it waits for the addresses of
/// hosts, which it must know when it begins.
pub fn prepared(plan: &Plan, events: bool) -> Result<(LinuxHost, Privileges), Failure> {
    let features = capabilities::needed(plan, events);
    let privileges = capabilities::held(&features);
    let namespaces = capabilities::namespaces(plan)?;
    capabilities::keep(&features);
    Ok((resolved(plan, namespaces)?, privileges))
}

/// The host for a plan, once the addresses of its host names are known.
pub fn resolved(plan: &Plan, namespaces: Namespaces) -> Result<LinuxHost, Failure> {
    let host = LinuxHost::of(plan, namespaces)?;
    let start = Instant::now();
    let resolver = &host.resolver;
    let enough = || resolver.asked() || resolver.resolved() && start.elapsed() >= OTHER_FAMILY;
    while !enough() && start.elapsed() < plan.collect.deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(host)
}
