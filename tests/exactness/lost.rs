//! Too small a buffer: what is lost is counted, and the totals recover.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, prlimit};

use super::counted::{Counted, view};
use super::enter;
use super::open_connections::OpenConnections;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scraper, Scrapes};
use testkit::traffic::{End, Lanes};

const DROPPED: &str = "ss_exporter_destroy_events_dropped_total";
const ENDS: [End; 2] = [End::ClientFirst, End::ServerFirst];

#[test]
fn lost_events_are_counted_and_totals_stay_monotonic() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(2).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let config = view(&listeners) + "collect: {event_buffer: 64KiB}\n";
    let exporter = Arc::new(Exporter::configured(&config));
    let watch = Scraper::start(&exporter, Duration::from_millis(250));
    let mut seen = OpenConnections::open(&listeners, 50);
    seen.exchange(1_000, 1_000);
    let mut scrapes = Scrapes::default();
    scrapes.until(&exporter, |scrape| Counted::of(scrape).sockets == 100);

    exporter.signal(Signal::STOP);
    let mut truth = lanes.run(0..4_000, f64::INFINITY, &ENDS).expect("phase stopped");
    truth += seen.close(&ENDS);
    exporter.signal(Signal::CONT);
    let resynced = |scrape: &Scrape| scrape.sum(DROPPED) > 0 && scrape.sum("ss_exporter_resyncs_total") > 0;
    assert!(resynced(scrapes.until(&exporter, resynced)), "{:?}", scrapes.last());

    truth += lanes.run(4_000..5_000, 500.0, &ENDS).expect("phase running");
    // Sockets whose close events were lost are presumed closed after three dumps, a second apart.
    let settled = |counted: Counted| counted.sockets == 0 && counted.opened == counted.closed;
    let counted = Counted::of(scrapes.until(&exporter, |scrape| settled(Counted::of(scrape))));
    let (dropped, kernel) = (scrapes.last().sum(DROPPED), dropped_by_the_kernel());
    let told = format!("{truth:?}, {counted:?}, {dropped} events dropped, the kernel says {kernel}");
    assert_eq!(dropped, kernel, "{told}");
    assert!(dropped > 1_000, "{told}");
    let ends = 2 * truth.connections;
    assert!(counted.sent <= truth.sent && counted.received <= truth.received + ends, "{told}");
    // 50 connections were seen before, the close events of the last 1,000 all received.
    assert!(counted.sent >= 100_000 && counted.closed >= 2_100, "{told}");
    assert!(counted.closed <= ends && counted.closed + dropped >= ends, "{told}");
    assert_eq!((counted.sockets, counted.opened), (0, counted.closed), "{told}");
    watch.stop();
}

#[test]
fn close_events_that_cannot_be_read_for_a_while_wait_and_count() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(2).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let exporter = Exporter::configured(&view(&listeners));
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let pid = Pid::from_child(&exporter.child);
    let own = getrlimit(Resource::Nofile);
    let limit = |current| prlimit(Some(pid), Resource::Nofile, Rlimit { current, ..own }).expect("root may");
    // poll(2) fails with EINVAL where more descriptors are given to it than the limit.
    limit(Some(0));
    let mut truth = lanes.run(0..1_000, 2_000.0, &ENDS).expect("phase blind");
    std::thread::sleep(Duration::from_millis(300));
    limit(own.current);
    truth += lanes.run(1_000..1_100, 500.0, &ENDS).expect("phase after it");
    let ends = 2 * truth.connections;
    let counted = Counted::of(scrapes.until(&exporter, |scrape| Counted::of(scrape).closed == ends));
    assert_eq!((counted.opened, counted.closed, counted.sent), (ends, ends, truth.sent), "{truth:?}");
    assert_eq!(scrapes.last().sum(DROPPED), 0);
    let log = exporter.log();
    assert!(log.contains("cannot read close events"), "nothing failed: {log}");
}

/// The drops of the socket that listens to events of `NETLINK_SOCK_DIAG`.
fn dropped_by_the_kernel() -> u64 {
    let table = std::fs::read_to_string("/proc/net/netlink").expect("the netlink sockets");
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    // sk, Eth, Pid, Groups, Rmem, Wmem, Dump, Locks, Drops, Inode
    let listening = rows.filter(|row| row[1] == "4" && row[3] != "00000000");
    let drops: Vec<u64> = listening.map(|row| row[8].parse().expect("a number")).collect();
    assert_eq!(drops.len(), 1, "{table}");
    drops[0]
}
