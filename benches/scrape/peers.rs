//! The same sockets read by the bare dump, by `ss` and by the exporter, in turn, in one run.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ss_exporter::sockdiag::{Extensions, Kernel as _, Netlink, Request, State, StateSet};

use super::exporter::{DEFAULT_VIEWS, Exporter, Reading};

/// A name, how to read, and whose CPU time and memory that takes.
type Way<'a> = (&'static str, Box<dyn Fn() -> Reading + 'a>, Option<&'a Exporter>);

/// Prints a row for each way of reading.
pub fn compare(sockets: usize, rounds: usize) {
    let exporter = Exporter::configured("logic: {compression: {max_flows: 0}}\n");
    let views = Exporter::configured(DEFAULT_VIEWS);
    let capped = Exporter::start(&[]);
    let ways: [Way<'_>; 6] = [
        ("bare dump", Box::new(bare_dump), None),
        ("`ss -tin`", Box::new(ss), None),
        ("exporter, seed config, no cap", Box::new(|| exporter.scrape("identity")), Some(&exporter)),
        ("exporter, no config file (1,000 flows)", Box::new(|| capped.scrape("identity")), Some(&capped)),
        ("exporter, default views", Box::new(|| views.scrape("identity")), Some(&views)),
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
