//! Scrapes that ask for no owners, beside the bare dump and `ss`.

use super::compare::{Way, compare};
use super::exporter::{Exporter, SERVICES};
use super::readers::{bare_dump, ss};

/// Prints a table.
pub fn run(sockets: usize, rounds: u32) {
    let exporter = Exporter::configured("logic: {compression: {max_flows: 0}}\n");
    let views = Exporter::configured(SERVICES);
    let ways = [
        Way::other("bare dump", bare_dump),
        Way::other("`ss -tin`", || ss("-tin")),
        Way::scrape("exporter, seed config, no cap", &exporter, "identity"),
        Way::scrape("exporter, views without owners", &views, "identity"),
        Way::scrape("exporter, seed config, no cap, gzip", &exporter, "gzip"),
    ];
    compare(sockets, rounds, &ways, || {});
}
