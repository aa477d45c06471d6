//! Every property, a line each, in the order in which pages and messages list them.

use super::read::{
    any_process, fits, flow, flow_of_process, has_pid, interface, interface_is, never, of_owner, put,
    service_port, uid, user,
};
use super::{FromListener, KernelFilter, Keyed, Line, Listed, Needs, Operand, Read, Test, UNKNOWN};
use super::{cgroup, family, identity, sent, ulp, unix};
use crate::attribute::{Direction, Owner, Process};
use crate::bottleneck::Bottleneck;
use crate::pattern::is_pattern;
use sockdiag::bytecode::Filter;
use sockdiag::{PROTOCOLS, Protocol};

macro_rules! properties {
    ($($property:ident: $line:expr;)*) => {
        /// A property of a socket: rows can be keyed by it, and selections compare it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Property {
            $(#[doc = concat!("The line `", stringify!($property), "` of the table.")] $property,)*
        }

        impl Property {
            pub(super) const EVERY: &[Self] = &[$(Self::$property),*];

            /// What the table says of it.
            #[must_use]
            pub const fn line(self) -> &'static Line {
                match self {
                    $(Self::$property => {
                        const LINE: Line = $line;
                        &LINE
                    })*
                }
            }
        }
    };
}

properties! {
    Protocol: Line::fixed(
        "protocol",
        Read::Text(|facts| Some(facts.socket.protocol().name)),
        "The protocol, as `ss -A` names it.",
    )
    .shown_by_listener(FromListener::Always)
    .selected(
        &["protocol"],
        Operand::Text(
            |word| PROTOCOLS.iter().any(|protocol| protocol.name == word),
            "the name of a protocol such as udp",
        ),
        "protocol = udp",
        "by protocol, in a view of several",
    );

    State: Line::changing(
        "state",
        Read::Own(
            |facts, text| put(text, facts.state.name()),
            |facts, test| matches!(test, Test::State(states) if states.contains(facts.state)),
        ),
        "The state as node_exporter spells it; of an SCTP association and of an SMC socket as the kernel names it, such as `cookie_wait` (`idiag_state`).",
    )
    .shown_by_listener(FromListener::Always)
    .listed(Listed::Always)
    .selected(
        &["state", "exclude"],
        Operand::States,
        "state established  exclude time-wait",
        "sockets in this state, by the names of `ss` or node_exporter in either case (`fin-wait-1`, `fin_wait1`), for SCTP and SMC by their own (`cookie_wait`, `peerclosewait1`), or `all`, `connected`, `synchronized`, `bucket` (`syn-recv`, `time-wait`), `big` (all others), `bound-inactive` (Linux 6.8, only by this name); `exclude`: all other sockets",
    );

    LocalAddress: Line::fixed(
        "local_address",
        Read::Address(|facts| facts.socket.local().ip()),
        "The local address, IPv4-mapped IPv6 as IPv4 (`idiag_src`).",
    )
    .of(|protocol| protocol.header.internet)
    .kernel(KernelFilter::Address(Filter::LocalAddress))
    .listed(Listed::Always)
    .selected(&["src"], Operand::Address, "src 10.0.0.0/8  src [::1]:443  src *", "by local address, network or port");

    LocalPort: Line::fixed(
        "local_port",
        Read::Port(|facts| facts.socket.local().port()),
        "The local port (`idiag_sport`).",
    )
    .of(|protocol| protocol.header.internet)
    .shown_by_listener(FromListener::Always)
    .kernel(KernelFilter::Port(Filter::LocalPort))
    .listed(Listed::Always)
    .selected(
        &["sport"],
        Operand::Port,
        "sport = :443  sport >= 1024",
        "by local port: `=` `!=` `>` `<` `>=` `<=`, or `gt` `lt` `ge` `geq` `le` `leq`; with or without `:`; a number or a service",
    );

    RemoteAddress: Line::fixed(
        "remote_address",
        Read::Address(|facts| facts.socket.remote().ip()),
        "The remote address, IPv4-mapped IPv6 as IPv4 (`idiag_dst`).",
    )
    .of(|protocol| protocol.header.internet)
    .kernel(KernelFilter::Address(Filter::RemoteAddress))
    .listed(Listed::Always)
    .selected(
        &["dst"],
        Operand::Address,
        "dst 10.0.0.0/8  dst 10.0.0.1:https  dst :443  dst db.example.org:5432",
        "by remote address, network or port, or by the current addresses of a host name",
    );

    RemotePort: Line::fixed(
        "remote_port",
        Read::Port(|facts| facts.socket.remote().port()),
        "The remote port (`idiag_dport`).",
    )
    .of(|protocol| protocol.header.internet)
    .kernel(KernelFilter::Port(Filter::RemotePort))
    .listed(Listed::Always)
    .selected(&["dport"], Operand::Port, "dport = 443  dport != ssh", "by remote port, as `sport`");

    RemoteNetwork: Line::fixed(
        "remote_network",
        Read::Own(|facts, text| facts.names.configured.networks.write(text, facts.socket.remote().ip()), never),
        "The remote network: its name under `networks`, or else its prefix by `network_prefix`, or else `public`, `private` or `loopback`.",
    )
    .of(|protocol| protocol.header.internet)
    .listed(Listed::InDetail)
    .selected(&["network"], Operand::Network, "network = office", "by remote address in a network under `networks:`");

    Direction: Line::fixed(
        "direction",
        Read::Own(
            |facts, text| put(text, facts.direction.map_or(UNKNOWN, Direction::name)),
            |facts, test| matches!(test, Test::Direction(direction) if facts.direction == Some(*direction)),
        ),
        "`outbound` if this host sent the SYN (it is part of `tcpi_bytes_acked`), else `inbound`; fixed in the first collection of the socket.",
    )
    .of(Protocol::has_listeners)
    .needs(Needs::LISTENERS)
    .shown_by_listener(FromListener::Always)
    .listed(Listed::InDetail)
    .selected(
        &["direction"],
        Operand::Direction,
        "direction = inbound",
        "connections opened by the remote end; `outbound`: connections opened by this host",
    );

    ServicePort: Line::fixed(
        "service_port",
        Read::Own(service_port, never),
        "The local port of an inbound connection, the remote port of an outbound one; of UDP, the remote port if the local one is a client's (`ip_local_port_range`), `ephemeral` without a peer, else the local port.",
    )
    .of(|protocol| protocol.header.internet)
    .needs(Needs::LISTENERS)
    .shown_by_listener(FromListener::Always);

    IpVersion: Line::fixed(
        "ip_version",
        Read::Own(|facts, text| text.push(if facts.socket.local().is_ipv4() { b'4' } else { b'6' }), never),
        "`4` or `6`; IPv4 over an IPv6 socket is `4`.",
    )
    .of(|protocol| protocol.header.internet);

    Bottleneck: Line::changing(
        "bottleneck",
        Read::Text(|facts| facts.bottleneck.map(Bottleneck::name)),
        "What [limits the connection](../concepts/bottlenecks.md), by this collection and the one before; `unknown` in its first collection.",
    )
    .of(Bottleneck::is_of)
    .needs(Needs::BOTTLENECK)
    .listed(Listed::Always)
    .selected(
        &["bottleneck"],
        Operand::Text(|name| Bottleneck::named(name).is_some(), "the name of a bottleneck such as application, peer_window or loss"),
        "bottleneck = loss",
        "by what limits the connection",
    );

    Congestion: Line::changing(
        "congestion",
        Read::Text(|facts| std::str::from_utf8(facts.socket.congestion()?).ok()),
        "The congestion control algorithm (`INET_DIAG_CONG`); `unknown` for a connection that only its close event shows.",
    )
    .needs(Needs::CONGESTION)
    .listed(Listed::InDetail)
    .selected(
        &["congestion"],
        Operand::Text(|_| true, "the name of a congestion control algorithm"),
        "congestion = bbr",
        "by congestion control algorithm",
    );

    Process: Line::of_processes(
        "process",
        Read::Own(
            |facts, text| of_owner(facts, text, Owner::names),
            |facts, test| any_process(facts, test, Process::is_called),
        ),
        "The names of the processes that hold the socket, each once and in alphabetical order: at most four and `+N`, each cut by the kernel to 15 bytes (`comm`).",
    )
    .listed(Listed::Always)
    .selected(
        &["process"],
        Operand::Program,
        "process = nginx  process = web*  process != \"Web Content\"",
        "by the name of the owning process (`ps -o comm`) or the file name of its executable, in which `*` is any text and `?` one byte",
    );

    Pid: Line::of_processes(
        "pid",
        Read::Own(|facts, text| of_owner(facts, text, Owner::pids), has_pid),
        "The ids of the processes that hold the socket, in ascending order, at most four and `+N`.",
    )
    .listed(Listed::Always)
    .selected(
        &["pid"],
        Operand::Number(1, "a process id from 1 to 4294967295"),
        "pid = 4711",
        "by the id of the owning process",
    );

    Executable: Line::of_processes(
        "executable",
        Read::Own(
            |facts, text| of_owner(facts, text, Owner::executables),
            |facts, test| any_process(facts, test, |process, name| fits(name, process.executable())),
        ),
        "The file names of the executables of these processes, in the same form as `process`.",
    )
    .selected(
        &["executable"],
        Operand::Program,
        "executable = nginx",
        "by the file name of the executable only",
    );

    Uid: Line::fixed(
        "uid",
        Read::Number(uid),
        "The id of the user who owns the socket (`idiag_uid`), fixed in its first collection; `unknown` for a connection that only its close event shows, and in TIME_WAIT.",
    )
    .of(|protocol| protocol.header.uid)
    .selected(&["uid"], Operand::Number(0, "a user id from 0 to 4294967295"), "uid = 0", "by user id");

    User: Line::fixed(
        "user",
        Read::Own(user, never),
        "The name of that user in `/etc/passwd`, as the exporter sees it, or its id if it has no name.",
    )
    .of(|protocol| protocol.header.uid)
    .listed(Listed::InDetail)
    .selected(
        &["user"],
        Operand::Text(|name| !is_pattern(name), "the name of a user without * and ?"),
        "user = www-data",
        "by the name of that user in `/etc/passwd`, as the exporter sees it",
    );

    Cgroup: cgroup::PATH;
    Unit: cgroup::UNIT;
    Slice: cgroup::SLICE;
    ContainerId: cgroup::CONTAINER_ID;
    PodUid: cgroup::POD_UID;

    Netns: Line::fixed(
        "netns",
        Read::Text(|facts| Some(facts.netns()?.name.as_str())),
        "The network namespace: its name in `/run/netns` or in Docker, or else its inode, as in `lsns -t net`.",
    )
    .needs(Needs::NETNS)
    .shown_by_listener(FromListener::Always)
    .listed(Listed::Always)
    .selected(
        &["netns"],
        Operand::Pattern(|_| true, "the name or the inode of a network namespace"),
        "netns = blue  netns != 4026531840",
        "by the name of the network namespace, or by its inode if it has no name",
    );

    Interface: Line::changing(
        "interface",
        Read::Own(
            interface,
            interface_is,
        ),
        "The interface that the socket is bound to (`idiag_if`), `unbound` if to none.",
    )
    .of(|protocol| protocol.header.interface)
    .needs(Needs::NETNS)
    .kernel(KernelFilter::Interface(Filter::Interface))
    .listed(Listed::InDetail)
    .selected(
        &["dev"],
        Operand::Interface,
        "dev lo  dev = veth*  dev = 0",
        "by the name, a pattern of it, or the index of the interface that the socket is bound to; 0 is none",
    );

    Mark: sent::MARK;
    Tos: sent::TOS;
    ClassId: sent::CLASS_ID;
    Timer: sent::TIMER;

    Path: unix::PATH;
    PathName: unix::PATH_NAME;
    PeerProcess: unix::PEER_PROCESS;

    Ulp: ulp::NAME;
    MptcpPath: ulp::MPTCP_PATH;
    TlsVersion: ulp::TLS_VERSION;
    TlsCipher: ulp::TLS_CIPHER;
    TlsOffload: ulp::TLS_OFFLOAD;

    Type: family::TYPE;
    NetlinkProtocol: family::NETLINK_PROTOCOL;
    Ethertype: family::ETHERTYPE;
    Queue: family::QUEUE;
    Cid: family::CID;
    VsockPort: family::VSOCK_PORT;
    LocalCid: family::LOCAL_CID;
    RemoteVsockPort: family::REMOTE_VSOCK_PORT;

    Cookie: identity::COOKIE;
    Inode: identity::INODE;
    PeerInode: identity::PEER_INODE;
    Portid: identity::PORTID;

    // The predecessor's `flow` with both endpoints: `(SRC#10.0.0.1|39366)(DST#10.0.0.2|443)`.
    Flow: Line::changing("flow", Read::Own(flow, never), "Both endpoints.").keyed(Keyed::InLegacyViews);

    // The predecessor's `flow` with the owners in place of the source, if they are known: `(20005)(DST#10.0.0.2|443)`.
    FlowOfProcess: Line::changing("flow", Read::Own(flow_of_process, never), "Processes and the remote endpoint.")
        .needs(Needs::PROCESSES)
        .keyed(Keyed::InLegacyViews);
}
