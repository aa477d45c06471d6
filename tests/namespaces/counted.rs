//! Bytes that are sent and received in many namespaces, which come and go, against what was counted of each.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::enter;
use super::exposed::sum;
use sockdiag::{Events, TCP};
use testkit::exporter::Exporter;
use testkit::inner::{Inner, run};
use testkit::scrape::{Scrape, Scraper, Scrapes};
use testkit::traffic::{End, Lanes, Pair, Truth};

const CONFIG: &str = "
collect: {netns: all}
views:
  t:
    by: [netns, direction, service_port]
    metrics: [sockets, opened_total, closed_total, sent_bytes_total, received_bytes_total]
";
/// None of them makes the kernel drop what it counted.
const ENDS: [End; 3] = [End::ClientFirst, End::ServerFirst, End::Unread];

/// The sums of a namespace's rows: open sockets, those that opened, bytes sent and received.
fn counted(scrape: &Scrape, name: &str) -> [u64; 4] {
    let labels = format!("netns=\"{name}\",");
    ["sockets", "opened_total", "sent_bytes_total", "received_bytes_total"]
        .map(|metric| sum(scrape, &format!("ss_t_{metric}"), &labels))
}

/// Panics unless the sums of a namespace soon are, and stay, these. The FIN of each peer may count as a received byte.
fn check(exporter: &Exporter, name: &str, truth: Truth, open: u64) {
    let mut scrapes = Scrapes::default();
    scrapes.until(exporter, |scrape| {
        let [sockets, opened, sent, _] = counted(scrape, name);
        (sockets, opened, sent) == (open, 2 * truth.connections, truth.sent)
    });
    std::thread::sleep(Duration::from_millis(50));
    let [sockets, opened, sent, received] = counted(scrapes.scrape(exporter), name);
    let told = format!("{name}: {truth:?}, received {received}");
    assert_eq!((sockets, opened, sent), (open, 2 * truth.connections, truth.sent), "{told}");
    let fins = 2 * truth.connections - open;
    assert!((truth.received..=truth.received + fins).contains(&received), "{told}");
}

/// The life of a namespace: connections of which none but one is seen alive.
fn live(exporter: &Exporter, number: u32) -> Truth {
    let inner = Inner::connected(&format!("n{number}"));
    let name = inner.0.as_str();
    let lanes = inner.within(|| Lanes::open(1).expect("listeners"));
    // A collection has seen it when it shows the rows of its listeners.
    let mut scrapes = Scrapes::default();
    let labels = format!("netns=\"{name}\",");
    let seen = |scrape: &Scrape| {
        scrape.rows("ss_t_sent_bytes_total").keys().filter(|block| block.starts_with(&labels)).count() == 2
    };
    assert!(seen(scrapes.until(exporter, seen)), "{name} is not found");
    // That one may have begun before the namespace had its number.
    scrapes.scrape(exporter);
    let first = 100 * number;
    let (mut truth, mut pair) = inner.within(|| {
        let truth = lanes.run(first..first + 100, f64::INFINITY, &ENDS).expect("connections");
        (truth, Pair::open(lanes.listeners().next().expect("two")).expect("room"))
    });
    pair.exchange(3_000, 5_000).expect("open");
    truth += Truth { connections: 1, sent: 8_000, received: 8_000, ..Truth::default() };
    check(exporter, name, truth, 2);
    // More than any dump sees.
    pair.exchange(70, 1).expect("open");
    pair.end(End::ClientFirst).expect("open");
    truth += Truth { sent: 71, received: 71, ..Truth::default() };
    check(exporter, name, truth, 0);
    truth
}

#[test]
fn every_byte_of_twenty_namespaces_that_come_and_go_is_counted_in_the_rows_of_its_own() {
    if enter() {
        return;
    }
    // The first makes the folder of names, which none may do twice at once.
    let _first = Inner::apart("first");
    let exporter = Arc::new(Exporter::configured(CONFIG));
    let watch = Scraper::start(&exporter, Duration::from_millis(500));
    let truths: Vec<_> = std::thread::scope(|scope| {
        let lives = |numbers: std::ops::Range<u32>| {
            let exporter = &exporter;
            scope.spawn(move || numbers.map(|number| (number, live(exporter, number))).collect::<Vec<_>>())
        };
        let threads: Vec<_> = (0..4).map(|thread| lives(5 * thread..5 * thread + 5)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("counted")).collect()
    });
    let mut scrapes = watch.stop();
    let scrape = scrapes.scrape(&exporter);
    for (number, truth) in truths {
        let [sockets, opened, sent, _] = counted(scrape, &format!("n{number}"));
        let told = format!("n{number} is gone: {truth:?}");
        assert_eq!((sockets, opened, sent), (0, 2 * truth.connections, truth.sent), "{told}");
    }
    assert_eq!(scrape.sum("ss_exporter_destroy_events_dropped_total"), 0);
    assert_eq!(scrape.sum("ss_exporter_namespaces_failed"), 0);
}

#[test]
fn sockets_of_a_namespace_without_an_nsid_count_and_the_namespace_is_reported() {
    if enter() {
        return;
    }
    let (apart, connected) = (Inner::apart("apart"), Inner::connected("connected"));
    let exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let open = |inner: &Inner| {
        let listener = inner.listen(7_000);
        let pair = inner.within(|| Pair::open(&listener).expect("room"));
        (listener, pair)
    };
    let (mut one, mut other) = (open(&apart), open(&connected));
    for pair in [&mut one.1, &mut other.1] {
        pair.exchange(3_000, 5_000).expect("open");
    }
    let truth = Truth { connections: 1, sent: 8_000, received: 8_000, ..Truth::default() };
    check(&exporter, "apart", truth, 2);
    check(&exporter, "connected", truth, 2);
    let scrape = scrapes.scrape(&exporter);
    assert_eq!(scrape.sum("ss_exporter_namespaces"), 3);
    assert_eq!(scrape.sum("ss_exporter_namespaces_unobserved"), 1);
    for (_listener, mut pair) in [one, other] {
        pair.exchange(10, 0).expect("open");
        pair.end(End::ServerFirst).expect("open");
    }
    check(&exporter, "connected", Truth { sent: 8_010, received: 8_010, ..truth }, 0);
    let [_, opened, sent, _] = counted(scrapes.scrape(&exporter), "apart");
    assert_eq!((opened, sent), (2, 8_000), "the last ten bytes are lost");
    apart.connect();
    assert_eq!(scrapes.scrape(&exporter).sum("ss_exporter_namespaces_unobserved"), 0);
}

#[test]
fn what_closes_in_a_new_namespace_never_counts_as_that_of_the_one_that_had_its_number() {
    if enter() {
        return;
    }
    let blue = Inner::connected("blue");
    let exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    let lanes = blue.within(|| Lanes::open(1).expect("listeners"));
    scrapes.scrape(&exporter);
    let truth = blue.within(|| lanes.run(0..10, f64::INFINITY, &ENDS).expect("connections"));
    check(&exporter, "blue", truth, 0);
    drop(lanes);
    drop(blue);
    // The kernel gives the number away again; no collection is made before the connections are closed.
    let green = Inner::connected("green");
    let lanes = green.within(|| Lanes::open(1).expect("listeners"));
    green.within(|| {
        let mut events = Events::subscribe(&[&TCP], 4 << 20, false).expect("a subscription");
        lanes.run(10..20, f64::INFINITY, &ENDS).expect("connections");
        let mut queued = 0;
        while queued < 20 {
            events.wait(None).expect("events");
            assert!(!events.read().expect("events"), "there is room for all");
            queued += events.sockets().count();
        }
    });
    let scrape = scrapes.scrape(&exporter);
    let [_, opened, sent, _] = counted(scrape, "blue");
    assert_eq!((opened, sent), (2 * truth.connections, truth.sent));
    // What was read before the collection found the namespace is nobody's.
    let ignored = scrape.sum("ss_exporter_destroy_events_ignored_total");
    let [_, of_green, ..] = counted(scrape, "green");
    assert!(ignored + of_green >= 20, "{ignored} ignored, {of_green} of the new namespace");
}

#[test]
fn a_namespace_that_loses_its_name_or_gets_another_counts_nothing_twice() {
    if enter() {
        return;
    }
    let blue = Inner::connected("blue");
    let exporter = Exporter::configured(
        "
collect: {netns: all}
views:
  t: {by: [service_port], metrics: [sockets, opened_total, sent_bytes_total]}
  n: {by: [netns], metrics: [sockets]}
",
    );
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let mut inside = blue.within(|| Command::new("sleep").arg("600").spawn().expect("a process inside"));
    let listener = blue.listen(7_000);
    let mut pair = blue.within(|| Pair::open(&listener).expect("room"));
    pair.exchange(3_000, 5_000).expect("open");
    let mut check = |sent, name: &str| {
        let scrape = scrapes.scrape(&exporter);
        let counted = ["sockets", "opened_total", "sent_bytes_total"]
            .map(|metric| sum(scrape, &format!("ss_t_{metric}"), "service_port=\"7000\""));
        assert_eq!(counted, [2, 2, sent], "{name}");
        assert_eq!(sum(scrape, "ss_n_sockets", &format!("netns=\"{name}\"")), 2, "{name}");
    };
    check(8_000, "blue");
    let inode = std::fs::metadata(format!("/proc/{}/ns/net", inside.id())).expect("a process").ino();
    drop(blue);
    check(8_000, &inode.to_string());
    pair.exchange(100, 0).expect("open");
    run(&format!("ip netns attach green {}", inside.id()));
    check(8_100, "green");
    check(8_100, "green");
    inside.kill().and_then(|()| inside.wait()).expect("its end");
}
