//! Scrapes: formats, sharing, deadlines, and the sockets of both families.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::enter;
use testkit::exporter::Exporter;

#[test]
fn flows_of_both_families_are_shown_without_a_file() {
    if enter() {
        return;
    }
    let mut held = Vec::new();
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(address).expect("a listener");
        held.push((TcpStream::connect(listener.local_addr().expect("bound")).expect("connected"), listener));
    }
    let metrics = Exporter::start(&[]).metrics();
    for (client, listener) in &held {
        let (local, remote) = (client.local_addr().expect("bound"), listener.local_addr().expect("bound"));
        let end = |side: &str, a: std::net::SocketAddr| format!("({side}#{}|{})", a.ip(), a.port());
        let flow = format!("tcp_rtt{{flow=\"{}{}\"}} ", end("SRC", local), end("DST", remote));
        assert!(metrics.contains(&flow), "{flow} in {metrics}");
    }
}

#[test]
fn the_format_is_the_one_the_scraper_prefers() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let with = |accept: &str| {
        exporter.ask(&format!(
            "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        ))
    };
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let open = with(prometheus);
    assert!(
        open.head.contains("application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{}",
        open.head
    );
    let body = String::from_utf8(open.body).expect("UTF-8");
    assert!(body.ends_with("\n# EOF\n"));
    // A counter without the suffix is none to OpenMetrics.
    assert!(body.contains("# TYPE tcp_data_segs_in unknown\n"));
    assert!(body.contains("# TYPE process_cpu_seconds counter\n"));
    let plain = with("*/*");
    assert!(plain.head.contains("text/plain; version=0.0.4; charset=utf-8"), "{}", plain.head);
    assert!(String::from_utf8(plain.body).expect("UTF-8").contains("# TYPE tcp_data_segs_in counter\n"));
}

#[test]
fn scrapes_at_the_same_time_all_get_a_whole_answer() {
    if enter() {
        return;
    }
    let exporter = Arc::new(Exporter::start(&[]));
    let scrapers: Vec<_> = (0..30)
        .map(|_| {
            let exporter = Arc::clone(&exporter);
            std::thread::spawn(move || {
                (0..5).map(|_| exporter.metrics()).all(|text| text.contains("ss_exporter_rows{"))
            })
        })
        .collect();
    assert!(scrapers.into_iter().all(|scraper| scraper.join().expect("no panic")));
}

#[test]
fn a_scrape_is_answered_by_the_deadline_that_the_scraper_names() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    for timeout in ["0.05", "10", "-1", "NaN", "inf", "text", "1e308"] {
        let answer = exporter.ask(&format!(
            "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Prometheus-Scrape-Timeout-Seconds: {timeout}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, 200, "{timeout}");
    }
}

#[test]
fn a_scrape_may_name_the_families_it_wants() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    // The exporter's own first collection may have begun before there is a connection.
    exporter.metrics();
    let body = exporter.get("/metrics?name[]=tcp_cwnd&name%5B%5D=ss_exporter_rows").body;
    let text = String::from_utf8(body).expect("UTF-8");
    let families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert_eq!(families, ["tcp_cwnd gauge", "ss_exporter_rows gauge"]);
    assert!(text.lines().any(|line| line.starts_with("tcp_cwnd{")), "{text}");
}

#[test]
fn a_collection_runs_only_when_somebody_asks() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let count = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("ss_exporter_collections_total "));
        line.and_then(|number| number.parse::<u64>().ok()).expect("the counter")
    };
    let first = count(&exporter.metrics());
    exporter.get("/");
    exporter.get("/health");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(count(&exporter.metrics()), first + 1);
}

#[test]
fn the_meta_metrics_of_3x_come_with_its_keys() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&["--config", "tests/configs/3x_minimal.yml"]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let _client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    exporter.metrics();
    let metrics = exporter.metrics();
    // The two ends held here and the two of the scrape itself.
    assert!(metrics.contains("\ntcp_flows_total 4\n"), "{metrics}");
    assert!(metrics.contains("\ncollector_data_status{status=\"success\"} 4\n"), "{metrics}");
    assert!(metrics.contains("\ncollector_collection_runs_total 2\n"), "{metrics}");
    assert!(metrics.contains("# TYPE tcp_delivery_rate gauge\n"), "{metrics}");
}

#[test]
fn a_limit_that_leaves_flows_out_is_logged_once() {
    if enter() {
        return;
    }
    let exporter = Exporter::configured("logic: {compression: {max_flows: 1}}\n");
    for _ in 0..3 {
        assert!(exporter.metrics().contains("ss_exporter_rows_dropped{view=\"legacy\"} 1\n"));
    }
    let log = exporter.log();
    assert_eq!(log.matches("ss_exporter_rows_dropped").count(), 1, "{log}");
}

#[test]
fn a_name_of_the_hosts_file_selects_its_addresses() {
    if enter() {
        return;
    }
    let exporter = Exporter::configured("logic: {selection: {peering: {hosts: [localhost]}}}\n");
    let deadline = Instant::now() + Duration::from_secs(10);
    // The names are resolved in the background.
    while !exporter.metrics().contains("(DST#127.0.0.1|8020)") {
        assert!(Instant::now() < deadline, "{}", exporter.metrics());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(exporter.metrics().contains("ss_exporter_hosts_unresolved 0\n"));
}
