//! What a scrape costs: decoding and encoding alone, the start, the kernel's events of closing sockets, then end to end
//! beside the bare dump and every other program that reads all sockets.
//!
//! `cargo bench --bench scrape` makes its own connections in a network namespace of its own and needs
//! the packages `iproute2` and `util-linux`; `prometheus` and `prometheus-node-exporter` have rows if they are installed, and
//! an eBPF iterator with `python3`, `CAP_BPF` and `CAP_PERFMON`.
//! `PEERS` can name a Debian root whose programs are measured instead: docs/dev/cost.md.
//! `-- --sockets 1000,10000 --rounds 3` makes it shorter, and so does `--only` with one part: `codec`, `start`,
//! `events`, `peers`, `prometheus`, `owners`, `protocols`, `namespaces`, `page`. `--only intervals` takes two
//! minutes a size, and `--only growth` some minutes: neither is part of a whole run.

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

use testkit::load;
use testkit::netns::enter_with;

fn main() {
    if load::is_child() {
        load::hold().expect("hold a share of the connections");
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let passed_on: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if enter_with(&passed_on) {
        return;
    }
    programs::introduce();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let sockets = option("--sockets");
    let rounds = option("--rounds").map_or(9, |number| number.parse().expect("a number of rounds"));
    let wanted = option("--only");
    let runs = |part: &str| wanted.as_ref().is_none_or(|wanted| wanted == part);
    if runs("codec") {
        codec::run();
    }
    if runs("start") {
        start::run(rounds);
    }
    if runs("events") {
        events::run();
    }
    let of = |default: &[usize]| match &sockets {
        Some(sizes) => sizes.split(',').map(|size| size.parse().expect("a number of sockets")).collect(),
        None => default.to_vec(),
    };
    if runs("peers") {
        compare::heading(&["bare dump"]);
        with_load(&of(&[1_000, 10_000, 50_000, 100_000, 250_000]), |size, _| peers::run(size, rounds));
    }
    if runs("prometheus") {
        with_load(&of(&[10_000, 100_000]), |size, _| prometheus::run(size, rounds));
    }
    if runs("owners") {
        with_load(&of(&[1_000, 10_000, 100_000]), |size, load| owners::run(size, rounds, load));
    }
    if runs("protocols") {
        for size in of(&[protocols::MOST]) {
            protocols::run(size.min(protocols::MOST), rounds);
        }
    }
    if runs("namespaces") {
        with_load(&of(&[100_000]), |size, _| namespaces::run(size, rounds));
    }
    if runs("page") {
        with_load(&of(&[10_000]), |size, _| page::run(size, rounds));
    }
    if wanted.as_deref() == Some("growth") {
        growth::run();
    }
    if wanted.as_deref() == Some("intervals") {
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
