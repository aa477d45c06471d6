//! Raw sockets over IPv4 and IPv6 (`net/ipv4/raw_diag.c`). The number of the IP protocol stands in the place of the local port.

use super::{Protocol, UDP, inet};

const IPPROTO_RAW: u8 = 255;

/// Raw sockets. The kernel ignores the states of a request for them, and refuses to walk both families at once.
pub const RAW: Protocol = Protocol {
    name: "raw",
    netids: &[],
    modules: "inet_diag and raw_diag",
    encode: |request, sequence| inet::in_two_walks(request, IPPROTO_RAW, sequence),
    close_events: None,
    sockstat: "RAW",
    ..UDP
};
