//! Sockets that `/proc/PID/fd` does not show: those of threads with files of their own, and of processes whose main thread
//! has ended.

use super::enter;
use super::ports::{self, CLIENTS, FIRST};
use super::rows::sum;
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};

fn exporter() -> Exporter {
    Exporter::configured(&format!(
        "views: {{v: {{by: [process, executable, pid], select: \"{CLIENTS}\", metrics: [sockets]}}}}"
    ))
}

#[test]
fn sockets_in_the_own_table_of_a_thread_are_the_processs() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let mut main = Actor::new("main");
    main.connects(FIRST, 3);
    let mut before = Actor::in_a_thread("before");
    before.does("unshare 0x400");
    before.connects(FIRST, 5);
    let mut later = Actor::in_a_thread("later");
    let exporter = exporter();
    let mut scrapes = Scrapes::default();
    let count = |scrape: &Scrape, actor: &Actor, name| {
        sum(scrape, "ss_v_sockets", &[("process", name), ("pid", &actor.pid().to_string())])
    };
    let scrape = scrapes.scrape(&exporter);
    assert_eq!((count(scrape, &main, "main"), count(scrape, &before, "before")), (3, 5));
    later.does("unshare 0x400");
    later.connects(FIRST, 7);
    before.connects(FIRST, 1);
    scrapes.scrape(&exporter);
    let scrape = scrapes.scrape(&exporter);
    assert_eq!((count(scrape, &before, "before"), count(scrape, &later, "later")), (6, 7));
    assert_eq!(scrape.sum("ss_exporter_sockets_without_owner"), 0);
}

#[test]
fn a_process_goes_on_to_own_its_sockets_when_its_main_thread_has_ended() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let (mut early, mut late) = (Actor::in_a_thread("early"), Actor::in_a_thread("late"));
    early.connects(FIRST, 2);
    early.does("end_main");
    early.connects(FIRST, 3);
    late.connects(FIRST, 2);
    let exporter = exporter();
    let mut scrapes = Scrapes::default();
    let count = |scrape: &Scrape, actor: &Actor, name| {
        let labels = [("process", name), ("executable", "python3"), ("pid", &actor.pid().to_string())];
        let python = std::fs::canonicalize("/usr/bin/python3").expect("python3");
        let python = python.file_name().expect("a name").to_string_lossy().into_owned();
        sum(scrape, "ss_v_sockets", &[labels[0], ("executable", &python), labels[2]])
    };
    let scrape = scrapes.scrape(&exporter);
    assert_eq!((count(scrape, &early, "early"), count(scrape, &late, "late")), (5, 2));
    late.does("end_main");
    late.connects(FIRST, 4);
    early.does("unshare 0x400");
    early.connects(FIRST, 1);
    scrapes.scrape(&exporter);
    let scrape = scrapes.scrape(&exporter);
    assert_eq!((count(scrape, &early, "early"), count(scrape, &late, "late")), (6, 6));
    assert_eq!(scrape.sum("ss_exporter_sockets_without_owner"), 0);
}
