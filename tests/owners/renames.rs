//! Processes that change their names, all the time and once.

use std::sync::Arc;
use std::time::Duration;

use super::enter;
use super::ports::{self, CLIENTS, FIRST};
use super::rows::{rows, sum};
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::scrape::{Scraper, Scrapes};

#[test]
fn while_names_change_a_row_shows_the_old_or_the_new_one_and_then_the_new_one() {
    if enter() {
        return;
    }
    let _listeners = ports::open(4);
    let exporter = Arc::new(Exporter::configured(&format!(
        "views: {{v: {{by: [process, service_port], select: \"{CLIENTS}\"}}}}"
    )));
    // Whatever comes after the first scrape is counted.
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let start = |port: u16| Actor::connected(&format!("a{port}"), port, 20).0;
    let mut actors: Vec<_> = (FIRST..FIRST + 4).map(|port| (port, start(port))).collect();
    let watch = Scraper::start(&exporter, Duration::from_millis(20));
    for (port, actor) in &mut actors {
        actor.begins(&format!("rename 3 b{port} a{port}"));
    }
    for (port, actor) in &mut actors {
        actor.has_done();
        actor.does(&format!("name c{port}"));
    }
    let watched = watch.stop();
    let mut seen = [false; 2];
    for (_, scrape) in watched.kept() {
        for family in ["ss_v_sockets", "ss_v_opened_total", "ss_v_closed_total"] {
            for (labels, value) in rows(scrape, family) {
                let (name, port) = (&labels["process"], &labels["service_port"]);
                let (first, of) = name.split_at(1);
                assert!("abc".contains(first) && of == port, "{family}{labels:?}");
                for (name, seen) in ["a", "b"].into_iter().zip(&mut seen) {
                    *seen |= first == name && value > 0;
                }
            }
        }
    }
    assert_eq!(seen, [true; 2], "no change was seen in {} scrapes", watched.kept().len());

    let scrape = scrapes.scrape(&exporter);
    for (port, _) in &actors {
        let count = |first| sum(scrape, "ss_v_sockets", &[("process", &format!("{first}{port}"))]);
        assert_eq!(["a", "b", "c"].map(count), [0, 0, 20]);
    }
    // Moving to another row opens and closes nothing.
    assert_eq!(scrape.sum("ss_v_opened_total"), 80);
    assert_eq!(scrape.sum("ss_v_closed_total"), 0);
}
