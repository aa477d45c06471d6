//! One socket as the kernel reports it: `struct inet_diag_msg` and its attributes, borrowed.
//!
//! Nothing is copied and nothing is allocated. Refuses to know who owns the socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use zerocopy::byteorder::native_endian::U32;
use zerocopy::byteorder::network_endian::U16 as NetworkU16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::frame::Attributes;
use super::state::State;
use super::tcp_info::TcpInfo;

/// `struct inet_diag_msg` with its `struct inet_diag_sockid`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct InetDiagMsg {
    family: u8,
    state: u8,
    _timer: u8,
    _retransmits: u8,
    source_port: NetworkU16,
    destination_port: NetworkU16,
    source: [u8; 16],
    destination: [u8; 16],
    _interface: U32,
    cookie: [U32; 2],
    _expires: U32,
    _receive_queue: U32,
    _send_queue: U32,
    _uid: U32,
    inode: U32,
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// `INET_DIAG_INFO`
const INFO: u16 = 2;

/// A socket in a dump's reply.
#[derive(Clone, Copy, Debug)]
pub struct Socket<'a> {
    header: &'a InetDiagMsg,
    state: State,
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
        Some(Self { header, state, info })
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
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

    /// The TCP information, if it was asked for and the socket is a full one.
    #[must_use]
    pub fn tcp_info(&self) -> Option<TcpInfo<'a>> {
        self.info.map(TcpInfo::new)
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
