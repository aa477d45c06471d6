//! Close events: what the kernel reports of a socket as it is destroyed (`net/core/sock_diag.c: sock_diag_broadcast_destroy`).
//!
//! Those of this network namespace need no capability. The kernel drops those that find no room in the socket's buffer, and
//! counts them.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{
    set_socket_recv_buffer_size, set_socket_recv_buffer_size_force, socket_recv_buffer_size,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

use super::frame::{Message, Messages};
use super::protocol::{Protocol, Socket};
use crate::sys::{self, Received};

/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// Bytes offered per event. One of TCP's has 380 on Linux 6.18.
const LONGEST: usize = 2048;
/// Events per batch.
const BATCH: usize = 64;

/// A netlink socket that receives the close events of protocols, of its network namespace or of others too.
#[derive(Debug)]
pub struct Events {
    protocols: Vec<&'static Protocol>,
    socket: Arc<OwnedFd>,
    everywhere: bool,
    buffer: Vec<u8>,
    /// What is known of each message in the buffer.
    read: Vec<Received>,
}

/// The kernel's queue of events that are not yet read.
#[derive(Clone, Debug)]
pub struct Queue(Arc<OwnedFd>);

impl Queue {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(&*self.0, PollFlags::IN)], Some(&at_once)), Ok(0))
    }

    /// How many events the kernel has dropped because the buffer was full, modulo 2^32.
    ///
    /// # Errors
    /// What `getsockopt(2)` says: kernels before 4.12 do not report it.
    pub fn dropped(&self) -> io::Result<u32> {
        sys::drops(&*self.0)
    }
}

impl Events {
    /// Opens a socket that is not subscribed yet, with a buffer of `buffer` bytes if the kernel grants it.
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
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG))?;
        // The kernel doubles what it is asked for (socket(7)).
        let half = buffer / 2;
        set_socket_recv_buffer_size_force(&socket, half)
            .or_else(|_| set_socket_recv_buffer_size(&socket, half))?;
        if everywhere {
            sys::listen_to_all_namespaces(&socket)?;
        }
        let socket = Arc::new(socket);
        let (buffer, read) = (vec![0; LONGEST * BATCH], Vec::with_capacity(BATCH));
        Ok(Self { protocols: protocols.to_vec(), socket, everywhere, buffer, read })
    }

    /// Subscribes: the kernel queues the events from now on. Of a protocol without close events, it queues none.
    ///
    /// # Errors
    /// What `bind(2)` says.
    pub fn bind(&self) -> io::Result<()> {
        let groups = self.protocols.iter().fold(0, |groups, protocol| groups | protocol.groups());
        Ok(bind(&self.socket, &SocketAddrNetlink::new(0, groups))?)
    }

    /// Opens a socket and subscribes.
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

    /// The buffer that the kernel has granted, in bytes.
    #[must_use]
    pub fn granted(&self) -> usize {
        socket_recv_buffer_size(&self.socket).unwrap_or_default()
    }

    /// Whether close events of other network namespaces are received.
    #[must_use]
    pub const fn is_everywhere(&self) -> bool {
        self.everywhere
    }

    /// The kernel's queue of these events.
    #[must_use]
    pub fn queue(&self) -> Queue {
        Queue(Arc::clone(&self.socket))
    }

    /// Waits until there are events, at most for `most`; whether there are any.
    ///
    /// # Errors
    /// What `poll(2)` says.
    pub fn wait(&self, most: Option<Duration>) -> io::Result<bool> {
        let most = most.and_then(|most| Timespec::try_from(most).ok());
        match poll(&mut [PollFd::new(&*self.socket, PollFlags::IN)], most.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads as many events as there are, up to a batch; whether the kernel has dropped some before.
    ///
    /// # Errors
    /// What `recvmsg(2)` says, other than that events were dropped, if nothing was read before it.
    pub fn read(&mut self) -> io::Result<bool> {
        self.read.clear();
        for place in self.buffer.chunks_mut(LONGEST) {
            let error = match sys::receive(&*self.socket, place) {
                Ok(message) => {
                    self.read.push(message);
                    continue;
                }
                Err(error) => error,
            };
            match Errno::from_io_error(&error) {
                Some(Errno::AGAIN) => break,
                Some(Errno::INTR) => self.read.push(Received::default()),
                // The kernel reports it once, and not how many.
                Some(Errno::NOBUFS) => return Ok(true),
                // The next call returns it, if it stays.
                _ if !self.read.is_empty() => break,
                _ => return Err(error),
            }
        }
        Ok(false)
    }

    /// The destroyed sockets of the last [`Events::read`], each with the nsid of its network namespace; `None` is this one, also
    /// where it has an nsid in itself.
    pub fn sockets(&self) -> impl Iterator<Item = (Option<i32>, Socket<'_>)> {
        let datagrams = self.buffer.chunks(LONGEST).zip(&self.read);
        // A message of another process is no event.
        let datagrams = datagrams.filter(|(_, received)| received.sender == 0);
        datagrams.flat_map(|(bytes, received)| {
            // The kernel sends an event to the group of its protocol.
            let protocol = self.protocols.iter().find(|protocol| protocol.groups() & received.groups != 0);
            let messages = Messages(bytes.get(..received.length).unwrap_or_default());
            messages.filter_map(move |message| {
                let Message { header, payload } = message.ok()?;
                let socket = (header.kind.get() == BY_FAMILY).then(|| protocol?.parse(payload)).flatten();
                Some((received.namespace, socket?))
            })
        })
    }
}
