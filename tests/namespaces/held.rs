//! A namespace in which the kernel holds a dump, among others.

use std::time::Duration;

use super::enter;
use super::exposed::{said, sum};
use testkit::exporter::Exporter;
use testkit::inner::Inner;
use testkit::scrape::{Scrape, Scrapes};
use testkit::stuck::StuckSocket;
use testkit::traffic::Pair;

/// A selection by port would have the kernel pass by the socket that is held.
const CONFIG: &str = "
collect: {netns: [blue, red], deadline: 4s}
views:
  t:
    by: [netns, service_port]
    metrics: [sockets, opened_total, closed_total, sent_bytes_total, received_bytes_total]
";

/// Dumps that the kernel holds, by the threads that wait for them.
pub fn dumps(exporter: &Exporter) -> usize {
    let under_way = |_| {
        // A look at the listeners is over at the next look at it.
        std::thread::sleep(Duration::from_millis(5));
        let threads = std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).expect("threads");
        let states =
            threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("status")).ok());
        // Others of them wait for a dump.
        states.filter(|text| text.starts_with("Name:\treceiver\n") && text.contains("\nState:\tD")).count()
    };
    (0..10).map(under_way).min().expect("ten")
}

/// The sum of a family over the connections of the test in a namespace.
fn of(scrape: &Scrape, family: &str, name: &str) -> u64 {
    sum(scrape, &format!("ss_t_{family}"), &format!("netns=\"{name}\",service_port=\"7000\""))
}

/// What the view counted in a namespace: opened, closed, sent, received.
fn counted(scrape: &Scrape, name: &str) -> [u64; 4] {
    ["opened_total", "closed_total", "sent_bytes_total", "received_bytes_total"]
        .map(|family| of(scrape, family, name))
}

#[test]
fn a_namespace_whose_dump_is_held_fails_alone_and_counts_on_when_it_comes_back() {
    if enter() {
        return;
    }
    let (blue, red) = (Inner::connected("blue"), Inner::connected("red"));
    let exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let open = |inner: &Inner| {
        let listener = inner.listen(7_000);
        (inner.within(|| Pair::open(&listener).expect("room")), listener)
    };
    let ((mut one, _listens), (mut other, _too)) = (open(&blue), open(&red));
    let mut exchange = |up, down| {
        for pair in [&mut one, &mut other] {
            pair.exchange(up, down).expect("open");
        }
    };
    exchange(1_000, 2_000);
    let scrape = scrapes.scrape(&exporter);
    assert_eq!(["blue", "red"].map(|name| counted(scrape, name)), [[2, 0, 3_000, 3_000]; 2]);
    assert_eq!(scrape.sum("ss_exporter_namespaces_failed"), 0);

    let holder = blue.within(StuckSocket::start);
    exchange(10, 20);
    // More than three dumps of different seconds.
    for _ in 0..10 {
        let scrape = scrapes.scrape(&exporter);
        // An answer that could not wait for the collection would have neither.
        assert_eq!(scrape.rows("ss_exporter_collection_success")["stage=\"dump\""], "1");
        assert_eq!(scrape.sum("ss_exporter_namespaces_failed"), 1);
        assert!(!scrape.rows("ss_exporter_dump_stuck_seconds").is_empty());
        assert_eq!((of(scrape, "sockets", "red"), counted(scrape, "red")), (2, [2, 0, 3_030, 3_030]));
        let [opened, closed, sent, _] = counted(scrape, "blue");
        assert!((opened, closed) == (2, 0) && (3_000..=3_030).contains(&sent), "{scrape:?}");
        assert_eq!(dumps(&exporter), 1, "one is held and none waits behind it");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(exporter.get("/-/ready").status, 200, "the other namespaces can be seen");

    drop(holder);
    exchange(100, 200);
    let scrape = scrapes.until(&exporter, |scrape| scrape.sum("ss_exporter_namespaces_failed") == 0);
    for name in ["blue", "red"] {
        assert_eq!((of(scrape, "sockets", name), counted(scrape, name)), (2, [2, 0, 3_330, 3_330]), "{name}");
    }
    assert!(scrape.rows("ss_exporter_dump_stuck_seconds").is_empty());
    assert_eq!(dumps(&exporter), 0);
    assert_eq!(said(exporter, "blue"), 1);
}
