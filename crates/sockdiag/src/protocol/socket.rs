//! One socket as the kernel reports it: the fixed part of a reply and its attributes, borrowed.
//!
//! Nothing is copied and nothing is allocated.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use zerocopy::byteorder::native_endian::U32;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::super::attribute::{Attribute, Attributes};
use super::super::field::Field;
use super::super::state::State;
use super::super::tcp_info;
use super::Protocol;

/// A socket in a reply or a close event.
#[derive(Clone, Copy, Debug)]
pub struct Socket<'a> {
    pub(crate) protocol: &'static Protocol,
    pub(crate) header: Header<'a>,
    pub(crate) attributes: Attributes<'a>,
}

/// The fixed part of a reply, whatever its layout. The parser of a protocol fills it; 0 is what the protocol lacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) state: State,
    /// Whether it is what is left of a connection that is closed.
    pub(crate) is_remnant: bool,
    pub(crate) cookie: u64,
    pub(crate) inode: u32,
    pub(crate) uid: u32,
    pub(crate) interface: u32,
    /// `None` if the ends have no internet address.
    pub(crate) ends: Option<Endpoints<'a>>,
}

impl Header<'_> {
    /// Of a socket of which nothing is known.
    pub(crate) const NONE: Self = Self {
        state: State::Close,
        is_remnant: false,
        cookie: 0,
        inode: 0,
        uid: 0,
        interface: 0,
        ends: None,
    };
}

/// What the process asked for when it made the socket, `SOCK_*` (`include/linux/net.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketType {
    /// A stream of bytes.
    Stream,
    /// Messages, each by itself.
    Datagram,
    /// Messages with the headers of the layer below.
    Raw,
    /// Messages that arrive, each by itself: of TIPC.
    Reliable,
    /// Messages over a connection.
    SeqPacket,
}

impl SocketType {
    /// Every type, in the order of the kernel's numbers.
    pub const ALL: [(u8, Self); 5] =
        [(1, Self::Stream), (2, Self::Datagram), (3, Self::Raw), (4, Self::Reliable), (5, Self::SeqPacket)];

    /// The name as in `ss -A`, e.g. `dgram`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Datagram => "dgram",
            Self::Raw => "raw",
            Self::Reliable => "rdm",
            Self::SeqPacket => "seqpacket",
        }
    }
}

/// The ends of an IPv4 or IPv6 socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoints<'a> {
    pub(super) ipv4: bool,
    pub(super) id: &'a SocketId,
}

/// `struct inet_diag_sockid`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct SocketId {
    pub(super) source_port: U16,
    pub(super) destination_port: U16,
    pub(super) source: [u8; 16],
    pub(super) destination: [u8; 16],
    pub(super) interface: U32,
    pub(super) cookie: [U32; 2],
}

/// An end without an internet address.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl<'a> Socket<'a> {
    /// The payload that the socket was read from.
    #[must_use]
    pub fn reply(&self) -> &'a [u8] {
        self.attributes.get(Attribute::Header).unwrap_or_default()
    }

    /// The value of a field, if the kernel sent the field and its value is one.
    #[must_use]
    #[expect(
        clippy::inline_always,
        reason = "with a field that the compiler knows, little more than a load is left"
    )]
    #[inline(always)]
    pub fn get(&self, field: &Field) -> Option<u64> {
        field.read(self.attributes.get(field.attribute)?)
    }

    /// Whether the kernel sent the field, whatever its value.
    #[must_use]
    pub fn has(&self, field: &Field) -> bool {
        self.attributes.get(field.attribute).is_some_and(|payload| payload.len() >= field.end())
    }

    /// The same in the state that it was asked for in, which the reply does not always say.
    #[must_use]
    #[inline]
    pub const fn in_state(mut self, state: State) -> Self {
        self.header.state = state;
        self
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.header.state
    }

    /// The protocol.
    #[must_use]
    pub const fn protocol(&self) -> &'static Protocol {
        self.protocol
    }

    /// This host's end; an IPv4-mapped IPv6 address as IPv4.
    #[must_use]
    #[inline]
    pub fn local(&self) -> SocketAddr {
        self.header.ends.map_or(NOWHERE, |Endpoints { ipv4, id }| end(ipv4, &id.source, id.source_port.get()))
    }

    /// The other end; an IPv4-mapped IPv6 address as IPv4.
    #[must_use]
    #[inline]
    pub fn remote(&self) -> SocketAddr {
        let end =
            |Endpoints { ipv4, id }: Endpoints<'_>| end(ipv4, &id.destination, id.destination_port.get());
        self.header.ends.map_or(NOWHERE, end)
    }

    /// The socket's identity within its namespace, never used again while the host is up
    /// (`idiag_cookie`).
    #[must_use]
    pub const fn cookie(&self) -> u64 {
        self.header.cookie
    }

    /// The inode that `/proc/PID/fd` shows; `None` if no process holds the socket.
    #[must_use]
    pub fn inode(&self) -> Option<u32> {
        Some(self.header.inode).filter(|inode| *inode != 0)
    }

    /// The index of the interface that the socket is bound to (`idiag_if`); `None` if to none.
    #[must_use]
    pub fn interface(&self) -> Option<u32> {
        Some(self.header.interface).filter(|index| *index != 0)
    }

    /// The user id of the owner (`idiag_uid`); 0 also where the kernel does not report it.
    #[must_use]
    pub const fn uid(&self) -> u32 {
        self.header.uid
    }

    /// The type, of a family that has several and if the type has a name here.
    #[must_use]
    pub fn socket_type(&self) -> Option<SocketType> {
        let number = self.attributes.get(Attribute::Type)?.first()?;
        SocketType::ALL.into_iter().find(|(known, _)| known == number).map(|(_, name)| name)
    }

    /// The name of the congestion control algorithm (`INET_DIAG_CONG`), if it was asked for.
    #[must_use]
    pub fn congestion(&self) -> Option<&'a [u8]> {
        let name = self.attributes.get(Attribute::Congestion)?;
        name.split(|byte| *byte == 0).next().filter(|name| !name.is_empty())
    }

    /// The type of service of IPv4 packets (`INET_DIAG_TOS`) or the traffic class of IPv6 packets (`INET_DIAG_TCLASS`) that the
    /// socket sends, if it was asked for. With an IPv4-mapped address it sends IPv4.
    #[must_use]
    pub fn tos(&self) -> Option<u8> {
        let ipv4 = self.local().is_ipv4();
        let attribute = if ipv4 { Attribute::Tos } else { Attribute::TrafficClass };
        self.attributes.get(attribute)?.first().copied()
    }

    /// The class of `net_cls`, or the priority without one (`INET_DIAG_CLASS_ID`), if it was asked for.
    #[must_use]
    pub fn class_id(&self) -> Option<u32> {
        self.attributes.get(Attribute::ClassId)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// The mark (`INET_DIAG_MARK`), which the kernel reports only to those with `CAP_NET_ADMIN`.
    #[must_use]
    pub fn mark(&self) -> Option<u32> {
        self.attributes.get(Attribute::Mark)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// The id of the cgroup in which the socket was made (`INET_DIAG_CGROUP_ID`, Linux 5.8).
    #[must_use]
    pub fn cgroup(&self) -> Option<u64> {
        self.attributes.get(Attribute::Cgroup)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
    }

    /// Milliseconds since data or an acknowledgement was last received (`tcpi_last_data_recv`, `tcpi_last_ack_recv`); `None`
    /// without a peer that answered.
    #[must_use]
    pub fn received_ago(&self) -> Option<u32> {
        let data = self.get(&tcp_info::LAST_DATA_RECV).filter(|_| self.has_peer())?;
        u32::try_from(data.min(self.get(&tcp_info::LAST_ACK_RECV)?)).ok()
    }
}

#[inline]
fn end(ipv4: bool, bytes: &[u8; 16], port: u16) -> SocketAddr {
    let address = if ipv4 {
        let [a, b, c, d, ..] = *bytes;
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    } else {
        Ipv6Addr::from(*bytes).to_canonical()
    };
    SocketAddr::new(address, port)
}

#[cfg(test)]
mod tests {
    use super::super::super::{TCP, cc_info, skmem, tcp_info};
    use super::*;

    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;

    /// A reply of a kernel: the header in that state, then the attributes.
    fn reply(state: State, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut payload = vec![AF_INET, state as u8];
        payload.resize(72, 0);
        for (kind, bytes) in attributes {
            let length = u16::try_from(4 + bytes.len()).expect("short");
            payload.extend([length.to_ne_bytes(), kind.to_ne_bytes()].concat());
            payload.extend_from_slice(bytes);
            payload.resize(payload.len().next_multiple_of(4), 0);
        }
        payload
    }

    /// `struct tcp_info` of a connection that received data and acknowledgements that many milliseconds ago.
    fn received(data: u32, acknowledgement: u32) -> Vec<u8> {
        let mut info = vec![0; 104];
        info[52..56].copy_from_slice(&data.to_ne_bytes());
        info[56..60].copy_from_slice(&acknowledgement.to_ne_bytes());
        info
    }

    #[test]
    fn every_attribute_is_found_wherever_it_stands() {
        let memory = [7_u32; 9].map(u32::to_ne_bytes).concat();
        let bbr = [9_u32; 5].map(u32::to_ne_bytes).concat();
        let (cgroup, info, mark) = (11_u64.to_ne_bytes(), received(3, 4), 12_u32.to_ne_bytes());
        let mut attributes = [
            (21, &cgroup[..]),
            (8, &[0]), // INET_DIAG_SHUTDOWN
            (16, &bbr),
            (4, b"bbr\0"),
            (2, &info),
            (15, &mark),
            (7, &memory),
        ];
        for _ in 0..attributes.len() {
            attributes.rotate_left(1);
            let payload = reply(State::Established, &attributes);
            let socket = TCP.parse(&payload).expect("a socket");
            assert_eq!(socket.cgroup(), Some(11));
            assert_eq!(socket.mark(), Some(12));
            assert_eq!(socket.congestion(), Some(&b"bbr"[..]));
            assert_eq!(socket.get(&skmem::DROPS), Some(7));
            assert_eq!(socket.get(&cc_info::BBR_MIN_RTT), Some(9));
            assert_eq!(socket.get(&cc_info::TCPV_RTT), None, "a field of another algorithm");
            assert_eq!(socket.received_ago(), Some(3));
        }
    }

    #[test]
    fn a_socket_without_attributes_has_nothing_instead_of_zeros() {
        let payload = reply(State::TimeWait, &[]);
        let socket = TCP.parse(&payload).expect("a socket");
        assert_eq!(socket.get(&tcp_info::STATE), None);
        assert_eq!(socket.cgroup(), None);
        assert_eq!(socket.mark(), None);
        assert_eq!(socket.congestion(), None);
        assert_eq!(socket.get(&skmem::RMEM_ALLOC), None);
        assert_eq!(socket.get(&cc_info::BBR_MIN_RTT), None);
        assert_eq!(socket.received_ago(), None);
    }

    #[test]
    fn the_type_of_service_is_of_the_packets_that_the_socket_sends() {
        let tos = |family: u8, local: Ipv6Addr| {
            let mut payload = reply(State::Established, &[(5, &[0x10]), (6, &[0x88])]);
            payload[0] = family;
            payload[8..24].copy_from_slice(&local.octets());
            TCP.parse(&payload).expect("a socket").tos()
        };
        assert_eq!(tos(AF_INET, Ipv6Addr::UNSPECIFIED), Some(0x10));
        assert_eq!(tos(AF_INET6, Ipv6Addr::LOCALHOST), Some(0x88));
        assert_eq!(tos(AF_INET6, Ipv4Addr::LOCALHOST.to_ipv6_mapped()), Some(0x10));
        let payload = reply(State::Established, &[]);
        assert_eq!(TCP.parse(&payload).expect("a socket").tos(), None);
    }

    #[test]
    fn only_a_socket_with_a_peer_has_received_something() {
        let ago = |state| {
            let payload = reply(state, &[(2, &received(9, 5))]);
            let socket = TCP.parse(&payload).expect("a socket");
            socket.received_ago()
        };
        assert_eq!(ago(State::Established), Some(5));
        assert_eq!(ago(State::CloseWait), Some(5));
        // The kernel writes the time since it started.
        assert_eq!(ago(State::SynSent), None);
        assert_eq!(ago(State::Listen), None);
    }
}
