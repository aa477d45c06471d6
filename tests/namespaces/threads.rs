//! Namespaces that no process is in: those of threads, and those that only a socket keeps.

use std::sync::mpsc::channel;

use super::enter;
use super::exposed::sum;
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::inner::Inner;
use testkit::scrape::{Scrape, Scrapes};

const CONFIG: &str = "
collect: {netns: all}
views:
  t: {state: listen, by: [netns, local_port, process], metrics: [sockets]}
";

/// The listeners at a port, in all namespaces.
fn listeners(scrape: &Scrape, port: u16) -> u64 {
    let rows = scrape.rows("ss_t_sockets").iter();
    let rows = rows.filter(|(labels, _)| labels.contains(&format!("local_port=\"{port}\"")));
    rows.map(|(_, value)| value.parse::<u64>().expect("a whole number")).sum()
}

#[test]
fn a_namespace_that_only_a_thread_is_in_is_collected() {
    if enter() {
        return;
    }
    let blue = Inner::connected("blue");
    let exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    assert_eq!(scrapes.scrape(&exporter).sum("ss_exporter_namespaces"), 2);
    let (listens, ready) = channel();
    let (go, end) = channel::<()>();
    std::thread::scope(|scope| {
        let blue = &blue;
        scope.spawn(move || {
            blue.within(move || {
                let listener = std::net::TcpListener::bind("127.0.0.1:7104").expect("a free port");
                listens.send(()).expect("somebody waits");
                let _ = end.recv();
                drop(listener);
            });
        });
        ready.recv().expect("it listens");
        // The name is gone, and the thread stays.
        let deleted = std::process::Command::new("ip").args(["netns", "del", "blue"]).status();
        assert!(deleted.is_ok_and(|status| status.success()));
        let scrape = scrapes.scrape(&exporter);
        assert_eq!((scrape.sum("ss_exporter_namespaces"), listeners(scrape, 7104)), (2, 1));
        assert_eq!(scrape.sum("ss_exporter_namespaces_unreachable"), 0);
        drop(go);
    });
    let scrape = scrapes.until(&exporter, |scrape| scrape.sum("ss_exporter_namespaces") == 1);
    assert_eq!(scrape.sum("ss_exporter_namespaces_failed"), 0);
}

#[test]
fn a_namespace_of_a_process_whose_main_thread_has_ended_is_collected() {
    if enter() {
        return;
    }
    let exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let (mut whole, mut moved) = (Actor::in_a_thread("whole"), Actor::in_a_thread("moved"));
    for (actor, port) in [(&mut whole, 7_104), (&mut moved, 7_105)] {
        actor.does("unshare 0x40000000");
        actor.does("up");
        actor.does(&format!("listen {port}"));
    }
    whole.does("end_main");
    let scrape = scrapes.scrape(&exporter);
    assert_eq!([7_104, 7_105].map(|port| listeners(scrape, port)), [1, 1]);
    assert_eq!(scrape.sum("ss_exporter_namespaces"), 3);
    for (port, name) in [(7_104, "whole"), (7_105, "moved")] {
        let labels = |labels: &str| labels.contains(&format!("\"{port}\",process=\"{name}\""));
        assert!(scrape.rows("ss_t_sockets").keys().any(|row| labels(row)), "{port}: {name}");
    }
    let mut fork = Actor::in_a_thread("late");
    fork.does("end_main");
    fork.does("unshare 0x40000000");
    fork.does("up");
    fork.does("listen 7106");
    assert_eq!(listeners(scrapes.scrape(&exporter), 7_106), 1);
}

#[test]
fn a_namespace_that_only_a_socket_keeps_is_counted() {
    if enter() {
        return;
    }
    let (blue, green) = (Inner::connected("blue"), Inner::connected("green"));
    let exporter = Exporter::configured(CONFIG);
    let mut scrapes = Scrapes::default();
    // The exporter's own first collection may have begun before there is anything.
    scrapes.scrape(&exporter);
    let listener = blue.listen(7_104);
    for _ in 0..3 {
        let scrape = scrapes.scrape(&exporter);
        assert_eq!((scrape.sum("ss_exporter_namespaces"), listeners(scrape, 7_104)), (3, 1));
        assert_eq!(scrape.sum("ss_exporter_namespaces_unreachable"), 0);
    }
    drop(blue);
    let unreachable =
        |number| move |scrape: &Scrape| scrape.sum("ss_exporter_namespaces_unreachable") == number;
    let scrape = scrapes.until(&exporter, unreachable(1));
    assert_eq!((scrape.sum("ss_exporter_namespaces"), scrape.sum("ss_exporter_namespaces_failed")), (2, 0));
    drop(listener);
    let scrape = scrapes.until(&exporter, unreachable(0));
    assert_eq!(sum(scrape, "ss_t_sockets", "netns=\"green\""), 0);
    drop(green);
    scrapes.until(&exporter, |scrape| scrape.sum("ss_exporter_namespaces") == 1);
    scrapes.until(&exporter, unreachable(0));
}
