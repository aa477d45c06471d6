//! Close events: what the kernel reports of a socket as it is destroyed (`net/core/sock_diag.c: sock_diag_broadcast_destroy`).
//!
//! Those of this network namespace need no capability. The kernel drops those that find no room in the socket's buffer, and
//! counts them.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{
    set_socket_recv_buffer_size, set_socket_recv_buffer_size_force, socket_recv_buffer_size,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

use super::frame::{Message, Messages};
use super::protocol::{Protocol, Socket};
use crate::sys::{self, BATCH, Received};

/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// Bytes offered per event. One of TCP's has 380 on Linux 6.18.
const LONGEST: usize = 2048;
/// Netlink sockets that receive the close events of protocols, of its network namespace or of others too.
///
/// The events that have the last values of counters have a socket of their own: others cannot take their room.
#[derive(Debug)]
pub struct Events {
    queue: Queue,
    everywhere: bool,
    /// Places for a batch of each socket.
    buffer: Vec<u8>,
    /// What is known of the message in each of them.
    read: Vec<Received>,
}

/// The kernel's queues of events that are not yet read.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Sockets>);

#[derive(Debug)]
struct Sockets {
    /// For events with values, and for others.
    sockets: [OwnedFd; 2],
    protocols: Mutex<Vec<&'static Protocol>>,
}

impl Queue {
    /// Whether there is nothing in them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut self.polled(), Some(&at_once)), Ok(0))
    }

    /// How many events the kernel has dropped because a buffer was full, modulo 2^32.
    ///
    /// # Errors
    /// What `getsockopt(2)` says: kernels before 4.12 do not report it.
    pub fn dropped(&self) -> io::Result<u32> {
        let [with_values, others] = &self.0.sockets;
        Ok(sys::drops(with_values)?.wrapping_add(sys::drops(others)?))
    }

    /// Subscribes to the close events of these protocols, and to no others. Of a protocol without any, there are none.
    ///
    /// # Errors
    /// What `bind(2)` says.
    pub fn follow(&self, protocols: &[&'static Protocol]) -> io::Result<()> {
        // An event of a protocol that joins finds it here.
        self.protocols().clone_from(&protocols.to_vec());
        for (socket, with_values) in self.0.sockets.iter().zip([true, false]) {
            let of_socket = protocols.iter().filter(|protocol| protocol.ends_with_values() == with_values);
            let groups = of_socket.fold(0, |groups, protocol| groups | protocol.groups());
            // A socket that is bound already keeps its port, which is 0 before.
            let port = SocketAddrNetlink::try_from(getsockname(socket)?)?.pid();
            bind(socket, &SocketAddrNetlink::new(port, groups))?;
        }
        Ok(())
    }

    fn polled(&self) -> [PollFd<'_>; 2] {
        self.0.sockets.each_ref().map(|socket| PollFd::new(socket, PollFlags::IN))
    }

    fn protocols(&self) -> MutexGuard<'_, Vec<&'static Protocol>> {
        self.0.protocols.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    /// Opens sockets that are not subscribed yet, each with a buffer of `buffer` bytes if the kernel grants it.
    ///
    /// A buffer above `net.core.rmem_max` needs `CAP_NET_ADMIN`; without it the buffer is as large as
    /// that allows.
    ///
    /// `everywhere`: also for other network namespaces, those that have an nsid in this one (`ip netns list-id`). It needs
    /// `CAP_NET_BROADCAST` in the user namespace that owns this one. A namespace whose owner does not grant it sends nothing.
    ///
    /// # Errors
    /// What `socket(2)` or `setsockopt(2)` says: `EPERM` if `everywhere` is not permitted.
    pub fn open(protocols: &[&'static Protocol], buffer: usize, everywhere: bool) -> io::Result<Self> {
        let open = || {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG))?;
            // The kernel doubles what it is asked for (socket(7)).
            let half = buffer / 2;
            set_socket_recv_buffer_size_force(&socket, half)
                .or_else(|_| set_socket_recv_buffer_size(&socket, half))?;
            if everywhere {
                sys::listen_to_all_namespaces(&socket)?;
            }
            io::Result::Ok(socket)
        };
        let queue = Queue(Arc::new(Sockets {
            sockets: [open()?, open()?],
            protocols: Mutex::new(protocols.to_vec()),
        }));
        let (buffer, read) = (vec![0; 2 * LONGEST * BATCH], Vec::with_capacity(2 * BATCH));
        Ok(Self { queue, everywhere, buffer, read })
    }

    /// Subscribes: the kernel queues the events from now on. Of a protocol without close events, it queues none.
    ///
    /// # Errors
    /// What `bind(2)` says.
    pub fn bind(&self) -> io::Result<()> {
        let protocols = self.queue.protocols().clone();
        self.queue.follow(&protocols)
    }

    /// Opens sockets and subscribes.
    ///
    /// # Errors
    /// As [`Events::open`] and [`Events::bind`].
    pub fn subscribe(protocols: &[&'static Protocol], buffer: usize, everywhere: bool) -> io::Result<Self> {
        let events = Self::open(protocols, buffer, everywhere)?;
        events.bind()?;
        Ok(events)
    }

    /// Whether the kernel grants a buffer of that many bytes without a capability (`net.core.rmem_max`).
    ///
    /// # Errors
    /// What `socket(2)` or `setsockopt(2)` says.
    pub fn grants(buffer: usize) -> io::Result<bool> {
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
        let half = buffer / 2;
        set_socket_recv_buffer_size(&socket, half)?;
        Ok(socket_recv_buffer_size(&socket)? >= 2 * half)
    }

    /// The buffer that the kernel has granted to each socket, in bytes.
    #[must_use]
    pub fn granted(&self) -> usize {
        let [with_values, _] = &self.queue.0.sockets;
        socket_recv_buffer_size(with_values).unwrap_or_default()
    }

    /// Whether close events of other network namespaces are received.
    #[must_use]
    pub const fn is_everywhere(&self) -> bool {
        self.everywhere
    }

    /// The kernel's queues of these events.
    #[must_use]
    pub fn queue(&self) -> Queue {
        self.queue.clone()
    }

    /// Waits until there are events, at most for `most`; whether there are any.
    ///
    /// # Errors
    /// What `poll(2)` says.
    pub fn wait(&self, most: Option<Duration>) -> io::Result<bool> {
        let most = most.and_then(|most| Timespec::try_from(most).ok());
        match poll(&mut self.queue.polled(), most.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads as many events as there are, up to a batch of each socket; whether the kernel has dropped some before.
    ///
    /// # Errors
    /// What `recvmmsg(2)` says, other than that events were dropped, if nothing was read before it.
    pub fn read(&mut self) -> io::Result<bool> {
        let Self { queue, buffer, read, .. } = self;
        read.clear();
        let mut dropped = false;
        for (socket, places) in queue.0.sockets.iter().zip(buffer.chunks_mut(LONGEST * BATCH)) {
            if let Err(error) = sys::receive_batch(socket, places.chunks_mut(LONGEST), read) {
                match Errno::from_io_error(&error) {
                    Some(Errno::AGAIN | Errno::INTR) => {}
                    // The kernel reports it once, and not how many.
                    Some(Errno::NOBUFS) => dropped = true,
                    // The next call returns it, if it stays.
                    _ if dropped || read.iter().any(|one| one.length > 0) => {}
                    _ => return Err(error),
                }
            }
            // Messages of the next socket stand where its places begin.
            if read.len() < BATCH {
                read.resize(BATCH, Received::default());
            }
        }
        Ok(dropped)
    }

    /// Whether the last [`Events::read`] filled a batch, so that more events may wait.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        self.read.chunks(BATCH).any(|batch| batch.len() == BATCH && batch.iter().all(|one| one.length > 0))
    }

    /// The destroyed sockets of the last [`Events::read`], each with the nsid of its network namespace; `None` is this one, also
    /// where it has an nsid in itself.
    pub fn sockets(&self) -> impl Iterator<Item = (Option<i32>, Socket<'_>)> {
        let datagrams = self.buffer.chunks(LONGEST).zip(&self.read);
        // A message of another process is no event.
        let datagrams = datagrams.filter(|(_, received)| received.sender == 0);
        let protocols = self.queue.protocols().clone();
        datagrams.flat_map(move |(bytes, received)| {
            // The kernel sends an event to the group of its protocol.
            let protocol =
                protocols.iter().find(|protocol| protocol.groups() & received.groups != 0).copied();
            let messages = Messages(bytes.get(..received.length).unwrap_or_default());
            messages.filter_map(move |message| {
                let Message { header, payload } = message.ok()?;
                let socket = (header.kind.get() == BY_FAMILY).then(|| protocol?.parse(payload)).flatten();
                Some((received.namespace, socket?))
            })
        })
    }
}
