//! The transport of a dump: a netlink socket with a deadline.
//!
//! Opened for one dump and closed after it, because an open one keeps its network namespace alive.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recvfrom, sendto, socket_with,
};

use super::dump::{Datagram, Transport};

/// A `NETLINK_SOCK_DIAG` socket.
#[derive(Debug)]
pub struct Netlink(OwnedFd);

impl Netlink {
    /// Opens a socket in the thread's network namespace.
    ///
    /// # Errors
    /// What `socket(2)` says: `EPROTONOSUPPORT` where the kernel has no `sock_diag`.
    pub fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        Ok(Self(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG))?))
    }
}

impl Transport for Netlink {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let kernel = SocketAddrNetlink::new(0, 0);
        loop {
            match sendto(&self.0, message, SendFlags::empty(), &kernel) {
                Err(Errno::INTR) => {}
                sent => return sent.map(drop).map_err(Into::into),
            }
        }
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram> {
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // With MSG_TRUNC the length is the datagram's own, also where the buffer is shorter.
            match recvfrom(&self.0, &mut *buffer, RecvFlags::TRUNC) {
                Ok((_, length, sender)) => {
                    let sender = sender.and_then(|any| SocketAddrNetlink::try_from(any).ok());
                    return Ok(Datagram { length, sender: sender.map_or(u32::MAX, |sender| sender.pid()) });
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait(deadline.duration_since(now))?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Netlink {
    fn wait(&self, time: std::time::Duration) -> io::Result<()> {
        let time = Timespec::try_from(time).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&time)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
