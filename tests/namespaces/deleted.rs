//! Namespaces that are deleted while the exporter looks into them, and what looking leaves behind.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::enter;
use super::exposed::said;
use testkit::exporter::Exporter;
use testkit::inner::{Inner, ip};
use testkit::scrape::Scrapes;

const CONFIG: &str = "
collect: {netns: all}
views: {t: {by: [netns, direction], metrics: [sockets, sent_bytes_total]}}
";

/// Namespaces that are deleted at once.
const AT_ONCE: usize = 20;

/// Our ends of the pairs whose other ends are in namespaces.
fn ends() -> usize {
    let table = std::fs::read_to_string("/proc/thread-self/net/dev").expect("interfaces");
    table.lines().filter(|line| line.trim_start().starts_with("to-")).count()
}

#[test]
fn two_hundred_namespaces_are_gone_after_their_deletion_while_they_are_scraped() {
    if enter() {
        return;
    }
    let exporter = Exporter::configured(CONFIG);
    let (seen, enough) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                let mut scrapes = Scrapes::default();
                let scrape = scrapes.scrape(&exporter);
                let entered =
                    scrape.sum("ss_exporter_namespaces") - scrape.sum("ss_exporter_namespaces_empty");
                seen.store(entered, Ordering::Relaxed);
            }
        });
        let _enough = Enough(&enough);
        for round in 0..10 {
            let names: Vec<_> = (0..AT_ONCE).map(|number| format!("g{round}-{number}")).collect();
            let each =
                |line: &dyn Fn(&str) -> String| names.iter().map(|name| line(name)).collect::<String>();
            ip(&each(&|name| {
                format!("netns add {name}\nlink add to-{name} type veth peer name there netns {name}\n")
            }));
            let inners: Vec<_> = names.iter().map(|name| Inner(name.clone())).collect();
            // One without a socket is not dumped.
            let listeners: Vec<_> = inners.iter().map(|inner| inner.listen(7_000)).collect();
            let all = AT_ONCE as u64 + 1;
            until(Duration::from_secs(10), || seen.load(Ordering::Relaxed) == all).expect("all are entered");
            assert_eq!(ends(), AT_ONCE, "round {round}");
            drop(listeners);
            // They are deleted here.
            inners.into_iter().for_each(std::mem::forget);
            ip(&each(&|name| format!("netns del {name}\n")));
            // The kernel takes its time over them, and does those of other hosts of namespaces in the same queue.
            let gone = until(Duration::from_secs(30), || ends() == 0);
            assert!(gone.is_some(), "round {round}: {} of {AT_ONCE} are still there", ends());
        }
    });
}

#[test]
fn namespaces_that_are_made_and_deleted_leave_every_collection_complete_and_the_log_quiet() {
    if enter() {
        return;
    }
    let _first = Inner::apart("first");
    let exporter = Exporter::configured(CONFIG);
    let made = AtomicBool::new(false);
    let incomplete = std::thread::scope(|scope| {
        scope.spawn(|| {
            let _made = Enough(&made);
            for round in 0..40 {
                let each = |what| {
                    let line = |number| format!("netns {what} x{round}-{number}\n");
                    (0..8).map(line).collect::<Vec<_>>().concat()
                };
                ip(&each("add"));
                ip(&each("del"));
            }
        });
        let mut incomplete = Vec::new();
        while !made.load(Ordering::Relaxed) {
            let mut scrapes = Scrapes::default();
            let scrape = scrapes.scrape(&exporter);
            let stages = scrape.rows("ss_exporter_collection_success").clone();
            incomplete.extend(stages.into_iter().filter(|(_, success)| success != "1"));
        }
        incomplete
    });
    assert!(incomplete.is_empty(), "{incomplete:?}");
    assert_eq!(said(exporter, "not complete"), 0);
}

#[test]
fn a_thousand_collections_of_several_namespaces_leave_no_file_and_no_thread_behind() {
    if enter() {
        return;
    }
    let inners = ["blue", "red", "green"].map(Inner::connected);
    let _listeners = inners.each_ref().map(|inner| inner.listen(7_000));
    let exporter = Exporter::configured(CONFIG);
    let process = format!("/proc/{}", exporter.child.id());
    let count = || {
        let entries = |name: &str| std::fs::read_dir(format!("{process}/{name}")).expect(name).count();
        (entries("fd"), entries("task"))
    };
    let collections = || {
        let mut scrapes = Scrapes::default();
        let scrape = scrapes.scrape(&exporter);
        assert_eq!(
            (scrape.sum("ss_exporter_namespaces"), scrape.sum("ss_exporter_namespaces_empty")),
            (4, 0)
        );
        scrape.sum("ss_exporter_collections_total")
    };
    let first = collections();
    // What the start and the first connections take is given back by then, or never.
    while collections() < first + 20 {}
    let before = count();
    while collections() < first + 1_000 {}
    let no_more = || count().0 <= before.0 && count().1 <= before.1;
    let given_back = until(Duration::from_secs(10), no_more);
    assert!(given_back.is_some(), "{before:?} files and threads before, {:?} after", count());
}

/// Waits until it is so.
fn until(time: Duration, mut so: impl FnMut() -> bool) -> Option<()> {
    let deadline = Instant::now() + time;
    while !so() {
        (Instant::now() < deadline).then_some(())?;
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(())
}

/// Says so when it is dropped, so that no thread goes on for ever after a failure.
struct Enough<'a>(&'a AtomicBool);

impl Drop for Enough<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
