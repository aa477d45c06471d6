//! A captured dump made larger: its sockets again and again, each with a cookie, an inode and a client's port of
//! its own.
//!
//! Refuses to know what is done with it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ss_exporter::attribute::Namespace;
use ss_exporter::collect::{Entered, World};
use ss_exporter::select::Lookup;
use ss_exporter::sockdiag::{Datagram, Field, Transport};

const CAPTURE: &[u8] = include_bytes!("../../tests/capture/linux-6.18.bin");
/// The ports of the capture's listeners.
const SERVICES: [u16; 2] = [33_153, 34_705];
/// The clients' ports begin here.
const CLIENTS: u32 = 36_000;
/// So many replies fit into the kernel's largest datagram.
const TOGETHER: usize = 80;
/// The last datagram of the capture, behind its length.
const END: usize = 24;
/// `struct nlmsghdr`, which stands before `struct inet_diag_msg`.
const HEADER: usize = 16;
/// `TCP_CLOSE`, `TCP_LISTEN`
const CLOSE: u8 = 7;
const LISTEN: u8 = 10;
/// Where state, ports, cookie and inode lie in `struct inet_diag_msg`.
const STATE: usize = HEADER + 1;
const PORTS: [usize; 2] = [HEADER + 4, HEADER + 6];
const COOKIE: usize = HEADER + 44;
const INODE: usize = HEADER + 68;

/// The replies of a dump of so many sockets, each of which has gained so much since the capture.
pub fn replies(sockets: u32, gained: u32) -> Vec<Vec<u8>> {
    let captured = captured();
    let template = captured.iter().cycle();
    (1..=sockets).zip(template).map(|(number, captured)| reply(captured, number, gained)).collect()
}

/// What the kernel's event of the socket's end says, without its netlink header.
pub fn event(mut reply: Vec<u8>) -> Vec<u8> {
    reply[STATE] = CLOSE;
    reply.split_off(HEADER)
}

/// The replies of the captured dump.
fn captured() -> Vec<&'static [u8]> {
    let mut rest = &CAPTURE[..CAPTURE.len() - END];
    let mut replies = Vec::new();
    while let Some((length, datagrams)) = rest.split_first_chunk() {
        let (datagram, others) = datagrams.split_at(u32::from_le_bytes(*length) as usize);
        let length = u32::from_ne_bytes(datagram[..4].try_into().expect("four bytes")) as usize;
        replies.extend(datagram.chunks(length));
        rest = others;
    }
    replies
}

fn reply(captured: &[u8], number: u32, gained: u32) -> Vec<u8> {
    let mut reply = captured.to_vec();
    for at in PORTS {
        let port = u16::from_be_bytes([reply[at], reply[at + 1]]);
        if !SERVICES.contains(&port) {
            let own = u16::try_from(CLIENTS + number).expect("fewer sockets than ports");
            reply[at..at + 2].copy_from_slice(&own.to_be_bytes());
        }
    }
    reply[COOKIE..COOKIE + 4].copy_from_slice(&number.to_ne_bytes());
    reply[INODE..INODE + 4].copy_from_slice(&number.to_ne_bytes());
    let info = info(&reply);
    for field in [Field::BytesAcked, Field::BytesReceived, Field::BytesSent, Field::SegsIn, Field::DataSegsIn]
    {
        let value = &mut reply[info + field.layout().offset..][..4];
        let more = u32::from_ne_bytes((&*value).try_into().expect("four bytes")).wrapping_add(gained);
        value.copy_from_slice(&more.to_ne_bytes());
    }
    // The peer was heard of just now: a socket that ends is not older than the exporter.
    reply[info + Field::LastDataRecv.layout().offset..][..4].fill(0);
    reply
}

/// Where `struct tcp_info` begins: an attribute `INET_DIAG_INFO` of 280 bytes and a header of 4.
fn info(reply: &[u8]) -> usize {
    let header = [284_u16.to_ne_bytes(), 2_u16.to_ne_bytes()].concat();
    reply.windows(4).position(|window| window == header).expect("INFO was asked for") + 4
}

/// The datagrams of a dump, each behind its length as in the capture.
pub fn dump(replies: &[Vec<u8>]) -> Arc<[u8]> {
    let mut dump = Vec::new();
    for together in replies.chunks(TOGETHER) {
        let datagram = together.concat();
        dump.extend(u32::try_from(datagram.len()).expect("32 KiB").to_le_bytes());
        dump.extend(datagram);
    }
    dump.extend(&CAPTURE[CAPTURE.len() - END..]);
    dump.into()
}

/// A dump of the listeners that accepted what was captured.
fn listeners() -> Arc<[u8]> {
    let mut replies = replies(u32::try_from(captured().len()).expect("few"), 0);
    replies.retain(|reply| SERVICES.contains(&u16::from_be_bytes([reply[PORTS[0]], reply[PORTS[0] + 1]])));
    for reply in &mut replies {
        reply[STATE] = LISTEN;
        reply[PORTS[1]..PORTS[1] + 2].fill(0);
    }
    dump(&replies)
}

/// Who sends a dump, datagram by datagram.
pub struct Recording {
    sent: Arc<[u8]>,
    at: usize,
}

impl Recording {
    pub const fn of(sent: Arc<[u8]>) -> Self {
        Self { sent, at: 0 }
    }
}

impl Transport for Recording {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _: Instant) -> io::Result<Datagram> {
        let rest = &self.sent[self.at..];
        let (length, rest) = rest.split_first_chunk().ok_or(io::ErrorKind::TimedOut)?;
        let length = u32::from_le_bytes(*length) as usize;
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += 4 + length;
        Ok(Datagram { length, sender: 0 })
    }
}

/// A host with one network namespace and the sockets of a recording.
pub struct Host {
    proc: PathBuf,
    sent: Mutex<Arc<[u8]>>,
    listeners: Arc<[u8]>,
}

impl Host {
    /// One without sockets, whose process table is in a folder.
    pub fn idle(proc: &Path) -> Self {
        Self { proc: proc.to_owned(), sent: Mutex::new(dump(&[])), listeners: listeners() }
    }

    /// Now it has these sockets.
    pub fn has(&self, replies: &[Vec<u8>]) {
        *self.sent.lock().expect("unbroken") = dump(replies);
    }
}

impl World for Host {
    type Transport = Recording;

    fn enter(&self, _: &Namespace) -> io::Result<Entered<Recording>> {
        let sockets = Recording::of(Arc::clone(&self.sent.lock().expect("unbroken")));
        let listeners = Recording::of(Arc::clone(&self.listeners));
        Ok(Entered { kernels: Some((sockets, listeners)), time_wait: None, ports: String::new() })
    }

    fn proc(&self) -> &Path {
        &self.proc
    }
}

impl Lookup for Host {
    fn judges_cgroups(&self) -> bool {
        true
    }
}
