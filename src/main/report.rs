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

/// Prints the metrics of one collection: gauges and per-connection counters.
pub fn once(plan: &Plan) -> Result<(), Failure> {
    let (host, privileges) = prepared(plan, false)?;
    let patient = without_deadline(plan);
    let waiting = say_why_it_waits(plan.collect.deadline);
    let mut snapshot = collect(&patient, &host, &mut CollectorState::of_one(&patient, privileges));
    drop(waiting);
    snapshot.forget_past();
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

/// Prints what the configuration produces on this host.
pub fn estimated(plan: &Plan, seconds: u64, json: bool) -> Result<(), Failure> {
    let (host, privileges) = prepared(plan, true)?;
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "listening for {seconds} s ...");
    }
    let estimate = estimate(plan, &host, privileges, Duration::from_secs(seconds))
        .map_err(|error| Failure::at_run_time(error.to_string()))?;
    print_text(&if json { inert_json(&format!("{:#}\n", estimate.to_json())) } else { estimate.to_string() })
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
