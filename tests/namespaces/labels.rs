//! The label of a namespace that has no name.

use std::process::Command;

use super::enter;
use testkit::exporter::{Exporter, program};
use testkit::inner::Inner;
use testkit::scrape::Scrapes;

#[test]
fn a_namespace_without_a_name_is_shown_by_the_inode_that_lsns_prints() {
    if enter() {
        return;
    }
    let inner = Inner::apart("passing");
    // An exporter as any process that listens.
    let mut guest = inner.within(|| program().arg("--port=7000").spawn().expect("the program"));
    drop(inner);
    let config =
        "{collect: {netns: all}, views: {t: {by: [netns, local_port], metrics: [sockets], state: listen}}}";
    let exporter = Exporter::configured(config);
    let mut scrapes = Scrapes::default();
    let listens = |labels: &String| labels.ends_with("local_port=\"7000\"");
    let scrape = scrapes.until(&exporter, |scrape| scrape.rows("ss_t_sockets").keys().any(listens));
    let shown: Vec<_> = scrape.rows("ss_t_sockets").keys().filter(|labels| listens(labels)).collect();
    let pid = guest.id().to_string();
    let lsns = Command::new("lsns").args(["-n", "-t", "net", "-o", "NS", "-p", &pid]).output().expect("lsns");
    let inode = String::from_utf8(lsns.stdout).expect("a number");
    assert_eq!(shown, [&format!("netns=\"{}\",local_port=\"7000\"", inode.trim())]);
    guest.kill().and_then(|()| guest.wait()).expect("its end");
}
