//! From the start of the program to its first response, and what it costs without requests.

use std::time::{Duration, Instant};

use super::compare::{median, ms};
use super::exporter::Exporter;
use ss_exporter::config::default_file_without_legacy;

/// The time without requests.
const SILENCE: Duration = Duration::from_secs(3);

/// Prints a row: among few sockets.
pub fn run(rounds: u32) {
    let mut starts = Vec::new();
    let (mut memory, mut idle) = (0.0, Duration::ZERO);
    for _ in 0..rounds {
        let start = Instant::now();
        let exporter = Exporter::configured(&default_file_without_legacy());
        exporter.scrape("identity");
        starts.push(start.elapsed());
        // What follows an answer has ended.
        std::thread::sleep(Duration::from_millis(100));
        let before = exporter.cpu();
        std::thread::sleep(SILENCE);
        idle = idle.max(exporter.cpu_since(before));
        memory = f64::max(memory, exporter.resident_mib());
    }
    println!(
        "\n| start to the end of the first scrape, median (ms) | spread (ms) | memory, idle (MiB) | CPU (ms) in {} s without a scrape |",
        SILENCE.as_secs()
    );
    println!("|---|---|---|---|");
    let [least, most] =
        [starts.iter().min(), starts.iter().max()].map(|s| ms(s.copied().unwrap_or_default()));
    println!("| {:.1} | {least:.1}-{most:.1} | {memory:.1} | {:.0} |", ms(median(&starts)), ms(idle));
}
