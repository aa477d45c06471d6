//! Dumps of two halves at once: nothing is missed or counted twice, while connections open and close.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use sockdiag::{Netlink, Protocol, TCP};
use ss_exporter::attribute::Namespace;
use ss_exporter::collection::{
    CollectorState, Entered, Host, collect, open_events, start_event_loop, subscribe,
};
use ss_exporter::config::Config;
use ss_exporter::exposition::Format;
use ss_exporter::listing::{self, Detail, ListedSockets, States};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::Privileges;
use ss_exporter::select::{Expression, Lookup};
use ss_exporter::workers::Worker;

use super::counted::{Counted, view};
use super::open_connections::OpenConnections;
use super::{enter, open_many_files};
use testkit::host::{ThisNetns, exposition};
use testkit::scrape::Scrape;
use testkit::traffic::{End, Lanes, Truth};

const ENDS: [End; 3] = [End::ClientFirst, End::ServerFirst, End::Unread];

/// Far more than it takes until the last close events have come.
const SCRAPES: usize = 300;

/// A host on which two dumps at once are always faster than one, and how many it was asked for.
#[derive(Clone, Default)]
struct Idle(Arc<AtomicUsize>);

impl Host for Idle {
    type Transport = Netlink;

    fn enter(&self, namespace: &Namespace, protocols: &[&'static Protocol]) -> io::Result<Entered<Netlink>> {
        ThisNetns.enter(namespace, protocols)
    }

    fn dumps_at_once(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn has_idle_core(&self) -> bool {
        true
    }

    fn proc(&self) -> &Path {
        ThisNetns.proc()
    }
}

impl Lookup for Idle {
    fn judges_cgroups(&self) -> bool {
        ThisNetns.judges_cgroups()
    }
}

#[test]
fn a_dump_in_halves_misses_nothing_and_counts_nothing_twice() {
    if enter() {
        return;
    }
    open_many_files();
    let lanes = Lanes::open(2).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let plan = Plan::new(Config::parse("test.yml", &view(&listeners)).expect("a configuration"));
    let host = Idle::default();
    let mut state = CollectorState::new(&plan, Privileges::default());
    let events = open_events(&plan).expect("a socket");
    state.take_inventory(&plan, &host);
    subscribe(&events, &state.tracker()).expect("a subscription");
    let worker = Worker::start("events", 1).expect("a thread");
    let (followed, tracker) = (host.clone(), state.tracker());
    start_event_loop(events, followed, tracker, || {}, None, &worker).expect("an idle thread");
    let mut scrape = || {
        let snapshot = collect(&plan, &host, &mut state);
        assert!(snapshot.report.success(), "{:?}", snapshot.report);
        Scrape::read(&exposition(&snapshot, Format::Text)).expect("well-formed").0
    };

    let mut open_connections = OpenConnections::open(&listeners, 5_500);
    let mut truth = Truth::default();
    let churns = AtomicBool::new(true);
    let gauges = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut gauges = Vec::new();
            while churns.load(Ordering::Relaxed) {
                gauges.push(Counted::of(&scrape()).sockets);
            }
            gauges
        });
        truth += lanes.run(0..3_000, 1_000.0, &ENDS).expect("phase churn");
        open_connections.exchange(50, 20);
        truth += lanes.run(3_000..6_000, 1_000.0, &ENDS).expect("phase churn again");
        churns.store(false, Ordering::Relaxed);
        watch.join().expect("collections")
    });
    truth += open_connections.truth;

    // Only the first walk does not know where the halves meet.
    let (halved, collections) = (host.0.load(Ordering::Relaxed), gauges.len());
    assert!(collections > 1 && halved + 1 >= collections, "{halved} of {collections} dumps in halves");
    // Besides the open connections, those of two lanes. The kernel may miss a socket of which another in its bucket closes.
    assert!(gauges.iter().all(|sockets| (10_990..11_100).contains(sockets)), "{gauges:?}");
    let ends = 2 * truth.connections;
    let mut counted = Counted::of(&scrape());
    for _ in 0..SCRAPES {
        if counted.sent >= truth.sent && counted.closed >= ends - 11_000 {
            break;
        }
        counted = Counted::of(&scrape());
    }
    let found = format!("{truth:?}, {counted:?}, {halved} dumps in halves");
    assert_eq!(counted.sent, truth.sent, "{found}");
    assert!((truth.received..=truth.received + ends).contains(&counted.received), "{found}");
    assert_eq!((counted.opened, counted.closed, counted.sockets), (ends, ends - 11_000, 11_000), "{found}");

    // An exporter that starts now halves all dumps but the first of its inventory.
    let asked = || host.0.swap(0, Ordering::Relaxed);
    let mut started = CollectorState::new(&plan, Privileges::default());
    asked();
    started.take_inventory(&plan, &host);
    assert_eq!(asked(), 1);
    let snapshot = collect(&plan, &host, &mut started);
    assert_eq!((asked(), snapshot.report.dump.sockets), (2, 11_000), "two walks for the baseline");

    let sockets = ListedSockets::of(&[&TCP], States::All, Expression::Always);
    let listed = listing::plan(sockets, &Detail::Glance, Arc::clone(&plan.names), plan.collect.clone());
    let before = host.0.load(Ordering::Relaxed);
    for _ in 0..2 {
        let (_, sockets) = listing::list(&listed, &host, &mut state).expect("a list");
        assert!(sockets.len() >= 11_000);
    }
    assert_eq!(host.0.load(Ordering::Relaxed), before, "a list is dumped as a whole");
}
