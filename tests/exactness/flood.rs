//! More flows than a view may have rows: they are aggregated into one, nothing is lost, and memory does not grow.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use super::counted::{Counted, keyed};
use super::{connect_from, enter};
use testkit::exporter::Exporter;
use testkit::scrape::{Scraper, Scrapes};
use testkit::traffic::{End, Pair};

const FLOWS: u32 = 200_000;
/// Flows between two reads of the exporter. The buffer has room for eight times as many close events.
const PACE: u32 = 1_500;
const LIMIT: usize = 100;
const MOST_MEMORY: u64 = 64 * 1024;

#[test]
fn a_flood_of_connections_is_aggregated_into_other() {
    if enter() {
        return;
    }
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let listeners: Vec<_> = (0..2).map(bind).collect();
    let limit = format!("    limit: {LIMIT}\n");
    let config = keyed(&listeners.iter().collect::<Vec<_>>(), "[remote_address, remote_port]", &limit);
    let exporter = Arc::new(Exporter::configured(&config));
    let watch = Scraper::start(&exporter, Duration::from_secs(1));
    std::thread::scope(|scope| {
        let exporter = &exporter;
        for (lane, listener) in (0..).zip(&listeners) {
            scope.spawn(move || {
                let to = listener.local_addr().expect("bound");
                for flow in (lane..FLOWS).step_by(2) {
                    if flow / 2 % PACE == 0 {
                        wait_for(exporter, u64::from(flow));
                    }
                    let client = connect_from(source(flow), to);
                    let pair = Pair::accept(listener, client).expect("accepted");
                    // One byte up, and a reset, so that nothing is left in TIME_WAIT.
                    pair.end(End::Unread).expect("open");
                }
            });
        }
    });
    let watched = watch.stop();
    let mut scrapes = Scrapes::default();
    scrapes.until(&exporter, |scrape| Counted::of(scrape).closed >= u64::from(2 * FLOWS));
    let scrape = scrapes.scrape(&exporter);
    let counted = Counted::of(scrape);
    let memory = resident_kib(&exporter);
    let dropped = scrape.sum("ss_exporter_destroy_events_dropped_total");
    let told = format!("{FLOWS} flows of one byte, {counted:?}, {dropped} events dropped, {memory} KiB");
    let flows = u64::from(FLOWS);
    let all = Counted { sockets: 0, opened: 2 * flows, closed: 2 * flows, sent: flows, received: flows };
    assert_eq!(counted, all, "{told}");
    for (_, scrape) in watched.kept() {
        for family in ["ss_t_sockets", "ss_t_sent_bytes_total", "ss_t_rtt_seconds_count"] {
            let rows = scrape.rows(family).len();
            assert!(rows <= LIMIT + 1, "{rows} rows of {family}: {told}");
        }
        let [tracked, most] =
            ["", "_limit"].map(|end| scrape.sum(&format!("ss_exporter_sockets_tracked{end}")));
        assert!(tracked <= most, "{tracked} of {most} tracked: {told}");
    }
    let other = "remote_address=\"other\",remote_port=\"other\"";
    assert!(scrape.rows("ss_t_sent_bytes_total").contains_key(other), "{scrape:?}");
    assert!(scrape.sum("ss_exporter_sockets_over_limit_total") > 0, "{told}");
    assert!(memory < MOST_MEMORY, "{told}");
}

/// Waits until the exporter has received the close events of nearly all flows so far: its speed is not tested here.
fn wait_for(exporter: &Exporter, flows: u64) {
    let mut scrapes = Scrapes::default();
    let closed = 2 * flows.saturating_sub(u64::from(4 * PACE));
    scrapes.until(exporter, |scrape| scrape.sum("ss_exporter_destroy_events_total") >= closed);
}

/// An address and port of the flow's own.
fn source(flow: u32) -> SocketAddr {
    let address = IpAddr::V4(Ipv4Addr::from(0x7f01_0001 + flow / 8));
    SocketAddr::new(address, 30_000 + u16::try_from(flow % 8).expect("small"))
}

/// The maximum of the exporter's memory so far, in KiB.
fn resident_kib(exporter: &Exporter) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", exporter.child.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
