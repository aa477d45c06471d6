//! What stands behind a predicate, and what the kernel can make of it.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use sockdiag::bytecode::Filter;

/// What stands behind a predicate.
#[derive(Clone, Copy)]
pub enum Operand {
    /// States by their names; filters side by side are one.
    States,
    /// `inbound` or `outbound`.
    Direction,
    /// An address or a network, with or without a port; of the remote end also the name of a host.
    Address,
    /// A comparison with a port or a service.
    Port,
    /// The name of a network of the configuration.
    Network,
    /// The name of paths of the configuration.
    PathName,
    /// The name or the index of an interface; 0 is none.
    Interface,
    /// The path of a cgroup, or its id.
    Cgroup,
    /// The path of a cgroup whose descendants count too.
    CgroupTree,
    /// The name of a process or of its executable, or a pattern of it.
    Program,
    /// A number from that on, with what is expected.
    Number(u32, &'static str),
    /// A number, or a number and a mask, with what is expected.
    Bits(&'static str),
    /// The type of a frame, by its number or its name.
    Ethertype,
    /// A text that passes, with what is expected.
    Text(fn(&str) -> bool, &'static str),
    /// The same, or a pattern of it.
    Pattern(fn(&str) -> bool, &'static str),
}

/// The kernel's filter for a property.
#[derive(Clone, Copy)]
pub enum KernelFilter {
    /// For a range of ports.
    Port(fn(RangeInclusive<u16>) -> Filter),
    /// For a prefix of addresses.
    Address(fn(IpAddr, u8) -> Filter),
    /// For the index of an interface.
    Interface(fn(u32) -> Filter),
    /// For the id of a cgroup.
    Cgroup(fn(u64) -> Filter),
}

pub(super) fn is_unit(text: &str) -> bool {
    [".service", ".scope"].iter().any(|ending| text.ends_with(ending))
}

pub(super) fn is_slice(text: &str) -> bool {
    text.strip_suffix(".slice").is_some()
}

/// The uid of a pod as Kubernetes writes it, or the hash that a static pod has for one.
pub(super) fn is_pod(text: &str) -> bool {
    let has = |groups: &[usize]| text.split('-').map(str::len).eq(groups.iter().copied());
    let digits = text.bytes().all(|byte| byte == b'-' || is_digit(byte));
    digits && (has(&[8, 4, 4, 4, 12]) || has(&[32]))
}

/// The beginning of a container's id, as long as the engines print it at least.
pub(super) fn is_container(text: &str) -> bool {
    (12..=64).contains(&text.len()) && text.bytes().all(is_digit)
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}
