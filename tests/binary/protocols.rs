//! `sockets` with the flags of `ss` for protocols, against the text of `ss` about the same sockets.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use testkit::exporter::Exporter;

use super::{enter, run, text};

/// `IPPROTO_MPTCP`
const MPTCP: i32 = 262;
/// The words of `ss` for netlink protocols.
const WORDS: [(&str, &str); 5] = [
    ("route", "rtnl"),
    ("generic", "genl"),
    ("sock_diag", "tcpdiag"),
    ("netfilter", "nft"),
    ("fib_lookup", "fiblookup"),
];
/// Netid, state, both queues and both ends, a socket a line.
const COLUMNS: &str = "--columns=netid,state,recv_q,send_q,local,remote";

/// How often there is a line with these words.
type Lines = BTreeMap<Vec<String>, usize>;

/// The first eight words of a line, those of this program as `ss` has them. Of datagrams over unix sockets, `ss` shows the next
/// one as the queue: the queues are left out.
fn lines(text: &str, skip: fn(&str) -> bool) -> Lines {
    let as_in_ss = |word: &str| {
        let (name, rest) = word.split_once(':').map_or((word, None), |(name, rest)| (name, Some(rest)));
        let name = WORDS.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, theirs)| theirs);
        // The owner of a netlink socket stands before its port.
        let number = |rest: &str| rest.rsplit('/').next().unwrap_or(rest).to_owned();
        rest.map_or_else(|| name.to_owned(), |rest| format!("{name}:{}", number(rest)))
    };
    let mut lines = Lines::new();
    for line in text.lines().filter(|line| !skip(line)) {
        let mut words: Vec<_> = line.split_ascii_whitespace().map(as_in_ss).collect();
        if words[0] == "u_dgr" {
            words.drain(2..4);
        }
        *lines.entry(words).or_default() += 1;
    }
    lines
}

/// What both programs list. `ss` leaves out a Netid that all lines have.
fn listed(flags: &[&str], of_ss: &[&str], netid: &str, skip: fn(&str) -> bool) -> (Lines, Lines) {
    let ours = run(&[&["sockets", "-H", COLUMNS], flags].concat());
    assert!(ours.status.success(), "{}", text(&ours.stderr));
    let ss = Command::new("ss").arg("-aH").args(of_ss).output().expect("ss of the package iproute2");
    let theirs: Vec<_> = text(&ss.stdout).lines().map(|line| format!("{netid} {line}\n")).collect();
    (lines(&text(&ours.stdout), skip), lines(&theirs.concat(), skip))
}

fn none(_: &str) -> bool {
    false
}

fn udp(address: &str) -> UdpSocket {
    UdpSocket::bind(address).expect("a free port")
}

/// A socket whose receive buffer is full, and which has dropped packets.
fn full() -> (UdpSocket, UdpSocket) {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a size");
    let address: SocketAddr = "127.0.0.1:7053".parse().expect("an address");
    socket.bind(&address.into()).expect("a free port");
    let sender = udp("127.0.0.1:0");
    for _ in 0..50 {
        sender.send_to(&[7; 1000], address).expect("room");
    }
    (socket.into(), sender)
}

/// Two sockets of one port.
fn twins() -> [Socket; 2] {
    [(), ()].map(|()| {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).expect("a socket");
        socket.set_reuse_port(true).expect("an option");
        let address: SocketAddr = "[::1]:7054".parse().expect("an address");
        socket.bind(&address.into()).expect("a free port");
        socket
    })
}

#[test]
fn udp_sockets_have_the_ends_and_queues_that_ss_prints() {
    if enter() {
        return;
    }
    let (full, sender) = full();
    let _twins = twins();
    let connected = udp("127.0.0.1:0");
    connected.connect(full.local_addr().expect("bound")).expect("a route");
    let (ours, theirs) = listed(&["-ua"], &["-nu"], "udp", none);
    // The kernel lists sockets of one port each by itself.
    assert_eq!(ours.values().sum::<usize>(), 5, "{ours:?}");
    assert_eq!(ours, theirs);
    let drops = run(&["sockets", "-uaH", "sport = 7053", "--columns=drops,fill"]);
    let ss = Command::new("ss").args(["-uanmH", "sport = 7053"]).output().expect("ss");
    let dropped =
        text(&ss.stdout).rsplit_once(",d").expect("skmem").1.trim_end_matches([')', '\n', ' ']).to_owned();
    let shown = text(&drops.stdout);
    assert!(shown.starts_with(&format!("{dropped}  ")) && dropped != "0", "{shown} {dropped}");
    assert!(shown.contains('/'), "{shown}");
    drop(sender);
}

#[test]
fn unix_sockets_have_the_names_inodes_and_queues_that_ss_prints() {
    if enter() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sock");
    let listener = UnixListener::bind(&path).expect("a free name");
    let named = UnixAddr::from_abstract_name("listed").expect("a short name");
    let waiting_at = UnixListener::bind_addr(&named).expect("a free name");
    let _waiting = UnixStream::connect_addr(&named).expect("room");
    let accepted = UnixStream::connect(&path).expect("room");
    let (_server, _) = listener.accept().expect("a connection");
    let _pair = UnixDatagram::pair().expect("a pair");
    let _unbound = UnixDatagram::unbound().expect("a socket");
    let (ours, theirs) = listed(&["-xa"], &["-nx"], "", none);
    assert!(ours.values().sum::<usize>() >= 8, "{ours:?}");
    assert_eq!(ours, theirs);
    let fill = text(&run(&["sockets", "-xlH", "path = @listed", "--columns=fill"]).stdout);
    assert!(fill.starts_with("1/"), "{fill}");
    drop((accepted, waiting_at));
}

#[test]
fn a_name_with_any_characters_is_one_line_that_moves_no_cursor() {
    if enter() {
        return;
    }
    let name = UnixAddr::from_abstract_name(b"a\"b\nc\x1b[2J\xff").expect("a short name");
    let _listener = UnixListener::bind_addr(&name).expect("a free name");
    let table = text(&run(&["sockets", "-xlH", "--columns=local"]).stdout);
    assert!(table.lines().any(|line| line.starts_with("@a\"b\\x0ac\\x1b[2J\\xff ")), "{table:?}");
    let json = run(&["sockets", "-xl", "--json"]);
    let answer: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let sockets = answer["sockets"].as_array().expect("a list");
    assert!(sockets.iter().any(|socket| socket["path"] == "@a\"b\\x0ac\\x1b[2J\\xff"), "{answer}");
    assert!(sockets.iter().all(|socket| socket["protocol"] == "unix"), "{answer}");
}

/// A socket of that kind that captures all frames.
fn packet(kind: Type) -> Socket {
    // `ETH_P_ALL`, in the byte order of the network.
    let every = i32::from(3_u16.to_be());
    Socket::new(Domain::PACKET, kind, Some(Protocol::from(every))).expect("a socket")
}

/// A process with a packet socket that is bound to `lo`, and a netlink socket.
struct Bound(Child);

impl Bound {
    fn start() -> Self {
        const CODE: &str = "import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('lo', 3))
n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
n.bind((0, 0))
print('ready', flush=True)
sys.stdin.read()";
        let mut command = Command::new("python3");
        let mut child =
            command.args(["-c", CODE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
        let mut ready = [0; 6];
        child.stdout.take().expect("a pipe").read_exact(&mut ready).expect("a packet socket");
        Self(child)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn packet_and_netlink_sockets_have_the_ends_that_ss_prints() {
    if enter() {
        return;
    }
    let (bound, _all) = (Bound::start(), packet(Type::DGRAM));
    let (ours, theirs) = listed(&["-0a"], &["-n0"], "", none);
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 2, "{ours:?}");
    // Each program sees its own socket that asks.
    let asks = |line: &str| line.contains("tcpdiag") || line.contains("sock_diag");
    let (ours, theirs) = listed(&["-aA", "netlink"], &["-A", "netlink"], "nl", asks);
    assert_eq!(ours, theirs);
    let port = format!("rtnl:{}", bound.0.id());
    assert!(ours.keys().any(|words| words.contains(&port)), "{ours:?}");
}

#[test]
fn mptcp_connections_and_listeners_have_the_ends_and_queues_that_ss_prints() {
    if enter() {
        return;
    }
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::from(MPTCP))).expect("MPTCP");
    let (listener, client) = (socket(), socket());
    let address: SockAddr = "127.0.0.1:7055".parse::<SocketAddr>().expect("an address").into();
    listener.bind(&address).expect("a free port");
    listener.listen(4).expect("a listener");
    client.connect(&address).expect("a connection");
    let server = listener.accept().expect("its other end");
    let (ours, theirs) = listed(&["-Ma"], &["-nM"], "mptcp", none);
    assert_eq!(ours.len(), 3, "{ours:?}");
    assert_eq!(ours, theirs);
    let listeners = text(&run(&["sockets", "-MlH", "--columns=state,recv_q,send_q,local"]).stdout);
    let words: Vec<_> = listeners.split_ascii_whitespace().collect();
    assert_eq!(words, ["LISTEN", "0", "4", "127.0.0.1:7055"]);
    drop(server);
}

#[test]
fn protocols_are_listed_together_as_ss_lists_them() {
    if enter() {
        return;
    }
    let tcp = std::net::TcpListener::bind("127.0.0.1:7056").expect("a listener");
    let client = std::net::TcpStream::connect("127.0.0.1:7056").expect("a connection");
    let _held = (udp("127.0.0.1:7056"), UnixStream::pair().expect("a pair"), packet(Type::RAW));
    let (ours, theirs) = listed(&["-tuxa0"], &["-nA", "tcp,udp,unix,packet"], "", none);
    assert_eq!(ours, theirs);
    let protocols = ["tcp", "udp", "u_str", "p_raw"];
    assert!(protocols.iter().all(|netid| ours.keys().any(|words| words[0] == *netid)), "{ours:?}");
    // Without columns, the netid stands in front if there are several protocols.
    let table = text(&run(&["sockets", "-tulpn"]).stdout);
    assert!(table.starts_with("NETID  STATE   ") && !table.contains("REMOTE"), "{table}");
    assert!(!text(&run(&["sockets", "-t"]).stdout).contains("NETID"));
    drop((tcp, client));
}

#[test]
fn without_a_flag_and_with_l_the_sockets_are_those_that_ss_lists() {
    if enter() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = udp("127.0.0.1:7058");
    let client = udp("127.0.0.1:0");
    client.connect(server.local_addr().expect("bound")).expect("a route");
    let raw = |connects: bool| {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).expect("a socket");
        let peer: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        if connects {
            socket.connect(&peer.into()).expect("a route");
        }
        socket
    };
    let bound = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    bound.bind(&SockAddr::unix(folder.path().join("bound")).expect("a short name")).expect("a free name");
    let alone = UnixDatagram::bind(folder.path().join("datagrams")).expect("a free name");
    let listener = UnixListener::bind(folder.path().join("listener")).expect("a free name");
    let pairs = (UnixStream::pair().expect("a pair"), UnixDatagram::pair().expect("a pair"));
    let tcp = std::net::TcpListener::bind("127.0.0.1:7059").expect("a listener");
    let connection = std::net::TcpStream::connect("127.0.0.1:7059").expect("a connection");
    let _held =
        (client, [raw(false), raw(true)], bound, alone, listener, pairs, packet(Type::RAW), connection);
    for flags in [
        "-u", "-x", "-w", "-0", "-t", "-ux", "-tux", "-x0", "-uw0", "-l", "-ul", "-xl", "-wl", "-0l",
        "-tuxl", "-uxa", "-xw0l",
    ] {
        let of_ss = if flags == "-l" { "-tl" } else { flags };
        let ss = Command::new("ss").args(["-nHO", of_ss]).output().expect("ss of the package iproute2");
        let count = |text: &str| text.lines().count();
        let ours = run(&["sockets", "-H", flags, COLUMNS]);
        let (ours, theirs) = (text(&ours.stdout), text(&ss.stdout));
        assert_eq!(count(&ours), count(&theirs), "{flags}: {ours} is not {theirs}");
        assert!(!ours.is_empty(), "{flags}");
    }
    drop((server, tcp));
}

#[test]
fn a_filter_chooses_the_protocol_that_can_answer_it() {
    if enter() {
        return;
    }
    let _pair: (OwnedFd, OwnedFd) =
        UnixStream::pair().map(|(one, other)| (one.into(), other.into())).expect("a pair");
    let _tcp = std::net::TcpListener::bind("127.0.0.1:7057").expect("a listener");
    let chosen = text(&run(&["sockets", "-H", "--columns=protocol", "type = stream"]).stdout);
    assert!(!chosen.is_empty() && chosen.lines().all(|line| line == "unix"), "{chosen}");
    let refused = run(&["sockets", "-x", "dport = 80"]);
    let error = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{error}");
    assert!(error.contains("found dport, which unix sockets do not have"), "{error}");
    let refused = run(&["sockets", "-A", "unx"]);
    assert!(text(&refused.stderr).contains("there is no protocol \"unx\", did you mean unix?"));
    let listeners = |flag| text(&run(&["sockets", "-lH", flag, "--columns=local"]).stdout);
    assert_eq!((listeners("-4").as_str(), listeners("-6").as_str()), ("127.0.0.1:7057\n", ""));
    let empty = run(&["sockets", "sport = 1"]);
    assert!(text(&empty.stderr).contains("no socket matches; -a lists"), "{}", text(&empty.stderr));
    assert!(empty.status.success());
}

#[test]
fn a_configuration_of_nothing_but_a_missing_protocol_starts_and_its_view_is_empty() {
    if enter() {
        return;
    }
    let lacks = |name: &&str| !run(&["sockets", "-A", name]).status.success();
    // A kernel that has all of them has nothing to miss.
    let Some(missing) = ["tipc", "smc", "vsock", "sctp", "xdp"].into_iter().find(lacks) else { return };
    let exporter = Exporter::configured(&format!(
        "views: {{v: {{protocol: {missing}, by: [pid], metrics: [sockets]}}}}"
    ));
    for _ in 0..2 {
        let metrics = exporter.metrics();
        assert!(
            metrics.contains(&format!("ss_exporter_protocol_available{{protocol=\"{missing}\"}} 0\n")),
            "{metrics}"
        );
        assert!(!metrics.contains("ss_v_sockets{"), "{metrics}");
    }
    let log = exporter.log();
    let said = log.matches("the kernel does not report the sockets of a protocol").count();
    assert_eq!(said, 1, "{log}");
}

#[test]
fn a_full_accept_queue_of_a_unix_socket_is_a_problem_on_the_page_and_in_the_list() {
    if enter() {
        return;
    }
    let [listening, client] =
        [(); 2].map(|()| Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket"));
    let address = SockAddr::unix("\0problem").expect("a short name");
    listening.bind(&address).and_then(|()| listening.listen(0)).expect("a listener");
    let exporter = Exporter::configured("views: {v: {by: [state]}}");
    let seen = |path: &str| text(&exporter.get(path).body);
    let said = |path: &str| seen(path).contains("The accept queue of @problem is full");
    assert!(!said("/?protocol=unix"), "{}", seen("/?protocol=unix"));
    // A limit of 0 admits one.
    client.connect(&address).expect("room");
    for path in
        ["/?protocol=unix&filter=type+%3D+stream", "/api/v1/sockets?protocol=unix&filter=type%20%3D%20stream"]
    {
        assert!(said(path), "{path}: {}", seen(path));
    }
}
