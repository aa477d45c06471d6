//! What a property needs, how long it is stable, and whether a listener shows it.

use crate::bottleneck;
use sockdiag::{Attribute, Extensions};

/// How long a property of a socket, or the answer of a condition, stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stability {
    /// As long as the socket lives, or as it was at first sight.
    Fixed,
    /// As long as the socket has the same owner.
    WithOwner,
    /// Until the next collection.
    Changing,
}

/// Whether a listener shows a property of the connections that it will accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromListener {
    /// No.
    No,
    /// It is what a row can be named after, but a connection may differ: it can be handed to another process.
    Usually,
    /// Every connection will have it.
    Always,
}

/// What has to be known for properties: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    bits: u8,
    /// What the kernel is asked for.
    pub extensions: Extensions,
}

impl Needs {
    /// Only what every reply carries.
    pub const NONE: Self = Self::bit(0);
    /// The processes that hold the socket.
    pub const PROCESSES: Self = Self::bit(1);
    /// The path of the socket's cgroup.
    pub const CGROUPS: Self = Self::bit(2);
    /// The listeners of the host.
    pub const LISTENERS: Self = Self::bit(4);
    /// The mark, for which the kernel wants `CAP_NET_ADMIN`.
    pub const MARKS: Self = Self::bit(8);
    /// The network namespace: a condition on the property differs from one to another.
    pub const NETNS: Self = Self::bit(16);
    /// What limits the connection, known from two samples of it.
    pub const BOTTLENECK: Self = Self { bits: 64, extensions: bottleneck::EXTENSIONS };
    /// The congestion control algorithm.
    pub const CONGESTION: Self = Self { bits: 0, extensions: Extensions::CONG };
    /// The type of service or traffic class.
    pub const TOS: Self = Self { bits: 0, extensions: Extensions::TOS };

    /// The name of a unix socket.
    pub const NAME: Self = Self { bits: 0, extensions: Extensions::of(Attribute::Name) };
    /// The processes that hold the peer of a unix socket.
    pub const PEERS: Self =
        Self { bits: Self::PROCESSES.bits | 64, extensions: Extensions::of(Attribute::Peer) };
    /// The class of `net_cls`, or else the priority.
    pub const CLASS_ID: Self = Self { bits: 0, extensions: Extensions::CLASS_ID };
    /// The upper layer protocol.
    pub const ULP: Self = Self { bits: 0, extensions: Extensions::ULP };

    /// An attribute of the reply.
    #[must_use]
    pub const fn of(attribute: Attribute) -> Self {
        Self { bits: 0, extensions: Extensions::of(attribute) }
    }

    const fn bit(bits: u8) -> Self {
        Self { bits, extensions: Extensions::NONE }
    }

    /// What either needs.
    pub(crate) fn union(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits, extensions: self.extensions.union(other.extensions) }
    }

    /// Whether all of the other is needed.
    pub(crate) const fn has_all(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// Whether something of the other is needed.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.bits & other.bits != 0
    }
}

impl FromIterator<Needs> for Needs {
    fn from_iter<T: IntoIterator<Item = Self>>(all: T) -> Self {
        all.into_iter().fold(Self::NONE, Self::union)
    }
}
