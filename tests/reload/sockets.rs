//! The sockets of these tests.

use sockdiag::{State, tcp_info};
use testkit::host::FakeHost;
use testkit::recording::dump;
use testkit::reply::Reply;

/// A socket.
#[derive(Clone, Debug)]
pub struct Sock {
    pub cookie: u32,
    pub local: u16,
    pub inode: u32,
    pub state: State,
    /// Bytes, sent as well as received.
    pub bytes: u64,
    pub segments: u32,
}

/// An established connection.
pub fn sock(cookie: u32, local: u16, bytes: u64) -> Sock {
    Sock { cookie, local, inode: 1000 + cookie, state: State::Established, bytes, segments: 10 }
}

/// A socket that listens.
pub fn listener(cookie: u32, local: u16) -> Sock {
    Sock { state: State::Listen, ..sock(cookie, local, 0) }
}

impl Sock {
    /// What the kernel reports of it.
    pub fn reply(&self) -> Reply {
        let remote: u16 = if self.state == State::Listen { 0 } else { 5000 };
        let [local, remote] = [([10, 0, 0, 1], self.local), ([10, 0, 0, 2], remote)].map(Into::into);
        Reply::new(self.state, local, remote).cookie(self.cookie).inode(self.inode).info(&[
            (&tcp_info::BYTES_ACKED, self.bytes),
            (&tcp_info::BYTES_RECEIVED, self.bytes),
            (&tcp_info::BYTES_SENT, self.bytes),
            (&tcp_info::SEGS_IN, self.segments.into()),
        ])
    }
}

/// The process that may have sockets, and the descriptor that it has one by.
const NGINX: (u32, u32) = (42, 3);

/// What these tests do to a host.
pub trait Changes {
    /// Sets the connections in a network namespace.
    fn set(&self, namespace: &str, sockets: &[Sock]);
    /// Sets the listeners in the own network namespace.
    fn listen(&self, listeners: &[Sock]);
    /// Gives a socket to nginx.
    fn give_to_nginx(&self, inode: u32);
    /// Takes it away.
    fn take_from_nginx(&self);
}

impl Changes for FakeHost {
    fn set(&self, namespace: &str, sockets: &[Sock]) {
        self.set_connections(namespace, dump(&sockets.iter().map(Sock::reply).collect::<Vec<_>>()));
    }

    fn listen(&self, listeners: &[Sock]) {
        self.set_listeners(dump(&listeners.iter().map(Sock::reply).collect::<Vec<_>>()));
    }

    fn give_to_nginx(&self, inode: u32) {
        self.processes.open(NGINX.0, b"nginx", NGINX.1, inode);
    }

    fn take_from_nginx(&self) {
        self.processes.close(NGINX.0, NGINX.1);
    }
}
