//! The lines of what identifies one socket. Only lists show them: in a view each socket would have a row of its own.

use std::io::Write as _;

use super::read::{integer, never, put};
use super::{Keyed, Line, Listed, Needs, Read};
use sockdiag::Attribute;
use sockdiag::unix::Peering;

/// The line `cookie`.
pub(super) const COOKIE: Line = Line::fixed(
    "cookie",
    Read::Own(|facts, text| hexadecimal(text, facts.socket.cookie()), never),
    "The number that the kernel gives to no other socket, in hexadecimal as `sk` of `ss -e` (`idiag_cookie`).",
)
.listed(Listed::Always)
.keyed(Keyed::InLists);

/// The line `inode`.
pub(super) const INODE: Line = list_only(
    "inode",
    Read::Number(|facts| facts.socket.inode()),
    "The inode in `/proc/PID/fd`, as `ino` of `ss -e`; `unknown` if no process holds the socket (`idiag_inode`).",
    Needs::NONE,
)
.listed(Listed::InDetail);

/// The line `peer_inode`.
pub(super) const PEER_INODE: Line = list_only(
    "peer_inode",
    Read::Own(
        |facts, text| match facts.socket.peering() {
            Some(Peering::Connected(inode)) => integer(text, inode),
            _ => put(text, "0"),
        },
        never,
    ),
    "The inode of the other end of a unix socket, `0` without one (`UNIX_DIAG_PEER`).",
    Needs::of(Attribute::Peer),
)
.listed(Listed::Always);

/// The line `portid`.
pub(super) const PORTID: Line = list_only(
    "portid",
    Read::Own(
        |facts, text| match facts.socket.netlink_port() {
            Some(port) => integer(text, port),
            None => put(text, "kernel"),
        },
        never,
    ),
    "The port of a netlink socket, often the id of its process; `kernel` of the kernel's own (`ndiag_portid`).",
    Needs::of(Attribute::Netlink),
)
.listed(Listed::Always);

const fn list_only(name: &'static str, read: Read, help: &'static str, needs: Needs) -> Line {
    Line::changing(name, read, help).needs(needs).keyed(Keyed::InLists)
}

fn hexadecimal(text: &mut Vec<u8>, number: u64) {
    // Writing to a Vec cannot fail.
    drop(write!(text, "{number:x}"));
}
