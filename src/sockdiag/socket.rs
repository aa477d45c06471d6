//! One socket as the kernel reports it: `struct inet_diag_msg` and its attributes, borrowed.
//!
//! Nothing is copied and nothing is allocated. Refuses to know who owns the socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use zerocopy::byteorder::native_endian::U32;
use zerocopy::byteorder::network_endian::U16 as NetworkU16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::frame::Attributes;
use super::state::State;
use super::tcp_info::{Field, TcpInfo};

/// `struct inet_diag_msg` with its `struct inet_diag_sockid`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct InetDiagMsg {
    family: u8,
    state: u8,
    timer: u8,
    _retransmits: u8,
    source_port: NetworkU16,
    destination_port: NetworkU16,
    source: [u8; 16],
    destination: [u8; 16],
    interface: U32,
    cookie: [U32; 2],
    _expires: U32,
    receive_queue: U32,
    send_queue: U32,
    uid: U32,
    inode: U32,
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// `INET_DIAG_INFO`
const INFO: u16 = 2;
/// `INET_DIAG_CONG`
const CONG: u16 = 4;
/// `INET_DIAG_MARK`
const MARK: u16 = 15;
/// `INET_DIAG_CGROUP_ID`
const CGROUP_ID: u16 = 21;

/// A socket in a dump's reply.
#[derive(Clone, Copy, Debug)]
pub struct Socket<'a> {
    header: &'a InetDiagMsg,
    state: State,
    attributes: &'a [u8],
    info: Option<&'a [u8]>,
}

impl<'a> Socket<'a> {
    /// Reads a reply's payload; `None` if it is too short or its family or state has no name here.
    ///
    /// A malformed attribute hides itself and those behind it, never the socket.
    #[must_use]
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let (header, attributes) = InetDiagMsg::ref_from_prefix(payload).ok()?;
        let state = State::from_kernel(header.state)?;
        if header.family != AF_INET && header.family != AF_INET6 {
            return None;
        }
        let info = Attributes(attributes).find(|(kind, _)| *kind == INFO).map(|(_, payload)| payload);
        Some(Self { header, state, attributes, info })
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether this is what is left of a socket in `TIME_WAIT` or in a `FIN_WAIT2` that nobody waits in
    /// (`idiag_timer` 3, `net/ipv4/inet_diag.c: inet_twsk_diag_fill`).
    #[must_use]
    pub const fn is_remains(&self) -> bool {
        const TIME_WAIT_TIMER: u8 = 3;
        self.header.timer == TIME_WAIT_TIMER
    }

    /// Whether the kernel sent `tcp_info`: what is left of a socket, or not yet one, has none.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.info.is_some()
    }

    /// How long ago the socket received anything, in milliseconds.
    #[must_use]
    pub fn received_ago(&self) -> Option<u32> {
        let info = self.tcp_info()?;
        let age = |field| info.get(field).and_then(|age| u32::try_from(age).ok());
        age(Field::LastDataRecv).into_iter().chain(age(Field::LastAckRecv)).min()
    }

    /// This host's end; an IPv4-mapped IPv6 address as IPv4.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        SocketAddr::new(self.address(&self.header.source), self.header.source_port.get())
    }

    /// The other end; an IPv4-mapped IPv6 address as IPv4.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        SocketAddr::new(self.address(&self.header.destination), self.header.destination_port.get())
    }

    /// The socket's identity within its namespace, never used again while the host is up
    /// (`idiag_cookie`).
    #[must_use]
    pub const fn cookie(&self) -> u64 {
        let [low, high] = self.header.cookie;
        low.get() as u64 | (high.get() as u64) << 32
    }

    /// The inode that `/proc/PID/fd` shows; `None` if no process holds the socket.
    #[must_use]
    pub fn inode(&self) -> Option<u32> {
        Some(self.header.inode.get()).filter(|inode| *inode != 0)
    }

    /// The index of the interface that the socket is bound to (`idiag_if`); `None` if to none.
    #[must_use]
    pub fn interface(&self) -> Option<u32> {
        Some(self.header.interface.get()).filter(|index| *index != 0)
    }

    /// The user id of the owner (`idiag_uid`); 0 also where the kernel does not tell it.
    #[must_use]
    pub const fn uid(&self) -> u32 {
        self.header.uid.get()
    }

    /// Bytes received and not yet read; of a listener, connections not yet accepted (`idiag_rqueue`).
    #[must_use]
    pub const fn receive_queue(&self) -> u32 {
        self.header.receive_queue.get()
    }

    /// Bytes written and not yet acknowledged; of a listener, the most connections that may wait
    /// (`idiag_wqueue`).
    #[must_use]
    pub const fn send_queue(&self) -> u32 {
        self.header.send_queue.get()
    }

    /// The name of the congestion control algorithm (`INET_DIAG_CONG`), if it was asked for.
    #[must_use]
    pub fn congestion(&self) -> Option<&'a [u8]> {
        let name = self.attribute(CONG)?;
        name.split(|byte| *byte == 0).next().filter(|name| !name.is_empty())
    }

    /// The mark (`INET_DIAG_MARK`), which the kernel tells only those with `CAP_NET_ADMIN`.
    #[must_use]
    pub fn mark(&self) -> Option<u32> {
        self.attribute(MARK)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// The id of the cgroup in which the socket was made (`INET_DIAG_CGROUP_ID`, Linux 5.8).
    #[must_use]
    pub fn cgroup(&self) -> Option<u64> {
        self.attribute(CGROUP_ID)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
    }

    /// The TCP information, if it was asked for and the socket is a full one.
    #[must_use]
    pub fn tcp_info(&self) -> Option<TcpInfo<'a>> {
        self.info.map(TcpInfo::new)
    }

    fn attribute(&self, wanted: u16) -> Option<&'a [u8]> {
        Attributes(self.attributes).find(|(kind, _)| *kind == wanted).map(|(_, payload)| payload)
    }

    fn address(&self, bytes: &[u8; 16]) -> IpAddr {
        if self.header.family == AF_INET {
            let [a, b, c, d, ..] = *bytes;
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        } else {
            Ipv6Addr::from(*bytes).to_canonical()
        }
    }
}
