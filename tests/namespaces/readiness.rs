//! A dump of the exporter's own namespace that the kernel holds: nothing can be shown, and that is said.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use rustix::process::Signal;

use super::enter;
use super::held::dumps;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};
use testkit::stuck::StuckSocket;

const CONFIG: &str = "
collect: {deadline: 500ms}
views: {t: {by: [direction], metrics: [sockets, sent_bytes_total]}}
";

/// Scrapes thrice: the first answer may not have waited for the collection, and the second may have shared it.
fn scrape(scrapes: &mut Scrapes, exporter: &Exporter) {
    scrapes.scrape(exporter);
    scrapes.scrape(exporter);
    let scrape = scrapes.scrape(exporter);
    assert_eq!(scrape.rows("ss_exporter_collection_success")["stage=\"dump\""], "0");
    assert!(!scrape.rows("ss_exporter_dump_stuck_seconds").is_empty());
    assert!(scrape.rows("ss_t_sockets").is_empty(), "withheld");
    assert!(!scrape.rows("ss_t_sent_bytes_total").is_empty(), "counters stay");
    assert_eq!(dumps(exporter), 1, "one is held and none waits behind it");
}

#[test]
fn who_cannot_dump_its_own_namespace_is_not_ready_until_it_can() {
    if enter() {
        return;
    }
    let exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    assert_eq!(exporter.get("/-/ready").status, 200);
    let holder = StuckSocket::start();
    scrape(&mut scrapes, &exporter);
    let answer = exporter.get("/-/ready");
    let text = String::from_utf8(answer.body).expect("text");
    assert!(answer.status == 503 && text.contains("the kernel has been holding a dump"), "{text}");
    drop(holder);
    // Without further scrapes, a client that waits for readiness gets it.
    while exporter.get("/-/ready").status != 200 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let log = exporter.log();
    assert_eq!(log.matches("the kernel holds a dump").count(), 1, "{log}");
    assert_eq!(log.matches("collections are complete again").count(), 1, "{log}");
}

#[test]
fn connections_count_whole_and_readiness_waits_where_no_baseline_can_be_had() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 7000)).expect("a listener");
    let pair = || {
        let client = TcpStream::connect(("127.0.0.1", 7000)).expect("a connection");
        (client, listener.accept().expect("the same").0)
    };
    let old = pair();
    let holder = StuckSocket::start();
    let exporter = Exporter::configured(
        "
collect: {deadline: 500ms}
views:
  t: {by: [service_port], metrics: [opened_total, closed_total, sent_bytes_total]}
",
    );
    for _ in 0..100 {
        let (mut client, server) = pair();
        client.write_all(&[7; 1_000]).expect("room");
        drop(client);
        (&server).read_to_end(&mut Vec::new()).expect("the end");
    }
    drop(old);
    let families = ["ss_t_opened_total", "ss_t_closed_total", "ss_t_sent_bytes_total"];
    let before = "ss_exporter_closes_before_baseline_total";
    let mut scrapes = Scrapes::default();
    // The socket whose dump is held has another port.
    let value = |scrape: &Scrape, family: &str| {
        scrape.rows(family).get("service_port=\"7000\"").map_or(0, |text| text.parse::<u64>().expect("whole"))
    };
    let scrape = scrapes.until(&exporter, |scrape| value(scrape, "ss_t_closed_total") == 202);
    assert_eq!(families.map(|family| value(scrape, family)), [200, 202, 100_000]);
    assert_eq!([before, "ss_exporter_baseline_complete"].map(|family| scrape.sum(family)), [2, 0]);
    assert_eq!(exporter.get("/-/ready").status, 503);
    drop(holder);
    // No scrape asks for it.
    while exporter.get("/-/ready").status != 200 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let scrape = scrapes.scrape(&exporter);
    assert_eq!(families.map(|family| value(scrape, family)), [200, 202, 100_000]);
    assert_eq!(scrape.sum("ss_exporter_baseline_complete"), 1);
}

#[test]
fn who_is_asked_to_stop_while_a_dump_is_held_says_why_its_process_stays() {
    if enter() {
        return;
    }
    let mut exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let holder = StuckSocket::start();
    scrape(&mut scrapes, &exporter);
    exporter.signal(Signal::TERM);
    let mut log = exporter.child.stderr.take().map(std::io::BufReader::new).expect("a pipe");
    let mut said = String::new();
    while !said.contains("message=stopped") {
        let more = std::io::BufRead::read_line(&mut log, &mut said).expect("text");
        assert!(more > 0, "{said}");
    }
    assert!(said.contains("this process ends when it does"), "{said}");
    assert!(exporter.child.try_wait().expect("its state").is_none(), "the kernel holds it");
    drop(holder);
    assert_eq!(exporter.end().0, Some(0));
}
