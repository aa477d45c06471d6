//! A host that gives nothing more: no threads, few open files, a log that no process reads.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::enter;
use testkit::exporter::Exporter;
use testkit::public::{Public, unprivileged};

/// The sample of a collection whose dump was complete.
const DUMPED: &str = "ss_exporter_collection_success{stage=\"dump\"} 1\n";

/// The threads of a process.
fn threads(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/task")).expect("threads").count()
}

/// Sets the limit of processes of an exporter without clients below what there are.
fn give_no_more_threads(exporter: &Exporter) {
    let process = exporter.child.id().to_string();
    let limit = ["prlimit", "--pid", &process, "--nproc=1:1"];
    let limited = Command::new("setpriv").args(unprivileged(&[])).arg("--").args(limit).status();
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
        let mut command = public.command(&unprivileged(&[]), &["--web.enable-lifecycle"]);
        let exporter = Exporter::spawn(command.args(more));
        // It has all its threads once it answers.
        assert_eq!(exporter.get("/-/healthy").status, 200);
        let before = threads(exporter.child.id());
        give_no_more_threads(&exporter);
        let metrics = exporter.metrics();
        assert!(metrics.contains(DUMPED), "{metrics}");
        // The files of the web configuration are read after a second.
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

/// Makes requests that are logged at `debug`, in more bytes than the pipe and the exporter hold.
fn log_more_than_a_pipe_holds(exporter: &Exporter) {
    for _ in 0..3_000 {
        let mut stream = TcpStream::connect(exporter.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        stream.write_all(b"nonsense\r\n\r\n").expect("room");
        let end = stream.read_to_end(&mut Vec::new());
        assert!(!end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "no answer");
    }
}

#[test]
fn a_log_that_no_process_reads_delays_no_answer_and_no_end() {
    if enter() {
        return;
    }
    let mut exporter = Exporter::start(&["--log.level=debug"]);
    log_more_than_a_pipe_holds(&exporter);
    assert_eq!(exporter.get("/metrics").status, 200);
    exporter.signal(Signal::TERM);
    let deadline = Instant::now() + Duration::from_secs(20);
    while exporter.child.try_wait().expect("its state").is_none() {
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(exporter.end().0, Some(0));
}

#[test]
fn lines_that_were_dropped_are_counted_in_the_log_once_it_is_read() {
    if enter() {
        return;
    }
    let mut exporter = Exporter::start(&["--log.level=debug"]);
    let pipe = exporter.child.stderr.take().expect("a pipe");
    log_more_than_a_pipe_holds(&exporter);
    let lines = BufReader::new(pipe).lines();
    let said = lines.map_while(Result::ok).find(|line| line.contains("log lines were dropped"));
    let said = said.expect("the pipe stays open");
    let count = said.split_once("lines=").and_then(|(_, rest)| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(count.is_some_and(|count| count > 100), "{said}");
}

/// Connections that ask for nothing, made again whenever the exporter ends them.
struct IdleClients(Arc<AtomicBool>);

impl IdleClients {
    fn of(connections: usize, address: SocketAddr) -> Self {
        let goes = Arc::new(AtomicBool::new(true));
        let still = Arc::clone(&goes);
        std::thread::spawn(move || {
            let mut streams = Vec::new();
            while still.load(Ordering::Relaxed) {
                streams.retain_mut(|stream: &mut TcpStream| {
                    let read = stream.read(&mut [0]);
                    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
                });
                while streams.len() < connections {
                    let Ok(stream) = TcpStream::connect(address) else { break };
                    stream.set_nonblocking(true).expect("a stream that does not wait");
                    streams.push(stream);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self(goes)
    }
}

impl Drop for IdleClients {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[test]
fn with_few_open_files_there_are_fewer_connections_and_each_scrape_is_answered() {
    if enter() {
        return;
    }
    for files in ["32", "40", "64"] {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={files}:{files}")).arg(env!("CARGO_BIN_EXE_prometheus_ss_exporter"));
        let exporter = Exporter::spawn(&mut command);
        let clients = IdleClients::of(200, exporter.address);
        std::thread::sleep(Duration::from_millis(500));
        for _ in 0..10 {
            // Among so few, a connection may have to make room before its request has come.
            let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            let answer = (0..5).find_map(|_| exporter.try_ask(request).ok()).expect("an answer");
            let metrics = String::from_utf8_lossy(&answer.body);
            assert!(metrics.contains(DUMPED), "{files}: {metrics}");
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(clients);
    }
}
