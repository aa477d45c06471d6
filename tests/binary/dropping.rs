//! Capabilities that are not needed are dropped, in every thread and for good. Needs root to have them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::enter;
use super::privileges::{capabilities_reported, held_by_root};
use testkit::exporter::Exporter;
use testkit::public::Public;

/// `1 << CAP_DAC_READ_SEARCH | 1 << CAP_SYS_PTRACE` of `linux/capability.h`.
const OWNERS: u64 = 1 << 2 | 1 << 19;

/// The sets of capabilities of every thread, and whether it can gain none.
fn sets(process: u32) -> Vec<(String, [u64; 5], bool)> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("threads");
    let sets = threads.filter_map(|thread| {
        // One that ends meanwhile holds nothing.
        let status = std::fs::read_to_string(thread.expect("a thread").path().join("status")).ok()?;
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.expect("the field").trim().to_owned()
        };
        let set = |name| u64::from_str_radix(&field(name), 16).expect("a set");
        let sets = ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"].map(set);
        Some((field("Name"), sets, field("NoNewPrivs") == "1"))
    });
    sets.collect()
}

/// Panics unless every thread holds these capabilities and could hold no other.
fn keeps(process: u32, kept: u64) -> Vec<String> {
    let sets = sets(process);
    for (name, sets, sealed) in &sets {
        assert_eq!((sets, sealed), (&[kept, kept, kept, 0, 0], &true), "{name}");
    }
    sets.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn root_keeps_what_the_configuration_needs_in_every_thread() {
    if enter() {
        return;
    }
    let (_listener, client, _server) = held_by_root();
    let config = "{logic: {compression: {label_folding: pid_condensed}},
        views: {v: {by: [direction]}, host: {by: [direction], select: 'dst exporter.invalid'}}}";
    let exporter = Exporter::configured(config);
    let metrics = exporter.metrics();
    let flow = format!("tcp_rtt{{flow=\"({})(DST#", std::process::id());
    assert!(metrics.contains(&flow), "{}: {metrics}", client.peer_addr().expect("connected"));
    let threads = keeps(exporter.child.id(), OWNERS);
    for thread in ["collector", "events", "resolver"] {
        assert!(threads.iter().any(|name| name == thread), "{thread} in {threads:?}");
    }
}

#[test]
fn root_has_its_port_and_its_buffer_and_then_no_capability() {
    if enter() {
        return;
    }
    let config = "{views: {v: {by: [direction]}}, collect: {event_buffer: 1GiB}}";
    let exporter = Exporter::configured_at(80, config);
    let metrics = exporter.metrics();
    assert!(metrics.contains("ss_exporter_destroy_events_buffer_bytes 1073741824\n"), "{metrics}");
    let held = "ss_exporter_capability_held{feature=\"event_buffer\",capability=\"CAP_NET_ADMIN\"} 1";
    assert_eq!(capabilities_reported(&metrics), [held.to_owned()].into());
    keeps(exporter.child.id(), 0);
    let log = exporter.log();
    assert!(!log.contains("WARN") && !log.contains("warn"), "{log}");
}

/// A process that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until the process holds no capability; it must not have ended by then.
fn comes_to_none(mut command: Command) {
    let child = Ended(command.stderr(Stdio::null()).spawn().expect("the program"));
    let process = child.0.id();
    let deadline = Instant::now() + Duration::from_secs(10);
    while sets(process).iter().any(|(_, sets, sealed)| sets != &[0; 5] || !sealed) {
        assert!(Instant::now() < deadline, "{:?}", sets(process));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Path::new(&format!("/proc/{process}/exe")).exists(), "it has ended");
}

#[test]
fn what_is_printed_once_is_made_without_what_it_does_not_need() {
    if enter() {
        return;
    }
    let views: Vec<_> = (0..20).map(|number| format!("v{number}: {{by: []}}")).collect();
    let config = format!("{{views: {{{}}}, collect: {{event_buffer: 64KiB}}}}", views.join(", "));
    let public = Public::new(&config);
    let mut estimate = public.command(&[], &["estimate", "--seconds", "60"]);
    estimate.stdout(Stdio::null());
    comes_to_none(estimate);
    // There is less room than it prints, so that it waits for a reader who never comes.
    let (reader, writer) = std::os::unix::net::UnixStream::pair().expect("a pair");
    rustix::net::sockopt::set_socket_send_buffer_size(&writer, 0).expect("a small buffer");
    let mut once = public.command(&[], &["--once"]);
    once.stdout(Stdio::from(std::os::fd::OwnedFd::from(writer)));
    comes_to_none(once);
    drop(reader);
}
