//! Dumps that miss and repeat sockets, as they do when the kernel's hash table is small and sockets come and go.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::counted::{Counted, view};
use super::open_connections::OpenConnections;
use super::{enter, name, open_many_files, sysctl};
use testkit::exporter::Exporter;
use testkit::scrape::{Scraper, Scrapes};
use testkit::traffic::{End, Lanes};

/// Set in the process that runs in the inner namespace.
const INNER: &str = "SS_EXPORTER_TEST_SMALL_TABLE";
const ENDS: [End; 3] = [End::ClientFirst, End::ServerFirst, End::Unread];

#[test]
fn a_dump_that_misses_and_repeats_counts_nothing_twice() {
    if enter() {
        return;
    }
    if std::env::var_os(INNER).is_none() {
        // The table belongs to a namespace from its birth; its parent says how big it is.
        sysctl("tcp_child_ehash_entries", "64");
        let program = std::env::current_exe().expect("the path of this program");
        let mut inner = Command::new("unshare");
        inner.args(["-n", "--"]).arg(program).args(["--exact", &name(), "--nocapture"]).env(INNER, "1");
        assert!(inner.status().expect("unshare").success(), "failed in the inner namespace");
        return;
    }
    let entries = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_ehash_entries").expect("the table's size");
    assert_eq!(entries.trim(), "64", "the namespace has no small table of its own");
    open_many_files();
    let lanes = Lanes::open(2).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let exporter = Arc::new(Exporter::configured(&view(&listeners)));
    let watch = Scraper::start(&exporter, Duration::from_millis(100));
    let mut open_connections = OpenConnections::open(&listeners, 5_000);
    let mut truth = lanes.run(0..6_000, 1_000.0, &ENDS).expect("phase churn");
    open_connections.exchange(50, 20);
    truth += lanes.run(6_000..10_000, 1_000.0, &ENDS).expect("phase churn again");
    truth += open_connections.truth;
    let watched = watch.stop();
    assert!(watched.kept().len() >= 20, "only {} scrapes", watched.kept().len());

    let mut scrapes = Scrapes::default();
    let sum = |family: &str| watched.last().sum(family);
    let told = format!("{} unseen closes", sum("ss_exporter_closes_presumed_total"));
    scrapes.until(&exporter, |scrape| Counted::of(scrape).sent >= truth.sent);
    std::thread::sleep(Duration::from_millis(300));
    let counted = Counted::of(scrapes.scrape(&exporter));
    let told = format!("{truth:?}, {counted:?}, {told}");
    let ends = 2 * truth.connections;
    assert_eq!(counted.sent, truth.sent, "{told}");
    assert!((truth.received..=truth.received + ends).contains(&counted.received), "{told}");
    assert_eq!((counted.opened, counted.closed, counted.sockets), (ends, ends - 10_000, 10_000), "{told}");
}
