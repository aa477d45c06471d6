//! The lines of sockets without internet addresses.

use super::operand::Operand;
use super::read::{integer, put};
use super::{Line, Listed, Needs, Read, Test, UNKNOWN};
use crate::facts::Facts;
use sockdiag::{Attribute, SocketType, netlink, vsock, xdp};

/// The line `type`.
pub(super) const TYPE: Line = Line::fixed(
    "type",
    Read::Text(|facts| facts.socket.socket_type().map(SocketType::name)),
    "The type of the socket: `stream`, `dgram`, `raw`, `rdm` or `seqpacket`.",
)
.needs(Needs::of(Attribute::Type))
.listed(Listed::Always)
.selected(
    &["type"],
    Operand::Text(
        |word| SocketType::ALL.into_iter().any(|(_, known)| known.name() == word),
        "stream, dgram, raw, rdm or seqpacket",
    ),
    "type = dgram",
    "by the type of the socket",
);

/// The line `netlink_protocol`.
pub(super) const NETLINK_PROTOCOL: Line = Line::fixed(
    "netlink_protocol",
    Read::Own(netlink_protocol, netlink_protocol_is),
    "The part of the kernel that a netlink socket speaks to, such as `route`, `generic`, `netfilter` or `audit`, or its number (`ndiag_protocol`).",
)
.needs(Needs::of(Attribute::Netlink))
.listed(Listed::Always)
.selected(
    &["netlink_protocol"],
    Operand::Text(
        |word| netlink::number(word).is_some() || word.parse::<u8>().is_ok(),
        "a netlink protocol such as route or generic, or its number",
    ),
    "netlink_protocol = route",
    "by the part of the kernel that a netlink socket speaks to; also `src netlink:route`",
);

/// The line `ethertype`.
pub(super) const ETHERTYPE: Line = Line::changing(
    "ethertype",
    Read::Bits(|facts| facts.socket.ethertype().map(u32::from)),
    "The type of the frames that a packet socket receives, in hexadecimal, `0x3` for all of them, `0x0` for none (`pdiag_num`).",
)
.needs(Needs::of(Attribute::Packet))
.listed(Listed::Always)
.selected(
    &["ethertype"],
    Operand::Ethertype,
    "ethertype = 0x88cc  ethertype = arp",
    "by the type of the frames that a packet socket receives, as a number or a name of `ss`; also `src link:arp:eth0`",
);

/// The line `queue`.
pub(super) const QUEUE: Line = Line::changing(
    "queue",
    Read::Number(|facts| u32::try_from(facts.socket.get(&xdp::QUEUE)?).ok()),
    "The queue of the network device that an XDP socket is bound to (`queue_id`).",
)
.needs(Needs::of(Attribute::XdpInfo))
.listed(Listed::Always)
.selected(
    &["queue"],
    Operand::Number(0, "the number of a queue"),
    "queue = 0",
    "by the queue that an XDP socket is bound to",
);

/// The line `cid`.
pub(super) const CID: Line = Line::changing(
    "cid",
    Read::Number(|facts| u32::try_from(facts.socket.get(&vsock::REMOTE_CID)?).ok()),
    "The machine at the other end of a vsock socket, `2` for the host (`vdiag_dst_cid`); `unknown` of a listener.",
)
.needs(Needs::of(Attribute::Vsock))
.listed(Listed::Always)
.selected(
    &["cid"],
    Operand::Number(0, "the number of a machine, 2 for the host"),
    "cid = 2",
    "by the machine at the other end of a vsock socket; also `dst vsock:2`",
);

/// The line `vsock_port`.
pub(super) const VSOCK_PORT: Line = Line::changing(
    "vsock_port",
    Read::Number(|facts| u32::try_from(facts.socket.get(&vsock::LOCAL_PORT)?).ok()),
    "The port of this end of a vsock socket (`vdiag_src_port`); `unknown` without one.",
)
.needs(Needs::of(Attribute::Vsock))
.listed(Listed::Always)
.selected(
    &["vsock_port"],
    Operand::Number(0, "a port of 32 bits"),
    "vsock_port = 1024",
    "by the port of this end of a vsock socket",
);

/// The line `local_cid`.
pub(super) const LOCAL_CID: Line = Line::changing(
    "local_cid",
    Read::Number(|facts| u32::try_from(facts.socket.get(&vsock::LOCAL_CID)?).ok()),
    "The machine of this end of a vsock socket (`vdiag_src_cid`); `unknown` of a listener for each of its numbers.",
)
.needs(Needs::of(Attribute::Vsock))
.listed(Listed::Always)
.selected(
    &["local_cid"],
    Operand::Number(0, "the number of a machine, 2 for the host"),
    "local_cid = 3",
    "by the machine of this end of a vsock socket; also `src vsock:3:1024`",
);

/// The line `remote_vsock_port`.
pub(super) const REMOTE_VSOCK_PORT: Line = Line::changing(
    "remote_vsock_port",
    Read::Number(|facts| u32::try_from(facts.socket.get(&vsock::REMOTE_PORT)?).ok()),
    "The port of the other end of a vsock socket (`vdiag_dst_port`); `unknown` without one.",
)
.needs(Needs::of(Attribute::Vsock))
.listed(Listed::Always)
.selected(
    &["remote_vsock_port"],
    Operand::Number(0, "a port of 32 bits"),
    "remote_vsock_port = 1024",
    "by the port of the other end of a vsock socket; also `dst vsock:2:1024`",
);

fn netlink_protocol(facts: &Facts<'_>, text: &mut Vec<u8>) {
    match facts.socket.netlink_protocol() {
        Some(number) => match netlink::name(number) {
            Some(name) => put(text, name),
            None => integer(text, number),
        },
        None => put(text, UNKNOWN),
    }
}

fn netlink_protocol_is(facts: &Facts<'_>, test: &Test) -> bool {
    let Test::Text(_, word) = test else { return false };
    let wanted = netlink::number(word).or_else(|| word.parse().ok());
    wanted.is_some() && wanted == facts.socket.netlink_protocol()
}
