//! The workloads: a name each, and how to prepare it.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sockdiag::{self, Extensions, Request, Socket, State, StateSet, TCP, tcp_info};
use ss_exporter::attribute::Users;
use ss_exporter::collection::{CollectorState, collect};
use ss_exporter::config::Config;
use ss_exporter::exposition::{FamilyFilter, Format};
use ss_exporter::facts::Names;
use ss_exporter::listing::{self, Detail, ListedSockets, States, Successive};
use ss_exporter::page::{self, Exporter as About, PageRequest};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::Privileges;
use ss_exporter::select::Expression;
use ss_exporter::snapshot::Snapshot;

use testkit::host::FakeHost;
use testkit::recording::{Recording, dump};
use testkit::reply::Reply;

use crate::recording::{listeners, replies};

/// What remains when everything is prepared.
pub type Work = Box<dyn FnOnce()>;

/// A name, and how to prepare it for a number of sockets.
type Workload = (&'static str, fn(u32) -> Work);

/// Every workload.
pub const WORKLOADS: &[Workload] = &[
    ("decode", decode),
    ("legacy", |sockets| again(LEGACY, sockets)),
    ("legacy-capped", |sockets| again(LEGACY_CAPPED, sockets)),
    ("views-new", |sockets| new(VIEWS, sockets)),
    ("views-again", |sockets| again(VIEWS, sockets)),
    ("owners-new", |sockets| new(OWNERS, sockets)),
    ("owners-again", |sockets| again(OWNERS, sockets)),
    ("encode-flows", |sockets| encode(LEGACY, sockets)),
    ("encode-aggregated", |sockets| encode(ROWS, sockets)),
    ("page", page),
    ("end-known", |sockets| end(sockets, true)),
    ("end-unknown", |sockets| end(sockets, false)),
];

/// The predecessor's families, a row for each flow.
const LEGACY: &str = "logic: {compression: {max_flows: 0}}\n";
/// The same for fewer flows than there are sockets.
const LEGACY_CAPPED: &str = "logic: {compression: {max_flows: 100}}\n";
/// The built-in default without owners.
const VIEWS: &str = "views:
  tcp: {by: [direction, service_port]}
  tcp_listener: {by: [local_address, local_port], state: listen}
  tcp_state: {by: [state], state: all, metrics: [sockets]}
";
const OWNERS: &str = "views:
  tcp: {by: [process, direction, service_port]}
  tcp_listener: {by: [local_address, local_port, process], state: listen}
  tcp_state: {by: [state], state: all, metrics: [sockets]}
";
/// An aggregated view in which each socket has a row.
const ROWS: &str = "views:\n  tcp: {by: [direction, local_port, remote_port], limit: 100000}\n";
/// No deadline matters, however slow counting makes a collection.
const LONG_DEADLINES: &str = "collect: {deadline: 60s, owners: 30s}\n";

/// The only network namespace.
const NETNS: &str = "own";
/// Sockets of one process.
const SOCKETS_PER_PROCESS: u32 = 50;
/// What every socket gains between two collections.
const GAIN: u32 = 1_000;

/// Framing, attributes, two ports and one field of `tcp_info`.
fn decode(sockets: u32) -> Work {
    let recording = Recording::of(dump(&replies(sockets, 0)));
    let states = StateSet::of(&[State::Established]);
    let request = Request::new(&TCP, states, Extensions::INFO);
    let deadline = Instant::now() + Duration::from_mins(10);
    Box::new(move || {
        let each = |sum: &mut u64, sockets: &[Socket<'_>]| {
            for socket in sockets {
                let rtt = socket.get(&tcp_info::RTT).unwrap_or_default();
                *sum += rtt + u64::from(socket.local().port()) + u64::from(socket.remote().port());
            }
        };
        let (sum, dumped) = sockdiag::dump(recording, &request, deadline, 0, each);
        let seen = dumped.expect("a complete dump").sockets;
        assert_eq!(seen, u64::from(sockets));
        black_box(sum);
    })
}

/// An exporter on a host of the recording's, which has collected once.
struct Exporter {
    plan: Plan,
    host: FakeHost,
    state: CollectorState,
}

impl Exporter {
    fn started(config: &str) -> Self {
        let plan = Plan::new(Config::parse("workload", &format!("{config}{LONG_DEADLINES}")).expect("valid"));
        let host = FakeHost::new(&[NETNS]);
        host.set_listeners(dump(&listeners()));
        // The process table is not empty.
        open(&host, 0);
        let state = CollectorState::new(&plan, Privileges::default());
        let mut exporter = Self { plan, host, state };
        exporter.collect();
        exporter
    }

    /// The host now has `sockets` sockets, held by processes.
    fn opens(&self, sockets: u32) {
        self.host.set_connections(NETNS, dump(&replies(sockets, 0)));
        (1..=sockets).for_each(|inode| open(&self.host, inode));
    }

    fn collect(&mut self) -> Snapshot {
        let snapshot = collect(&self.plan, &self.host, &mut self.state);
        assert!(snapshot.report.success(), "a collection is not complete");
        snapshot
    }
}

/// A process opens the socket with that inode.
fn open(host: &FakeHost, inode: u32) {
    let pid = 100 + inode / SOCKETS_PER_PROCESS;
    let name = format!("server-{}", pid % 4);
    host.processes.open(pid, name.as_bytes(), inode % SOCKETS_PER_PROCESS, inode);
}

/// A collection that sees all sockets for the first time.
fn new(config: &str, sockets: u32) -> Work {
    let mut exporter = Exporter::started(config);
    exporter.opens(sockets);
    Box::new(move || {
        black_box(exporter.collect());
        std::mem::forget(exporter);
    })
}

/// A collection that sees all sockets again, each with more bytes.
fn again(config: &str, sockets: u32) -> Work {
    let mut exporter = Exporter::started(config);
    exporter.opens(sockets);
    let second = dump(&replies(sockets, GAIN));
    exporter.collect();
    exporter.host.set_connections(NETNS, second);
    Box::new(move || {
        black_box(exporter.collect());
        std::mem::forget(exporter);
    })
}

/// An exposition.
fn encode(config: &str, sockets: u32) -> Work {
    let mut exporter = Exporter::started(config);
    exporter.opens(sockets);
    let snapshot = exporter.collect();
    assert!(snapshot.tables.iter().flatten().any(|table| table.rows() == sockets as usize), "a row each");
    Box::new(move || {
        snapshot.chunks(FamilyFilter::default(), Format::Text).for_each(|chunk| drop(black_box(chunk)));
        std::mem::forget((snapshot, exporter));
    })
}

/// A refresh of the page.
fn page(sockets: u32) -> Work {
    let mut exporter = Exporter::started(VIEWS);
    exporter.opens(sockets);
    let request = PageRequest::default();
    let all = ListedSockets::of(&request.protocols, States::All, Expression::Always);
    let names = Arc::clone(&exporter.plan.names);
    let plan = listing::plan(all, &Detail::Glance, names, exporter.plan.collect.clone());
    let mut listings = Successive::new(plan);
    let mut refresh = move |exporter: &mut Exporter| {
        let list = |plan: &Plan| listing::list(plan, &exporter.host, &mut exporter.state);
        listings.next(list).expect("a complete list")
    };
    drop(refresh(&mut exporter));
    exporter.host.set_connections(NETNS, dump(&replies(sockets, GAIN)));
    Box::new(move || {
        let listing = refresh(&mut exporter);
        assert_eq!(listing.sockets.len(), sockets as usize);
        let about = About {
            telemetry_path: "/metrics".to_owned(),
            host: "host".to_owned(),
            host_rates: None,
            report: None,
        };
        black_box(page::page(&request, Ok(&listing), &about));
        std::mem::forget((listing, exporter));
    })
}

/// The close events of all sockets. A collection has seen them alive, or none has.
fn end(sockets: u32, known: bool) -> Work {
    let mut exporter = Exporter::started(VIEWS);
    let replies = replies(sockets, GAIN).into_iter();
    let events: Vec<Reply> = replies.map(|reply| reply.state(State::Close)).collect();
    if known {
        exporter.opens(sockets);
        exporter.collect();
    }
    Box::new(move || {
        let users = Users::of(PathBuf::new());
        let names = Names { configured: &exporter.plan.names, interface: &|_| None, users: Some(&users) };
        let tracker = exporter.state.tracker();
        for event in &events {
            let socket = TCP.parse(event.bytes()).expect("a socket");
            tracker.on_close(&socket, names);
        }
        std::mem::forget((events, exporter));
    })
}
