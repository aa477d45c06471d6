//! What a scrape costs: decoding and encoding alone, the start, the kernel's events of closing sockets, then end to end
//! beside the bare dump and every other program that reads all sockets.
//!
//! `cargo bench --bench scrape` makes its own connections in a network namespace of its own and needs
//! the packages `iproute2` and `util-linux`; `prometheus` and `prometheus-node-exporter` have rows if they are installed, and
//! an eBPF iterator with `python3`, `CAP_BPF` and `CAP_PERFMON`.
//! `PEERS` can name a Debian root whose programs are measured instead: docs/dev/cost.md.
//! `-- --sockets 1000,10000 --rounds 3` makes it shorter, and so does `--only` with one part: `-- --help` has them.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod codec;
mod compare;
mod events;
mod exporter;
mod growth;
mod namespaces;
mod owners;
mod page;
mod peers;
mod programs;
mod prometheus;
mod protocols;
mod readers;
mod start;

use std::time::Duration;

use clap::{Parser, ValueEnum, value_parser};

use testkit::load;
use testkit::netns::enter_with;

/// Measures what a scrape costs.
#[derive(Parser)]
#[command(bin_name = "cargo bench --bench scrape --")]
struct Arguments {
    /// Measures this part alone
    #[arg(long)]
    only: Option<Part>,
    /// How many connections there are, in each run of a part
    #[arg(long, value_delimiter = ',', value_parser = number)]
    sockets: Option<Vec<usize>>,
    /// Of how many rounds the median is printed
    #[arg(long, default_value_t = 9, value_parser = value_parser!(u32).range(1..))]
    rounds: u32,
    /// What cargo says to a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    Codec,
    Start,
    Events,
    Peers,
    Prometheus,
    Owners,
    Protocols,
    Namespaces,
    Page,
    /// Some minutes, and not part of a whole run
    Growth,
    /// Two minutes for each number of sockets, and not part of a whole run
    Intervals,
}

/// A number of connections.
fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected: 1 or more".to_owned()),
    }
}

impl Part {
    /// Whether it is measured only if it is named.
    const fn is_long(self) -> bool {
        matches!(self, Self::Growth | Self::Intervals)
    }
}

fn main() {
    if load::is_child() {
        load::hold().expect("hold a share of the connections");
        return;
    }
    let arguments = Arguments::parse();
    let passed_on: Vec<_> = std::env::args().skip(1).collect();
    if enter_with(&passed_on.iter().map(String::as_str).collect::<Vec<_>>()) {
        return;
    }
    programs::introduce();
    let Arguments { only, sockets, rounds, .. } = arguments;
    let runs = |part: Part| only.map_or(!part.is_long(), |only| only == part);
    if runs(Part::Codec) {
        codec::run();
    }
    if runs(Part::Start) {
        start::run(rounds);
    }
    if runs(Part::Events) {
        events::run();
    }
    let of = |default: &[usize]| sockets.clone().unwrap_or_else(|| default.to_vec());
    if runs(Part::Peers) {
        compare::heading(&["bare dump"]);
        with_load(&of(&[1_000, 10_000, 50_000, 100_000, 250_000]), |size, _| peers::run(size, rounds));
    }
    if runs(Part::Prometheus) {
        with_load(&of(&[10_000, 100_000]), |size, _| prometheus::run(size, rounds));
    }
    if runs(Part::Owners) {
        with_load(&of(&[1_000, 10_000, 100_000]), |size, load| owners::run(size, rounds, load));
    }
    if runs(Part::Protocols) {
        for size in of(&[protocols::MOST]) {
            protocols::run(size.min(protocols::MOST), rounds);
        }
    }
    if runs(Part::Namespaces) {
        with_load(&of(&[100_000]), |size, _| namespaces::run(size, rounds));
    }
    if runs(Part::Page) {
        with_load(&of(&[10_000]), |size, _| page::run(size, rounds));
    }
    if runs(Part::Growth) {
        growth::run();
    }
    if runs(Part::Intervals) {
        with_load(&of(&[100_000]), |size, _| owners::at_intervals(size));
    }
}

/// Does something among a number of sockets, for each size.
fn with_load(sizes: &[usize], act: impl Fn(usize, &mut load::Load)) {
    for &size in sizes {
        let mut load = load::Load::start(size / 2).expect("the connections");
        act(size, &mut load);
        drop(load);
        // The closed connections leave through TIME_WAIT, which no request asks for.
        std::thread::sleep(Duration::from_millis(200));
    }
}
