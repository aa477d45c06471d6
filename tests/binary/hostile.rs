//! Attackers: names that break an exposition, clients that never let go.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::enter;
use testkit::exporter::Exporter;

#[test]
fn a_process_with_a_hostile_name_breaks_nothing() {
    if enter() {
        return;
    }
    // As the exporter reads the name below: the byte that is no UTF-8 becomes U+FFFD.
    let name = r#""a\"b\n\uFFFD{}""#;
    let config = format!(
        "logic: {{compression: {{label_folding: pid_condensed}}, selection: {{process: {{cmds: [{name}]}}}}}}\n"
    );
    // The name of the thread that leads this process: a quote, a line feed, a byte that is no UTF-8.
    std::fs::write("/proc/self/comm", b"a\"b\n\xff{}").expect("a new name");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let _held = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    let exporter = Exporter::configured(&config);
    let metrics = exporter.metrics();
    let row = format!("tcp_cwnd{{flow=\"({})(DST#", std::process::id());
    assert!(metrics.contains(&row), "the name did not match: {metrics}");
    for line in metrics.lines() {
        let words =
            line.starts_with("# ") || line.rsplit_once(' ').is_some_and(|(_, v)| v.parse::<f64>().is_ok());
        assert!(words, "{line}");
    }
}

#[test]
fn a_thousand_idle_and_slow_connections_do_not_lock_out_a_scrape() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let mut held = Vec::new();
    for number in 0..1000 {
        let mut stream = TcpStream::connect(exporter.address).expect("a connection");
        if number % 2 == 0 {
            // One that never ends its head. It may have been closed already.
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        }
        held.push(stream);
        if number % 100 == 99 {
            exporter.metrics();
        }
    }
    // Each is gone at its deadline of 10 s or earlier.
    for stream in &mut held {
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        let gone = match stream.read(&mut [0; 512]) {
            // An answer such as 408 may come before the end.
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        };
        assert!(gone, "a connection is still held after its deadline");
    }
    exporter.metrics();
}
