//! The kernel's language: requests, replies and dumps over `NETLINK_SOCK_DIAG` (`sock_diag(7)`).
//!
//! TCP sockets over IPv4 and IPv6 come in one walk by the legacy message `TCPDIAG_GETSOCK`, as `ss`
//! asks for them. Refuses to know metrics, configuration and logging, so that it can become a crate
//! of its own by moving this folder.

mod algorithm;
pub mod bytecode;
mod dump;
mod events;
mod frame;
mod held;
mod initiator;
mod layout;
mod netlink;
mod receivers;
mod request;
mod skmem;
mod socket;
mod state;
pub mod tcp_info;

pub use algorithm::AlgorithmField;
pub use dump::{Datagram, DumpError, DumpStats, Kernel, dump};
pub use events::{Events, Queue};
pub use held::{Held, is_any_held};
pub use layout::{Layout, NoneValue, Width};
pub use netlink::Netlink;
pub use receivers::keep_receivers;
pub use request::{Extensions, Request};
pub use skmem::MemoryField;
pub use socket::Socket;
pub use state::{State, StateSet};
pub use tcp_info::{Field, TcpInfo};
