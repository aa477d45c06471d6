//! A host that gives the program hardly any processor time: the kernel holds nothing, and nothing says so.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{enter, program, text};
use testkit::exporter::Exporter;
use testkit::load::open_many_files;

/// Connections of this process; their dump takes many of the program's turns.
const PAIRS: usize = 8_000;

/// Far more than it takes for a dump to miss its deadline.
const SCRAPES: usize = 200;

const CONFIG: &str = "{collect: {deadline: 100ms}, views: {t: {by: [direction], metrics: [sockets]}}}";

fn pairs() -> Vec<(TcpStream, TcpStream)> {
    open_many_files();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let to = listener.local_addr().expect("bound");
    let pair = |_| (TcpStream::connect(to).expect("room"), listener.accept().expect("a connection").0);
    (0..PAIRS).map(pair).collect()
}

/// Gives a process a moment now and then, until it has had enough.
fn pause(process: Pid, enough: impl Fn() -> bool) {
    while !enough() {
        let signal = |signal| _ = kill_process(process, signal);
        signal(Signal::STOP);
        std::thread::sleep(Duration::from_millis(60));
        signal(Signal::CONT);
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = kill_process(process, Signal::CONT);
}

#[test]
fn once_waits_as_long_as_it_takes_and_does_not_blame_the_kernel() {
    if enter() {
        return;
    }
    let _pairs = pairs();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yml");
    std::fs::write(&path, CONFIG).expect("room");
    let mut command = program();
    command.arg("--once").arg("--config").arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    let (mut out, mut log) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
    let process = Pid::from_child(&child);
    let done = AtomicBool::new(false);
    let (metrics, log, status) = std::thread::scope(|scope| {
        scope.spawn(|| pause(process, || done.load(Ordering::Relaxed)));
        let (mut metrics, mut lines) = (Vec::new(), Vec::new());
        out.read_to_end(&mut metrics).expect("all metrics");
        log.read_to_end(&mut lines).expect("all lines");
        let status = child.wait().expect("its end");
        done.store(true, Ordering::Relaxed);
        (text(&metrics), text(&lines), status)
    });
    assert!(status.success(), "{status}: {log}");
    assert!(metrics.contains("\nss_exporter_collection_success{stage=\"dump\"} 1\n"), "{metrics}");
    assert_eq!(log.matches("the collection takes longer than collect.deadline").count(), 1, "{log}");
    assert!(!log.contains("holds"), "{log}");
}

#[test]
fn a_server_without_time_says_that_its_dump_took_too_long() {
    if enter() {
        return;
    }
    let _pairs = pairs();
    let mut exporter = Exporter::configured(CONFIG);
    let process = Pid::from_child(&exporter.child);
    let lines = BufReader::new(exporter.child.stderr.take().expect("a pipe")).lines();
    let (blamed, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let log = std::thread::scope(|scope| {
        scope.spawn(|| pause(process, || done.load(Ordering::Relaxed)));
        let log = scope.spawn(|| {
            let noted = |line: &String| blamed.fetch_or(line.contains("took too long"), Ordering::Relaxed);
            lines.map_while(Result::ok).inspect(|line| _ = noted(line)).collect::<Vec<_>>().join("\n")
        });
        // Some dumps end in time.
        for _ in 0..SCRAPES {
            let metrics = exporter.metrics();
            assert!(!metrics.contains("\nss_exporter_dump_stuck_seconds"), "{metrics}");
            if blamed.load(Ordering::Relaxed) {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
        exporter.child.kill().expect("its end");
        log.join().expect("the log")
    });
    assert!(log.contains("took too long") && !log.contains("holds a dump"), "{log}");
}
