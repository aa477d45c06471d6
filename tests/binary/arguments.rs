//! Flags, environment, files, and what is said when they are wrong.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{enter, program, run, text};
use testkit::exporter::Exporter;

#[test]
fn help_and_version_go_to_standard_output_and_succeed() {
    for flag in ["-h", "--help", "-v", "--version"] {
        let output = run(&[flag]);
        assert!(output.status.success(), "{flag}");
        assert!(text(&output.stdout).contains(if flag.contains('h') {
            "--web.listen-address"
        } else {
            "4.0.0"
        }));
    }
}

#[test]
fn a_wrong_flag_is_an_error_of_usage() {
    for arguments in
        [&["--nope"][..], &["--port", "eighty"], &["--port", "70000"], &["--web.listen-address", "here"]]
    {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let output = program().env("PORT", "eighty").output().expect("the program");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("PORT"));
}

#[test]
fn a_file_that_is_not_there_names_every_path_that_was_tried() {
    let output = program().env("CONFIG_FILE", "conf/a.yml").output().expect("the program");
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    for path in ["conf/a.yml", "/exporter/conf/a.yml", "/exporter/a.yml", "--create-config"] {
        assert!(error.contains(path), "{path} in {error}");
    }
}

#[test]
fn a_file_that_is_no_regular_file_does_not_block() {
    for path in ["/dev/zero", "/"] {
        let output = run(&["--config", path]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("not a regular file"), "{path}");
    }
}

#[test]
fn every_error_of_a_file_is_reported_at_once_and_nothing_listens() {
    if enter() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bad.yml");
    std::fs::write(&path, "logik: {}\nlogic:\n  compression:\n    label_folding: pid\n  selection:\n    peering:\n      networks: [10.0.0.0/40]\n")
        .expect("a file");
    let output = run(&["--config", path.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    let name = path.display();
    for place in [
        format!("{name}:1:1: logik"),
        format!("{name}:4:5: logic.compression.label_folding"),
        format!("{name}:7:"),
    ] {
        assert!(error.contains(&place), "{place} in {error}");
    }
    for hint in ["\"logic\"", "raw_endpoint", "pid_condensed", "10.0.0.0/40"] {
        assert!(error.contains(hint), "{hint} in {error}");
    }
}

#[test]
fn the_default_file_is_written_once_and_checks_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new.yml");
    let name = path.to_str().expect("a path");
    assert!(run(&["--create-config", name]).status.success());
    let checked = run(&["--config", name, "--config.check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).contains("valid"));
    let again = run(&["--create-config", name]);
    assert_eq!(again.status.code(), Some(1), "a file that exists is never overwritten");
}

#[test]
fn an_error_that_ends_the_program_is_json_if_the_log_is() {
    let cases = [
        (&["--config", "/nowhere.yml"][..], "/nowhere.yml"),
        (&["--nope"], "--nope"),
        (&["--healthcheck", "--web.listen-address=127.0.0.1:1"], "127.0.0.1:1"),
    ];
    for (arguments, part) in cases {
        let output = program().arg("--log.format=json").args(arguments).output().expect("the program");
        assert!(!output.status.success(), "{arguments:?}");
        let log = text(&output.stderr);
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{log}"))).collect();
        let last = lines.last().unwrap_or_else(|| panic!("{arguments:?} logs nothing"));
        assert_eq!(last["level"], "ERROR", "{log}");
        assert!(last["fields"]["message"].as_str().is_some_and(|message| message.contains(part)), "{log}");
    }
}

/// The names of the families in an exposition, in their order.
fn families(exposition: &str) -> Vec<&str> {
    let types = exposition.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).collect()
}

#[test]
fn without_a_file_the_views_come_before_the_families_of_the_predecessor() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let metrics = exporter.metrics();
    let starts = ["ss_tcp_", "tcp_", "ss_exporter_"];
    let mut order: Vec<_> = families(&metrics)
        .iter()
        .filter_map(|name| starts.iter().find(|start| name.starts_with(**start)))
        .collect();
    order.dedup();
    assert_eq!(order, [&"ss_tcp_", &"tcp_", &"ss_exporter_"], "{metrics}");
}

#[test]
fn no_legacy_leaves_out_the_families_of_the_predecessor_and_nothing_else() {
    if enter() {
        return;
    }
    let all = Exporter::start(&[]).metrics();
    let without = Exporter::start(&["--no-legacy"]).metrics();
    let (mut all, without) = (families(&all), families(&without));
    // Rows can be dropped only where a view shows each connection, as the legacy view does.
    let of_legacy = |name: &str| name.starts_with("tcp_") || name == "ss_exporter_rows_dropped";
    for family in ["tcp_rtt", "ss_exporter_rows_dropped"] {
        assert!(all.contains(&family), "{family} in {all:?}");
    }
    all.retain(|name| !of_legacy(name));
    assert_eq!(without, all);
}

#[test]
fn no_legacy_writes_a_file_without_legacy_and_is_refused_with_a_file_that_has_logic() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new.yml");
    let name = path.to_str().expect("a path");
    assert!(run(&["--no-legacy", "--create-config", name]).status.success());
    let written = std::fs::read_to_string(&path).expect("the file");
    assert!(written.contains("\nlegacy: false\n"), "{written}");
    assert!(run(&["--no-legacy", "--config", name, "--config.check"]).status.success());
    std::fs::write(&path, "logic:\n").expect("a file");
    let refused = run(&["--no-legacy", "--config", name, "--config.check"]);
    assert_eq!(refused.status.code(), Some(2));
    let error = text(&refused.stderr);
    for part in ["--no-legacy", name, "logic:", "`legacy: false`"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn checking_a_file_says_what_each_view_comes_to_at_most() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("views.yml");
    let name = path.to_str().expect("a path");
    std::fs::write(&path, "views:\n  tcp: {by: [local_port], metrics: [sockets, rtt_seconds], histograms: {rtt_seconds: [0.01, 0.1]}}\n  all: {metrics: [sockets]}\n")
        .expect("a file");
    let checked = run(&["--config", name, "--config.check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert_eq!(
        text(&checked.stdout),
        format!(
            "{name}: the configuration is valid\n\n\
             view   limit  rows at most  series at most\n\
             tcp     1000          1001            6006\n\
             all     1000             1               1\n\
             total                 1002            6007\n"
        )
    );
}

#[test]
fn once_prints_one_collection_without_listening() {
    if enter() {
        return;
    }
    let output = run(&["--once"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let metrics = text(&output.stdout);
    assert!(
        metrics.contains("# TYPE tcp_rtt gauge\n") && metrics.contains("ss_exporter_build_info"),
        "{metrics}"
    );
}

#[test]
fn once_with_an_interval_has_counters_of_what_happened_meanwhile() {
    if enter() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:7001").expect("a listener");
    let mut client = std::net::TcpStream::connect("127.0.0.1:7001").expect("a connection");
    let _server = listener.accept().expect("its other end");
    let counts = Arc::new(AtomicBool::new(true));
    let writes = std::thread::spawn({
        let counts = Arc::clone(&counts);
        move || {
            while counts.load(Ordering::Relaxed) {
                std::io::Write::write_all(&mut client, &[7; 100]).expect("room");
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            client
        }
    });
    let sent = |arguments: &[&str]| {
        let output = run(&[&["--once", "--no-legacy"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let metrics = text(&output.stdout);
        let values = metrics.lines().filter(|line| line.starts_with("ss_tcp_sent_bytes_total{"));
        values
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .reduce(|one, other| one + other)
    };
    assert_eq!(sent(&[]), None);
    let counted = sent(&["--interval=1"]).expect("a counter");
    counts.store(false, Ordering::Relaxed);
    assert!(counted >= 100.0, "{counted}");
    assert_eq!(run(&["--interval=1"]).status.code(), Some(2));
    drop(writes.join());
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut child = program().arg("--once").stdout(Stdio::piped()).spawn().expect("the program");
    drop(child.stdout.take());
    assert!(child.wait().expect("its end").success());
}

#[test]
fn the_environment_sets_port_and_file_and_a_flag_overrides_it() {
    if enter() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.yml"), "logic: {metrics: {gauges: {active: true}}}\n")
        .expect("a file");
    let exporter = Exporter::spawn(
        program().env("PORT", "9999").env("CONFIG_FILE", "a.yml").current_dir(&folder).arg("--port=8020"),
    );
    let metrics = exporter.metrics();
    assert!(metrics.contains("tcp_cwnd") && !metrics.contains("tcp_rtt_hist_ms"), "{metrics}");
}

#[test]
fn one_port_serves_both_families_without_a_flag() {
    if enter() {
        return;
    }
    let mut exporter = Exporter::start(&[]);
    assert_eq!(exporter.get("/health").status, 200);
    exporter.address = (std::net::Ipv6Addr::LOCALHOST, 8020).into();
    assert_eq!(exporter.get("/health").status, 200);
}

#[test]
fn an_address_in_use_is_named_with_what_to_do() {
    if enter() {
        return;
    }
    let _other = std::net::TcpListener::bind("[::]:8020").expect("the port");
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("8020") && error.contains("--port"), "{error}");
}

#[test]
fn several_addresses_are_all_served() {
    if enter() {
        return;
    }
    let mut exporter =
        Exporter::start(&["--web.listen-address=127.0.0.1:8020", "--web.listen-address", "127.0.0.2:8021"]);
    assert_eq!(exporter.get("/health").body, b"200 OK");
    exporter.address = ([127, 0, 0, 2], 8021).into();
    assert_eq!(exporter.get("/health").status, 200);
}

#[test]
fn the_health_check_asks_the_exporter_with_the_same_settings() {
    if enter() {
        return;
    }
    let _exporter = Exporter::start(&[]);
    assert!(run(&["--healthcheck"]).status.success());
    let other = program().arg("--healthcheck").env("PORT", "8099").output().expect("the program");
    assert_eq!(other.status.code(), Some(1));
}

#[test]
fn too_few_files_are_said_at_the_start() {
    let output = std::process::Command::new("prlimit")
        .args(["--nofile=16", env!("CARGO_BIN_EXE_prometheus_ss_exporter")])
        .output()
        .expect("prlimit of the package util-linux");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("LimitNOFILE"), "{}", text(&output.stderr));
}

#[test]
fn addresses_that_cover_one_another_are_one_listener() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&["--web.listen-address=0.0.0.0:8020", "--web.listen-address=[::]:8020"]);
    assert_eq!(exporter.get("/health").status, 200);
}
