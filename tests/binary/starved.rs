//! A host that gives nothing more: no threads, few open files, a log that no process reads.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::enter;
use super::exporter::Exporter;
use super::public::{Public, nobody};

/// The threads of a process.
fn threads(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/task")).expect("threads").count()
}

/// Sets the limit of processes of an exporter that nobody runs below what there are.
fn give_no_more_threads(exporter: &Exporter) {
    let process = exporter.child.id().to_string();
    let limit = ["prlimit", "--pid", &process, "--nproc=1:1"];
    let limited = Command::new("setpriv").args(nobody(&[])).arg("--").args(limit).status();
    assert!(limited.expect("setpriv and prlimit of the package util-linux").success());
}

/// The value of a sample.
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.expect("the sample").parse().expect("a number")
}

/// A configuration of the server without users that is readable for all.
fn web_config() -> tempfile::NamedTempFile {
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    std::fs::write(file.path(), "rate_limit: {interval: 1ms, burst: 1000}\n").expect("room");
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).expect("a file for all");
    file
}

#[test]
fn nothing_that_is_asked_of_it_needs_a_new_thread() {
    if enter() {
        return;
    }
    let public = Public::new("{views: {v: {by: [direction]}}}");
    let file = web_config();
    let path = file.path().to_str().expect("UTF-8");
    for more in [&[][..], &["--web.config.file", path]] {
        let mut command = public.command(&nobody(&[]), &["--web.enable-lifecycle"]);
        let exporter = Exporter::spawn(command.args(more));
        // It has all its threads once it answers.
        assert_eq!(exporter.get("/-/healthy").status, 200);
        let before = threads(exporter.child.id());
        give_no_more_threads(&exporter);
        let metrics = exporter.metrics();
        assert_eq!(value(&metrics, "ss_exporter_collection_success{stage=\"dump\"}"), 1.0, "{metrics}");
        // The files of the web configuration are looked at after a second.
        std::thread::sleep(Duration::from_millis(1_100));
        for path in ["/", "/api/v1/sockets", "/metrics", "/"] {
            assert_eq!(exporter.get(path).status, 200, "{path}");
        }
        let reload = "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        assert_eq!(exporter.ask(reload).status, 200);
        let name = "ss_exporter_config_last_reload_success_timestamp_seconds";
        let reloaded = value(&exporter.metrics(), name);
        exporter.signal(Signal::HUP);
        let deadline = Instant::now() + Duration::from_secs(20);
        while value(&exporter.metrics(), name) <= reloaded {
            assert!(Instant::now() < deadline, "SIGHUP reloads nothing");
        }
        assert_eq!(threads(exporter.child.id()), before);
        exporter.signal(Signal::TERM);
        assert_eq!(exporter.end().0, Some(0));
    }
}
