//! The same sockets read by the bare dump, by `ss` and by the exporter, in turn, in one run.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ss_exporter::sockdiag::{Extensions, Kernel as _, Netlink, Request, State, StateSet};

/// What one reading of all sockets took.
#[derive(Clone, Copy, Default)]
struct Reading {
    wall: Duration,
    bytes: usize,
}

/// A name, how to read, and whose CPU time and memory that takes.
type Way<'a> = (&'static str, Box<dyn Fn() -> Reading + 'a>, Option<&'a Exporter>);

/// Prints a row for each way of reading.
pub fn compare(sockets: usize, rounds: usize) {
    let config = std::env::temp_dir().join(format!("ss-exporter-bench-{}.yml", std::process::id()));
    let seed = "logic: {compression: {max_flows: 0}}\n";
    std::fs::write(&config, seed).expect("a configuration file");
    let exporter = Exporter::start(&["--config", config.to_str().expect("a path")]);
    let capped = Exporter::start(&[]);
    let ways: [Way<'_>; 5] = [
        ("bare dump", Box::new(bare_dump), None),
        ("`ss -tin`", Box::new(ss), None),
        ("exporter, seed config, no cap", Box::new(|| exporter.scrape("identity")), Some(&exporter)),
        ("exporter, no config file (1,000 flows)", Box::new(|| capped.scrape("identity")), Some(&capped)),
        ("exporter, seed config, no cap, gzip", Box::new(|| exporter.scrape("gzip")), None),
    ];
    let mut readings: Vec<Vec<(Reading, Option<Duration>)>> = vec![Vec::new(); ways.len()];
    for round in 0..=rounds {
        for ((_, read, exporter), readings) in ways.iter().zip(&mut readings) {
            let before = exporter.map(Exporter::cpu);
            let reading = read();
            let cpu = exporter.zip(before).map(|(exporter, before)| exporter.cpu().saturating_sub(before));
            // The first round warms up.
            if round > 0 {
                readings.push((reading, cpu));
            }
        }
    }
    let median = |list: &[(Reading, Option<Duration>)]| {
        let mut walls: Vec<_> = list.iter().map(|(reading, _)| reading.wall).collect();
        walls.sort_unstable();
        walls[walls.len() / 2]
    };
    let (bare, ss) = (median(&readings[0]), median(&readings[1]));
    for ((name, _, exporter), readings) in ways.iter().zip(&readings) {
        let walls = || readings.iter().map(|(reading, _)| reading.wall);
        let wall = median(readings);
        let cpu: Duration = readings.iter().filter_map(|(_, cpu)| *cpu).sum();
        let peak = exporter.map_or_else(|| "-".into(), |exporter| format!("{:.1}", exporter.peak_mib()));
        let cpu = exporter.map_or_else(
            || "-".into(),
            |_| format!("{:.0}", ms(cpu) / f64::from(u32::try_from(rounds).expect("few"))),
        );
        println!(
            "| {sockets} | {name} | {:.1} | {:.1}-{:.1} | {:.2} | {:.2} | {cpu} | {peak} | {} |",
            ms(wall),
            ms(walls().min().unwrap_or_default()),
            ms(walls().max().unwrap_or_default()),
            ms(wall) / ms(bare),
            ms(wall) / ms(ss),
            readings.last().map_or(0, |(reading, _)| reading.bytes),
        );
    }
    let _ = std::fs::remove_file(config);
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// One walk over both families, `tcp_info` only, 32 KiB reads, every byte discarded.
fn bare_dump() -> Reading {
    let unwanted = [State::Listen, State::Close, State::TimeWait, State::SynRecv];
    let wanted: Vec<_> = State::ALL.into_iter().filter(|state| !unwanted.contains(state)).collect();
    let request = Request { states: StateSet::of(&wanted), extensions: Extensions::INFO, filter: None };
    let start = Instant::now();
    let mut kernel = Netlink::open().expect("sock_diag");
    kernel.send(&request.encode(1)).expect("the request");
    let mut buffer = vec![0; 32 * 1024];
    let mut bytes = 0;
    loop {
        let length = kernel.receive(&mut buffer, start + Duration::from_mins(1)).expect("a reply").length;
        bytes += length;
        // NLMSG_DONE is the last message: a header of 16 bytes and an error number.
        if length >= 20 && buffer[length - 20..length - 14] == [20, 0, 0, 0, 3, 0] {
            return Reading { wall: start.elapsed(), bytes };
        }
    }
}

fn ss() -> Reading {
    let start = Instant::now();
    let mut child =
        Command::new("ss").arg("-tin").stdout(Stdio::piped()).spawn().expect("the package iproute2");
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    let mut out = child.stdout.take().expect("a pipe");
    while let Ok(length @ 1..) = out.read(&mut buffer) {
        bytes += length;
    }
    child.wait().expect("ss");
    Reading { wall: start.elapsed(), bytes }
}

struct Exporter {
    child: Child,
    port: u16,
}

impl Exporter {
    fn start(arguments: &[&str]) -> Self {
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let child = Command::new(env!("CARGO_BIN_EXE_prometheus_ss_exporter"))
            .args(arguments)
            .args(["--log-level=error", &format!("--web.listen-address=127.0.0.1:{port}")])
            .spawn()
            .expect("the exporter");
        let exporter = Self { child, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        exporter
    }

    fn scrape(&self, encoding: &str) -> Reading {
        let start = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the exporter");
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: b\r\nAccept-Encoding: {encoding}\r\nConnection: close\r\n\r\n"
        )
        .expect("a request");
        let mut buffer = vec![0; 256 * 1024];
        let (mut bytes, mut head) = (0, Vec::new());
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if head.is_empty() {
                head = buffer[..length.min(12)].to_vec();
            }
            bytes += length;
        }
        assert_eq!(head, b"HTTP/1.1 200", "a scrape failed");
        Reading { wall: start.elapsed(), bytes }
    }

    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 =
            fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime");
        Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
    }

    fn peak_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
