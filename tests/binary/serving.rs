//! How it is served: flags of the web, sockets that systemd hands over, and what systemd is told.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::exporter::Exporter;
use super::{enter, program, run, text};

#[test]
fn flags_move_the_metrics_and_hide_those_of_the_process() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&["--web.telemetry-path=/ss", "--web.disable-exporter-metrics"]);
    let answer = exporter.get("/ss");
    let metrics = text(&answer.body);
    assert!(
        answer.status == 200 && metrics.contains("ss_exporter_build_info") && !metrics.contains("process_")
    );
    assert_eq!(exporter.get("/metrics").status, 404);
    assert!(text(&exporter.get("/").body).contains("href=\"/ss\""));
}

#[test]
fn a_scrape_has_the_views_it_asks_for() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let families = |query: &str| {
        let metrics = text(&exporter.get(&format!("/metrics?{query}")).body);
        let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.map(|line| line.split(' ').next().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let all = families("");
    let of = |prefix: &str, names: &[String]| names.iter().filter(|name| name.starts_with(prefix)).count();
    assert!(of("ss_tcp_listener_", &all) > 0 && of("tcp_", &all) > 0);
    let one = families("collect[]=tcp_listener");
    assert_eq!(of("ss_tcp_listener_", &one), of("ss_tcp_listener_", &all));
    assert_eq!((of("tcp_", &one), of("ss_tcp_sent", &one)), (0, 0), "{one:?}");
    assert_eq!(of("ss_exporter_", &one), of("ss_exporter_", &all), "how the collection went is always said");
    let others = families("exclude[]=tcp_listener");
    assert!(of("ss_tcp_listener_", &others) == 0 && of("tcp_", &others) == of("tcp_", &all));
    assert_eq!(exporter.get("/metrics?collect[]=nope").status, 400);
}

#[test]
fn more_scrapes_than_may_wait_are_told_so() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&["--web.max-requests=1"]);
    let refused = std::thread::scope(|scope| {
        let scrapes: Vec<_> = (0..16).map(|_| scope.spawn(|| exporter.get("/metrics"))).collect();
        let answers = scrapes.into_iter().map(|scrape| scrape.join().expect("an answer"));
        let refused: Vec<_> = answers.filter(|answer| answer.status == 503).collect();
        for answer in &refused {
            assert_eq!(text(&answer.body), "Limit of concurrent requests reached (1), try again later.\n");
        }
        refused.len()
    });
    let said = format!("ss_exporter_scrapes_refused_total {refused}\n");
    // The last of them may still wait for its collection.
    std::thread::sleep(Duration::from_millis(200));
    let metrics = exporter.metrics();
    assert!(metrics.contains(&said), "{said} in {metrics}");
}

/// Starts the program with a listener of the test's as its first handed-over socket.
fn activated(listener: &TcpListener) -> Command {
    let mut command = Command::new("sh");
    let script = r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@" 3<&0 </dev/null"#;
    command.args(["-c", script, env!("CARGO_BIN_EXE_prometheus_ss_exporter"), "--web.systemd-socket"]);
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(listener.try_clone().expect("a copy"))));
    command
}

#[test]
fn it_serves_on_the_socket_that_systemd_hands_over() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:8020").expect("a listener");
    let exporter = Exporter::spawn(&mut activated(&listener));
    drop(listener);
    assert_eq!(exporter.get("/health").status, 200);
    exporter.signal(Signal::TERM);
    assert_eq!(exporter.end().0, Some(0));
}

#[test]
fn without_a_socket_of_systemds_it_says_what_is_missing() {
    if enter() {
        return;
    }
    let output = run(&["--web.systemd-socket"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no socket activation file descriptors found"));
}

/// A socket at which the exporter tells its service manager, and what it was told.
struct Manager {
    socket: UnixDatagram,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> (Self, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time limit");
        (Self { socket, _folder: folder }, path)
    }

    /// What was told until something says so, or for that long.
    fn told(&self, time: Duration, last: &str) -> Vec<String> {
        let deadline = Instant::now() + time;
        let mut told = Vec::new();
        let mut buffer = [0; 256];
        while Instant::now() < deadline && told.last().is_none_or(|said: &String| !said.contains(last)) {
            match self.socket.recv(&mut buffer) {
                Ok(length) => told.push(text(&buffer[..length]).trim_end().to_owned()),
                Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)),
            }
        }
        told
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
fn a_link_local_address_with_the_name_of_its_interface_is_listened_on() {
    if enter() {
        return;
    }
    for words in [
        "link add v0 type veth peer name v1",
        "link set v0 addrgenmode none",
        "address add fe80::5/64 dev v0 nodad",
        "link set v0 up",
        "link set v1 up",
    ] {
        let done = Command::new("ip").args(words.split(' ')).status();
        assert!(done.is_ok_and(|status| status.success()), "ip {words}");
    }
    let listen = "--web.listen-address=[fe80::5%v0]:8031";
    let exporter = Exporter::spawn(program().args([listen, "--web.listen-address=127.0.0.1:8020"]));
    let health = program().args(["--healthcheck", listen]).output().expect("the program");
    assert!(health.status.success(), "{}", text(&health.stderr));
    drop(exporter);
    let link = Command::new("ip").args(["-o", "link", "show", "v0"]).output().expect("ip");
    let link = text(&link.stdout);
    let number = link.split(':').next().expect("its number");
    let listen = format!("--web.listen-address=[fe80::5%{number}]:8031");
    drop(Exporter::spawn(program().args([&listen, "--web.listen-address=127.0.0.1:8020"])));
    let unknown = program().arg("--web.listen-address=[fe80::5%v0x]:8031").output().expect("the program");
    let said = text(&unknown.stderr);
    assert_eq!(unknown.status.code(), Some(2), "{said}");
    assert!(said.contains("unknown interface \"v0x\"; did you mean \"v0\""), "{said}");
}

#[test]
fn the_service_manager_learns_of_start_reload_and_end() {
    if enter() {
        return;
    }
    let (manager, path) = Manager::new();
    let exporter = managed(&path, None);
    let long = Duration::from_secs(10);
    assert_eq!(manager.told(long, "READY=1"), ["READY=1"]);
    assert_eq!(exporter.get("/-/ready").status, 200);
    exporter.signal(Signal::HUP);
    let told = manager.told(long, "READY=1");
    let begins = |said: &String| said.starts_with("RELOADING=1\nMONOTONIC_USEC=");
    assert!(told.len() == 2 && begins(&told[0]) && told[1] == "READY=1", "{told:?}");
    exporter.signal(Signal::TERM);
    assert_eq!(manager.told(long, "STOPPING=1"), ["STOPPING=1"]);
    assert_eq!(exporter.end().0, Some(0));
}

#[test]
fn the_watchdog_is_fed_as_long_as_the_process_gets_on() {
    if enter() {
        return;
    }
    let (manager, path) = Manager::new();
    let exporter = managed(&path, Some("400000"));
    let fed = |told: Vec<String>| told.iter().filter(|said| *said == "WATCHDOG=1").count();
    manager.told(Duration::from_secs(10), "READY=1");
    // Every 200 ms, though nobody connects and no socket closes.
    let count = fed(manager.told(Duration::from_secs(2), "never"));
    assert!((5..=11).contains(&count), "{count} times");
    exporter.signal(Signal::STOP);
    manager.told(Duration::from_millis(100), "never");
    assert_eq!(fed(manager.told(Duration::from_millis(800), "never")), 0);
    exporter.signal(Signal::CONT);
    assert!(fed(manager.told(Duration::from_secs(2), "never")) > 0);
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
        let fed =
            |time| manager.told(Duration::from_millis(time), "never").contains(&"WATCHDOG=1".to_owned());
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
