//! How properties are read from what is known of a socket, and written as the text of a label.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::Test;
use crate::attribute::{Cgroup, Direction, Owner, Process};
use crate::facts::{Facts, Observation};
use crate::pattern::{self, is_pattern};
use sockdiag::inet;

/// The text of what is not known.
pub const UNKNOWN: &str = "unknown";

/// How a property is read; with it goes how its label is written and with what it is compared.
#[derive(Clone, Copy)]
pub enum Read {
    /// A port.
    Port(fn(&Facts<'_>) -> u16),
    /// An address.
    Address(fn(&Facts<'_>) -> IpAddr),
    /// A text; `None` if unknown.
    Text(for<'a> fn(&Facts<'a>) -> Option<&'a str>),
    /// The same, of which selections name the beginning.
    Prefix(for<'a> fn(&Facts<'a>) -> Option<&'a str>),
    /// A number; `None` if unknown.
    Number(fn(&Facts<'_>) -> Option<u32>),
    /// Bits, written in hexadecimal; `None` if unknown.
    Bits(fn(&Facts<'_>) -> Option<u32>),
    /// Written by the one function, compared by the other.
    Own(fn(&Facts<'_>, &mut Vec<u8>), fn(&Facts<'_>, &Test) -> bool),
}

impl Read {
    /// Appends the text of the label.
    #[inline]
    pub(super) fn write(self, text: &mut Vec<u8>, facts: &Facts<'_>) {
        match self {
            Self::Port(read) => port(text, read(facts)),
            Self::Address(read) => address(text, read(facts)),
            Self::Text(read) | Self::Prefix(read) => put(text, read(facts).unwrap_or(UNKNOWN)),
            Self::Number(read) => match read(facts) {
                Some(number) => integer(text, number),
                None => put(text, UNKNOWN),
            },
            Self::Bits(read) => match read(facts) {
                // Writing to a Vec cannot fail.
                Some(bits) => drop(write!(text, "{bits:#x}")),
                None => put(text, UNKNOWN),
            },
            Self::Own(write, _) => write(facts, text),
        }
    }
}

/// Whether a text is the wanted one, or fits the wanted pattern.
pub(super) fn fits(wanted: &str, text: &str) -> bool {
    pattern::fits(wanted.as_bytes(), text.as_bytes())
}

/// No predicate compares the property, or only with a name that has to be resolved.
pub(super) fn never(_: &Facts<'_>, _: &Test) -> bool {
    false
}

/// What the cgroup says; empty if it says nothing.
pub(super) fn of_cgroup<'a>(
    facts: &Facts<'a>,
    read: for<'c> fn(&'c Cgroup) -> Option<&'c str>,
) -> Option<&'a str> {
    Some(read(facts.cgroup()?).unwrap_or_default())
}

pub(super) fn cgroup_is(facts: &Facts<'_>, test: &Test) -> bool {
    match test {
        Test::Text(_, path) => facts.cgroup().is_some_and(|cgroup| cgroup.is(path)),
        Test::CgroupTree(path) => facts.cgroup().is_some_and(|cgroup| cgroup.is_below(path)),
        Test::CgroupId(id) => facts.socket.cgroup() == Some(*id),
        _ => false,
    }
}

/// Writes a list of the processes.
pub(super) fn of_owner(facts: &Facts<'_>, text: &mut Vec<u8>, list: for<'o> fn(&'o Owner) -> &'o str) {
    put(text, facts.owner().map(list).filter(|list| !list.is_empty()).unwrap_or(UNKNOWN));
}

/// Whether one of the processes has that text.
pub(super) fn any_process(facts: &Facts<'_>, test: &Test, is: fn(&Process, &str) -> bool) -> bool {
    let Test::Text(_, wanted) = test else { return false };
    facts.owner().is_some_and(|owner| owner.processes().iter().any(|process| is(process, wanted)))
}

pub(super) fn has_pid(facts: &Facts<'_>, test: &Test) -> bool {
    let Test::Number(_, pid) = test else { return false };
    facts.owner().is_some_and(|owner| owner.processes().iter().any(|process| process.pid == *pid))
}

pub(super) fn uid(facts: &Facts<'_>) -> Option<u32> {
    facts.uid()
}

pub(super) fn user(facts: &Facts<'_>, text: &mut Vec<u8>) {
    let Some(uid) = facts.uid() else { return put(text, UNKNOWN) };
    match facts.names.users.and_then(|users| users.name(uid)) {
        Some(name) => put(text, name),
        None => integer(text, uid),
    }
}

pub(super) fn interface(facts: &Facts<'_>, text: &mut Vec<u8>) {
    match facts.socket.interface() {
        None => put(text, "unbound"),
        Some(index) => put(text, (facts.names.interface)(index).as_deref().unwrap_or(UNKNOWN)),
    }
}

/// A name is resolved to an index before a dump, a pattern is not.
pub(super) fn interface_is(facts: &Facts<'_>, test: &Test) -> bool {
    let index = facts.socket.interface();
    match test {
        Test::InterfaceIndex(wanted) => index.unwrap_or(0) == *wanted,
        Test::Text(_, wanted) if is_pattern(wanted) => {
            index.and_then(facts.names.interface).is_some_and(|name| fits(wanted, &name))
        }
        _ => false,
    }
}

/// The timers by the kernel's number, as `ss -o` names them.
pub(super) const TIMERS: [&str; 6] = ["off", "on", "keepalive", "timewait", "persist", "delack"];

/// The timer that runs. A close event has none.
pub(super) fn timer<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    let number = facts.socket.get(&inet::TIMER).filter(|_| facts.observation == Observation::Dump)?;
    TIMERS.get(usize::try_from(number).ok()?).copied()
}

pub(super) fn service_port(facts: &Facts<'_>, text: &mut Vec<u8>) {
    match facts.direction {
        Some(Direction::Inbound) => port(text, facts.socket.local().port()),
        Some(Direction::Outbound) => port(text, facts.socket.remote().port()),
        None if facts.socket.protocol().has_listeners() => put(text, UNKNOWN),
        None => match facts.service_port() {
            Some(number) => port(text, number),
            None => put(text, "ephemeral"),
        },
    }
}

pub(super) fn flow(facts: &Facts<'_>, text: &mut Vec<u8>) {
    endpoint(text, "(SRC#", facts.socket.local());
    endpoint(text, "(DST#", facts.socket.remote());
}

pub(super) fn flow_of_process(facts: &Facts<'_>, text: &mut Vec<u8>) {
    let Some(owner) = facts.owner() else { return flow(facts, text) };
    text.push(b'(');
    for (index, process) in owner.processes().iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        integer(text, process.pid);
    }
    text.push(b')');
    endpoint(text, "(DST#", facts.socket.remote());
}

pub(super) fn put(text: &mut Vec<u8>, what: &str) {
    text.extend_from_slice(what.as_bytes());
}

#[inline]
fn endpoint(text: &mut Vec<u8>, side: &str, end: SocketAddr) {
    put(text, side);
    address(text, end.ip());
    text.push(b'|');
    port(text, end.port());
    text.push(b')');
}

/// The digits of an octet with a point behind them, and how many bytes these are: a copy of a fixed length needs no call.
#[inline]
const fn octet_and_point(octet: u8) -> ([u8; 4], usize) {
    let (hundreds, tens, ones) = (b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10);
    match octet {
        ..10 => ([ones, b'.', 0, 0], 2),
        10..100 => ([tens, ones, b'.', 0], 3),
        100.. => ([hundreds, tens, ones, b'.'], 4),
    }
}

/// As the standard library prints it, but without its formatter: every connection needs two of them.
fn address(text: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            for octet in v4.octets() {
                let (digits, length) = octet_and_point(octet);
                let end = text.len() + length;
                text.extend_from_slice(&digits);
                text.truncate(end);
            }
            text.pop();
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => {
                put(text, "::ffff:");
                self::address(text, v4.into());
            }
            None => segments(text, v6.segments()),
        },
    }
}

/// Writes the parts of an IPv6 address, with `::` in the place of the longest row of zeros (RFC 5952).
fn segments(text: &mut Vec<u8>, segments: [u16; 8]) {
    let (mut zeros, mut first) = (0..0, 0);
    for (index, segment) in segments.into_iter().enumerate() {
        if segment != 0 {
            first = index + 1;
        } else if index + 1 - first > zeros.len().max(1) {
            zeros = first..index + 1;
        }
    }
    hexadecimal(text, segments.get(..zeros.start).unwrap_or_default());
    put(text, if zeros.is_empty() { "" } else { "::" });
    hexadecimal(text, segments.get(zeros.end..).unwrap_or_default());
}

fn hexadecimal(text: &mut Vec<u8>, segments: &[u16]) {
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            text.push(b':');
        }
        let digits = (u16::BITS - segment.leading_zeros()).div_ceil(4).max(1);
        for place in (0..digits).rev() {
            let digit = u8::try_from(segment >> (4 * place) & 0xf).unwrap_or(0);
            text.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
}

/// A port, whose digits are made in a register. What `itoa` stores in pairs is loaded as a whole, and the processor does that
/// only when all stores before have reached the cache: that is long while new memory is filled.
fn port(text: &mut Vec<u8>, port: u16) {
    let (mut digits, mut left, mut end) = (0, port, text.len());
    loop {
        digits = digits << u8::BITS | u64::from(b'0') | u64::from(left % 10);
        (left, end) = (left / 10, end + 1);
        if left == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits.to_le_bytes());
    text.truncate(end);
}

pub(super) fn integer(text: &mut Vec<u8>, number: impl itoa::Integer) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_address_is_printed_as_the_standard_library_prints_it(
            v4: Ipv4Addr,
            segments in prop::array::uniform8(prop_oneof![Just(0), Just(0xffff), any::<u8>().prop_map(u16::from), any::<u16>()]),
        ) {
            for address in [v4.into(), Ipv6Addr::from(segments).into(), v4.to_ipv6_mapped().into()] {
                let mut text = Vec::new();
                super::address(&mut text, address);
                prop_assert_eq!(String::from_utf8(text).expect("text"), address.to_string());
            }
        }
    }
}
