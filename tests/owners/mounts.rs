//! What is mounted at `/proc` instead of the process table.

use std::process::{Child, Command, Stdio};

use super::enter;
use super::ports;
use testkit::exporter::Exporter;

/// The success of the stage that looks for owners, and whether all were found.
fn success(exporter: &Exporter) -> (String, bool) {
    let metrics = exporter.metrics();
    let row = |start: &str| {
        let row = metrics.lines().find_map(|line| line.strip_prefix(start));
        row.unwrap_or_else(|| panic!("{start}: {metrics}")).to_owned()
    };
    (
        row("ss_exporter_collection_success{stage=\"processes\"} "),
        row("ss_exporter_sockets_without_owner ") == "0",
    )
}

fn exporter() -> Exporter {
    Exporter::configured("views: {v: {by: [process], state: listen, metrics: [sockets]}}")
}

/// A process table of other processes in place of ours, as long as its guard lives.
struct Others(Child);

impl Others {
    fn mounted() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--", "sh", "-c"]);
        command.arg("mount -t proc none /proc && echo mounted && exec sleep 600").stdout(Stdio::piped());
        let mut child = command.spawn().expect("unshare of the package util-linux");
        let mut said = [0; 8];
        std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut said).expect("a mount");
        Self(child)
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_empty_process_table_is_no_success_without_owners() {
    if enter() {
        return;
    }
    let _listeners = ports::open(2);
    let mounted = Command::new("mount").args(["-t", "tmpfs", "none", "/proc"]).status();
    assert!(mounted.is_ok_and(|status| status.success()));
    let exporter = exporter();
    for _ in 0..2 {
        assert_eq!(success(&exporter), ("0".to_owned(), false));
    }
    let log = exporter.log();
    assert!(log.contains("found no process in it"), "{log}");
}

#[test]
fn a_process_table_of_others_is_no_success_without_owners() {
    if enter() {
        return;
    }
    let _listeners = ports::open(2);
    let _others = Others::mounted();
    let exporter = exporter();
    for _ in 0..2 {
        assert_eq!(success(&exporter), ("0".to_owned(), false));
    }
    let log = exporter.log();
    assert!(log.contains("does not show the exporter itself"), "{log}");
}

#[test]
fn a_process_table_with_nothing_but_processes_shows_all_owners() {
    if enter() {
        return;
    }
    let _listeners = ports::open(2);
    let mounted = Command::new("mount").args(["-t", "proc", "-o", "subset=pid", "none", "/proc"]).status();
    assert!(mounted.is_ok_and(|status| status.success()));
    let exporter = exporter();
    for _ in 0..2 {
        assert_eq!(success(&exporter), ("1".to_owned(), true));
    }
}
