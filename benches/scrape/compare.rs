//! Ways of reading the same sockets, in turn, in one run, and the table of what they took.
//!
//! Refuses to know what is read and how.

use std::time::Duration;

use super::exporter::{Exporter, Reading};

/// A way of reading all sockets.
pub struct Way<'a> {
    name: &'static str,
    read: Box<dyn Fn() -> Reading + 'a>,
    /// Whose CPU time and memory that takes; the ways without are those that the others are compared with.
    exporter: Option<&'a Exporter>,
}

impl<'a> Way<'a> {
    /// One that others are compared with.
    pub fn other(name: &'static str, read: impl Fn() -> Reading + 'a) -> Self {
        Self { name, read: Box::new(read), exporter: None }
    }

    /// A scrape.
    pub fn scrape(name: &'static str, exporter: &'a Exporter, encoding: &'a str) -> Self {
        Self { name, read: Box::new(move || exporter.scrape(encoding)), exporter: Some(exporter) }
    }
}

/// What a way took, round by round.
#[derive(Default)]
struct Taken {
    walls: Vec<Duration>,
    cpu: Duration,
    bytes: usize,
}

/// Prints a row for each way of reading. `change` is called before each round, the first of which warms up.
pub fn compare(sockets: usize, rounds: u32, ways: &[Way<'_>], mut change: impl FnMut()) {
    let mut taken: Vec<Taken> = ways.iter().map(|_| Taken::default()).collect();
    for round in 0..=rounds {
        change();
        for (way, taken) in ways.iter().zip(&mut taken) {
            let before = way.exporter.map(Exporter::cpu);
            let reading = (way.read)();
            if round > 0 {
                let cpu = way.exporter.zip(before).map(|(exporter, before)| exporter.cpu_since(before));
                taken.cpu += cpu.unwrap_or_default();
                taken.walls.push(reading.wall);
                taken.bytes = reading.bytes;
            }
        }
    }
    let others: Vec<_> = ways.iter().zip(&taken).filter(|(way, _)| way.exporter.is_none()).collect();
    let compared: Vec<_> = others.iter().map(|(way, _)| format!(" | x {}", way.name)).collect();
    let compared = compared.concat();
    println!(
        "\n| sockets | what | wall, median (ms) | spread (ms){compared} | CPU (ms) | peak memory (MiB) | bytes |"
    );
    println!("|{}", "---|".repeat(7 + others.len()));
    for (way, taken) in ways.iter().zip(&taken) {
        let wall = median(&taken.walls);
        let ratio = |other: &Taken| format!(" | {:.2}", ms(wall) / ms(median(&other.walls)));
        let ratios = others.iter().map(|(_, other)| ratio(other)).collect::<Vec<_>>().concat();
        let own =
            way.exporter.map(|exporter| (format!("{:.0}", ms(taken.cpu / rounds)), exporter.peak_mib()));
        let (cpu, peak) =
            own.map_or_else(|| ("-".into(), "-".into()), |(cpu, peak)| (cpu, format!("{peak:.1}")));
        println!(
            "| {sockets} | {} | {:.1} | {:.1}-{:.1}{ratios} | {cpu} | {peak} | {} |",
            way.name,
            ms(wall),
            ms(taken.walls.iter().min().copied().unwrap_or_default()),
            ms(taken.walls.iter().max().copied().unwrap_or_default()),
            taken.bytes,
        );
    }
}

/// The middle one of some durations.
pub fn median(durations: &[Duration]) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
