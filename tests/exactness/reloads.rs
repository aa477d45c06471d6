//! Other configurations under load: what stays the same goes on counting, to the byte.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::counted::{Counted, view};
use super::open_connections::OpenConnections;
use super::{enter, open_many_files, sysctl};
use testkit::exporter::Exporter;
use testkit::scrape::{Scraper, Scrapes};
use testkit::traffic::{End, Lanes};

const RELOADS: u32 = 200;
/// One in this many reloads finds a file with an error.
const BROKEN: u32 = 10;

/// The configuration of a reload: the view `t` is always the same, and another one never is.
fn config(base: &str, number: u32) -> String {
    let other = match number % 4 {
        0 => String::new(),
        1 => "by: [direction], metrics: [\"*_bytes_total\"], idle: 1m".to_owned(),
        2 => "by: [local_port], limit: 3".to_owned(),
        _ => "by: [process], metrics: [\"*\"]".to_owned(),
    };
    let views = base.replacen("views:\n", "", 1);
    let of_flows = "by: [local_address, local_port, remote_address, remote_port], limit: 20";
    match number % 2 {
        // First or last, so that the numbers of views, counters and rows all change.
        _ if other.is_empty() => base.to_owned(),
        0 => format!("views:\n  other{number}: {{{other}}}\n  flows{number}: {{{of_flows}}}\n{views}"),
        _ => format!("views:\n{views}  other{number}: {{{other}}}\n"),
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("room");
}

#[test]
fn two_hundred_reloads_under_load_lose_no_scrape_and_no_byte() {
    if enter() {
        return;
    }
    open_many_files();
    sysctl("tcp_tw_reuse", "1");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yml");
    let lanes = Lanes::open(2).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let base = view(&listeners);
    // With what the others need capabilities for, in a view whose name does not come again: it would begin again.
    write(&path, &config(&base, RELOADS + 3));
    let exporter = Arc::new(Exporter::reading(&path, &["--web.enable-lifecycle"]));
    let watch = Scraper::start(&exporter, Duration::from_millis(100));

    let mut open_connections = OpenConnections::open(&listeners, 500);
    let mut truth = std::thread::scope(|scope| {
        let traffic = scope.spawn(|| lanes.run(0..40_000, 3_000.0, &End::ALL).expect("traffic"));
        for number in 1..=RELOADS {
            let broken = number % BROKEN == 0;
            write(&path, &if broken { "views: {t: {bye: []}}".to_owned() } else { config(&base, number) });
            let answer =
                exporter.ask("POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let said = String::from_utf8(answer.body).expect("text");
            assert_eq!(answer.status, if broken { 500 } else { 200 }, "reload {number}: {said}");
            assert!(!broken || said.contains("config.yml:1:13: views.t.bye"), "{said}");
            open_connections.exchange(10, 30);
            if number % 20 == 5 {
                let metrics = exporter.metrics();
                let other = format!("ss_other{number}_sent_bytes_total");
                assert!(metrics.contains(&other) || number % 4 == 0, "{other} in {metrics}");
                assert!(metrics.contains("\nss_exporter_config_last_reload_successful 1\n"));
            } else if broken {
                assert!(exporter.metrics().contains("\nss_exporter_config_last_reload_successful 0\n"));
            }
        }
        traffic.join().expect("traffic")
    });
    truth += open_connections.truth;
    open_connections.close(&[End::ClientFirst, End::ServerFirst]);

    let mut scrapes = Scrapes::default();
    scrapes.until(&exporter, |scrape| {
        let counted = Counted::of(scrape);
        counted.sent == truth.sent && counted.sockets == 0
    });
    std::thread::sleep(Duration::from_millis(300));
    let dropped = scrapes.scrape(&exporter).sum("ss_exporter_destroy_events_dropped_total");
    let counted = Counted::of(scrapes.last());
    let told = format!("{truth:?}, {counted:?}, {dropped} events dropped");
    assert_eq!((dropped, counted.sent, counted.sockets), (0, truth.sent, 0), "{told}");
    let ends = 2 * truth.connections;
    assert!((ends - truth.silent..=ends).contains(&counted.opened), "{told}");
    assert_eq!(counted.closed, counted.opened, "{told}");
    assert!((truth.received..=truth.received + truth.forgotten + ends).contains(&counted.received), "{told}");
    watch.stop();
}

#[test]
fn a_view_that_joins_later_counts_from_then_on_and_knows_directions() {
    if enter() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yml");
    let lanes = Lanes::open(1).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let port = listeners[0].local_addr().expect("bound").port();
    // Nobody asks which end asked for a connection.
    write(
        &path,
        &format!(
            "views: {{a: {{by: [remote_port], select: 'sport = {port}', metrics: [sent_bytes_total]}}}}"
        ),
    );
    let exporter = Exporter::reading(&path, &["--web.enable-lifecycle"]);
    let mut open_connections = OpenConnections::open(&listeners, 10);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    open_connections.exchange(1_000, 50);
    scrapes.scrape(&exporter);

    write(&path, &view(&listeners));
    let reload = "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(exporter.ask(reload).status, 200);
    let counted = Counted::of(scrapes.scrape(&exporter));
    let nothing = Counted { sockets: 20, opened: 0, closed: 0, sent: 0, received: 0 };
    assert_eq!(counted, nothing, "what lived before is the baseline");
    open_connections.exchange(100, 7);
    let counted = Counted::of(scrapes.scrape(&exporter));
    let (sent, received) = (10 * 107, 10 * 107);
    assert_eq!(counted, Counted { sent, received, ..nothing });
    let rows = scrapes.last().rows("ss_t_sockets");
    // Half of the connections are to each listener, of either family.
    for direction in ["inbound", "outbound"] {
        let row = format!("direction=\"{direction}\",service_port=\"{port}\"");
        assert_eq!(rows.get(&row).map(String::as_str), Some("5"), "{row} in {rows:?}");
    }
    open_connections.close(&[End::ClientFirst]);
    let counted = Counted::of(scrapes.until(&exporter, |scrape| Counted::of(scrape).closed == 20));
    assert_eq!((counted.sockets, counted.opened, counted.closed, counted.sent), (0, 0, 20, sent));
}
