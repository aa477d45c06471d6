//! The exposition of a captured dump, in both formats, against files that people have read.
//!
//! `UPDATE=1 cargo test --test golden` writes them.

use std::path::Path;

use sockdiag::tcp_info;
use ss_exporter::collection::{CollectorState, collect, cumulative_snapshot};
use ss_exporter::config::Config;
use ss_exporter::exposition::Format;
use ss_exporter::plan::Plan;
use ss_exporter::privileges::{Feature, Privileges};
use testkit::host::{FakeHost, exposition};
use testkit::process_table::ProcessTable;
use testkit::recording::{CAPTURE, CAPTURE_BY_SS, DONE_SIZE, captured, dump};

/// A host with the captured connections in its only network namespace.
fn captured_host() -> FakeHost {
    let host = FakeHost::new(&["blue"]);
    host.set_connections("blue", CAPTURE);
    host.set_listeners(CAPTURE);
    host
}

/// What one collection of the host shows.
fn collected(plan: &Plan, host: &FakeHost, format: Format) -> String {
    exposition(&collect(plan, host, &mut CollectorState::new(plan, Privileges::default())), format)
}

/// Two processes that share every socket of the capture but one.
fn share_sockets(processes: &ProcessTable) {
    let inodes = CAPTURE_BY_SS.split_whitespace().filter_map(|word| word.strip_prefix("ino:"));
    let inodes: Vec<u32> = inodes.map(|inode| inode.parse().expect("a number")).collect();
    for pid in [20005, 731] {
        for (descriptor, inode) in (0..).zip(inodes.iter().skip(1)) {
            processes.open(pid, b"a\"b\n\xff", descriptor, *inode);
        }
    }
}

fn compare(name: &str, config: &str, format: Format) {
    let host = captured_host();
    share_sockets(&host.processes);
    let plan = Plan::new(Config::parse("golden.yml", config).expect("a valid configuration"));
    let text = collected(&plan, &host, format);
    // What depends on this machine and moment, and the version, which changes with each release.
    let changing = ["process_", "ss_exporter_collection_duration", "ss_exporter_build_info{"];
    let stable: String = text
        .split_inclusive('\n')
        .filter(|line| !changing.iter().any(|start| line.starts_with(start)))
        .collect();
    let path = Path::new("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &stable).expect("the golden file");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == stable, "{name} differs; read it and run again with UPDATE=1:\n{stable}");
}

const OWNERS_3X: &str = "logic:
  metrics:
    gauges: {active: true}
    counters: {dataSegsIn: {active: true}}
    histograms: {rtt: {active: true, bucketBounds: [0.005, 0.01, 1]}}
  compression: {labelFolding: pid_condensed}
";

#[test]
fn the_families_of_2x() {
    compare("legacy.txt", "logic:\n", Format::Text);
    compare("legacy.om.txt", "logic:\n", Format::OpenMetrics);
}

#[test]
fn the_families_of_3x_aggregated_by_owner() {
    compare("owners.txt", OWNERS_3X, Format::Text);
    compare("owners.om.txt", OWNERS_3X, Format::OpenMetrics);
}

#[test]
fn a_dump_without_its_end_withholds_every_row_and_says_so_until_the_next() {
    let config = Config::parse("golden.yml", "logic: {compression: {max_flows: 3}}").expect("valid");
    let plan = Plan::new(config);
    let host = captured_host();
    let mut state = CollectorState::new(&plan, Privileges::default());
    let mut text = |sent: &[u8]| {
        host.set_connections("blue", sent);
        exposition(&collect(&plan, &host, &mut state), Format::Text)
    };
    let rows = |text: &str| {
        let rows = text.lines().filter(|line| line.starts_with("tcp_"));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = text(CAPTURE);
    assert!(
        !rows(&before).is_empty() && before.contains("collection_success{stage=\"dump\"} 1\n"),
        "{before}"
    );
    let short = text(&CAPTURE[..CAPTURE.len() - DONE_SIZE]);
    assert!(rows(&short).is_empty() && short.contains("collection_success{stage=\"dump\"} 0\n"), "{short}");
    assert_eq!(rows(&text(CAPTURE)), rows(&before), "the limit remembers its rows through the failure");
}

#[test]
fn a_process_table_that_cannot_be_read_withholds_a_selection_by_it_but_not_a_label() {
    let shown = |config: &str| {
        let plan = Plan::new(Config::parse("golden.yml", config).expect("valid"));
        let host = captured_host();
        host.processes.set_missing(true);
        let text = collected(&plan, &host, Format::Text);
        assert!(text.contains("collection_success{stage=\"processes\"} 0\n"), "{text}");
        text.lines().filter(|line| line.starts_with("tcp_cwnd{flow=\"(SRC#")).count()
    };
    assert_eq!(shown("logic: {selection: {process: {cmds: [nginx]}}}"), 0);
    assert_eq!(shown("logic: {compression: {label_folding: pid_condensed}}"), 12);
}

#[test]
fn a_socket_that_a_dump_repeats_counts_once() {
    let plan = Plan::new(Config::parse("golden.yml", OWNERS_3X).expect("valid"));
    let rows = |sent: &[u8]| {
        let host = captured_host();
        host.set_connections("blue", sent);
        let text = collected(&plan, &host, Format::Text);
        text.lines().filter(|line| line.starts_with("tcp_")).map(str::to_owned).collect::<Vec<_>>()
    };
    let sockets = &CAPTURE[..CAPTURE.len() - DONE_SIZE];
    let once = rows(CAPTURE);
    assert!(once.contains(&"tcp_flows_total 12".to_owned()), "{once:?}");
    assert_eq!(rows(&[sockets, CAPTURE].concat()), once);
}

#[test]
fn sockets_keep_their_rows_while_their_owners_cannot_be_read() {
    let host = captured_host();
    share_sockets(&host.processes);
    let views = "views:
  owned: {metrics: [received_bytes_total], select: \"pid = 731\"}
  all: {metrics: [received_bytes_total], select: \"not dport = 1\"}
";
    let plan = Plan::new(Config::parse("golden.yml", views).expect("valid"));
    let mut state = CollectorState::new(&plan, Privileges::default());
    let mut received = |known: bool, bytes: u64| {
        host.processes.set_missing(!known);
        let gained = captured().into_iter().map(|reply| reply.gain(&[&tcp_info::BYTES_RECEIVED], bytes));
        host.set_connections("blue", dump(&gained.collect::<Vec<_>>()));
        let text = exposition(&collect(&plan, &host, &mut state), Format::Text);
        ["ss_owned_received_bytes_total ", "ss_all_received_bytes_total "].map(|name| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)).expect("a row");
            value.parse::<u64>().expect("a number")
        })
    };
    assert_eq!(received(true, 0), [0, 0]);
    let [owned, all] = received(true, 1_000);
    assert!(owned > 0 && owned + 1_000 == all, "one socket has no owner: {owned} of {all}");
    assert_eq!(received(false, 2_000), [2 * owned, 2 * all]);
    assert_eq!(received(true, 3_000), [3 * owned, 3 * all], "nothing is lost of what was gained meanwhile");
}

#[test]
fn what_was_held_at_the_start_is_exposed_with_a_dump_and_without() {
    let plan = Plan::new(Config::parse("golden.yml", "logic:\n").expect("valid"));
    let host = captured_host();
    let held = Privileges::of(&[Feature::Processes, Feature::Marks]);
    let mut state = CollectorState::new(&plan, held.clone());
    assert_eq!(collect(&plan, &host, &mut state).report.privileges, held);
    assert_eq!(cumulative_snapshot(&state.tracker()).report.privileges, held);
}
