//! What the owners of sockets cost: warm, with some sockets new each time, and cold.

use std::time::{Duration, Instant};

use super::compare::{Way, compare, heading, median, ms};
use super::exporter::{Exporter, value};
use super::readers::{bare_dump, ss};
use ss_exporter::config::default_file_without_legacy;
use testkit::load::Load;

const BY_CGROUP: &str = "views:
  tcp: {by: [unit, container_id, direction, service_port]}
";
/// One in this many sockets is new in each round.
const NEW: usize = 100;

/// Prints three tables.
pub fn run(sockets: usize, rounds: u32, load: &mut Load) {
    warm(sockets, rounds);
    {
        let process = Exporter::configured(&default_file_without_legacy());
        let ways = [
            Way::compared("bare dump", bare_dump),
            Way::scrape("exporter, default views, 1 % of the sockets new", &process, "identity"),
        ];
        heading(&["bare dump"]);
        compare(sockets, rounds, &ways, || load.replace(NEW).expect("new connections"));
    }
    cold(sockets, rounds);
}

fn warm(sockets: usize, rounds: u32) {
    let process = Exporter::configured(&default_file_without_legacy());
    let cgroup = Exporter::configured(BY_CGROUP);
    let one = Exporter::configured(&of_other_cgroups());
    let ways = [
        Way::compared("bare dump", bare_dump),
        Way::compared("`ss -tnp`", || ss("-tnp")),
        Way::scrape("exporter, default views", &process, "identity"),
        Way::scrape("exporter, by cgroup", &cgroup, "identity"),
        Way::scrape("exporter, flows of other cgroups", &one, "identity"),
    ];
    heading(&["bare dump", "`ss -tnp`"]);
    compare(sockets, rounds, &ways, || {});
}

/// A view that selects none of the load, by cgroup: the kernel judges.
fn of_other_cgroups() -> String {
    let own = std::fs::read_to_string("/proc/self/cgroup").expect("this process's cgroups");
    let own = own.lines().find_map(|line| line.strip_prefix("0::")).expect("a cgroup of v2");
    format!(
        "views:
  tcp_flow:
    by: [local_address, local_port, remote_address, remote_port]
    select: not cgroup = {own}
"
    )
}

/// From the start of the program to the end of its first scrape, which is also the first collection.
fn cold(sockets: usize, rounds: u32) {
    let (mut peers, mut firsts, mut looks, mut dumps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        peers.push(ss("-tnp").wall);
        let start = Instant::now();
        let exporter = Exporter::configured(&default_file_without_legacy());
        let text = exporter.text();
        firsts.push(start.elapsed());
        for (stage, took) in [("processes", &mut looks), ("dump", &mut dumps)] {
            let series = format!("ss_exporter_collection_duration_seconds{{stage=\"{stage}\"}}");
            took.push(Duration::from_secs_f64(value(&text, &series)));
        }
    }
    let peer = median(&peers);
    println!("\n| sockets | what | median (ms) | spread (ms) | x `ss -tnp` |\n|---|---|---|---|---|");
    let rows = [
        ("`ss -tnp`", &peers),
        ("exporter, from its start to the end of its first scrape", &firsts),
        ("of that: the process table", &looks),
        ("of that: the dumps", &dumps),
    ];
    for (what, took) in rows {
        let (wall, least, most) = (median(took), took.iter().min(), took.iter().max());
        let [least, most] = [least, most].map(|wall| ms(wall.copied().unwrap_or_default()));
        println!(
            "| {sockets} | {what} | {:.1} | {least:.1}-{most:.1} | {:.2} |",
            ms(wall),
            ms(wall) / ms(peer)
        );
    }
}

/// Prints what a scrape costs at an interval of 15 s, for two minutes: what is known is looked at again in turn.
pub fn at_intervals(sockets: usize) {
    const SCRAPES: u32 = 8;
    let process = Exporter::configured(&default_file_without_legacy());
    process.scrape("identity");
    let mut took = Vec::new();
    for _ in 0..SCRAPES {
        std::thread::sleep(Duration::from_secs(15));
        let before = process.cpu();
        let wall = process.scrape("identity").wall;
        took.push((wall, process.cpu_since(before)));
    }
    let walls: Vec<_> = took.iter().map(|(wall, _)| *wall).collect();
    let cpu: Duration = took.iter().map(|(_, cpu)| *cpu).sum();
    println!(
        "\n| sockets | scrapes, 15 s apart | wall, median (ms) | CPU for each (ms) |\n|---|---|---|---|"
    );
    println!("| {sockets} | {SCRAPES} | {:.1} | {:.0} |", ms(median(&walls)), ms(cpu / SCRAPES));
}
