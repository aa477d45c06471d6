//! Owners of real sockets.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ss_exporter::attribute::Processes;

use super::{Pair, enter, expose, samples};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[test]
fn the_owner_of_a_socket_replaces_its_source() {
    if enter() {
        return;
    }
    let pair = Pair::at(std::net::Ipv4Addr::LOCALHOST);
    let text = expose("logic: {compression: {label_folding: pid_condensed}}\n");
    let pid = std::process::id();
    let port = pair.client.peer_addr().expect("connected").port();
    let expected = format!("flow=\"({pid})(DST#127.0.0.1|{port})\"");
    assert!(samples(&text, "tcp_cwnd").iter().any(|(label, _)| *label == expected), "{expected} in {text}");
}

#[test]
fn flows_of_one_owner_to_one_peer_are_one_row() {
    if enter() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("its address");
    let pairs: Vec<_> = (0..5).map(|_| Pair::through(&listener, address)).collect();
    let each = expose("logic:\n");
    let folded = expose("logic: {compression: {label_folding: pid_condensed}}\n");
    let to_server = |text: &str| {
        let rows = samples(text, "tcp_cwnd").into_iter();
        let rows = rows.filter(|(label, _)| label.contains(&format!("(DST#127.0.0.1|{})", address.port())));
        rows.map(|(_, value)| value).collect::<Vec<_>>()
    };
    assert_eq!(to_server(&each).len(), pairs.len());
    assert_eq!(to_server(&folded), [to_server(&each).iter().sum::<f64>()]);
    let rtts: Vec<f64> = samples(&each, "tcp_rtt")
        .into_iter()
        .filter(|(label, _)| label.contains(&format!("(DST#127.0.0.1|{})", address.port())))
        .map(|(_, rtt)| rtt)
        .collect();
    let mean = rtts.iter().sum::<f64>() / 5.0;
    let rows = samples(&folded, "tcp_rtt").into_iter();
    let row = rows.filter(|(label, _)| label.contains(&format!("(DST#127.0.0.1|{})", address.port())));
    let row: Vec<_> = row.collect();
    assert_eq!(row.len(), 1);
    assert!((row[0].1 - mean).abs() < 0.002, "{row:?} and a mean of {mean}");
}

#[test]
fn the_seeds_process_section_selects_by_pid_comm_and_executable() {
    if enter() {
        return;
    }
    let _pair = Pair::at(std::net::Ipv4Addr::LOCALHOST);
    let select = |process: &str| {
        let text = expose(&format!("logic: {{selection: {{process: {process}}}}}\n"));
        samples(&text, "tcp_cwnd").len()
    };
    let executable = std::env::current_exe().expect("a path");
    let name = executable.file_name().expect("a name").to_string_lossy().into_owned();
    let comm = std::fs::read_to_string("/proc/self/comm").expect("comm");
    assert_eq!(select(&format!("{{pids: [{}]}}", std::process::id())), 2);
    assert_eq!(select(&format!("{{cmds: [\"{name}\"]}}")), 2);
    assert_eq!(select(&format!("{{cmds: [\"{}\"]}}", comm.trim_end())), 2);
    assert_eq!(select("{pids: [1], cmds: [no_such_command]}"), 0);
    assert_eq!(
        select(&format!("{{pids: [{}], cmds: [no_such_command]}}", std::process::id())),
        2,
        "any of them"
    );
}

#[test]
fn every_owner_of_a_shared_socket_is_named_with_ascending_pids() {
    if enter() {
        return;
    }
    let pair = Pair::at(std::net::Ipv4Addr::LOCALHOST);
    let shared = pair.client.try_clone().expect("a duplicate");
    let mut child = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(shared)))
        .spawn()
        .expect("sleep");
    let text = expose("logic: {compression: {label_folding: pid_condensed}}\n");
    let mut pids = [std::process::id(), child.id()];
    pids.sort_unstable();
    child.kill().expect("its end");
    child.wait().expect("its end");
    let port = pair.client.peer_addr().expect("connected").port();
    let expected = format!("flow=\"({},{})(DST#127.0.0.1|{port})\"", pids[0], pids[1]);
    assert!(samples(&text, "tcp_cwnd").iter().any(|(label, _)| *label == expected), "{expected} in {text}");
}

#[test]
fn the_scan_finds_every_socket_of_this_process() {
    let pair = Pair::at(std::net::Ipv4Addr::LOCALHOST);
    let processes = Processes::scan(std::path::Path::new("/proc"), soon()).expect("a process table");
    let links = std::fs::read_dir("/proc/self/fd").expect("fds").flatten();
    let targets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
    let mut sockets = 0;
    for target in targets {
        let Some(inode) =
            target.to_str().and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        else {
            continue;
        };
        sockets += 1;
        assert!(processes.of(Some(inode)).iter().any(|owner| owner.pid == std::process::id()), "{inode}");
    }
    assert!(sockets >= 2, "{sockets}");
    drop(pair);
    assert!(processes.of(None).is_empty());
}

#[test]
fn a_scan_that_has_no_time_says_that_it_is_incomplete() {
    let processes = Processes::scan(std::path::Path::new("/proc"), Instant::now()).expect("a process table");
    assert!(processes.incomplete);
}

#[test]
fn a_process_table_that_cannot_be_read_is_an_error() {
    assert!(Processes::scan(std::path::Path::new("/nonexistent"), soon()).is_err());
}
