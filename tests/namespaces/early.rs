//! Connections that close before the first collection: their rows have the name of their namespace, too.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::enter;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};
use testkit::traffic::{End, Pair};

fn config(netns: &str) -> String {
    format!(
        "{{collect: {{netns: {netns}}}, views: {{t: {{by: [netns, direction], metrics: [\"*_total\"]}}}}}}"
    )
}

#[test]
fn a_namespace_has_one_name_from_the_first_close_event_on() {
    if enter() {
        return;
    }
    let inode = std::fs::metadata("/proc/thread-self/ns/net").expect("our namespace").ino();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                Pair::open(&listener).and_then(|pair| pair.end(End::ServerFirst)).expect("room");
            }
        });
        for netns in ["all", "own", "all", "own", "all", "own"] {
            let exporter = Exporter::configured(&config(netns));
            let mut scrapes = Scrapes::default();
            let closed = |scrape: &Scrape| scrape.sum("ss_t_closed_total") > 0;
            let scrape = scrapes.until(&exporter, closed);
            assert!(closed(scrape), "{scrape:?}");
            let names: Vec<_> = scrape.rows("ss_t_closed_total").keys().collect();
            let name = format!("netns=\"{inode}\",");
            assert!(names.iter().all(|labels| labels.starts_with(&name)), "{name} and else: {names:?}");
        }
        done.store(true, Ordering::Relaxed);
    });
}
