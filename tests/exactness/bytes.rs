//! Short connections of every end beside lasting ones, with scrapes, and an exporter that is stopped
//! for a while.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::counted::{Counted, view};
use super::open_connections::OpenConnections;
use super::{enter, open_many_files, sysctl};
use testkit::exporter::Exporter;
use testkit::scrape::{Scraper, Scrapes};
use testkit::traffic::{End, Lanes, Truth};

/// So that each 4-tuple comes again several times.
const PORTS: &str = "20000 21499";
const FAST: f64 = f64::INFINITY;
/// 16,000 closes in two seconds; 32 MiB hold at least 26,000 events.
const STEADY: f64 = 4_000.0;

/// How long the exporter is stopped. Only root gets a buffer of 32 MiB, whatever `net.core.rmem_max` says; the
/// minimum that the kernel grants holds some hundred events.
const PAUSE: Duration = Duration::from_millis(if cfg!(feature = "root-tests") { 2_000 } else { 20 });

#[test]
fn no_byte_is_lost() {
    if enter() {
        return;
    }
    open_many_files();
    sysctl("tcp_tw_reuse", "1");
    sysctl("ip_local_port_range", PORTS);
    let lanes = Lanes::open(3).expect("listeners");
    let never_accepts = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let mut listeners: Vec<_> = lanes.listeners().collect();
    listeners.push(&never_accepts);
    let exporter = Arc::new(Exporter::configured(&view(&listeners)));
    listeners.pop();
    let watch = Scraper::start(&exporter, Duration::from_secs(1));

    let mut open_connections = OpenConnections::open(&listeners, 2_000);
    let ended = AtomicBool::new(false);
    let mut truth = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                open_connections.exchange(100, 300);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let _ended = Ended(&ended);
        let mut truth = lanes.run(0..20_000, FAST, &End::ALL).expect("phase fast");
        truth += abandon(never_accepts);
        let stop = scope.spawn(|| {
            exporter.signal(Signal::STOP);
            std::thread::sleep(PAUSE);
            exporter.signal(Signal::CONT);
        });
        truth += lanes.run(20_000..32_000, STEADY, &End::ALL).expect("phase stopped");
        stop.join().expect("signals");
        truth
    });
    truth += open_connections.truth;

    check("lasting connections open", &exporter, truth, 4_000);
    open_connections.close(&[End::ClientFirst, End::ServerFirst]);
    check("all closed", &exporter, truth, 0);
    watch.stop();
}

/// Says so when it is dropped, so that no thread waits for ever after a failure.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Connections that the listener's process never accepts; it closes before their clients do.
fn abandon(listener: TcpListener) -> Truth {
    let address = listener.local_addr().expect("bound");
    let clients: Vec<_> = (0..100).map(|_| TcpStream::connect(address).expect("room")).collect();
    drop(listener);
    let connections = clients.len() as u64;
    Truth { connections, silent: connections, ..Truth::default() }
}

/// What was counted at rest, with `open` sockets.
fn check(phase: &str, exporter: &Exporter, truth: Truth, sockets: u64) {
    let mut scrapes = Scrapes::default();
    let counted = |scrapes: &Scrapes| Counted::of(scrapes.last());
    scrapes.until(exporter, |scrape| {
        let counted = Counted::of(scrape);
        counted.sent == truth.sent && counted.sockets == sockets
    });
    // What is counted twice comes late.
    std::thread::sleep(Duration::from_millis(300));
    let dropped = scrapes.scrape(exporter).sum("ss_exporter_destroy_events_dropped_total");
    let counted = counted(&scrapes);
    let told = format!("{phase}: {truth:?}, {counted:?}, {dropped} events dropped");
    assert_eq!(dropped, 0, "{told}");
    assert_eq!(counted.sent, truth.sent, "{told}");
    assert_eq!(counted.sockets, sockets, "{told}");
    // Each socket counts the FIN of its peer as a byte. A byte that the kernel drops counts if a dump saw it.
    let ends = 2 * truth.connections;
    let most = truth.received + truth.forgotten + ends;
    assert!((truth.received..=most).contains(&counted.received), "{told}");
    assert!((ends - truth.silent..=ends).contains(&counted.opened), "{told}");
    assert_eq!(counted.closed, counted.opened - sockets, "{told}");
}
