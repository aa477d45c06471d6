//! What empty network namespaces beside many sockets cost.

use std::process::Command;

use super::compare::{Way, compare, heading};
use super::exporter::Exporter;
use super::readers::bare_dump;

const OWN: &str = "views:
  tcp: {by: [direction, service_port]}
";
const ALL: &str = "collect: {netns: all}
views:
  tcp: {by: [direction, service_port]}
";
/// The number of empty namespaces.
const EMPTY: usize = 100;

/// Prints a table without the namespaces, and one with them.
pub fn run(sockets: usize, rounds: u32) {
    // Names of our own, which are gone with the mount.
    command("mount -t tmpfs none /run");
    let (own, all) = (Exporter::configured(OWN), Exporter::configured(ALL));
    let table = |own_name, all_name| {
        let ways = [
            Way::compared("bare dump", bare_dump),
            Way::scrape(own_name, &own, "identity"),
            Way::scrape(all_name, &all, "identity"),
        ];
        heading(&["bare dump"]);
        compare(sockets, rounds, &ways, || {});
    };
    table("exporter, own namespace", "exporter, all namespaces");
    let names: Vec<_> = (0..EMPTY).map(|number| format!("empty{number}")).collect();
    for name in &names {
        command(&format!("ip netns add {name}"));
    }
    table("exporter, own namespace beside 100 others", "exporter, all namespaces, 100 of them empty");
    for name in &names {
        command(&format!("ip netns del {name}"));
    }
    // `ip` has made another mount below it.
    command("umount --recursive /run");
}

/// Runs a command that has to succeed.
fn command(line: &str) {
    let mut words = line.split(' ');
    let status = Command::new(words.next().expect("a command")).args(words).status();
    assert!(status.is_ok_and(|status| status.success()), "{line}");
}
