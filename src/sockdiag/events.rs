//! The kernel's events of closing sockets: their last `tcp_info`, as they are destroyed
//! (`net/core/sock_diag.c: sock_diag_broadcast_destroy`).
//!
//! They need no capability. What finds no room in the socket's buffer is dropped and counted by the
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
use rustix::net::{
    AddressFamily, RecvFlags, SocketFlags, SocketType, bind, getsockname, recvfrom, socket_with,
};

use super::frame::{Message, Messages};
use super::socket::Socket;

/// `SKNLGRP_INET_TCP_DESTROY` (1) and `SKNLGRP_INET6_TCP_DESTROY` (3) as a mask: group n is bit n - 1.
const GROUPS: u32 = 1 | 1 << 2;
/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// An event has 380 bytes on Linux 6.18.
const LONGEST: usize = 2048;
/// So many are read before they are handed on.
const BATCH: usize = 64;

/// A socket that hears of every TCP socket that closes in its network namespace.
#[derive(Debug)]
pub struct Events {
    socket: Arc<OwnedFd>,
    port: u32,
    buffer: Vec<u8>,
    lengths: Vec<usize>,
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
}

impl Events {
    /// Subscribes, with a buffer of so many bytes if the kernel grants it.
    ///
    /// A buffer above `net.core.rmem_max` needs `CAP_NET_ADMIN`; without it the buffer is as large as
    /// that allows.
    ///
    /// # Errors
    /// What `socket(2)` or `bind(2)` says.
    pub fn subscribe(buffer: usize) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG))?;
        // The kernel doubles what it is asked for (socket(7)).
        let half = buffer / 2;
        set_socket_recv_buffer_size_force(&socket, half)
            .or_else(|_| set_socket_recv_buffer_size(&socket, half))?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        let port = getsockname(&socket)?;
        let port = SocketAddrNetlink::try_from(port).map_or(0, |address| address.pid());
        let socket = Arc::new(socket);
        Ok(Self { socket, port, buffer: vec![0; LONGEST * BATCH], lengths: Vec::with_capacity(BATCH) })
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

    /// The socket's netlink port, by which `/proc/net/netlink` names it.
    #[must_use]
    pub const fn port(&self) -> u32 {
        self.port
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
    /// What `recvfrom(2)` says, other than that events were dropped.
    pub fn read(&mut self) -> io::Result<bool> {
        self.lengths.clear();
        for place in self.buffer.chunks_mut(LONGEST) {
            match recvfrom(&*self.socket, &mut *place, RecvFlags::DONTWAIT) {
                Ok((_, length, sender)) => {
                    let kernel = sender.and_then(|any| SocketAddrNetlink::try_from(any).ok());
                    // Somebody else's message is no event; its place holds none.
                    let length = if kernel.is_some_and(|sender| sender.pid() == 0) { length } else { 0 };
                    self.lengths.push(length);
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => self.lengths.push(0),
                // It is said once, and not how many.
                Err(Errno::NOBUFS) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// The sockets whose ends were read by the last [`Events::read`].
    pub fn sockets(&self) -> impl Iterator<Item = Socket<'_>> {
        let datagrams = self.buffer.chunks(LONGEST).zip(&self.lengths);
        let messages =
            datagrams.flat_map(|(bytes, length)| Messages(bytes.get(..*length).unwrap_or_default()));
        messages.flatten().filter_map(|Message { header, payload }| {
            (header.kind.get() == BY_FAMILY).then(|| Socket::parse(payload)).flatten()
        })
    }
}

/// How many events the kernel has dropped for want of room, by the text of `/proc/net/netlink`.
#[must_use]
pub fn dropped(table: &str, port: u32) -> Option<u64> {
    // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
    let mut rows = table.lines().map(|line| line.split_ascii_whitespace());
    rows.find_map(|mut words| {
        let (family, of) = (words.nth(1)?, words.next()?);
        let same = family == "4" && of.parse() == Ok(port);
        if same { words.nth(5)?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_drops_are_those_of_the_sockets_row() {
        let table = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n\
            00000000a9efbc0a 0   77         00000000 0        0        0     2        9        1\n\
            000000004fd60b6d 4   77         00000005 212480   0        0     2        3834     20\n";
        assert_eq!(dropped(table, 77), Some(3834));
        assert_eq!(dropped(table, 78), None);
        assert_eq!(dropped("", 77), None);
    }
}
