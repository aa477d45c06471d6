//! Sockets that no process holds any more, and connections that no dump saw alive.

use super::enter;
use super::ports::{self, FIRST};
use super::rows::sum;
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;

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
    // The exporter's own first collection may have begun before there is anything.
    scrapes.scrape(&exporter);
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
        assert_eq!(scrapes.last().sum("ss_exporter_sockets_without_owner"), 0, "no process holds them");
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
  door: {state: listen, by: [process], select: \"sport = 20000\"}
",
    );
    let mut keeper = Actor::new("keeper");
    keeper.does(&format!("listen {FIRST}"));
    let mut guest = Actor::new("guest");
    let mut scrapes = Scrapes::default();
    scrapes.until(&exporter, |scrape| sum(scrape, "ss_door_sockets", &[("process", "keeper")]) == 1);
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

/// Connections to workers that listen on one port, none of which a scrape shows; what the views count of them.
struct Service {
    exporter: Exporter,
    scrapes: Scrapes,
    workers: Vec<Actor>,
    guest: Actor,
    total: u64,
}

impl Service {
    /// Workers of these names, on the interfaces that they are bound to.
    fn new(workers: &[(&str, &str)]) -> Self {
        let exporter = Exporter::configured(
            "views:
  v:
    by: [process, executable, pid, unit]
    select: \"sport = 20000\"
  named: {by: [process], select: \"sport = 20000 and process = worker\"}
  others: {by: [process], select: \"sport = 20000 and process = other\"}
  door: {state: listen, by: [pid], select: \"sport = 20000\"}
",
        );
        let start = |(name, interface): &(&str, &str)| {
            let mut worker = Actor::new(name);
            worker.does(&format!("listen {FIRST} {interface}"));
            worker
        };
        let workers = workers.iter().map(start).collect();
        Self { exporter, scrapes: Scrapes::default(), workers, guest: Actor::new("guest"), total: 0 }
    }

    /// Has 40 more connections accepted by whom the kernel likes.
    fn serve(&mut self) -> &testkit::scrape::Scrape {
        let pids: Vec<_> = self.workers.iter().map(|worker| worker.pid().to_string()).collect();
        self.scrapes.until(&self.exporter, |scrape| {
            pids.iter().all(|pid| sum(scrape, "ss_door_sockets", &[("pid", pid)]) == 1)
        });
        self.guest.connects(FIRST, 40);
        // The last acknowledgement of a handshake may come later than the client's end is connected.
        let mut accepted = 0;
        while accepted < 40 {
            let more = self.workers.iter_mut().map(|worker| worker.does("serve"));
            accepted += more.map(|count| count.parse::<u64>().expect("a number")).sum::<u64>();
        }
        self.guest.does("close");
        self.total += 40;
        let total = self.total;
        self.scrapes.until(&self.exporter, |scrape| scrape.sum("ss_v_closed_total") == total)
    }
}

fn closed(scrape: &testkit::scrape::Scrape, view: &str, labels: &[(&str, &str)]) -> u64 {
    sum(scrape, &format!("ss_{view}_closed_total"), labels)
}

#[test]
fn what_the_listeners_of_a_port_agree_in_is_known_of_connections_that_no_scrape_shows() {
    if enter() {
        return;
    }
    let mut service = Service::new(&[("worker", ""), ("worker", "")]);
    let scrape = service.serve();
    assert_eq!(closed(scrape, "v", &[("process", "worker"), ("pid", "unknown")]), 40);
    assert_eq!(closed(scrape, "v", &[("executable", "unknown")]), 0);
    assert_eq!((closed(scrape, "named", &[]), closed(scrape, "others", &[])), (40, 0));
    // A restart: the old and the new listen together, then the new alone.
    service.workers.remove(0);
    let mut newer = Actor::new("worker");
    newer.does(&format!("listen {FIRST}"));
    service.workers.push(newer);
    assert_eq!(closed(service.serve(), "v", &[("process", "worker"), ("pid", "unknown")]), 80);
    service.workers.remove(0);
    let pid = service.workers[0].pid().to_string();
    assert_eq!(closed(service.serve(), "v", &[("process", "worker"), ("pid", &pid)]), 40);
}

#[test]
fn listeners_of_two_names_agree_in_the_executable_alone() {
    if enter() {
        return;
    }
    let mut service = Service::new(&[("worker", ""), ("other", "")]);
    let scrape = service.serve();
    assert_eq!(closed(scrape, "v", &[("process", "unknown"), ("pid", "unknown")]), 40);
    assert_eq!(closed(scrape, "v", &[("executable", "unknown")]), 0);
    assert_eq!((closed(scrape, "named", &[]), closed(scrape, "others", &[])), (0, 0));
}

#[test]
fn a_listener_on_another_interface_has_no_part_in_a_connection() {
    if enter() {
        return;
    }
    let veth = ["link", "add", "v0", "type", "veth", "peer", "name", "v1"];
    assert!(std::process::Command::new("ip").args(veth).status().expect("iproute2").success());
    let mut service = Service::new(&[("worker", "lo"), ("other", "v0")]);
    let pid = service.workers[0].pid().to_string();
    let scrape = service.serve();
    assert_eq!(closed(scrape, "v", &[("process", "worker"), ("pid", &pid)]), 40);
    assert_eq!((closed(scrape, "named", &[]), closed(scrape, "others", &[])), (40, 0));
}
