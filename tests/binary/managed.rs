//! A service manager: what it is notified of, and one that does not listen.

use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
#[cfg(feature = "root-tests")]
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{enter, program, text};
use testkit::exporter::Exporter;

/// The socket of a service manager.
pub struct Manager {
    socket: UnixDatagram,
    _folder: tempfile::TempDir,
}

impl Manager {
    pub fn new() -> (Self, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time limit");
        (Self { socket, _folder: folder }, path)
    }

    /// The states that were sent up to one that contains `last`, or within that time.
    pub fn notifications(&self, time: Duration, last: &str) -> Vec<String> {
        let deadline = Instant::now() + time;
        let mut notifications = Vec::new();
        let mut buffer = [0; 4096];
        while Instant::now() < deadline
            && notifications.last().is_none_or(|said: &String| !said.contains(last))
        {
            match self.socket.recv(&mut buffer) {
                Ok(length) => notifications.push(text(&buffer[..length]).trim_end().to_owned()),
                Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)),
            }
        }
        notifications
    }
}

fn managed(path: &Path, watchdog: Option<&str>) -> Exporter {
    let mut command = program();
    command.env("NOTIFY_SOCKET", path);
    if let Some(time) = watchdog {
        command.env("WATCHDOG_USEC", time);
    }
    Exporter::spawn(&mut command)
}

#[test]
fn the_service_manager_learns_of_start_reload_and_end() {
    if enter() {
        return;
    }
    let (manager, path) = Manager::new();
    let exporter = managed(&path, None);
    let long = Duration::from_secs(10);
    let notifications = manager.notifications(long, "READY=1");
    assert!(
        notifications.len() == 2 && notifications[0].starts_with("STATUS=Collecting the baseline"),
        "{notifications:?}"
    );
    assert!(
        notifications[1].starts_with("READY=1\nSTATUS=configuration built-in default, views "),
        "{notifications:?}"
    );
    assert!(
        notifications[1].contains(", listening on ") && notifications[1].ends_with(":8020"),
        "{notifications:?}"
    );
    assert_eq!(exporter.get("/-/ready").status, 200);
    exporter.signal(Signal::HUP);
    let notifications = manager.notifications(long, "READY=1");
    let begins = |said: &String| said.starts_with("RELOADING=1\nMONOTONIC_USEC=");
    assert!(
        notifications.len() == 2
            && begins(&notifications[0])
            && notifications[1].starts_with("READY=1\nSTATUS="),
        "{notifications:?}"
    );
    exporter.signal(Signal::TERM);
    assert_eq!(manager.notifications(long, "STOPPING=1"), ["STOPPING=1"]);
    assert_eq!(exporter.end().0, Some(0));
}

#[cfg(feature = "root-tests")]
#[test]
fn ready_is_notified_with_the_baseline_and_not_before() {
    if enter() {
        return;
    }
    let (manager, path) = Manager::new();
    let exporter;
    // Is dropped first, also if the test fails: the exporter ends when the kernel lets go of its dump.
    let holder = testkit::stuck::StuckSocket::start();
    exporter = managed(&path, None);
    let before = manager.notifications(Duration::from_secs(1), "READY=1");
    assert!(before.iter().all(|said| !said.contains("READY=1")), "{before:?}");
    let answer = exporter.get("/-/ready");
    let said = text(&answer.body);
    assert!(answer.status == 503 && said.contains("have not all been read"), "{said}");
    drop(holder);
    let notifications = manager.notifications(Duration::from_secs(30), "READY=1");
    assert!(notifications.iter().any(|said| said.contains("READY=1")), "{notifications:?}");
    assert_eq!(exporter.get("/-/ready").status, 200);
}

#[test]
fn the_watchdog_is_fed_as_long_as_the_process_gets_on() {
    if enter() {
        return;
    }
    let (manager, path) = Manager::new();
    let exporter = managed(&path, Some("400000"));
    let fed = |notifications: Vec<String>| notifications.iter().filter(|said| *said == "WATCHDOG=1").count();
    manager.notifications(Duration::from_secs(10), "READY=1");
    // Every 200 ms, without a connection or a close event.
    let count = fed(manager.notifications(Duration::from_secs(2), "never"));
    assert!((5..=11).contains(&count), "{count} times");
    exporter.signal(Signal::STOP);
    manager.notifications(Duration::from_millis(100), "never");
    assert_eq!(fed(manager.notifications(Duration::from_millis(800), "never")), 0);
    exporter.signal(Signal::CONT);
    assert!(fed(manager.notifications(Duration::from_secs(2), "never")) > 0);
}

/// Stops one thread of a process, as a hang would, until its input ends.
#[cfg(feature = "root-tests")]
const STOPPER: &str = "
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
SEIZE, INTERRUPT = 0x4206, 0x4207
for request in (SEIZE, INTERRUPT):
    if libc.ptrace(request, int(sys.argv[1]), None, None) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
print('stopped', flush=True)
sys.stdin.read()
";

#[cfg(feature = "root-tests")]
#[test]
fn the_watchdog_starves_when_one_of_the_two_threads_hangs() {
    use std::io::BufRead as _;

    if enter() {
        return;
    }
    for hanging in ["events", "prometheus_ss_e"] {
        let (manager, path) = Manager::new();
        let exporter = managed(&path, Some("400000"));
        let fed = |time| {
            manager.notifications(Duration::from_millis(time), "never").contains(&"WATCHDOG=1".to_owned())
        };
        assert!(fed(2_000), "{hanging}");
        let threads = std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).expect("threads");
        let thread = threads.map(|thread| thread.expect("a thread").path()).find(|thread| {
            std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == hanging)
        });
        let thread = thread.expect("the thread");
        let mut stopper = Command::new("python3")
            .args(["-c", STOPPER])
            .arg(thread.file_name().expect("its id"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 of the package python3");
        let mut said = String::new();
        let out = stopper.stdout.as_mut().expect("a pipe");
        std::io::BufReader::new(out).read_line(&mut said).expect("text");
        assert_eq!(said, "stopped\n", "{hanging}");
        // One may be on its way, and one that saw the thread wait for the last time.
        fed(600);
        assert!(!fed(1_500), "{hanging} hangs, and nobody notices");
        drop(stopper.stdin.take());
        assert!(stopper.wait().expect("its end").success());
        assert!(fed(2_000), "{hanging} goes on");
    }
}

/// Sends to a socket until there is no more room in it.
fn fill(address: &SocketAddr) {
    let sender = UnixDatagram::unbound().expect("a socket");
    sender.set_nonblocking(true).expect("a socket that does not wait");
    while sender.send_to_addr(b"X=1", address).is_ok() {}
}

#[test]
fn a_service_manager_that_does_not_read_stops_nothing_and_learns_that_it_is_ready_when_it_reads() {
    if enter() {
        return;
    }
    let (at_path, path) = Manager::new();
    let named = SocketAddr::from_abstract_name("of this test").expect("a name");
    let at_name = Manager {
        socket: UnixDatagram::bind_addr(&named).expect("a socket"),
        _folder: tempfile::tempdir().expect("a folder"),
    };
    at_name.socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time limit");
    let at = SocketAddr::from_pathname(&path).expect("a path");
    for (manager, address, variable) in
        [(at_path, at, path.as_path()), (at_name, named, Path::new("@of this test"))]
    {
        fill(&address);
        let exporter = managed(variable, Some("200000"));
        // There are several beats meanwhile.
        for _ in 0..10 {
            assert_eq!(exporter.get("/-/healthy").status, 200);
            std::thread::sleep(Duration::from_millis(100));
        }
        let notifications = manager.notifications(Duration::from_secs(20), "READY=1");
        assert!(notifications.last().is_some_and(|last| last.starts_with("READY=1\n")), "{notifications:?}");
        fill(&address);
        exporter.signal(Signal::TERM);
        assert_eq!(exporter.end().0, Some(0));
    }
}
