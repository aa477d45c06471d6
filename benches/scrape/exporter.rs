//! A running server, an exporter or Prometheus, and what its scrapes and its time and memory are.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::thread::CpuSet;

use super::programs::{self, NODE_EXPORTER};

const PROGRAM: &str = env!("CARGO_BIN_EXE_prometheus_ss_exporter");
const QUIET: &str = "--log-level=error";

/// By service, listeners, states.
pub const SERVICES: &str = "views:
  tcp: {by: [direction, service_port]}
  tcp_listener: {by: [local_port], state: listen}
  tcp_state: {by: [state], state: all, metrics: [sockets]}
";

/// What one reading of all sockets took.
#[derive(Clone, Copy, Default)]
pub struct Reading {
    pub wall: Duration,
    /// Of the reader, or of the exporter if that is read.
    pub cpu: Duration,
    pub bytes: usize,
}

/// An exporter that is ended with the measurement.
pub struct Exporter {
    child: Child,
    port: u16,
}

impl Exporter {
    /// Starts one with this configuration.
    pub fn configured(config: &str) -> Self {
        Self::with(config, Command::new(PROGRAM))
    }

    /// The same on one core, where a dump is not halved.
    pub fn on_one_core(config: &str) -> Self {
        let allowed = rustix::thread::sched_getaffinity(None).expect("the cores of this thread");
        let core = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).expect("a core");
        let mut taskset = Command::new("taskset");
        taskset.args(["--cpu-list", &core.to_string(), PROGRAM]);
        Self::with(config, taskset)
    }

    fn with(config: &str, program: Command) -> Self {
        let path = std::env::temp_dir().join(format!("ss-exporter-bench-{}.yml", std::process::id()));
        std::fs::write(&path, config).expect("a configuration file");
        let arguments = ["--config", path.to_str().expect("a path"), QUIET];
        let exporter = Self::of(program, &arguments).expect("the exporter");
        // It is read before anything listens.
        let _ = std::fs::remove_file(path);
        exporter
    }

    /// Starts one and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(Command::new(PROGRAM), &[arguments, &[QUIET]].concat()).expect("the exporter")
    }

    /// Starts `node_exporter` with nothing but the collector that reads all sockets, if it is installed.
    pub fn tcpstat_of_node_exporter() -> Option<Self> {
        programs::version(NODE_EXPORTER)?;
        let arguments = ["--collector.disable-defaults", "--collector.tcpstat", "--log.level=error"];
        Self::of(programs::command(NODE_EXPORTER), &arguments)
    }

    /// Starts a program that takes the flag `--web.listen-address`, if it is there.
    pub fn of(mut program: Command, arguments: &[&str]) -> Option<Self> {
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let listen = format!("--web.listen-address=127.0.0.1:{port}");
        let child = program.args(arguments).arg(listen).spawn().ok()?;
        let mut exporter = Self { child, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(exporter.child.try_wait().is_ok_and(|ended| ended.is_none()), "{program:?} has ended");
            std::thread::sleep(Duration::from_millis(1));
        }
        Some(exporter)
    }

    /// The port that it listens to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Scrapes twice at once: the wall is that of the longer, the CPU time and the bytes are of both.
    pub fn scrape_twice_at_once(&self) -> Reading {
        let before = self.cpu();
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| self.scrape("identity"));
            (self.scrape("identity"), other.join().expect("a scrape"))
        });
        let wall = one.wall.max(other.wall);
        Reading { wall, cpu: self.cpu_since(before), bytes: one.bytes + other.bytes }
    }

    /// Scrapes once and keeps nothing.
    pub fn scrape(&self, encoding: &str) -> Reading {
        let before = self.cpu();
        let start = Instant::now();
        let mut stream = self.ask("/metrics", encoding);
        let mut buffer = vec![0; 256 * 1024];
        let (mut bytes, mut head) = (0, Vec::new());
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if head.is_empty() {
                head = buffer[..length.min(12)].to_vec();
            }
            bytes += length;
        }
        assert_eq!(head, b"HTTP/1.1 200", "a scrape failed");
        Reading { wall: start.elapsed(), cpu: self.cpu_since(before), bytes }
    }

    /// The value of a series in a scrape of its own.
    pub fn value<T: FromStr>(&self, series: &str) -> T {
        value(&self.text(), series)
    }

    /// Scrapes once and keeps the text.
    pub fn text(&self) -> String {
        self.answer("/metrics")
    }

    /// The head and the body of the response to a request.
    pub fn answer(&self, path: &str) -> String {
        let mut text = String::new();
        self.ask(path, "identity").read_to_string(&mut text).expect("text");
        text
    }

    /// Sends a request.
    fn ask(&self, path: &str, encoding: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the exporter");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {encoding}\r\nConnection: close\r\n\r\n"
        )
        .expect("a request");
        stream
    }

    /// The CPU time that its threads have taken, to the nanosecond. They stay as long as it runs.
    pub fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("threads");
        let of_thread = |thread: std::fs::DirEntry| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
        };
        threads.flatten().filter_map(of_thread).sum()
    }

    /// The CPU time that it has taken since that reading of it.
    pub fn cpu_since(&self, before: Duration) -> Duration {
        self.cpu().saturating_sub(before)
    }

    /// The CPU time that it has taken since its start, in ticks of 10 ms, with threads that have ended.
    pub fn cpu_since_start(&self) -> Duration {
        ticks(&self.child.id().to_string(), [11, 12])
    }

    /// The maximum of its resident memory so far.
    pub fn peak_mib(&self) -> f64 {
        self.mib("VmHWM:")
    }

    /// The resident memory that it has.
    pub fn resident_mib(&self) -> f64 {
        self.mib("VmRSS:")
    }

    fn mib(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }
}

/// The CPU time that the children of this process took that have ended, to the clock tick.
pub fn cpu_of_children() -> Duration {
    ticks("self", [13, 14])
}

/// The sum of two times in the `stat` of a process, numbered from behind its name.
fn ticks(process: &str, fields: [usize; 2]) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("stat");
    let words: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields.iter().map(|field| words[*field].parse::<u64>().expect("a time")).sum();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

/// The value of a series in the text of a scrape.
pub fn value<T: FromStr>(text: &str, series: &str) -> T {
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.and_then(|number| number.parse().ok()).expect("the series")
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
