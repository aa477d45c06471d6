//! An exporter that begins while many connections are held.

use super::enter;
use super::ports::{self, CLIENTS, FIRST};
use super::rows::sum;
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;

#[test]
fn after_a_restart_the_first_scrape_knows_the_owners_and_counts_nothing_of_before() {
    if enter() {
        return;
    }
    let listeners = ports::open(2);
    let config = format!("views: {{v: {{by: [process], select: \"{CLIENTS}\"}}}}");
    let before = Exporter::configured(&config);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&before);
    let [mut one, mut two] = ["one", "two"].map(Actor::new);
    let mut held = Vec::new();
    // As many as fit into the queue of a listener that no process accepts from.
    for _ in 0..5 {
        for (actor, (listener, port)) in [&mut one, &mut two].into_iter().zip(listeners.iter().zip(FIRST..)) {
            actor.connects(port, 100);
            held.extend(ports::accept(listener, 100));
        }
    }
    for actor in [&mut one, &mut two] {
        actor.does("say 1000");
    }
    let counters = ["opened_total", "closed_total", "sent_bytes_total", "received_bytes_total"];
    let counters = counters.map(|metric| format!("ss_v_{metric}"));
    let scrape = scrapes.scrape(&before);
    assert_eq!(["one", "two"].map(|name| sum(scrape, "ss_v_sockets", &[("process", name)])), [500, 500]);
    assert_eq!(counters.each_ref().map(|family| scrape.sum(family)), [1_000, 0, 1_000_000, 0]);
    drop(before);

    let after = Exporter::configured(&config);
    let mut scrapes = Scrapes::default();
    for _ in 0..2 {
        let scrape = scrapes.scrape(&after);
        assert_eq!(["one", "two"].map(|name| sum(scrape, "ss_v_sockets", &[("process", name)])), [500, 500]);
        assert_eq!(scrape.sum("ss_v_sockets"), 1_000);
        assert_eq!(counters.each_ref().map(|family| scrape.sum(family)), [0; 4]);
        assert_eq!(scrape.sum("ss_exporter_sockets_without_owner"), 0);
    }
}
