//! An exporter that hardly gets a processor on a host that has none to spare: at rest, each row is whole.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::counted::view;
use super::enter;
use super::open_connections::OpenConnections;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::{End, Lanes};

/// The exporter runs for 3 % of the time.
const RUNS: Duration = Duration::from_millis(3);
const WAITS: Duration = Duration::from_millis(97);
const IN_FLIGHT: usize = 1_000;
const ROUNDS: u64 = 3;
const UP: u32 = 1_000;
const DOWN: u32 = 500;

#[test]
fn closes_and_bytes_of_each_row_agree_after_the_exporter_and_the_host_were_starved() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(2).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let exporter = Exporter::configured(&view(&listeners));
    let done = AtomicBool::new(false);
    let goes_on = || !done.load(Ordering::Relaxed);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while goes_on() {
                exporter.signal(Signal::STOP);
                std::thread::sleep(WAITS);
                exporter.signal(Signal::CONT);
                std::thread::sleep(RUNS);
            }
        });
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        for _ in 0..2 * processors {
            scope.spawn(|| {
                while goes_on() {
                    std::hint::spin_loop();
                }
            });
        }
        for _ in 0..ROUNDS {
            let mut open_connections = OpenConnections::open(&listeners, IN_FLIGHT);
            // Some are in a dump before their last bytes.
            exporter.get("/metrics");
            let [up, down] = [UP, DOWN].map(|bytes| usize::try_from(bytes).expect("few"));
            open_connections.exchange(up, down);
            open_connections.close(&[End::ClientFirst, End::ServerFirst]);
        }
        done.store(true, Ordering::Relaxed);
    });
    let each = ROUNDS * IN_FLIGHT as u64 / listeners.len() as u64;
    let mut scrapes = Scrapes::default();
    let scrape = scrapes.until(&exporter, |scrape| scrape.sum("ss_t_closed_total") == 2 * each * 4);
    for listener in &listeners {
        let port = listener.local_addr().expect("bound").port();
        for (direction, sent, received) in [("inbound", DOWN, UP), ("outbound", UP, DOWN)] {
            let row = format!("direction=\"{direction}\",service_port=\"{port}\"");
            let value =
                |family: &str| scrape.rows(family).get(&row).map_or(0, |text| text.parse().expect("whole"));
            let counted = ["opened_total", "closed_total", "sent_bytes_total"]
                .map(|name| value(&format!("ss_t_{name}")));
            assert_eq!(counted, [each, each, each * u64::from(sent)], "{row} of {scrape:?}");
            let bytes: u64 = value("ss_t_received_bytes_total");
            // Each end may have received the FIN of the other.
            let received = each * u64::from(received);
            assert!((received..=received + each).contains(&bytes), "{row}: {bytes} of {scrape:?}");
        }
    }
    for family in
        ["destroy_events_dropped_total", "closes_before_baseline_total", "closes_without_tcp_info_total"]
    {
        assert_eq!(scrape.sum(&format!("ss_exporter_{family}")), 0, "{family}");
    }
}
