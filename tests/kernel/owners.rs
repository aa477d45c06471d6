//! Owners of real sockets.

use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ss_exporter::attribute::{OwnerLookup, Processes};

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

/// A table of the real processes, and a clock that is moved by hand.
struct Table {
    processes: Processes,
    now: Instant,
}

impl Table {
    fn new() -> Self {
        let processes = Processes::new("/proc".into(), false);
        let mut table = Self { processes, now: Instant::now() };
        table.begin_after(0);
        table
    }

    fn begin_after(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.processes.begin(self.now, soon()).expect("a process table");
        assert!(!self.processes.incomplete);
    }

    fn pids(&mut self, inode: u32) -> Vec<u32> {
        let OwnerLookup::Known(id) = self.processes.of(inode) else { return Vec::new() };
        self.processes.owner(id).processes().iter().map(|owner| owner.pid).collect()
    }

    fn resolved(&mut self, inodes: &[u32]) -> Vec<OwnerLookup> {
        for inode in inodes {
            self.processes.of(*inode);
        }
        self.processes.resolve(self.now, soon());
        inodes.iter().map(|inode| self.processes.of(*inode)).collect()
    }
}

fn inode(socket: impl AsFd) -> u32 {
    let inode = rustix::fs::fstat(socket).expect("an open socket").st_ino;
    u32::try_from(inode).expect("a socket's inode")
}

#[test]
fn the_first_collection_finds_every_socket_of_this_process() {
    if enter() {
        return;
    }
    let pairs: Vec<_> = (0..50).map(|_| Pair::at(std::net::Ipv4Addr::LOCALHOST)).collect();
    let mut table = Table::new();
    let comm = std::fs::read_to_string("/proc/self/comm").expect("comm");
    let executable = std::env::current_exe().expect("a path");
    for socket in pairs.iter().flat_map(|pair| [&pair.client, &pair.server]) {
        let OwnerLookup::Known(id) = table.processes.of(inode(socket)) else { panic!("it is not known") };
        let owner = table.processes.owner(id);
        assert_eq!(owner.pids(), std::process::id().to_string());
        assert_eq!(owner.names(), comm.trim_end());
        assert!(executable.ends_with(owner.executables()), "{}", owner.executables());
    }
}

#[test]
fn a_socket_that_a_child_inherited_is_the_childs_alone_when_the_parent_has_closed_it() {
    if enter() {
        return;
    }
    let pair = Pair::at(std::net::Ipv4Addr::LOCALHOST);
    let shared = pair.client.try_clone().expect("a duplicate");
    let socket = inode(&shared);
    let stdin = Stdio::from(std::os::fd::OwnedFd::from(shared));
    let mut child = Command::new("sleep").arg("60").stdin(stdin).spawn().expect("sleep");
    let mut table = Table::new();
    let mut both = [std::process::id(), child.id()];
    both.sort_unstable();
    let before = table.pids(socket);
    drop(pair);
    table.begin_after(41);
    let after = table.pids(socket);
    child.kill().expect("its end");
    child.wait().expect("its end");
    assert_eq!((before, after), (both.to_vec(), vec![child.id()]));
    table.begin_after(1);
    assert_eq!(table.processes.of(socket), OwnerLookup::Unknown);
}

#[test]
fn replaced_sockets_are_found_where_the_old_ones_were() {
    if enter() {
        return;
    }
    let mut pairs: Vec<_> = (0..200).map(|_| Pair::at(std::net::Ipv4Addr::LOCALHOST)).collect();
    let inodes = |pairs: &[Pair]| {
        let sockets = pairs.iter().flat_map(|pair| [&pair.client, &pair.server]);
        sockets.map(inode).collect::<Vec<_>>()
    };
    let mut table = Table::new();
    table.resolved(&inodes(&pairs));
    for _ in 0..20 {
        pairs.swap_remove(pairs.len() / 2);
    }
    pairs.extend((0..25).map(|_| Pair::at(std::net::Ipv4Addr::LOCALHOST)));
    table.begin_after(1);
    let before = table.processes.cost().descriptors;
    let found = table.resolved(&inodes(&pairs));
    assert!(
        found.iter().all(|whose| *whose == found[0] && matches!(whose, OwnerLookup::Known(_))),
        "{found:?}"
    );
    let looked_at = table.processes.cost().descriptors - before;
    assert!((40..120).contains(&looked_at), "{looked_at} for 50 sockets");
}

#[test]
fn a_socket_that_is_being_passed_has_no_process_until_it_is_received() {
    use rustix::net::*;
    if enter() {
        return;
    }
    let (from, to) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let pair = Pair::at(std::net::Ipv4Addr::LOCALHOST);
    let socket = inode(&pair.client);
    let mut table = Table::new();
    assert_eq!(table.pids(socket), [std::process::id()]);
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let passed = [pair.client.as_fd()];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&passed)));
    let data = [std::io::IoSlice::new(b"x")];
    sendmsg(&from, &data, &mut ancillary, SendFlags::empty()).expect("room");
    drop(pair.client);
    table.begin_after(41);
    // What is missing for the second time is looked for everywhere.
    assert_eq!(table.resolved(&[socket]), [OwnerLookup::Unknown]);
    table.begin_after(1);
    assert_eq!(table.resolved(&[socket]), [OwnerLookup::NoProcess]);

    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut data = [0];
    recvmsg(&to, &mut [std::io::IoSliceMut::new(&mut data)], &mut ancillary, RecvFlags::empty())
        .expect("a message");
    // In turn, at the latest.
    table.begin_after(41);
    assert_eq!(table.pids(socket), [std::process::id()]);
    drop(ancillary);
}

#[test]
fn a_collection_that_has_no_time_says_that_it_is_incomplete() {
    let mut processes = Processes::new("/proc".into(), false);
    let now = Instant::now();
    processes.begin(now, now).expect("a process table");
    assert!(processes.incomplete);
}

#[test]
fn a_process_table_that_cannot_be_read_is_an_error() {
    assert!(Processes::new("/nonexistent".into(), false).begin(Instant::now(), soon()).is_err());
}
