//! What a refresh of the page costs, beside a scrape of the same exporter without a file.

use std::time::Duration;

use super::compare::ms;
use super::exporter::Exporter;

/// A snapshot of the page is shared for a second.
const PAUSE: Duration = Duration::from_millis(1_100);

/// Refreshes after which the kernel is not asked for memory any more, because no connection sends a lot.
const WARM: u32 = 12;

/// Prints a table.
pub fn run(sockets: usize, rounds: u32) {
    let exporter = Exporter::start(&[]);
    for _ in 0..WARM {
        exporter.answer("/");
        std::thread::sleep(PAUSE);
    }
    let mut taken = [("scrape", "/metrics", Duration::ZERO, 0), ("page", "/", Duration::ZERO, 0)];
    for round in 0..=rounds {
        for (_, path, cpu, bytes) in &mut taken {
            let before = exporter.cpu();
            *bytes = exporter.answer(path).len();
            std::thread::sleep(PAUSE);
            // The first round reads all processes, and has no listing to compare with.
            *cpu += if round > 0 { exporter.cpu_since(before) } else { Duration::ZERO };
        }
    }
    let scrape = taken[0].2;
    println!("\n| sockets | what | CPU (ms) | x scrape | bytes |\n|---|---|---|---|---|");
    for (what, _, cpu, bytes) in taken {
        println!("| {sockets} | {what} | {:.1} | {:.2} | {bytes} |", ms(cpu / rounds), ms(cpu) / ms(scrape));
    }
}
