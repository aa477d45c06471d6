//! The nsids of network namespaces, as ours numbers them (`rtnetlink(7)`, `RTM_GETNSID`).
//!
//! Asking needs no capability.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use sockdiag::sys;

/// `RTM_NEWNSID`: also the answer to the question.
const ANSWER: u16 = 88;
/// `RTM_GETNSID`
const QUESTION: u16 = 90;
/// `NLM_F_REQUEST`
const REQUEST: u16 = 1;
/// `NLM_F_DUMP`
const DUMP: u16 = 0x300;
/// `NLMSG_ERROR`, and the end of a dump.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// The length of the two headers of a message.
const HEADERS: u32 = 20;
/// `NETNSA_NSID`
const NUMBER: u16 = 1;
/// `NETNSA_FD`
const FILE: u16 = 3;

/// `struct nlmsghdr`
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Header {
    length: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
}

/// `struct nlmsghdr`, `struct rtgenmsg` with its padding and one `struct nlattr` of 32 bits
/// (`include/uapi/linux/net_namespace.h`).
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Message {
    length: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
    family: u32,
    attribute_length: u16,
    attribute: u16,
    value: i32,
}

impl Message {
    /// A question about the namespace of a file.
    const fn about(file: i32) -> Self {
        Self {
            length: HEADERS + 8,
            kind: QUESTION,
            flags: REQUEST,
            sequence: 1,
            port: 0,
            family: 0,
            attribute_length: 8,
            attribute: FILE,
            value: file,
        }
    }

    /// The number that it says.
    fn number(&self) -> Option<i32> {
        let is_number = (self.kind, self.attribute) == (ANSWER, NUMBER);
        // NETNSA_NSID_NOT_ASSIGNED is -1.
        Some(self.value).filter(|number| is_number && *number >= 0)
    }
}

/// The number of the namespace of a file; `None` if it was given none.
pub(super) fn of(file: OwnedFd) -> io::Result<Option<i32>> {
    let socket = ask(Message::about(file.as_raw_fd()).as_bytes())?;
    let mut buffer = [0; 128];
    // The kernel has answered when sending returns.
    let received = sys::receive(&socket, &mut buffer)?;
    drop(file);
    let bytes = buffer.get(..received.length).unwrap_or_default();
    let answer = Message::read_from_prefix(bytes).map_err(|_| io::ErrorKind::InvalidData)?.0;
    Ok(answer.number().filter(|_| received.sender == 0))
}

/// All numbers that namespaces have here.
pub(super) fn all() -> io::Result<Vec<i32>> {
    // A dump asks about no namespace, so that the question ends before the attribute.
    let question = Message { length: HEADERS, flags: REQUEST | DUMP, ..Message::about(0) };
    let socket = ask(question.as_bytes().get(..HEADERS as usize).unwrap_or_default())?;
    let mut buffer = vec![0; 32 << 10];
    let mut numbers = Vec::new();
    loop {
        // The kernel makes the next part when one is taken.
        let received = sys::receive(&socket, &mut buffer)?;
        let mut rest = buffer.get(..received.length).unwrap_or_default();
        while let Ok((header, _)) = Header::read_from_prefix(rest) {
            match header.kind {
                DONE => return Ok(numbers),
                ERROR => return Err(io::ErrorKind::Unsupported.into()),
                _ => numbers
                    .extend(Message::read_from_prefix(rest).ok().and_then(|(answer, _)| answer.number())),
            }
            let length = (header.length as usize).next_multiple_of(4).max(size_of::<Header>());
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

/// Sends a question to the kernel.
fn ask(question: &[u8]) -> io::Result<OwnedFd> {
    // Protocol 0 of this family is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&socket, question, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    Ok(socket)
}
