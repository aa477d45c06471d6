//! The number that a network namespace has in ours (`rtnetlink(7)`, `RTM_GETNSID`).
//!
//! Asking needs no capability. Refuses to know what the number is for.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::sys;

/// `RTM_NEWNSID`: also the answer to the question.
const ANSWER: u16 = 88;
/// `RTM_GETNSID`
const QUESTION: u16 = 90;
/// `NLM_F_REQUEST`
const REQUEST: u16 = 1;
/// `NETNSA_NSID`
const NUMBER: u16 = 1;
/// `NETNSA_FD`
const FILE: u16 = 3;

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

/// The number of the namespace of a file; `None` if nobody has given it one.
pub(super) fn of(file: OwnedFd) -> io::Result<Option<i32>> {
    const LENGTH: u16 = 8;
    let family = AddressFamily::NETLINK;
    // Protocol 0 of this family is NETLINK_ROUTE.
    let socket = socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let question = Message {
        length: u32::try_from(size_of::<Message>()).map_err(io::Error::other)?,
        kind: QUESTION,
        flags: REQUEST,
        sequence: 1,
        port: 0,
        family: 0,
        attribute_length: LENGTH,
        attribute: FILE,
        value: file.as_raw_fd(),
    };
    sendto(&socket, question.as_bytes(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut buffer = [0; 128];
    // The kernel has answered when sending returns.
    let received = sys::receive(&socket, &mut buffer)?;
    drop(file);
    let bytes = buffer.get(..received.length).unwrap_or_default();
    let answer = Message::read_from_prefix(bytes).map_err(|_| io::ErrorKind::InvalidData)?.0;
    let is_number = (answer.kind, answer.attribute, received.sender) == (ANSWER, NUMBER, 0);
    // NETNSA_NSID_NOT_ASSIGNED is -1.
    Ok(Some(answer.value).filter(|number| is_number && *number >= 0))
}
