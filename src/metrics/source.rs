//! Where a metric's value comes from, and how a socket is asked for it.
//!
//! Refuses to know what the value is called and how sockets combine.

use crate::sockdiag::{AlgorithmField, Class, Extensions, Field, Layout, MemoryField, Socket, State};

/// Where a value comes from. A field of `struct tcp_info` is never a listener's, of which the kernel
/// fills a few and with something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One for each socket.
    Sockets,
    /// One for each socket when it is first seen; kept by the ledger.
    Opened,
    /// One for each socket when it is gone; kept by the ledger.
    Closed,
    /// A field of `struct tcp_info` as it stands.
    Raw(Field),
    /// A field of `struct tcp_info` in microseconds.
    Micros(Field),
    /// A field of `struct tcp_info` in milliseconds.
    Millis(Field),
    /// A field of `struct tcp_info` that tells how many milliseconds ago something was, of sockets
    /// that have had a peer: without one it is the time since the kernel started.
    Age(Field),
    /// What a field of `struct tcp_info` exceeds another by.
    Diff(Field, Field),
    /// One for each socket of which a field of `struct tcp_info` is so, 0 for the others.
    When(Field, Condition),
    /// Bytes that were received and not yet read, except of a listener.
    ReceiveQueue,
    /// Bytes that were written and not yet acknowledged, except of a listener.
    SendQueue,
    /// Connections that a listener's process has not yet accepted.
    AcceptQueue,
    /// The most connections that may wait in a listener's accept queue.
    AcceptQueueLimit,
    /// A word of the socket's memory.
    Memory(MemoryField),
    /// What the congestion control algorithm tells of itself, and how much of that makes one base unit.
    Algorithm(AlgorithmField, u32),
}

/// What a field can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// This value.
    Is(u64),
    /// More than 0.
    Positive,
    /// A value that has this bit.
    Has(u64),
    /// 0, in a state in which the socket may still have something to send.
    ZeroToSend,
}

impl Condition {
    const fn holds(self, value: u64) -> bool {
        match self {
            Self::Is(wanted) => value == wanted,
            Self::Positive => value > 0,
            Self::Has(bit) => value & bit != 0,
            Self::ZeroToSend => value == 0,
        }
    }

    const fn applies(self, state: State) -> bool {
        use State::{CloseWait, Closing, Established, FinWait1, LastAck};
        let sends = matches!(state, Established | CloseWait | FinWait1 | Closing | LastAck);
        sends || !matches!(self, Self::ZeroToSend)
    }
}

impl Source {
    /// The value of a socket as the kernel's integer; `None` if there is none (never 0 instead).
    #[must_use]
    #[inline]
    pub fn read(self, socket: &Socket<'_>) -> Option<u64> {
        let listens = socket.class() == Class::Listener;
        let info = || socket.tcp_info().filter(|_| !listens);
        match self {
            Self::Sockets => Some(1),
            Self::Opened | Self::Closed => None,
            Self::Raw(field) | Self::Micros(field) | Self::Millis(field) => info()?.get(field),
            Self::Age(field) => info()?.get(field).filter(|_| socket.has_peer()),
            Self::Diff(field, less) => Some(info()?.get(field)?.saturating_sub(info()?.get(less)?)),
            Self::When(field, condition) => {
                let value = info()?.get(field).filter(|_| condition.applies(socket.state()))?;
                Some(condition.holds(value).into())
            }
            Self::ReceiveQueue => (!listens).then(|| socket.receive_queue().into()),
            Self::SendQueue => (!listens).then(|| socket.send_queue().into()),
            Self::AcceptQueue => listens.then(|| socket.receive_queue().into()),
            Self::AcceptQueueLimit => listens.then(|| socket.send_queue().into()),
            Self::Memory(field) => socket.memory(field),
            Self::Algorithm(field, _) => socket.algorithm(field).filter(|_| !listens),
        }
    }

    /// Whether the kernel tells it of every connection, by what it sends of any socket with `tcp_info`.
    #[must_use]
    pub fn is_told(self, socket: &Socket<'_>) -> bool {
        let info = socket.tcp_info().filter(|_| !matches!(self, Self::Memory(_) | Self::Algorithm(..)));
        info.is_some_and(|info| self.fields().all(|layout| info.has(layout)))
    }

    /// The kernel's fields that it reads, beside those of every reply's header.
    pub fn fields(self) -> impl Iterator<Item = &'static Layout> {
        let less = if let Self::Diff(_, less) = self { Some(less.layout()) } else { None };
        self.field().into_iter().chain(less)
    }

    /// The field that it reads, or reads first.
    const fn field(self) -> Option<&'static Layout> {
        match self {
            Self::Raw(field)
            | Self::Micros(field)
            | Self::Millis(field)
            | Self::Age(field)
            | Self::Diff(field, _)
            | Self::When(field, _) => Some(field.layout()),
            Self::Memory(field) => Some(field.layout()),
            Self::Algorithm(field, _) => Some(field.layout()),
            _ => None,
        }
    }

    /// How many bits the kernel counts with, before it begins again at 0.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match (self, self.field()) {
            // A difference is taken before it is followed, and neither side of it ever wraps.
            (Self::Diff(..), _) | (_, None) => u64::BITS,
            (_, Some(field)) => field.width.bits(),
        }
    }

    /// How many of the kernel's integers make one base unit.
    #[must_use]
    pub const fn per_unit(self) -> f64 {
        match self {
            Self::Micros(_) => 1e6,
            Self::Millis(_) | Self::Age(_) => 1e3,
            Self::Algorithm(_, per_unit) => per_unit as f64,
            _ => 1.0,
        }
    }

    /// The extensions that a dump must ask for.
    #[must_use]
    pub const fn extensions(self) -> Extensions {
        match self {
            Self::Sockets
            | Self::ReceiveQueue
            | Self::SendQueue
            | Self::AcceptQueue
            | Self::AcceptQueueLimit => Extensions::NONE,
            Self::Memory(_) => Extensions::MEMORY,
            Self::Algorithm(..) => Extensions::ALGORITHM,
            // Without it, what is left of a closed socket looks like one that opened or closed.
            Self::Opened
            | Self::Closed
            | Self::Raw(_)
            | Self::Micros(_)
            | Self::Millis(_)
            | Self::Age(_)
            | Self::Diff(..)
            | Self::When(..) => Extensions::INFO,
        }
    }
}
