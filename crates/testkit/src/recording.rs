//! A dump as bytes, and a transport that replays it.
//!
//! The bytes are the datagrams of the dump, each behind its length: 32 bits, little-endian. The example `capture` of
//! sockdiag writes the same format.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sockdiag::{Datagram, Transport};

use crate::reply::Reply;

/// A dump of connections that Linux 6.18 sent.
pub const CAPTURE: &[u8] = include_bytes!("../../../tests/capture/linux-6.18.bin");
/// What `ss -tineOH` printed of the same connections.
pub const CAPTURE_BY_SS: &str = include_str!("../../../tests/capture/linux-6.18.ss");
/// The length of the last datagram of a dump, `NLMSG_DONE`, and of the four bytes in front of it.
pub const DONE_SIZE: usize = 24;
/// The length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Replies per datagram: as many as fit into the kernel's largest one.
const REPLIES_PER_DATAGRAM: usize = 80;
const TCPDIAG_GETSOCK: u16 = 18;
const NLMSG_DONE: u16 = 3;
const NLM_F_MULTI: u16 = 2;
/// The number by which the exporter's only request in a connection is answered.
const SEQUENCE: u32 = 1;

/// The dump that consists of these replies.
pub fn dump(replies: &[Reply]) -> Arc<[u8]> {
    let mut dump = Vec::new();
    let mut add = |datagram: &[u8]| {
        dump.extend(u32::try_from(datagram.len()).expect("32 KiB").to_le_bytes());
        dump.extend(datagram);
    };
    for replies in replies.chunks(REPLIES_PER_DATAGRAM) {
        let messages: Vec<_> = replies.iter().map(|reply| message(TCPDIAG_GETSOCK, reply.bytes())).collect();
        add(&messages.concat());
    }
    add(&message(NLMSG_DONE, &[0; 4]));
    dump.into()
}

/// The dump of a protocol that the kernel does not know: its only message carries `ENOENT`.
pub fn missing() -> Arc<[u8]> {
    let done = message(NLMSG_DONE, &(-2_i32).to_ne_bytes());
    let length = u32::try_from(done.len()).expect("a short message");
    [&length.to_le_bytes()[..], &done].concat().into()
}

fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).expect("a short message");
    let [kind, flags] = [kind, NLM_F_MULTI].map(u16::to_ne_bytes);
    [&length.to_ne_bytes(), &kind[..], &flags, &SEQUENCE.to_ne_bytes(), &[0; 4], payload].concat()
}

/// The replies of [`CAPTURE`].
pub fn captured() -> Vec<Reply> {
    let mut rest = &CAPTURE[..CAPTURE.len() - DONE_SIZE];
    let mut replies = Vec::new();
    while let Some((length, datagrams)) = rest.split_first_chunk() {
        let (datagram, others) = datagrams.split_at(u32::from_le_bytes(*length) as usize);
        let length = u32::from_ne_bytes(datagram[..4].try_into().expect("four bytes")) as usize;
        replies.extend(datagram.chunks(length).map(|message| Reply::captured(message[HEADER..].to_vec())));
        rest = others;
    }
    replies
}

/// A transport that answers the first part of any request with a dump, the others with an empty one, and then times out.
#[derive(Clone, Debug)]
pub struct Recording {
    dump: Arc<[u8]>,
    position: usize,
    delay: Duration,
    /// Parts of a request that have been sent.
    sent: u32,
}

impl Recording {
    /// Replays a dump.
    pub fn of(dump: impl Into<Arc<[u8]>>) -> Self {
        Self::delayed(dump, Duration::ZERO)
    }

    /// Replays a dump, whose first datagram takes this long.
    pub fn delayed(dump: impl Into<Arc<[u8]>>, delay: Duration) -> Self {
        Self { dump: dump.into(), position: 0, delay, sent: 0 }
    }
}

impl Transport for Recording {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        self.sent += 1;
        if self.sent > 1 {
            let mut end = message(NLMSG_DONE, &[0; 4]);
            end[8..12].copy_from_slice(&self.sent.to_ne_bytes());
            let length = u32::try_from(end.len()).expect("a short message");
            self.dump = [&length.to_le_bytes()[..], &end].concat().into();
            self.position = 0;
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram> {
        if !self.delay.is_zero() {
            std::thread::sleep(std::mem::take(&mut self.delay));
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let (length, rest) = self.dump[self.position..].split_first_chunk().ok_or(io::ErrorKind::TimedOut)?;
        let length = u32::from_le_bytes(*length) as usize;
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += 4 + length;
        Ok(Datagram { length, sender: 0 })
    }
}
