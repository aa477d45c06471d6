//! Sockets that nobody holds any more, and connections that nobody saw alive.

use super::actor::Actor;
use super::enter;
use super::exporter::Exporter;
use super::ports::{self, FIRST};
use super::rows::sum;
use super::scrapes::Scrapes;

#[test]
fn a_socket_whose_process_ended_with_data_on_its_way_keeps_its_last_owner() {
    if enter() {
        return;
    }
    let listeners = ports::open(2);
    let exporter = Exporter::configured(
        "views:
  v:
    by: [process, state]
    select: \"direction = outbound and dport >= 20000 and dport < 30000\"
    state: [established, fin_wait1]
",
    );
    let mut scrapes = Scrapes::default();
    let (mut known, _) = Actor::connected("known", FIRST, 3);
    // Nobody reads, so that the close must wait behind the data.
    let _held = ports::accept(&listeners[0], 3);
    known.does("fill");
    let count = |scrapes: &mut Scrapes, process, state| {
        let scrape = scrapes.scrape(&exporter);
        sum(scrape, "ss_v_sockets", &[("process", process), ("state", state)])
    };
    assert_eq!(count(&mut scrapes, "known", "established"), 3);
    known.ends();
    let (mut unseen, _) = Actor::connected("unseen", FIRST + 1, 2);
    let _held_too = ports::accept(&listeners[1], 2);
    unseen.does("fill");
    unseen.ends();
    for _ in 0..6 {
        assert_eq!(count(&mut scrapes, "known", "fin_wait1"), 3);
        assert_eq!(count(&mut scrapes, "unknown", "fin_wait1"), 2, "no collection saw who held them");
        assert_eq!(scrapes.last().sum("ss_v_sockets"), 5);
        assert_eq!(scrapes.last().sum("ss_exporter_sockets_unowned"), 0, "no process holds them");
    }
}

#[test]
fn of_connections_between_two_scrapes_the_inbound_ones_have_the_listeners_owner() {
    if enter() {
        return;
    }
    let exporter = Exporter::configured(
        "views:
  v:
    by: [process, direction]
    select: \"sport = 20000 or dport = 20000\"
",
    );
    let mut keeper = Actor::new("keeper");
    keeper.does(&format!("listen {FIRST}"));
    let mut guest = Actor::new("guest");
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    guest.connects(FIRST, 100);
    keeper.does("accept 100");
    guest.does("close");
    let closed = |scrape: &_, process, direction| {
        sum(scrape, "ss_v_closed_total", &[("process", process), ("direction", direction)])
    };
    let scrape = scrapes.until(&exporter, |scrape| scrape.sum("ss_v_closed_total") == 200);
    assert_eq!(closed(scrape, "keeper", "inbound"), 100);
    assert_eq!(closed(scrape, "unknown", "outbound"), 100);
    assert_eq!(scrape.sum("ss_v_closed_total"), 200);
    assert_eq!(sum(scrape, "ss_v_opened_total", &[("process", "guest")]), 0);
}
