//! Ways of reading the same sockets, in turn, in one run, and the table of what they took.

use std::time::Duration;

use super::exporter::{Exporter, Reading};

/// A way of reading all sockets.
pub struct Way<'a> {
    name: String,
    read: Box<dyn Fn() -> Reading + 'a>,
    /// Whether the walls of the others are compared with it.
    compared: bool,
    /// Whose memory that takes.
    exporter: Option<&'a Exporter>,
}

impl<'a> Way<'a> {
    /// One that others are compared with.
    pub fn compared(name: impl Into<String>, read: impl Fn() -> Reading + 'a) -> Self {
        Self { compared: true, ..Self::other(name, read) }
    }

    /// One that is there to be seen.
    pub fn other(name: impl Into<String>, read: impl Fn() -> Reading + 'a) -> Self {
        Self { name: name.into(), read: Box::new(read), compared: false, exporter: None }
    }

    /// A scrape.
    pub fn scrape(name: impl Into<String>, exporter: &'a Exporter, encoding: &'a str) -> Self {
        Self { exporter: Some(exporter), ..Self::other(name, move || exporter.scrape(encoding)) }
    }

    /// Two scrapes at once.
    pub fn two_scrapes(name: impl Into<String>, exporter: &'a Exporter) -> Self {
        Self { exporter: Some(exporter), ..Self::other(name, move || exporter.scrape_twice_at_once()) }
    }
}

/// What a way took, round by round.
#[derive(Default)]
struct Taken {
    walls: Vec<Duration>,
    cpu: Duration,
    bytes: usize,
}

/// Prints the heading of a table whose walls are compared with these ways. CPU times are with the first of them.
pub fn heading(compared: &[&str]) {
    let ratios = compared.iter().map(|name| format!(" | x {name}")).collect::<Vec<_>>().concat();
    let first = compared.first().copied().unwrap_or_default();
    println!(
        "\n| sockets | what | wall, median (ms) | spread (ms){ratios} | CPU (ms) | x CPU of {first} | peak memory (MiB) | bytes |"
    );
    println!("|{}", "---|".repeat(8 + compared.len()));
}

/// Prints a row for each way of reading, of which the first is the bare dump. `change` is called before each round,
/// the first of which warms up.
pub fn compare(sockets: usize, rounds: u32, ways: &[Way<'_>], mut change: impl FnMut()) {
    let mut taken: Vec<Taken> = ways.iter().map(|_| Taken::default()).collect();
    for round in 0..=rounds {
        change();
        for (way, taken) in ways.iter().zip(&mut taken) {
            let reading = (way.read)();
            if round > 0 {
                taken.cpu += reading.cpu;
                taken.walls.push(reading.wall);
                taken.bytes = reading.bytes;
            }
        }
    }
    let compared = || ways.iter().zip(&taken).filter(|(way, _)| way.compared).map(|(_, taken)| taken);
    let bare = taken.first().map_or(Duration::ZERO, |taken| taken.cpu);
    for (way, taken) in ways.iter().zip(&taken) {
        let wall = median(&taken.walls);
        let ratio = |other: &Taken| format!(" | {:.2}", ms(wall) / ms(median(&other.walls)));
        println!(
            "| {sockets} | {} | {:.1} | {:.1}-{:.1}{} | {:.1} | {:.2} | {} | {} |",
            way.name,
            ms(wall),
            ms(taken.walls.iter().min().copied().unwrap_or_default()),
            ms(taken.walls.iter().max().copied().unwrap_or_default()),
            compared().map(ratio).collect::<Vec<_>>().concat(),
            ms(taken.cpu / rounds),
            ms(taken.cpu) / ms(bare),
            way.exporter.map_or_else(|| "-".into(), |exporter| format!("{:.1}", exporter.peak_mib())),
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
