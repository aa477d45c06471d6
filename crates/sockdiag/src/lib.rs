//! The kernel's language: requests, replies, dumps and events over `NETLINK_SOCK_DIAG`. Refuses to know metrics, configuration
//! and logging.
//!
#![doc = include_str!("../README.md")]
// Not in Cargo.toml, because a test may well stop at an index.
#![warn(clippy::indexing_slicing)]

mod algorithm;
pub mod bytecode;
mod class;
mod dump;
mod events;
mod frame;
mod initiator;
mod layout;
mod netlink;
mod receivers;
mod request;
mod skmem;
mod socket;
mod state;
pub mod sys;
pub mod tcp_info;
mod unfinished;

pub use algorithm::AlgorithmField;
pub use class::Class;
pub use dump::{Datagram, DumpError, DumpStats, Transport, dump};
pub use events::{Events, Queue};
pub use layout::{Layout, NoneValue, Width};
pub use netlink::Netlink;
pub use receivers::keep_receivers;
pub use request::{Extensions, Request};
pub use skmem::MemoryField;
pub use socket::Socket;
pub use state::{State, StateSet};
pub use tcp_info::{Field, TcpInfo};
pub use unfinished::{UnfinishedDump, is_any_stuck};
