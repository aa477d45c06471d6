//! The exposition of a captured dump, in both formats, against files that people have read.
//!
//! `UPDATE=1 cargo test --test golden` writes them anew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use ss_exporter::attribute::{Listing, Namespace};
use ss_exporter::collect::{CollectorState, Entered, World, collect, cumulative_snapshot};
use ss_exporter::config::Config;
use ss_exporter::exposition::Format;
use ss_exporter::plan::Plan;
use ss_exporter::privileges::{Feature, Privileges};
use ss_exporter::select::Lookup;
use ss_exporter::snapshot::Cursor;
use ss_exporter::sockdiag::{Datagram, Transport};

/// A world that was captured, with owners of the test's choice.
struct Captured {
    proc: PathBuf,
    /// What the kernel sends before it falls silent.
    sent: Mutex<Vec<u8>>,
}

const DUMP: &[u8] = include_bytes!("../capture/linux-6.18.bin");
/// The end of the dump alone, behind its length.
const END: usize = 24;

struct Recording(Vec<u8>);

impl World for Captured {
    type Transport = Recording;

    fn namespaces(&self) -> io::Result<Listing> {
        let own = Namespace { name: "blue".to_owned(), ..Namespace::own() };
        Ok(Listing { namespaces: vec![own], ..Listing::default() })
    }

    fn enter(&self, _: &Namespace) -> io::Result<Entered<Recording>> {
        let recording = || Recording(self.sent.lock().expect("unbroken").clone());
        Ok(Entered { kernels: Some((recording(), recording())), time_wait: None, ports: String::new() })
    }

    fn proc(&self) -> &Path {
        &self.proc
    }
}

impl Lookup for Captured {
    fn judges_cgroups(&self) -> bool {
        true
    }
}

impl Transport for Recording {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _: Instant) -> io::Result<Datagram> {
        let length = self.0.first_chunk().ok_or(io::ErrorKind::TimedOut)?;
        let length = u32::from_le_bytes(*length) as usize;
        buffer[..length].copy_from_slice(&self.0[4..4 + length]);
        self.0.drain(..4 + length);
        Ok(Datagram { length, sender: 0 })
    }
}

/// A process table in which two processes share every socket of the capture but one.
fn processes(proc: &Path) {
    // The table shows the exporter itself.
    std::fs::create_dir(proc.join("self")).expect("a folder");
    let inodes: Vec<&str> = include_str!("../capture/linux-6.18.ss")
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("ino:"))
        .collect();
    for pid in ["20005", "731"] {
        let fds = proc.join(pid).join("fd");
        std::fs::create_dir_all(&fds).expect("a folder");
        // As the kernel writes them: the name with its line feed escaped, 18 numbers, then the time of start.
        let stat = [pid.as_bytes(), b" (a\"b\n\xff) S", &b" 0".repeat(18), b" 7 0\n"].concat();
        std::fs::write(proc.join(pid).join("stat"), stat).expect("a file");
        for (fd, inode) in inodes.iter().skip(1).enumerate() {
            std::os::unix::fs::symlink(format!("socket:[{inode}]"), fds.join(fd.to_string()))
                .expect("a link");
        }
    }
}

fn compare(name: &str, config: &str, format: Format) {
    let folder = tempfile::tempdir().expect("a folder");
    processes(folder.path());
    let world = Captured { proc: folder.path().to_owned(), sent: Mutex::new(DUMP.to_vec()) };
    let plan = Plan::new(Config::parse("golden.yml", config).expect("a valid configuration"));
    let snapshot = collect(&plan, &world, &mut CollectorState::new(&plan, Privileges::default()));
    let mut cursor = Cursor::default();
    let bytes: Vec<u8> = std::iter::from_fn(|| snapshot.chunk(&mut cursor, format)).flatten().collect();
    let text = String::from_utf8(bytes).expect("UTF-8");
    // What depends on this machine and moment, and the version, which changes with each release.
    let changing = ["process_", "ss_exporter_collection_duration", "ss_exporter_build_info{"];
    let stable: String = text
        .split_inclusive('\n')
        .filter(|line| !changing.iter().any(|start| line.starts_with(start)))
        .collect();
    let path = Path::new("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &stable).expect("the golden file");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == stable, "{name} differs; read it and run again with UPDATE=1:\n{stable}");
}

const OWNERS_3X: &str = "logic:
  metrics:
    gauges: {active: true}
    counters: {dataSegsIn: {active: true}}
    histograms: {rtt: {active: true, bucketBounds: [0.005, 0.01, 1]}}
  compression: {labelFolding: pid_condensed}
";

#[test]
fn the_seed_families_of_2x() {
    compare("seed.txt", "logic:\n", Format::Text);
    compare("seed.om.txt", "logic:\n", Format::OpenMetrics);
}

#[test]
fn the_seed_families_of_3x_folded_by_owner() {
    compare("owners.txt", OWNERS_3X, Format::Text);
    compare("owners.om.txt", OWNERS_3X, Format::OpenMetrics);
}

#[test]
fn a_dump_without_its_end_withholds_every_row_and_says_so_until_the_next() {
    let config = Config::parse("golden.yml", "logic: {compression: {max_flows: 3}}").expect("valid");
    let plan = Plan::new(config);
    let world = Captured { proc: PathBuf::new(), sent: Mutex::new(DUMP.to_vec()) };
    let mut state = CollectorState::new(&plan, Privileges::default());
    let mut text = |sent: &[u8]| {
        *world.sent.lock().expect("unbroken") = sent.to_vec();
        let snapshot = collect(&plan, &world, &mut state);
        let mut cursor = Cursor::default();
        let bytes = std::iter::from_fn(|| snapshot.chunk(&mut cursor, Format::Text)).flatten().collect();
        String::from_utf8(bytes).expect("UTF-8")
    };
    let rows = |text: &str| {
        let rows = text.lines().filter(|line| line.starts_with("tcp_"));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = text(DUMP);
    assert!(
        !rows(&before).is_empty() && before.contains("collection_success{stage=\"dump\"} 1\n"),
        "{before}"
    );
    let short = text(&DUMP[..DUMP.len() - END]);
    assert!(rows(&short).is_empty() && short.contains("collection_success{stage=\"dump\"} 0\n"), "{short}");
    assert_eq!(rows(&text(DUMP)), rows(&before), "the limit remembers its rows through the failure");
}

#[test]
fn a_process_table_that_cannot_be_read_withholds_a_selection_by_it_but_not_a_label() {
    let shown = |config: &str| {
        let plan = Plan::new(Config::parse("golden.yml", config).expect("valid"));
        let world = Captured { proc: PathBuf::from("/nonexistent"), sent: Mutex::new(DUMP.to_vec()) };
        let snapshot = collect(&plan, &world, &mut CollectorState::new(&plan, Privileges::default()));
        let mut cursor = Cursor::default();
        let bytes = std::iter::from_fn(|| snapshot.chunk(&mut cursor, Format::Text)).flatten().collect();
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(text.contains("collection_success{stage=\"processes\"} 0\n"), "{text}");
        text.lines().filter(|line| line.starts_with("tcp_cwnd{flow=\"(SRC#")).count()
    };
    assert_eq!(shown("logic: {selection: {process: {cmds: [nginx]}}}"), 0);
    assert_eq!(shown("logic: {compression: {label_folding: pid_condensed}}"), 12);
}

#[test]
fn a_socket_that_a_dump_repeats_counts_once() {
    let plan = Plan::new(Config::parse("golden.yml", OWNERS_3X).expect("valid"));
    let rows = |sent: Vec<u8>| {
        let world = Captured { proc: PathBuf::new(), sent: Mutex::new(sent) };
        let snapshot = collect(&plan, &world, &mut CollectorState::new(&plan, Privileges::default()));
        let mut cursor = Cursor::default();
        let bytes = std::iter::from_fn(|| snapshot.chunk(&mut cursor, Format::Text)).flatten().collect();
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().filter(|line| line.starts_with("tcp_")).map(str::to_owned).collect::<Vec<_>>()
    };
    let sockets = &DUMP[..DUMP.len() - END];
    let once = rows(DUMP.to_vec());
    assert!(once.contains(&"tcp_flows_total 12".to_owned()), "{once:?}");
    assert_eq!(rows([sockets, DUMP].concat()), once);
}

/// The captured dump in which every socket has received so many bytes more.
fn received_more(bytes: u64) -> Vec<u8> {
    /// Where `tcpi_bytes_received` lies in an attribute `INET_DIAG_INFO` of 280 bytes with its header.
    const AT: usize = 4 + 128;
    let mut dump = DUMP.to_vec();
    let header = [284_u16.to_ne_bytes(), 2_u16.to_ne_bytes()].concat();
    let infos = dump.windows(4).enumerate().filter(|(_, window)| *window == header).map(|(at, _)| at);
    for at in infos.collect::<Vec<_>>() {
        let field = &mut dump[at + AT..at + AT + 8];
        let value = u64::from_ne_bytes(field.try_into().expect("eight bytes")) + bytes;
        field.copy_from_slice(&value.to_ne_bytes());
    }
    dump
}

#[test]
fn sockets_keep_their_rows_while_nobody_can_tell_their_owners() {
    let folder = tempfile::tempdir().expect("a folder");
    processes(folder.path());
    let views = "views:
  owned: {metrics: [received_bytes_total], select: \"pid = 731\"}
  all: {metrics: [received_bytes_total], select: \"not dport = 1\"}
";
    let plan = Plan::new(Config::parse("golden.yml", views).expect("valid"));
    let mut state = CollectorState::new(&plan, Privileges::default());
    let mut received = |known: bool, bytes: u64| {
        let proc = if known { folder.path().to_owned() } else { PathBuf::from("/nonexistent") };
        let world = Captured { proc, sent: Mutex::new(received_more(bytes)) };
        let snapshot = collect(&plan, &world, &mut state);
        let mut cursor = Cursor::default();
        let text = std::iter::from_fn(|| snapshot.chunk(&mut cursor, Format::Text)).flatten().collect();
        let text = String::from_utf8(text).expect("UTF-8");
        ["ss_owned_received_bytes_total ", "ss_all_received_bytes_total "].map(|name| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)).expect("a row");
            value.parse::<u64>().expect("a number")
        })
    };
    assert_eq!(received(true, 0), [0, 0]);
    let [owned, all] = received(true, 1_000);
    assert!(owned > 0 && owned + 1_000 == all, "one socket has no owner: {owned} of {all}");
    assert_eq!(received(false, 2_000), [2 * owned, 2 * all]);
    assert_eq!(received(true, 3_000), [3 * owned, 3 * all], "nothing is lost of what was gained meanwhile");
}

#[test]
fn what_was_held_at_the_start_is_told_with_a_dump_and_without() {
    let plan = Plan::new(Config::parse("golden.yml", "logic:\n").expect("valid"));
    let world = Captured { proc: PathBuf::new(), sent: Mutex::new(DUMP.to_vec()) };
    let held = Privileges::of(&[Feature::Processes, Feature::Marks]);
    let mut state = CollectorState::new(&plan, held.clone());
    assert_eq!(collect(&plan, &world, &mut state).report.privileges, held);
    assert_eq!(cumulative_snapshot(&state.tracker()).report.privileges, held);
}
