//! One reply of the kernel about one socket, built by hand: an `inet_diag_msg` and its attributes.

use std::net::{IpAddr, SocketAddr};

use sockdiag::{Field, State};

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// The attribute with `struct tcp_info`.
const INET_DIAG_INFO: u16 = 2;
/// The size of `struct tcp_info` in Linux 6.18.
const INFO_SIZE: usize = 280;
/// The size of `struct inet_diag_msg`, and where its fields are.
const SIZE: usize = 72;
const STATE: usize = 1;
const PORTS: [usize; 2] = [4, 6];
const ADDRESSES: [usize; 2] = [8, 24];
const INTERFACE: usize = 40;
const COOKIE: usize = 44;
const RECEIVE_QUEUE: usize = 56;
const SEND_QUEUE: usize = 60;
const UID: usize = 64;
const INODE: usize = 68;

/// An `inet_diag_msg` and its attributes, without the netlink header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply(Vec<u8>);

impl Reply {
    /// A socket in that state with these ends, without attributes. All else is 0.
    pub fn new(state: State, local: SocketAddr, remote: SocketAddr) -> Self {
        let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
        let mut reply = Self(vec![0; SIZE]);
        reply.0[0] = family;
        for (end, address) in [local, remote].into_iter().enumerate() {
            reply.write(PORTS[end], &address.port().to_be_bytes());
            match address.ip() {
                IpAddr::V4(v4) => reply.write(ADDRESSES[end], &v4.octets()),
                IpAddr::V6(v6) => reply.write(ADDRESSES[end], &v6.octets()),
            }
        }
        reply.state(state)
    }

    /// A reply that a kernel sent.
    pub const fn captured(payload: Vec<u8>) -> Self {
        Self(payload)
    }

    /// Sets the state.
    #[must_use]
    pub fn state(self, state: State) -> Self {
        self.with(STATE, &[state as u8])
    }

    /// Sets the local port.
    #[must_use]
    pub fn local_port(self, port: u16) -> Self {
        self.with(PORTS[0], &port.to_be_bytes())
    }

    /// Sets the remote port.
    #[must_use]
    pub fn remote_port(self, port: u16) -> Self {
        self.with(PORTS[1], &port.to_be_bytes())
    }

    /// Sets the index of the interface that the socket is bound to.
    #[must_use]
    pub fn interface(self, index: u32) -> Self {
        self.with(INTERFACE, &index.to_ne_bytes())
    }

    /// Sets the cookie.
    #[must_use]
    pub fn cookie(self, cookie: u32) -> Self {
        self.with(COOKIE, &cookie.to_ne_bytes())
    }

    /// Sets the bytes in the receive and send queue; of a listener, the connections in its queue and its limit.
    #[must_use]
    pub fn queues(self, receive: u32, send: u32) -> Self {
        self.with(RECEIVE_QUEUE, &receive.to_ne_bytes()).with(SEND_QUEUE, &send.to_ne_bytes())
    }

    /// Sets the user id.
    #[must_use]
    pub fn uid(self, uid: u32) -> Self {
        self.with(UID, &uid.to_ne_bytes())
    }

    /// Sets the inode.
    #[must_use]
    pub fn inode(self, inode: u32) -> Self {
        self.with(INODE, &inode.to_ne_bytes())
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, kind: u16, payload: &[u8]) -> Self {
        let length = u16::try_from(4 + payload.len()).expect("short");
        self.0.extend([length.to_ne_bytes(), kind.to_ne_bytes()].concat());
        self.0.extend_from_slice(payload);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Sets fields of `struct tcp_info`, which is added if the reply has none. All other fields of it stay as they are.
    #[must_use]
    pub fn info(mut self, fields: &[(&Field, u64)]) -> Self {
        if self.find_info().is_none() {
            self = self.attribute(INET_DIAG_INFO, &[0; INFO_SIZE]);
        }
        let info = self.find_info().expect("just added");
        for (field, value) in fields {
            let size = field.width.bits().div_ceil(8) as usize;
            // A field has the bytes of an integer in the order of this machine.
            let bytes = match size {
                8 => value.to_ne_bytes().to_vec(),
                4 => u32::try_from(*value).expect("32 bits").to_ne_bytes().to_vec(),
                2 => u16::try_from(*value).expect("16 bits").to_ne_bytes().to_vec(),
                _ => vec![u8::try_from(*value).expect("8 bits")],
            };
            self.write(info + field.offset, &bytes);
        }
        self
    }

    /// Adds to fields of `struct tcp_info`.
    #[must_use]
    pub fn gain(self, fields: &[&Field], more: u64) -> Self {
        let info = &self.0[self.find_info().expect("struct tcp_info")..];
        let read = |field: &Field| field.read(info).unwrap_or_default();
        let gained: Vec<_> = fields.iter().map(|field| (*field, read(field) + more)).collect();
        self.info(&gained)
    }

    /// Its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Where `struct tcp_info` begins.
    fn find_info(&self) -> Option<usize> {
        let mut at = SIZE;
        while let Some((header, _)) = self.0.get(at..)?.split_first_chunk::<4>() {
            let [length, kind] = [[header[0], header[1]], [header[2], header[3]]].map(u16::from_ne_bytes);
            if kind == INET_DIAG_INFO {
                return Some(at + 4);
            }
            at += usize::from(length).next_multiple_of(4);
        }
        None
    }

    fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.write(at, bytes);
        self
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
