//! Many short processes, each of which connects to one port alone and is named after it.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ports::{self, CLIENTS, FIRST};
use super::{enter, name};
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scraper, Scrapes};

/// Set in the process that runs in the inner namespace.
const INNER: &str = "SS_EXPORTER_TEST_PIDS";
const PORTS: u16 = 500;
/// The process that forks. A process that has just been forked still has its name.
const FORKER: &str = "forker";
const UNKNOWN: &str = "unknown";

#[test]
fn under_a_thousand_short_processes_a_second_no_row_pairs_a_name_with_anothers_port() {
    if enter() || enter_processes() {
        return;
    }
    storm(4_000, 1_000);
}

#[test]
fn in_a_storm_of_forks_no_row_pairs_a_name_with_anothers_port() {
    if enter() || enter_processes() {
        return;
    }
    storm(3_000, 1_000_000);
}

#[test]
fn a_process_id_that_comes_again_many_times_a_second_brings_no_sockets_along() {
    if enter() || enter_processes() {
        return;
    }
    let ended = Arc::new(AtomicBool::new(false));
    let again = std::thread::spawn({
        let ended = Arc::clone(&ended);
        move || {
            while !ended.load(Ordering::Relaxed) {
                // The last id that was given, in this namespace alone; `pid_max` may be that of the whole host.
                std::fs::write("/proc/sys/kernel/ns_last_pid", "1000").expect("the first id again");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    });
    let ids = storm(4_000, 1_000);
    ended.store(true, Ordering::Relaxed);
    again.join().expect("ids that come again");
    assert!(ids <= 2_000, "{ids} ids");
}

/// Runs the current test in its own namespace of processes. Returns `false` inside.
fn enter_processes() -> bool {
    if std::env::var_os(INNER).is_some() {
        return false;
    }
    let program = std::env::current_exe().expect("the path of this program");
    let mut inner = Command::new("unshare");
    // The shell waits for whatever is left behind, as the first process must.
    inner.args(["--pid", "--fork", "--mount-proc", "--", "sh", "-c", "\"$@\"; exit $?", "sh"]).arg(program);
    inner.args(["--exact", &name(), "--nocapture"]).env(INNER, "1");
    assert!(inner.status().expect("unshare").success(), "failed with a process table of its own");
    true
}

/// Forks `count` processes at a rate per second. Returns how many ids they had.
fn storm(count: u32, per_second: u32) -> usize {
    let _listeners = ports::open(PORTS);
    let view = |by: &str| format!("{{by: [{by}], limit: 50000, select: \"{CLIENTS}\"}}");
    let config = format!(
        "views:\n  process: {}\n  pid: {}\n  flow: {}\n",
        view("process, service_port"),
        view("pid, service_port"),
        view("local_address, local_port, remote_address, remote_port, process, pid, service_port"),
    );
    let exporter = Arc::new(Exporter::configured(&config));
    let watch = Scraper::start(&exporter, Duration::from_millis(50));
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("record");
    let mut forker = Actor::new(FORKER);
    let took = forker.does(&format!("storm {} {FIRST} {PORTS} {count} {per_second}", record.display()));
    let watched = watch.stop();
    let truth = Truth::read(&record);
    let found = truth.check(&watched);
    let told =
        format!("{} scrapes in {took} s, owners at {} of {PORTS} ports", watched.kept().len(), found.len());
    assert!(found.len() >= 50, "{told}");
    truth.0.iter().map(|(pid, _)| pid).collect::<HashSet<_>>().len()
}

/// Which process connected to which port.
struct Truth(HashSet<(String, String)>);

impl Truth {
    fn read(record: &Path) -> Self {
        let text = std::fs::read_to_string(record).expect("a record");
        let pair = |line: &str| line.split_once(' ').map(|(pid, port)| (pid.to_owned(), port.to_owned()));
        Self(text.lines().map(|line| pair(line).expect("a pair")).collect())
    }

    /// The ports that were shown with an owner.
    fn check(&self, watched: &Scrapes) -> BTreeSet<String> {
        watched.kept().iter().flat_map(|(_, scrape)| self.check_one(scrape)).collect()
    }

    fn check_one(&self, scrape: &Scrape) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let folded = ["sockets", "opened_total", "closed_total", "sent_bytes_total", "rtt_seconds_count"];
        let folded = ["process", "pid"].into_iter().flat_map(|view| folded.map(|metric| (view, metric)));
        let families = folded.chain([("flow", "sent_bytes_total"), ("flow", "rtt_seconds")]);
        for (view, metric) in families {
            let family = format!("ss_{view}_{metric}");
            for labels in scrape.rows(&family).keys().map(|labels| super::rows::parse(labels)) {
                let port = &labels["service_port"];
                let named = |label: &str| labels.get(label).filter(|text| *text != UNKNOWN);
                for name in named("process").into_iter().flat_map(|names| names.split(',')) {
                    assert!(name == FORKER || name == format!("p{port}"), "{family}{labels:?}");
                    found.insert(port.clone());
                }
                for pid in named("pid").into_iter().flat_map(|pids| pids.split(',')) {
                    let pair = (pid.to_owned(), port.clone());
                    assert!(self.0.contains(&pair), "{family}{labels:?}");
                }
            }
        }
        found
    }
}
