//! The kernel's language: requests, replies, dumps and events over `NETLINK_SOCK_DIAG`. Refuses to know metrics, configuration
//! and logging.
//!
#![doc = include_str!("../README.md")]
// Not in Cargo.toml, because a test may well stop at an index.
#![warn(clippy::indexing_slicing)]

// The tables of fields have the kernel's layout there, and only there are they tested against it.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
compile_error!(
    "only 64-bit little-endian Linux is supported: elsewhere the kernel orders bit fields and aligns words of tcp_info otherwise"
);

mod attribute;
pub mod bytecode;
pub mod cc_info;
mod class;
mod dump;
mod events;
mod field;
mod frame;
mod halves;
mod initiator;
pub mod kernel;
mod protocol;
pub mod queues;
mod receivers;
mod replies;
pub mod skmem;
pub mod sockopt;
mod state;
pub mod sys;
pub mod tcp_info;
mod transport;
pub mod ulp;
mod unfinished;

pub use attribute::{Attribute, Extensions};
pub use class::Class;
pub use dump::{Datagram, DumpError, DumpStats, Transport, dump, dump_in_halves};
pub use events::{Events, Queue};
pub use field::{Field, NoneValue, Width};
pub use halves::{Ports, dumps_at_once};
pub use protocol::{
    CloseEvents, FixedPart, MPTCP, NETLINK, PACKET, PROTOCOLS, ProcTables, Protocol, RAW, Request, SCTP, SMC,
    Socket, SocketType, TCP, TIPC, TYPED_PROTOCOLS, UDP, UDPLITE, UNIX, VSOCK, XDP, inet, mptcp, netlink,
    packet, protocols_with, sctp, tipc, unix, vsock, xdp,
};
pub use receivers::keep_receivers;
pub use replies::Replies;
pub use state::{State, StateSet};
pub use transport::Netlink;
pub use unfinished::{UnfinishedDump, is_any_stuck};
