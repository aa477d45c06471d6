//! Sockets of every protocol except TCP, in a namespace of their own: a view of them against what `ss` prints.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram, UnixListener, UnixStream};
use std::process::Command;

use rustix::net::bind;
use rustix::net::netlink::SocketAddrNetlink;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{enter, samples};
use ss_exporter::collection::{CollectorState, collect};
use ss_exporter::{config::Config, exposition::Format, plan::Plan, privileges::Privileges};
use testkit::host::{ThisNetns, exposition};

const AF_NETLINK: i32 = 16;
const AF_PACKET: i32 = 17;
const NETLINK_ROUTE: i32 = 0;
const NETLINK_GENERIC: i32 = 16;
const IPPROTO_UDP: i32 = 17;
const IPPROTO_UDPLITE: i32 = 136;
/// `ETH_P_ALL`
const ALL_FRAMES: u16 = 3;
/// Numbers of netlink protocols of which the kernel has sockets in each namespace, and their names.
const NETLINK_NAMES: [(&str, &str); 7] = [
    ("0", "route"),
    ("6", "xfrm"),
    ("9", "audit"),
    ("10", "fib_lookup"),
    ("12", "netfilter"),
    ("15", "uevent"),
    ("16", "generic"),
];
/// The metrics of memory, in the order of the words of `skmem`.
const MEMORY: [(&str, &str); 5] = [
    ("receive_memory_bytes", "r"),
    ("receive_buffer_bytes", "rb"),
    ("send_memory_bytes", "t"),
    ("send_buffer_bytes", "tb"),
    ("dropped_packets_total", "d"),
];

/// The number of sockets with the same labels, and the sums of their values.
type Rows = BTreeMap<Vec<String>, Vec<u64>>;

/// What a view by these labels shows after `act`, which happens between two collections: counters begin at the first.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts and sizes of memory")]
fn view(protocol: &str, labels: &[&str], metrics: &[&str], act: impl FnOnce()) -> Rows {
    let config = format!(
        "collect: {{deadline: 60s, owners: 30s}}
views: {{v: {{protocol: {protocol}, state: all, by: [{}], metrics: [sockets, {}]}}}}",
        labels.join(", "),
        metrics.join(", "),
    );
    let plan = Plan::new(Config::parse("test.yml", &config).expect("a valid configuration"));
    let mut state = CollectorState::new(&plan, Privileges::default());
    let mut collect = || {
        let snapshot = collect(&plan, &ThisNetns, &mut state);
        assert!(snapshot.report.success(), "{:?}", snapshot.report);
        exposition(&snapshot, Format::Text)
    };
    let _ = collect();
    act();
    let text = collect();
    let mut rows = Rows::new();
    for metric in ["sockets"].iter().chain(metrics) {
        for (block, value) in samples(&text, &format!("ss_v_{metric}")) {
            // No value here has a quote in it.
            let key = block.split('"').skip(1).step_by(2).map(str::to_owned).collect();
            rows.entry(key).or_default().push(value as u64);
        }
    }
    rows
}

/// A line of `ss`.
struct Printed<'a>(Vec<&'a str>);

impl Printed<'_> {
    /// The number behind the key in `skmem:(…)`.
    fn memory(&self, key: &str) -> u64 {
        let word =
            self.0.iter().find_map(|word| word.strip_prefix("skmem:(")?.strip_suffix(')')).expect("-m");
        let of_key = |part: &str| part.strip_prefix(key)?.parse().ok();
        word.split(',').find_map(of_key).unwrap_or_else(|| panic!("no {key} in {word}"))
    }

    /// The ids of the processes.
    fn pid(&self) -> String {
        let users = self.0.iter().find_map(|word| word.strip_prefix("users:(")).unwrap_or_default();
        let pids = users.split("pid=").skip(1).map(|rest| rest.split(',').next().unwrap_or_default());
        let mut pids: Vec<_> = pids.collect();
        pids.dedup();
        pids.join(",")
    }

    /// The values of these metrics of memory.
    fn values(&self, memory: &[(&str, &str)]) -> Vec<u64> {
        memory.iter().map(|(_, key)| self.memory(key)).collect()
    }
}

/// What `ss` prints with these options, each line read by `row`; a line of which it makes nothing is left out.
fn ss(options: &[&str], mut row: impl FnMut(&Printed<'_>) -> Option<(Vec<String>, Vec<u64>)>) -> Rows {
    let output = Command::new("ss").args(options).output().expect("ss of iproute2");
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let mut rows = Rows::new();
    for line in text.lines() {
        let Some((key, values)) = row(&Printed(line.split_whitespace().collect())) else { continue };
        let sums = rows.entry(key).or_insert_with(|| vec![0; 1 + values.len()]);
        let one = std::iter::once(1).chain(values);
        sums.iter_mut().zip(one).for_each(|(sum, value)| *sum += value);
    }
    assert!(!rows.is_empty(), "{options:?} shows nothing: {text}");
    rows
}

/// An address and a port as the labels spell them.
fn end(printed: &str) -> [String; 2] {
    let (address, port) = printed.rsplit_once(':').expect("an address and a port");
    let address = match address.trim_start_matches('[').trim_end_matches(']') {
        "*" => "::",
        address => address,
    };
    [address, if port == "*" { "0" } else { port }].map(str::to_owned)
}

/// A state as the label spells it.
fn state(printed: &str) -> String {
    match printed {
        "ESTAB" => "established",
        "UNCONN" => "close",
        "LISTEN" => "listen",
        other => panic!("{other}: no state of a socket of this test"),
    }
    .to_owned()
}

const ENDS: [&str; 6] = ["state", "local_address", "local_port", "remote_address", "remote_port", "pid"];

/// The labels [`ENDS`] of a line of a protocol with ports.
fn ends(printed: &Printed<'_>) -> Vec<String> {
    let [local, remote] = [end(printed.0[3]), end(printed.0[4])];
    let labels = [state(printed.0[0])].into_iter().chain(local).chain(remote);
    labels.chain([printed.pid()]).collect()
}

/// Datagram sockets of both versions, connected and not, and what fills the buffer of one.
struct Datagrams {
    sockets: [UdpSocket; 4],
}

impl Datagrams {
    fn open(protocol: i32) -> Self {
        let open = |domain| {
            Socket::new(domain, Type::DGRAM, Some(Protocol::from(protocol)))
                .expect("a protocol of this kernel")
        };
        let at = |domain, address: SocketAddr| {
            let socket = open(domain);
            socket.set_recv_buffer_size(4096).expect("a small buffer");
            socket.bind(&SockAddr::from(address)).expect("a free port");
            socket.into()
        };
        let to = |domain, address: SocketAddr| {
            let socket = UdpSocket::from(open(domain));
            socket.connect(address).expect("a peer");
            socket
        };
        let (four, six) = ((Ipv4Addr::LOCALHOST, 5353).into(), (Ipv6Addr::LOCALHOST, 6000).into());
        let dual = at(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, 6000).into());
        Self { sockets: [at(Domain::IPV4, four), to(Domain::IPV4, four), dual, to(Domain::IPV6, six)] }
    }

    /// Sends more than the first socket has room for, and a little to the other.
    fn overflow(&self) {
        let [_, client, _, six] = &self.sockets;
        for _ in 0..100 {
            client.send(&[7; 100]).expect("sent");
        }
        six.send(&[7; 10]).expect("sent");
    }
}

/// An IP protocol for experiments (RFC 3692).
const EXPERIMENT: i32 = 253;

#[test]
fn raw_sockets_are_shown_with_their_drops_whether_or_not_the_kernel_has_raw_diag() {
    if enter() {
        return;
    }
    let open =
        |domain| Socket::new(domain, Type::RAW, Some(Protocol::from(EXPERIMENT))).expect("CAP_NET_RAW");
    let [receiver, sender, six] = [Domain::IPV4, Domain::IPV4, Domain::IPV6].map(open);
    let at = SockAddr::from(SocketAddr::from(([127, 0, 0, 2], 0)));
    receiver.set_recv_buffer_size(4096).expect("a small buffer");
    receiver.bind(&at).expect("an address of lo");
    sender.connect(&at).expect("a peer");
    six.bind(&SockAddr::from(SocketAddr::from((Ipv6Addr::LOCALHOST, 0)))).expect("an address of lo");
    let labels = ["state", "local_address", "local_port", "remote_address", "pid"];
    let metrics = ["dropped_packets_total", "receive_memory_bytes"];
    let send = || (0..50).for_each(|_| assert_eq!(sender.send(&[7; 100]).expect("sent"), 100));
    let shown = view("raw", &labels, &metrics, send);
    receiver.set_nonblocking(true).expect("a socket");
    let mut datagrams = 0;
    while receiver.recv(&mut [std::mem::MaybeUninit::uninit(); 200]).is_ok() {
        datagrams += 1;
    }
    assert!((1..50).contains(&datagrams), "{datagrams}");
    let pid = std::process::id().to_string();
    let key = |state: &str, local: &str, remote: &str| {
        [state, local, "253", remote, &pid].map(str::to_owned).to_vec()
    };
    assert_eq!(shown.len(), 3, "{shown:?}");
    let of_receiver = &shown[&key("close", "127.0.0.2", "0.0.0.0")];
    assert_eq!(of_receiver[..2], [1, 50 - datagrams]);
    assert!(of_receiver[2] > 0, "{of_receiver:?}");
    assert_eq!(shown[&key("established", "127.0.0.1", "127.0.0.2")], [1, 0, 0]);
    assert_eq!(shown[&key("close", "::1", "::")], [1, 0, 0]);
}

#[test]
fn udp_sockets_have_the_ends_the_memory_the_drops_and_the_process_that_ss_prints() {
    if enter() {
        return;
    }
    let datagrams = Datagrams::open(IPPROTO_UDP);
    let shown = view("udp", &ENDS, &MEMORY.map(|(metric, _)| metric), || datagrams.overflow());
    let printed = ss(&["-uanpmOH"], |line| Some((ends(line), line.values(&MEMORY))));
    assert_eq!(printed.len(), datagrams.sockets.len(), "{printed:?}");
    assert!(printed.values().any(|values| values[1] > 0 && values[5] > 0), "one has lost some: {printed:?}");
    assert_eq!(shown, printed);
}

#[test]
fn udp_lite_sockets_have_the_memory_and_the_drops_of_the_kernels_table() {
    if enter() {
        return;
    }
    let datagrams = Datagrams::open(IPPROTO_UDPLITE);
    let metrics = ["receive_memory_bytes", "dropped_packets_total"];
    let shown = view("udplite", &["local_port", "remote_port"], &metrics, || datagrams.overflow());
    let hex =
        |text: &str| u64::from_str_radix(text.rsplit(':').next().expect("a word"), 16).expect("a number");
    let mut table = Rows::new();
    // `ss` has no word for them.
    for file in ["udplite", "udplite6"] {
        let lines = std::fs::read_to_string(format!("/proc/thread-self/net/{file}")).expect("a table");
        for words in lines.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()) {
            let drops = words.last().expect("a column").parse().expect("a number");
            table.insert(
                [words[1], words[2]].map(|end| hex(end).to_string()).to_vec(),
                vec![1, hex(words[4]), drops],
            );
        }
    }
    assert_eq!(table.len(), datagrams.sockets.len(), "{table:?}");
    assert!(table.values().any(|values| values[2] > 0), "one has lost some: {table:?}");
    assert_eq!(shown, table);
}

#[test]
fn mptcp_connections_have_the_ends_the_memory_and_the_process_that_ss_prints() {
    if enter() {
        return;
    }
    let open = || Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::MPTCP)).expect("CONFIG_MPTCP");
    let listener = open();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
    listener.listen(8).expect("a listener");
    let listener = TcpListener::from(listener);
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let mut pairs = Vec::new();
    for (listener, unread) in [(&listener, 1000), (&listener, 0), (&plain, 10)] {
        let client = open();
        client.connect(&listener.local_addr().expect("bound").into()).expect("a connection");
        let (mut server, _) = listener.accept().expect("the other end");
        let mut client = TcpStream::from(client);
        client.write_all(&[7; 2000]).expect("room");
        server.read_exact(&mut vec![0; 2000 - unread]).expect("most of it");
        pairs.push((client, server));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let memory = &MEMORY[..4];
    let printed = ss(&["-ManpmOH"], |line| Some((ends(line), line.values(memory))));
    assert_eq!(printed.len(), 6, "the server of TCP has none: {printed:?}");
    let metrics: Vec<_> = memory.iter().map(|(metric, _)| *metric).collect();
    assert_eq!(view("mptcp", &ENDS, &metrics, || {}), printed);
}

#[test]
fn unix_sockets_have_the_names_types_queues_processes_and_peers_that_ss_prints() {
    if enter() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("listener");
    let at_path = UnixListener::bind(&path).expect("a free path");
    let abstract_name = UnixAddress::from_abstract_name("here").expect("a short name");
    let in_sequence = Socket::new(Domain::UNIX, Type::SEQPACKET, None).expect("a socket");
    in_sequence.bind(&SockAddr::unix("\0packets").expect("a short name")).expect("a free name");
    in_sequence.listen(3).expect("a listener");
    let datagrams = UnixDatagram::bind_addr(&abstract_name).expect("a free name");
    let client = UnixDatagram::unbound().expect("a socket");
    client.connect_addr(&abstract_name).expect("a peer");
    let mut accepted = UnixStream::connect(&path).expect("room");
    let (_server, _) = at_path.accept().expect("a connection");
    accepted.write_all(&[7; 1000]).expect("room");
    let _pending = UnixStream::connect(&path).expect("room");
    let users = |text: &str| {
        let name = text.split("users:((\"").nth(1)?.split('"').next()?;
        Some(name.to_owned())
    };
    let own = std::fs::read_to_string("/proc/self/comm").expect("comm");
    let printed = ss(&["-xanpmOH"], |line| {
        let [kind, shown, received, sent, name, _, _, peer, ..] = line.0[..] else { panic!("{:?}", line.0) };
        let process = users(&line.0.join(" ")).expect("a process");
        assert_eq!(process, own.trim_end());
        let kind = match kind {
            "u_str" => "stream",
            "u_dgr" => "dgram",
            _ => "seqpacket",
        };
        let name = if name == "*" { "" } else { name };
        let shown = state(shown);
        // The pending one has no other end that a process holds, and what is neither connected nor a pair has none.
        let peer = match (peer, &*shown) {
            ("0", "established") if kind == "stream" => "unknown".to_owned(),
            ("0", _) => String::new(),
            _ => process.clone(),
        };
        let of_listener = shown == "listen";
        let queue = |word: &str| if of_listener { word.parse().expect("a number") } else { 0 };
        let key = [kind, &shown, name, &process, &peer].map(str::to_owned).to_vec();
        Some((key, vec![queue(received), queue(sent)]))
    });
    let labels = ["type", "state", "path", "process", "peer_process"];
    let metrics = ["accept_queue_connections", "accept_queue_limit"];
    let mut shown = view("unix", &labels, &metrics, || {});
    // Only a listener has an accept queue.
    for values in shown.values_mut() {
        values.resize(3, 0);
    }
    assert_eq!(shown, printed);
    drop((datagrams, client));
}

#[test]
fn packet_sockets_have_the_type_the_interface_the_memory_and_the_drops_that_ss_prints() {
    if enter() {
        return;
    }
    let open = |kind, frames: u16| {
        Socket::new(Domain::from(AF_PACKET), kind, Some(Protocol::from(i32::from(frames.to_be()))))
            .expect("root of the namespace")
    };
    let [small, whole] = [open(Type::RAW, ALL_FRAMES), open(Type::DGRAM, 0x0800)];
    small.set_recv_buffer_size(4096).expect("a small buffer");
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let to = sender.local_addr().expect("bound");
    let labels = ["type", "ethertype", "interface", "pid"];
    let shown = view("packet", &labels, &MEMORY.map(|(metric, _)| metric), || {
        for _ in 0..50 {
            sender.send_to(&[7; 100], to).expect("sent");
        }
    });
    let printed = ss(&["-0anpmOH"], |line| {
        let kind = if line.0[0] == "p_raw" { "raw" } else { "dgram" };
        // `*:interface` is of all frames, `[2048]:interface` of that type.
        let (frames, interface) = line.0[4].rsplit_once(':').expect("both");
        let frames = match frames.trim_start_matches('[').trim_end_matches(']') {
            "*" => ALL_FRAMES,
            number => number.parse().expect("a number"),
        };
        let interface = if interface == "*" { "unbound" } else { interface };
        let key = [kind, &format!("{frames:#x}"), interface, &line.pid()].map(str::to_owned).to_vec();
        Some((key, line.values(&MEMORY)))
    });
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(printed.values().any(|values| values[5] > 0), "one has lost some: {printed:?}");
    assert_eq!(shown, printed);
    drop(whole);
}

/// Binds a netlink socket to that port and to the groups of a mask.
fn join(socket: &Socket, port: u32, groups: u32) {
    let address = SocketAddrNetlink::new(port, groups);
    bind(socket, &address).expect("a free port");
}

#[test]
fn netlink_sockets_are_counted_once_with_the_memory_and_the_lost_messages_that_ss_prints() {
    if enter() {
        return;
    }
    let open = |protocol| {
        Socket::new(Domain::from(AF_NETLINK), Type::RAW, Some(Protocol::from(protocol))).expect("a socket")
    };
    let sockets: Vec<_> = [NETLINK_ROUTE, NETLINK_ROUTE, NETLINK_GENERIC].into_iter().map(open).collect();
    // Links, and addresses of IPv4.
    join(&sockets[0], 4711, 1 | 1 << 4);
    join(&sockets[1], 4712, 1);
    sockets[0].set_recv_buffer_size(4096).expect("a small buffer");
    let memory = [&MEMORY[..4], &[("dropped_messages_total", "d")]].concat();
    let metrics: Vec<_> = memory.iter().map(|(metric, _)| *metric).collect();
    let mut shown = view("netlink", &["netlink_protocol"], &metrics, || {
        for change in ["down", "up"].into_iter().cycle().take(20) {
            let status = Command::new("ip").args(["link", "set", "lo", change]).status().expect("iproute2");
            assert!(status.success());
        }
    });
    let mut printed_of_members = BTreeMap::from([("4711", 0), ("4712", 0)]);
    let printed = ss(&["-f", "netlink", "-anmeOH"], |line| {
        let (protocol, port) = line.0[3].split_once(':').expect("a protocol and a port");
        let times = printed_of_members.get_mut(port).map(|times| {
            *times += 1;
            *times
        });
        // The kernel reports a member of groups once more.
        let again = times.is_some_and(|times| times > 1);
        let (_, name) = NETLINK_NAMES.iter().find(|(number, _)| *number == protocol)?;
        (!again).then(|| (vec![(*name).to_owned()], line.values(&memory)))
    });
    assert_eq!(printed_of_members, BTreeMap::from([("4711", 2), ("4712", 2)]));
    let route = vec!["route".to_owned()];
    assert!(printed[&route][5] > 0, "one has lost some: {printed:?}");
    // The question is asked by such a socket.
    assert!(shown.remove(&vec!["sock_diag".to_owned()]).is_some(), "{shown:?}");
    assert_eq!(shown, printed);
}
