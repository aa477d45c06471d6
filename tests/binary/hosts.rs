//! Host names of the selection, in a hosts file of the test's own, with a DNS server that never answers.

use std::net::UdpSocket;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::NamedTempFile;

use super::{enter, program};
use testkit::exporter::Exporter;

/// How the scrapes' own connection is shown to the legacy families.
const SHOWN: &str = "(DST#127.0.0.1|8020)";

/// A file with a text in place of one of the host's, in the test's own mounts.
fn in_place_of(path: &str, text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("room");
    let mounted = Command::new("mount").arg("--bind").arg(file.path()).arg(path).status();
    assert!(mounted.is_ok_and(|status| status.success()), "cannot mount over {path}");
    file
}

fn selecting(hosts: &str) -> String {
    format!("logic: {{selection: {{peering: {{hosts: [{hosts}]}}}}}}\n")
}

#[test]
fn dns_that_never_answers_delays_no_name_of_the_hosts_file() {
    if enter() {
        return;
    }
    let _silent = UdpSocket::bind("127.0.0.1:53").expect("the port of DNS");
    let _servers = in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1\n");
    let names = in_place_of("/etc/hosts", "127.0.0.1 db.test\n");
    let config = NamedTempFile::with_suffix(".yml").expect("a file");
    std::fs::write(config.path(), selecting("nowhere.test, db.test")).expect("room");
    let exporter = Exporter::reading(config.path(), &[]);
    let first = exporter.metrics();
    assert!(first.contains(SHOWN), "{first}");
    assert!(first.contains("ss_exporter_hosts_unresolved 1\n"), "{first}");

    std::fs::write(names.path(), "127.0.0.9 db.test\n127.0.0.1 later.test\n").expect("room");
    assert!(!exporter.metrics().contains(SHOWN), "the address of before");
    std::fs::write(config.path(), selecting("later.test")).expect("room");
    exporter.signal(Signal::HUP);
    // The old configuration has an unresolved name, the new one has none.
    let deadline = Instant::now() + Duration::from_secs(30);
    let reloaded = loop {
        let text = exporter.metrics();
        if !text.contains("ss_exporter_hosts_unresolved 1\n") {
            break text;
        }
        assert!(Instant::now() < deadline, "{text}");
    };
    assert!(reloaded.contains(SHOWN), "{reloaded}");
}

#[test]
fn a_single_collection_knows_the_hosts_file_while_dns_never_answers() {
    if enter() {
        return;
    }
    let _silent = UdpSocket::bind("127.0.0.1:53").expect("the port of DNS");
    let _servers = in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1\n");
    let _names = in_place_of("/etc/hosts", "127.0.0.1 db.test\n");
    let config = NamedTempFile::with_suffix(".yml").expect("a file");
    std::fs::write(config.path(), selecting("db.test")).expect("room");
    let _listener = std::net::TcpListener::bind("127.0.0.1:8020").expect("a listener");
    let _connection = std::net::TcpStream::connect("127.0.0.1:8020").expect("connected");
    let output = program().arg("--once").arg("--config").arg(config.path()).output().expect("the program");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains(SHOWN), "{text}");
}
