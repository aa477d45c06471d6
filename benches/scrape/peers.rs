//! The exporter in all its ways beside every other program that reads all sockets: the table of the targets.

use super::compare::{Way, compare};
use super::exporter::{Exporter, SERVICES};
use super::programs::{NODE_EXPORTER, SS, titled};
use super::readers::{bare_dump, bare_dump_in_halves, iterator, middle, ss};
use ss_exporter::config::{DEFAULT_FILE, default_file_without_legacy};
use testkit::load::{RARE_NETWORK, RARE_PORT};

const LEGACY: &str = "logic: {compression: {max_flows: 0}}\n";

/// Prints the rows of a size. Each way has an exporter of its own, whose memory is no other's.
pub fn run(sockets: usize, rounds: u32) {
    let iproute2 = titled("iproute2", SS);
    let at = middle();
    let node = Exporter::tcpstat_of_node_exporter();
    let [legacy, gzip, two_scrapers] = [(); 3].map(|()| Exporter::configured(LEGACY));
    let [services, two_services] = [(); 2].map(|()| Exporter::configured(SERVICES));
    let (process, whole) = (Exporter::configured(&default_file_without_legacy()), Exporter::start(&[]));
    let one_core =
        [LEGACY, SERVICES, &default_file_without_legacy(), DEFAULT_FILE].map(Exporter::on_one_core);
    let [legacy_on_one_core, services_on_one_core, process_on_one_core, whole_on_one_core] = &one_core;
    let port = Exporter::configured(&selected(&format!("sport = :{RARE_PORT} or dport = :{RARE_PORT}")));
    let network = Exporter::configured(&selected(&format!("src {RARE_NETWORK} or dst {RARE_NETWORK}")));
    let mut ways = vec![
        Way::compared("bare dump", bare_dump),
        Way::other("bare dump, in two halves at once", move || bare_dump_in_halves(at)),
        Way::other(format!("`ss -tinHO`, {iproute2}"), || ss("-tinHO")),
        Way::other(format!("`ss -tinpHO`, {iproute2}"), || ss("-tinpHO")),
        Way::scrape("legacy config, no cap", &legacy, "identity"),
        Way::scrape("legacy config, no cap, gzip", &gzip, "gzip"),
        Way::two_scrapes("legacy config, no cap, two scrapers at once", &two_scrapers),
        Way::scrape("legacy config, no cap, on one core", legacy_on_one_core, "identity"),
        Way::scrape("views without owners", &services, "identity"),
        Way::two_scrapes("views without owners, two scrapers at once", &two_services),
        Way::scrape("views without owners, on one core", services_on_one_core, "identity"),
        Way::scrape("default views", &process, "identity"),
        Way::scrape("default views, on one core", process_on_one_core, "identity"),
        Way::scrape("no config file (1,000 flows)", &whole, "identity"),
        Way::scrape("no config file (1,000 flows), on one core", whole_on_one_core, "identity"),
        Way::scrape("1 % of the sockets, by port", &port, "identity"),
        Way::scrape("1 % of the sockets, by network", &network, "identity"),
    ];
    if iterator().is_some() {
        let read = || iterator().expect("an iterator, as before");
        ways.insert(2, Way::other("eBPF iterator, 400 bytes of each socket, no counters", read));
    }
    if let Some(node) = &node {
        let name = format!("{}, tcpstat alone", titled("node_exporter", NODE_EXPORTER));
        ways.push(Way::scrape(name, node, "identity"));
    }
    compare(sockets, rounds, &ways, || {});
}

/// A view with counters of the selected sockets alone.
fn selected(selection: &str) -> String {
    format!("views:\n  tcp: {{by: [direction, service_port], select: \"{selection}\"}}\n")
}
