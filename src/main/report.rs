//! What is printed once: the metrics of one collection, or an estimate.
//!
//! Refuses to know how either is made.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use ss_exporter::collect::{Memory, collect};
use ss_exporter::estimate::estimate;
use ss_exporter::exposition::Format;
use ss_exporter::plan::Plan;
use ss_exporter::snapshot::Cursor;
use ss_exporter::words::inert_json;

use crate::failure::Failure;
use crate::host::Host;
use crate::output::{print_metrics, print_text};
use crate::rights;

/// Prints the metrics of one collection, those without a past.
pub fn once(plan: &Plan) -> Result<(), Failure> {
    let features = rights::needed(plan, false);
    let privileges = rights::held(&features);
    let namespaces = rights::namespaces(plan)?;
    rights::keep(&features);
    let host = Host::of(plan, namespaces)?;
    wait_for_hosts(plan, &host);
    let mut snapshot = collect(plan, &host, &mut Memory::of_one(plan, privileges));
    snapshot.forget_past();
    let mut cursor = Cursor::default();
    while let Some(chunk) = snapshot.chunk(&mut cursor, Format::Text) {
        print_metrics(&chunk)?;
    }
    if snapshot.health.success() { Ok(()) } else { Err(Failure::at_run_time("the collection failed")) }
}

/// Prints what the configuration comes to on this host.
pub fn estimated(plan: &Plan, seconds: u64, json: bool) -> Result<(), Failure> {
    let features = rights::needed(plan, true);
    let privileges = rights::held(&features);
    let namespaces = rights::namespaces(plan)?;
    rights::keep(&features);
    let host = Host::of(plan, namespaces)?;
    wait_for_hosts(plan, &host);
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "listening for {seconds} s ...");
    }
    let estimate = estimate(plan, &host, privileges, Duration::from_secs(seconds))
        .map_err(|error| Failure::at_run_time(error.to_string()))?;
    print_text(&if json { inert_json(&format!("{:#}\n", estimate.to_json())) } else { estimate.to_string() })
}

/// A single collection has no second chance to know the addresses of hosts.
pub fn wait_for_hosts(plan: &Plan, host: &Host) {
    let deadline = Instant::now() + plan.collect.deadline;
    while !plan.hosts.is_empty() && !host.hosts.asked() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}
