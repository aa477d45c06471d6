//! One socket as the kernel reports it: `struct inet_diag_msg` and its attributes, borrowed.
//!
//! Nothing is copied and nothing is allocated. Refuses to know who owns the socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use zerocopy::byteorder::native_endian::U32;
use zerocopy::byteorder::network_endian::U16 as NetworkU16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::algorithm::{Algorithm, AlgorithmField};
use super::frame::Attributes;
use super::skmem::MemoryField;
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
/// `INET_DIAG_SKMEMINFO`
const SKMEMINFO: u16 = 7;
/// `INET_DIAG_MARK`
const MARK: u16 = 15;
/// `INET_DIAG_CGROUP_ID`
const CGROUP_ID: u16 = 21;

/// A socket in a dump's reply.
#[derive(Clone, Copy, Debug)]
pub struct Socket<'a> {
    header: &'a InetDiagMsg,
    state: State,
    attributes: Noted<'a>,
    reply: &'a [u8],
}

/// The attributes that anybody asks for, found in one walk.
#[derive(Clone, Copy, Debug, Default)]
struct Noted<'a> {
    info: Option<&'a [u8]>,
    congestion: Option<&'a [u8]>,
    memory: Option<&'a [u8]>,
    mark: Option<&'a [u8]>,
    cgroup: Option<&'a [u8]>,
    algorithm: Option<Algorithm<'a>>,
}

impl<'a> Noted<'a> {
    #[inline]
    fn walk(attributes: &'a [u8]) -> Self {
        let mut noted = Self::default();
        for (kind, payload) in Attributes(attributes) {
            match kind {
                INFO => noted.info = Some(payload),
                CONG => noted.congestion = Some(payload),
                SKMEMINFO => noted.memory = Some(payload),
                MARK => noted.mark = Some(payload),
                CGROUP_ID => noted.cgroup = Some(payload),
                _ => noted.algorithm = Algorithm::new(kind, payload).or(noted.algorithm),
            }
        }
        noted
    }
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
        Some(Self { header, state, attributes: Noted::walk(attributes), reply: payload })
    }

    /// The reply that [`Socket::parse`] was given.
    #[must_use]
    pub const fn reply(&self) -> &'a [u8] {
        self.reply
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// `idiag_timer`: which of the kernel's timers runs.
    pub(crate) const fn timer(&self) -> u8 {
        self.header.timer
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
        let name = self.attributes.congestion?;
        name.split(|byte| *byte == 0).next().filter(|name| !name.is_empty())
    }

    /// The mark (`INET_DIAG_MARK`), which the kernel tells only those with `CAP_NET_ADMIN`.
    #[must_use]
    pub fn mark(&self) -> Option<u32> {
        self.attributes.mark?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// The id of the cgroup in which the socket was made (`INET_DIAG_CGROUP_ID`, Linux 5.8).
    #[must_use]
    pub fn cgroup(&self) -> Option<u64> {
        self.attributes.cgroup?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
    }

    /// `struct tcp_info`, if it was asked for. Only a `struct tcp_sock` has it.
    #[must_use]
    #[inline]
    pub fn tcp_info(&self) -> Option<TcpInfo<'a>> {
        self.attributes.info.map(TcpInfo::new)
    }

    /// How long ago the peer was last heard of, in milliseconds (`tcpi_last_data_recv`,
    /// `tcpi_last_ack_recv`); `None` if it never was.
    #[must_use]
    pub fn received_ago(&self) -> Option<u32> {
        let info = self.tcp_info().filter(|_| self.has_peer())?;
        let data = info.get(Field::LastDataRecv)?;
        u32::try_from(data.min(info.get(Field::LastAckRecv)?)).ok()
    }

    /// A word of the socket's memory (`INET_DIAG_SKMEMINFO`), if it was asked for and sent.
    #[must_use]
    pub fn memory(&self, field: MemoryField) -> Option<u64> {
        field.layout().read(self.attributes.memory?)
    }

    /// What the congestion control algorithm tells of itself, if it was asked for and has a value.
    #[must_use]
    pub fn algorithm(&self, field: AlgorithmField) -> Option<u64> {
        self.attributes.algorithm?.get(field)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A reply of a kernel: the header in that state, then the attributes.
    fn reply(state: State, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut payload = vec![AF_INET, state as u8];
        payload.resize(size_of::<InetDiagMsg>(), 0);
        for (kind, bytes) in attributes {
            let length = u16::try_from(4 + bytes.len()).expect("short");
            payload.extend([length.to_ne_bytes(), kind.to_ne_bytes()].concat());
            payload.extend_from_slice(bytes);
            payload.resize(payload.len().next_multiple_of(4), 0);
        }
        payload
    }

    /// `struct tcp_info` of a connection that heard data and acknowledgements so many milliseconds ago.
    fn heard(data: u32, acknowledgement: u32) -> Vec<u8> {
        let mut info = vec![0; 104];
        info[52..56].copy_from_slice(&data.to_ne_bytes());
        info[56..60].copy_from_slice(&acknowledgement.to_ne_bytes());
        info
    }

    #[test]
    fn every_attribute_is_found_wherever_it_stands() {
        let memory = [7_u32; 9].map(u32::to_ne_bytes).concat();
        let bbr = [9_u32; 5].map(u32::to_ne_bytes).concat();
        let (cgroup, info, mark) = (11_u64.to_ne_bytes(), heard(3, 4), 12_u32.to_ne_bytes());
        let mut attributes = [
            (CGROUP_ID, &cgroup[..]),
            (8, &[0]), // INET_DIAG_SHUTDOWN
            (16, &bbr),
            (CONG, b"bbr\0"),
            (INFO, &info),
            (MARK, &mark),
            (SKMEMINFO, &memory),
        ];
        for _ in 0..attributes.len() {
            attributes.rotate_left(1);
            let payload = reply(State::Established, &attributes);
            let socket = Socket::parse(&payload).expect("a socket");
            assert_eq!(socket.cgroup(), Some(11));
            assert_eq!(socket.mark(), Some(12));
            assert_eq!(socket.congestion(), Some(&b"bbr"[..]));
            assert_eq!(socket.memory(MemoryField::Drops), Some(7));
            assert_eq!(socket.algorithm(AlgorithmField::BbrMinRtt), Some(9));
            assert_eq!(socket.received_ago(), Some(3));
        }
    }

    #[test]
    fn a_socket_without_attributes_has_nothing_instead_of_zeros() {
        let payload = reply(State::TimeWait, &[]);
        let socket = Socket::parse(&payload).expect("a socket");
        assert!(socket.tcp_info().is_none());
        assert_eq!(socket.cgroup(), None);
        assert_eq!(socket.mark(), None);
        assert_eq!(socket.congestion(), None);
        assert_eq!(socket.memory(MemoryField::Received), None);
        assert_eq!(socket.algorithm(AlgorithmField::BbrMinRtt), None);
        assert_eq!(socket.received_ago(), None);
    }

    #[test]
    fn only_who_has_had_a_peer_has_heard_of_it() {
        let ago = |state| {
            let payload = reply(state, &[(INFO, &heard(9, 5))]);
            let socket = Socket::parse(&payload).expect("a socket");
            socket.received_ago()
        };
        assert_eq!(ago(State::Established), Some(5));
        assert_eq!(ago(State::CloseWait), Some(5));
        // The kernel writes the time since it started.
        assert_eq!(ago(State::SynSent), None);
        assert_eq!(ago(State::Listen), None);
    }
}
