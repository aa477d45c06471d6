//! What limits a connection: one class, from two samples of what the kernel reports of it.
//!
//! The rules are a table, of which the first that holds decides (`rules.rs`). Refuses to know where samples are kept.

mod rules;
mod sample;

use std::time::Duration;

use sockdiag::{Attribute, Class, Extensions, Protocol, Socket};

pub use sample::ConnectionSample;

/// Between two samples at least: a shorter time says little, because the kernel counts busy time in ticks of up to 10 ms.
pub const MIN_INTERVAL: Duration = Duration::from_millis(500);

/// What the rules ask the kernel for.
pub const EXTENSIONS: Extensions = Extensions::INFO;
/// What they also need of a connection that [`Bottleneck::depends_on_memory`]. It takes the kernel a tenth more time for each socket.
pub const MEMORY: Extensions = Extensions::MEMORY;

macro_rules! bottlenecks {
    ($($bottleneck:ident, $name:literal, $meaning:literal, $advice:literal;)*) => {
        /// What limits a connection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Bottleneck {
            $(#[doc = $meaning] $bottleneck,)*
        }

        impl Bottleneck {
            /// Every bottleneck, in the order in which the rules decide.
            pub const ALL: &[Self] = &[$(Self::$bottleneck),*];

            /// The value of the label.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$bottleneck => $name,)* }
            }

            /// What it means, one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$bottleneck => $meaning,)* }
            }

            /// What to look at, one sentence.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$bottleneck => $advice,)* }
            }
        }
    };
}

bottlenecks! {
    Connecting, "connecting", "The handshake is not complete.", "If it stays so, the peer does not answer: check its address, its firewall and its accept queue.";
    AcceptQueue, "accept_queue", "The connection is complete, and the local process has not accepted it.", "The process is slow to call accept: look at the listener's queue.";
    Stalled, "stalled", "Data is in flight, and the peer has stopped acknowledging it.", "The path or the peer is gone: look at retransmission timeouts.";
    PeerNotReading, "peer_not_reading", "The peer's receive window is closed: its process does not read.", "Look at the process at the other end.";
    NotReading, "not_reading", "Received data waits, and the local process reads none of it.", "Look at the process at this end.";
    Idle, "idle", "Nothing was sent or received.", "Nothing limits it.";
    PeerWindow, "peer_window", "The peer's receive window limits the sender.", "The peer reads slowly, or its receive buffer is too small for the round-trip time.";
    SendBuffer, "send_buffer", "The send buffer at this end limits the sender.", "Raise SO_SNDBUF, or leave it to the kernel and raise net.ipv4.tcp_wmem.";
    Receiving, "receiving", "This end mostly receives: the peer knows the limit.", "Look at the connection at the other end.";
    Application, "application", "The local process has no more to send.", "The network is not the limit: look at the process.";
    Loss, "loss", "Segments are lost and retransmitted.", "Look for drops on the path: interfaces, queues, policers.";
    Queueing, "queueing", "Segments wait in a queue on the path, or at a busy receiver.", "The round-trip time is well above its minimum: look for a full link or bufferbloat.";
    Path, "path", "The path limits the sender: congestion window, pacing or bandwidth.", "The connection uses what the path and the congestion control algorithm allow.";
}

impl Bottleneck {
    /// The bottleneck of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bottleneck| bottleneck.name() == name)
    }

    /// Whether it is known of sockets of the protocol: only those of TCP have its fields.
    #[must_use]
    pub const fn is_of(protocol: &Protocol) -> bool {
        protocol.has(Attribute::Congestion)
    }

    /// What limits a connection now, given its sample of before; `None` if that cannot be known.
    #[must_use]
    pub fn of(socket: &Socket<'_>, before: Option<(&ConnectionSample, Duration)>) -> Option<Self> {
        match socket.class() {
            Class::Connection | Class::Request => rules::first(socket, before),
            Class::Listener | Class::Remnant | Class::Unconnected => None,
        }
    }

    /// Whether the memory of its socket decides that a connection has this bottleneck, and not another one: it sends a lot.
    #[must_use]
    pub fn depends_on_memory(self, socket: &Socket<'_>, before: (&ConnectionSample, Duration)) -> bool {
        // The rules above it need no memory.
        self as usize >= Self::SendBuffer as usize && rules::depends_on_memory(socket, before)
    }
}

#[cfg(test)]
mod tests;
