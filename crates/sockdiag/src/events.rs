//! The kernel's events of closing sockets: their last `tcp_info`, as they are destroyed
//! (`net/core/sock_diag.c: sock_diag_broadcast_destroy`).
//!
//! Those of the own network namespace need no capability. What finds no room in the socket's buffer is dropped and counted by the
//! kernel. Refuses to know what an end means.

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
use super::socket::Socket;
use crate::sys;

/// `SKNLGRP_INET_TCP_DESTROY` (1) and `SKNLGRP_INET6_TCP_DESTROY` (3) as a mask: group n is bit n - 1.
const GROUPS: u32 = 1 | 1 << 2;
/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// An event has 380 bytes on Linux 6.18.
const LONGEST: usize = 2048;
/// So many are read before they are handed on.
const BATCH: usize = 64;

/// A socket that hears of every TCP socket that closes in its network namespace, or in others too.
#[derive(Debug)]
pub struct Events {
    socket: Arc<OwnedFd>,
    everywhere: bool,
    buffer: Vec<u8>,
    /// How long each message in the buffer is, and which namespace it is about.
    read: Vec<(usize, Option<i32>)>,
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
    /// What `getsockopt(2)` says: kernels before 4.12 do not tell.
    pub fn dropped(&self) -> io::Result<u32> {
        sys::drops(&*self.0)
    }
}

impl Events {
    /// Opens a socket that is not subscribed yet, with a buffer of so many bytes if the kernel grants it.
    ///
    /// A buffer above `net.core.rmem_max` needs `CAP_NET_ADMIN`; without it the buffer is as large as
    /// that allows.
    ///
    /// `everywhere`: also for the ends in other network namespaces, those that have a number in ours
    /// (`ip netns list-id`). It needs `CAP_NET_BROADCAST` in the user namespace that owns ours, and in the
    /// one that owns the other, of which nothing is heard without.
    ///
    /// # Errors
    /// What `socket(2)` or `setsockopt(2)` says: `EPERM` if `everywhere` is not permitted.
    pub fn open(buffer: usize, everywhere: bool) -> io::Result<Self> {
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
        Ok(Self { socket, everywhere, buffer, read })
    }

    /// Subscribes: the kernel queues the events from now on.
    ///
    /// # Errors
    /// What `bind(2)` says.
    pub fn bind(&self) -> io::Result<()> {
        Ok(bind(&self.socket, &SocketAddrNetlink::new(0, GROUPS))?)
    }

    /// Opens a socket and subscribes.
    ///
    /// # Errors
    /// As [`Events::open`] and [`Events::bind`].
    pub fn subscribe(buffer: usize, everywhere: bool) -> io::Result<Self> {
        let events = Self::open(buffer, everywhere)?;
        events.bind()?;
        Ok(events)
    }

    /// Whether the kernel grants a buffer of so many bytes to anybody (`net.core.rmem_max`).
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

    /// Whether the ends in other network namespaces are heard of.
    #[must_use]
    pub const fn is_everywhere(&self) -> bool {
        self.everywhere
    }

    /// The kernel's queue, to be looked at by others.
    #[must_use]
    pub fn queue(&self) -> Queue {
        Queue(Arc::clone(&self.socket))
    }

    /// Waits until there are events, or for so long; whether there are any.
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
                    // Somebody else's message is no event; its place holds none.
                    let length = if message.sender == 0 { message.length } else { 0 };
                    self.read.push((length, message.namespace));
                    continue;
                }
                Err(error) => error,
            };
            match Errno::from_io_error(&error) {
                Some(Errno::AGAIN) => break,
                Some(Errno::INTR) => self.read.push((0, None)),
                // It is said once, and not how many.
                Some(Errno::NOBUFS) => return Ok(true),
                // The next call meets it again, if it stays.
                _ if !self.read.is_empty() => break,
                _ => return Err(error),
            }
        }
        Ok(false)
    }

    /// The sockets whose ends were read by the last [`Events::read`], each with the number of its network
    /// namespace in ours; `None` is our own, also where it has a number in itself.
    pub fn sockets(&self) -> impl Iterator<Item = (Option<i32>, Socket<'_>)> {
        let datagrams = self.buffer.chunks(LONGEST).zip(&self.read);
        let messages = datagrams.flat_map(|(bytes, (length, namespace))| {
            Messages(bytes.get(..*length).unwrap_or_default()).map(|message| (*namespace, message))
        });
        messages.filter_map(|(namespace, message)| {
            let Message { header, payload } = message.ok()?;
            let socket = (header.kind.get() == BY_FAMILY).then(|| Socket::parse(payload)).flatten();
            Some((namespace, socket?))
        })
    }
}
