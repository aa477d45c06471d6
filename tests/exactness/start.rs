//! A start under load: sockets that exist already, and connections that begin and end before there is a baseline.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::counted::Counted;
use super::open_connections::OpenConnections;
use super::{enter, name, open_many_files, sysctl};
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};
use testkit::traffic::{End, Lanes, Truth};

/// Set in the processes that hold and close connections.
const ROLE: &str = "SS_EXPORTER_TEST_ROLE";
const PROCESSES: u32 = 4;
/// Connections that each of them holds, and makes and ends.
const HELD: usize = 9_000;
const SHORT: u32 = 12_500;
/// Connections older than the exporter that end when the others begin.
const OLD: usize = 1_000;
const ENDS: [End; 2] = [End::Unread, End::ServerFirst];

/// A process with connections of its own.
struct Actor {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Actor {
    fn start(role: &str) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(["--exact", &name(), "--nocapture"]);
        command.env(ROLE, role).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("setpriv of the package util-linux");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut actor = Self { child, lines };
        actor.says("open");
        actor
    }

    /// What stands behind a word at the beginning of a line.
    fn says(&mut self, word: &str) -> Vec<u64> {
        loop {
            let line = self.lines.next().expect("another line").expect("text");
            if let Some(rest) = line.strip_prefix(word) {
                return rest.split_whitespace().map(|number| number.parse().expect("a number")).collect();
            }
        }
    }

    /// Has it do what its role is, now.
    fn go(&mut self) {
        self.child.stdin.as_mut().expect("a pipe").write_all(b"\n").expect("it waits");
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a line of its own, whatever the test's harness has written before.
fn say(line: &str) {
    let mut out = std::io::stdout();
    write!(out, "\n{line}\n").and_then(|()| out.flush()).expect("a reader");
}

/// Plays a role, if this process has one.
fn plays() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    open_many_files();
    let lanes = Lanes::open(2).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let mut open_connections = OpenConnections::open(&listeners, if role == "hold" { HELD } else { 0 });
    if role == "end" {
        open_connections = OpenConnections::open(&listeners, OLD);
        open_connections.exchange(100, 200);
    }
    say("open");
    std::io::stdin().read_line(&mut String::new()).expect("a line");
    let truth = match role.as_str() {
        "make" => lanes.run(0..SHORT, f64::INFINITY, &ENDS).expect("connections"),
        _ => open_connections.close(&[End::ClientFirst, End::ServerFirst]),
    };
    say(&format!("truth {} {} {}", truth.connections, truth.sent, truth.received));
    true
}

/// 100,000 sockets close during a start with 72,000 others, and perhaps 2,000 older ones.
fn closes_during_a_start(deadline: &str, old: bool) {
    sysctl("tcp_tw_reuse", "1");
    let roles = |role, many| (0..many).map(move |_| role);
    let holders: Vec<_> = roles("hold", PROCESSES).map(Actor::start).collect();
    let mut enders: Vec<_> = roles("end", u32::from(old)).map(Actor::start).collect();
    let mut makers: Vec<_> = roles("make", PROCESSES).map(Actor::start).collect();
    // The buffer has room for all events, so that only the start is the question.
    let config = format!(
        "collect: {{deadline: {deadline}, event_buffer: 256MiB}}
views:
  t:
    by: [direction]
    metrics: [sockets, opened_total, closed_total, sent_bytes_total, received_bytes_total]
    select: sport != :8020 and dport != :8020
"
    );
    let exporter = Exporter::configured(&config);
    enders.iter_mut().chain(&mut makers).for_each(Actor::go);
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let mut truth = Truth::default();
    for maker in &mut makers {
        let said = maker.says("truth");
        truth += Truth { connections: said[0], sent: said[1], received: said[2], ..Truth::default() };
    }
    let olds: u64 = enders.iter_mut().map(|ender| 2 * ender.says("truth")[0]).sum();
    let ends = 2 * truth.connections;
    let settled = |scrape: &Scrape| {
        Counted::of(scrape).closed == ends + olds && scrape.sum("ss_exporter_baseline_complete") == 1
    };
    // A busy host may take longer than one wait.
    let _ = (0..5).any(|_| settled(scrapes.until(&exporter, settled)));
    // The dump of that scrape may have begun before the last close.
    let scrape = scrapes.scrape(&exporter);
    let counted = Counted::of(scrape);
    let before = scrape.sum("ss_exporter_closes_before_baseline_total");
    let told = format!("{truth:?}, {counted:?}, {before} before the baseline, of {olds}");
    assert_eq!(ends, 100_000, "{told}");
    assert_eq!(scrape.sum("ss_exporter_destroy_events_dropped_total"), 0, "{told}");
    assert_eq!(scrape.sum("ss_exporter_baseline_complete"), 1, "{told}");
    assert_eq!((counted.opened, counted.closed), (ends, ends + olds), "{told}");
    assert_eq!(counted.sent, truth.sent, "{told}");
    assert!((truth.received..=truth.received + ends + olds).contains(&counted.received), "{told}");
    assert!(before <= olds, "only older sockets have counters that nobody can know: {told}");
    let held = u64::from(PROCESSES) * 2 * HELD as u64;
    assert!(counted.sockets == held || deadline == "100ms", "{told}");
    drop(holders);
}

#[test]
fn a_hundred_thousand_closes_during_a_start_count_whole_though_no_scrape_has_time_for_a_dump() {
    if plays() || enter() {
        return;
    }
    closes_during_a_start("100ms", true);
}

#[test]
fn a_hundred_thousand_closes_during_a_start_count_whole() {
    if plays() || enter() {
        return;
    }
    closes_during_a_start("5s", false);
}
