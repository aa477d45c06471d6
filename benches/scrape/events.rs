//! What the kernel's events of closing sockets cost: CPU time of the exporter for each.

use std::time::Duration;

use super::exporter::{Exporter, SERVICES};
use testkit::traffic::{End, Lanes};

const SECONDS: u32 = 5;
/// Two sockets close with each connection.
const CONNECTIONS_PER_SECOND: u32 = 2_500;

/// Prints a row.
pub fn run() {
    let exporter = Exporter::configured(SERVICES);
    let lanes = Lanes::open(2).expect("listeners");
    exporter.scrape("identity");
    let idle = exporter.cpu();
    std::thread::sleep(Duration::from_secs(SECONDS.into()));
    let idle = exporter.cpu().saturating_sub(idle);
    let start = exporter.cpu();
    let rate = f64::from(CONNECTIONS_PER_SECOND);
    let truth = lanes.run(0..CONNECTIONS_PER_SECOND * SECONDS, rate, &End::ALL).expect("connections");
    // The last events.
    std::thread::sleep(Duration::from_millis(500));
    let took = exporter.cpu().saturating_sub(start).saturating_sub(idle);
    let sockets = u32::try_from(2 * truth.connections).expect("few");
    println!("\n| sockets closed | in a second | CPU (us) for each | events dropped | peak memory (MiB) |");
    println!("|---|---|---|---|---|");
    println!(
        "| {sockets} | {} | {:.2} | {} | {:.1} |",
        2 * CONNECTIONS_PER_SECOND,
        took.as_secs_f64() * 1e6 / f64::from(sockets),
        exporter.value::<u64>("ss_exporter_destroy_events_dropped_total"),
        exporter.peak_mib(),
    );
}
