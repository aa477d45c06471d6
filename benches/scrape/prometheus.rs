//! Exporters as a real Prometheus scrapes them: the duration that it records, and what a scrape costs Prometheus.

use std::time::{Duration, Instant};

use super::compare::ms;
use super::exporter::{Exporter, SERVICES};
use super::programs::{self, NODE_EXPORTER, PROMETHEUS, titled};
use super::readers::bare_dump;
use ss_exporter::config::default_file_without_legacy;

/// Between two scrapes, in seconds.
const INTERVAL: u64 = 1;

/// Prints a row for each exporter. Each has a Prometheus of its own, one after the other.
pub fn run(sockets: usize, rounds: u32) {
    if programs::version(PROMETHEUS).is_none() {
        println!("\nPrometheus is not installed: no scrapes by it.");
        return;
    }
    let dumps: Duration = (0..rounds).map(|_| bare_dump().cpu).sum();
    println!(
        "\n| sockets | scraped by {} | samples | duration, median (ms) | CPU of the exporter (ms) | x CPU of bare dump | CPU of Prometheus (ms) | memory of Prometheus (MiB) |",
        titled("Prometheus", PROMETHEUS)
    );
    println!("|{}", "---|".repeat(8));
    let mut exporters = vec![
        ("views without owners".to_owned(), Exporter::configured(SERVICES)),
        ("default views".to_owned(), Exporter::configured(&default_file_without_legacy())),
        ("no config file (1,000 flows)".to_owned(), Exporter::start(&[])),
    ];
    if let Some(node) = Exporter::tcpstat_of_node_exporter() {
        exporters.push((format!("{}, tcpstat alone", titled("node_exporter", NODE_EXPORTER)), node));
    }
    for (name, exporter) in &exporters {
        // The start has costs of its own.
        exporter.scrape("gzip");
        let taken = scraped(exporter, rounds);
        println!(
            "| {sockets} | {name} | {} | {:.1} | {:.1} | {:.2} | {:.1} | {:.0} |",
            taken.samples,
            taken.seconds * 1e3,
            ms(taken.exporter / rounds),
            ms(taken.exporter) / ms(dumps),
            ms(taken.prometheus / rounds),
            taken.memory
        );
    }
}

/// What the scrapes of an exporter took. The CPU times are of all rounds.
struct Scraped {
    samples: f64,
    /// The median duration of a scrape, as Prometheus records it.
    seconds: f64,
    exporter: Duration,
    prometheus: Duration,
    memory: f64,
}

/// Lets a new Prometheus scrape an exporter as many times, after a first scrape that creates the series.
fn scraped(exporter: &Exporter, rounds: u32) -> Scraped {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: {INTERVAL}s, scrape_timeout: {INTERVAL}s}}
scrape_configs: [{{job_name: exporter, static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]
",
        exporter.port()
    );
    std::fs::write(&config, text).expect("a configuration of Prometheus");
    let flags = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", folder.path().join("data").display()),
        "--log.level=error".to_owned(),
    ];
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let prometheus = Exporter::of(programs::command(PROMETHEUS), &flags).expect("Prometheus");

    await_scrapes(&prometheus, 1);
    let before = (exporter.cpu(), prometheus.cpu());
    await_scrapes(&prometheus, 1 + rounds);
    let query = |expression: &str| query(&prometheus, expression).expect("a sample");
    Scraped {
        exporter: exporter.cpu_since(before.0),
        prometheus: prometheus.cpu_since(before.1),
        samples: query("scrape_samples_scraped"),
        seconds: query("quantile_over_time(0.5,scrape_duration_seconds[1h])"),
        memory: prometheus.resident_mib(),
    }
}

/// Waits until Prometheus has scraped as many times, each with success.
fn await_scrapes(prometheus: &Exporter, scrapes: u32) {
    let limit = Duration::from_secs(60 + INTERVAL * u64::from(scrapes));
    let start = Instant::now();
    while query(prometheus, "sum_over_time(up[1h])").is_none_or(|done| done < f64::from(scrapes)) {
        assert!(start.elapsed() < limit, "Prometheus does not scrape");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The value of an expression with one result, which is none before the first scrape.
fn query(prometheus: &Exporter, expression: &str) -> Option<f64> {
    let answer = prometheus.answer(&format!("/api/v1/query?query={expression}"));
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}
