//! How the cost of a scrape grows with each quantity of a host and of a configuration, everything else being small.

use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::compare::ms;
use super::exporter::Exporter;
use testkit::inner::Inner;
use testkit::load::Load;

/// Scrapes of which the mean is taken: CPU time is read to the clock tick of 10 ms.
const SCRAPES: u32 = 50;
const BY_PROCESS: &str = "views: {tcp: {by: [process, unit, direction, service_port], limit: 200000}}";
const LISTENERS: &str =
    "views: {tcp_listener: {by: [process, local_port], state: listen, limit: 200000, metrics: [sockets]}}";
const NAMESPACES: &str = "collect: {netns: all}\nviews: {tcp: {by: [netns, direction]}}";
const ROWS: &str =
    "views: {tcp: {by: [local_port, remote_port], limit: 200000, metrics: [sockets, sent_bytes_total]}}";
/// Sockets below views.
const OF_VIEWS: usize = 10_000;

/// Prints a row for each quantity and number.
pub fn run() {
    println!(
        "\n| quantity | number | CPU to the end of the first scrape (ms) | of a later one (ms) | peak memory (MiB) |"
    );
    println!("|---|---|---|---|---|");
    for number in [100, 1_000, 5_000, 20_000] {
        let processes: Vec<_> = (0..number).map(|_| Sleeper::start()).collect();
        measure("processes", number, BY_PROCESS);
        drop(processes);
    }
    for number in [1_000, 5_000, 15_000] {
        let open = |_| File::open("/dev/null").expect("room for descriptors");
        let descriptors: Vec<_> = (0..number).map(open).collect();
        measure("descriptors of one process", number, BY_PROCESS);
        drop(descriptors);
    }
    for number in [1_000, 5_000, 15_000] {
        let bind = |_| TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listeners: Vec<_> = (0..number).map(bind).collect();
        measure("listeners", number, LISTENERS);
        drop(listeners);
    }
    for number in [10, 100, 1_000] {
        let namespaces: Vec<_> = (0..number).map(|at| Inner::apart(&format!("growth-{at}"))).collect();
        measure("namespaces without a socket", number, NAMESPACES);
        drop(namespaces);
    }
    let load = Load::start(OF_VIEWS / 2).expect("the connections");
    for number in [1, 10, 50] {
        let view = |at| {
            format!("  v{at}: {{by: [direction, service_port], metrics: [sockets, sent_bytes_total]}}\n")
        };
        let views: String = (0..number).map(view).collect();
        measure("views of 10,000 sockets", number, &format!("views:\n{views}"));
    }
    drop(load);
    for number in [1_000, 10_000, 100_000] {
        let load = Load::start(number / 2).expect("the connections");
        measure("sockets, each with a row", number, ROWS);
        drop(load);
    }
    for number in [100_000, 500_000, 1_000_000] {
        let load = Load::start(number / 2).expect("the connections");
        row("sockets, no configuration file", number, &Exporter::start(&[]));
        drop(load);
    }
}

/// Prints what scrapes cost an exporter with this configuration now.
fn measure(quantity: &str, number: usize, config: &str) {
    row(quantity, number, &Exporter::configured(config));
}

fn row(quantity: &str, number: usize, exporter: &Exporter) {
    exporter.scrape("identity");
    let first = exporter.cpu_since_start();
    // The one that makes up for what the first had no time for.
    exporter.scrape("identity");
    let before = exporter.cpu();
    for _ in 0..SCRAPES {
        exporter.scrape("identity");
    }
    let later: Duration = exporter.cpu_since(before) / SCRAPES;
    println!("| {quantity} | {number} | {:.0} | {:.2} | {:.1} |", ms(first), ms(later), exporter.peak_mib());
}

/// A process that does nothing.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        let child = Command::new("sleep").arg("inf").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        Self(child.expect("the package coreutils"))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
