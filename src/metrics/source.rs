//! Where a metric's value comes from: a quantity of the kernel's, the sockets that have it, and its scale.

use crate::bottleneck::{self, Bottleneck};
use sockdiag::unix::{self, Peering};
use sockdiag::{Extensions, Field, Protocol, Socket, State, StateSet, tcp_info, ulp};

/// A quantity, the sockets that have it, and its scale. A line of the table is made by the functions below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// What is taken of a socket.
    pub quantity: Quantity,
    /// The states of the sockets that have it.
    states: StateSet,
    /// How many of the kernel's integers make one base unit.
    per_unit: u32,
}

/// What is taken of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// 1 per socket.
    Sockets,
    /// 1 per socket when it is first seen; kept by the tracker.
    Opened,
    /// 1 per socket when it is gone; kept by the tracker.
    Closed,
    /// 1 per tracked socket whose last values the kernel did not report when it was gone; kept by the tracker.
    ClosedWithoutTcpInfo,
    /// Time between two samples of a connection by which it was the bottleneck, in microseconds; kept by the tracker.
    Limited(Bottleneck),
    /// A field as it stands.
    Field(&'static Field),
    /// A field, or one more than another where the kernel lacks the field.
    OrOneMore(&'static Field, &'static Field),
    /// What a listener has refused, which a field counts; kept by the tracker apart from the counters of connections.
    Refused(&'static Field),
    /// What a field exceeds another by.
    Difference(&'static Field, &'static Field),
    /// 1 if a field is more than half of another, else 0.
    OverHalf(&'static Field, &'static Field),
    /// 1 if the condition holds for a field, else 0.
    Test(&'static Field, Condition),
    /// 1 if the upper layer protocol has that name, which the field begins, else 0.
    Ulp(&'static Field, &'static str),
    /// 1 if a unix socket stands so to its peer, which the field begins to tell, else 0.
    Peering(&'static Field, Peering),
}

impl Quantity {
    /// Whether it is known from samples of the connection.
    pub(crate) const fn is_sampled(self) -> bool {
        matches!(self, Self::Limited(_))
    }

    /// Whether it is a counter of listeners. All others are of connections.
    pub(crate) const fn is_of_listeners(self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether it counts what sockets did, so that no single socket has it.
    pub(crate) const fn is_of_past(self) -> bool {
        matches!(self, Self::Opened | Self::Closed | Self::ClosedWithoutTcpInfo | Self::Limited(_))
    }
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
}

impl Condition {
    const fn holds(self, value: u64) -> bool {
        match self {
            Self::Is(wanted) => value == wanted,
            Self::Positive => value > 0,
            Self::Has(bit) => value & bit != 0,
        }
    }
}

/// Listeners.
pub(super) const LISTENERS: StateSet = StateSet::of(&[State::Listen]);
/// Every socket except listeners, of which the kernel fills a few fields of `struct tcp_info` with something else.
const OTHERS: StateSet = LISTENERS.complement();
/// Sockets with a peer that answered. Without one, an age is the time since the kernel started.
const WITH_PEER: StateSet = StateSet::of(&[State::Listen, State::SynSent]).complement();
/// Sockets that may still have something to send.
pub(super) const SENDING: StateSet =
    StateSet::of(&[State::Established, State::CloseWait, State::FinWait1, State::Closing, State::LastAck]);

/// A quantity of every socket.
pub(super) const fn every(quantity: Quantity) -> Source {
    Source { quantity, states: StateSet::ANY, per_unit: 1 }
}

/// Time in which the bottleneck limited a connection, by samples.
pub(super) const fn limited(bottleneck: Bottleneck) -> Source {
    every(Quantity::Limited(bottleneck)).per(1_000_000)
}

/// A field of every socket except listeners.
pub(crate) const fn raw(field: &'static Field) -> Source {
    every(Quantity::Field(field)).of(OTHERS)
}

/// The same in microseconds.
pub(super) const fn micros(field: &'static Field) -> Source {
    raw(field).per(1_000_000)
}

/// The same in milliseconds.
pub(super) const fn millis(field: &'static Field) -> Source {
    raw(field).per(1000)
}

/// How many milliseconds ago something was.
pub(super) const fn age(field: &'static Field) -> Source {
    millis(field).of(WITH_PEER)
}

/// A field of every socket, listeners included.
pub(super) const fn any(field: &'static Field) -> Source {
    every(Quantity::Field(field))
}

/// What a listener has refused, which a field counts.
pub(super) const fn refused(field: &'static Field) -> Source {
    every(Quantity::Refused(field)).of(LISTENERS)
}

/// What a field exceeds another by, of every socket except listeners.
pub(super) const fn difference(field: &'static Field, less: &'static Field) -> Source {
    every(Quantity::Difference(field, less)).of(OTHERS)
}

/// A field, or one more than another where the kernel lacks the field, of every socket except listeners.
pub(super) const fn or_one_more(field: &'static Field, other: &'static Field) -> Source {
    every(Quantity::OrOneMore(field, other)).of(OTHERS)
}

/// Whether a field exceeds half of another, its limit, of every socket except listeners.
pub(super) const fn over_half(field: &'static Field, limit: &'static Field) -> Source {
    every(Quantity::OverHalf(field, limit)).of(OTHERS)
}

/// Whether the condition holds for a field, of every socket except listeners.
pub(super) const fn when(field: &'static Field, condition: Condition) -> Source {
    every(Quantity::Test(field, condition)).of(OTHERS)
}

/// Whether an option of the socket is set, of every socket, listeners included.
pub(super) const fn option(field: &'static Field) -> Source {
    every(Quantity::Test(field, Condition::Positive))
}

/// Whether the upper layer protocol has that name.
pub(super) const fn with_ulp(name: &'static str) -> Source {
    every(Quantity::Ulp(&ulp::NAME, name)).of(OTHERS)
}

/// Whether a unix socket stands so to its peer.
pub(super) const fn peering(peering: Peering) -> Source {
    every(Quantity::Peering(&unix::PEER, peering)).of(OTHERS)
}

impl Source {
    /// Of sockets in these states only.
    pub(super) const fn of(self, states: StateSet) -> Self {
        Self { states, ..self }
    }

    /// With `per_unit` of the kernel's integers in one base unit.
    pub(super) const fn per(self, per_unit: u32) -> Self {
        Self { per_unit, ..self }
    }

    /// The value of a socket as the kernel's integer; `None` if there is none (never 0 instead).
    #[must_use]
    #[expect(clippy::inline_always, reason = "most values are plain fields, little more than a load each")]
    #[inline(always)]
    pub fn read(&self, socket: &Socket<'_>) -> Option<u64> {
        if !self.states.contains(socket.state()) {
            return None;
        }
        match self.quantity {
            Quantity::Field(field) => socket.get(field),
            _ => self.derive(socket),
        }
    }

    /// The value of a socket in a state that has it, if it is more than a field.
    fn derive(&self, socket: &Socket<'_>) -> Option<u64> {
        match self.quantity {
            Quantity::Sockets => Some(1),
            Quantity::Opened | Quantity::Closed | Quantity::ClosedWithoutTcpInfo | Quantity::Limited(_) => {
                None
            }
            Quantity::Field(field) | Quantity::Refused(field) => socket.get(field),
            Quantity::Difference(field, less) => Some(socket.get(field)?.saturating_sub(socket.get(less)?)),
            Quantity::OrOneMore(field, other) => {
                socket.get(field).or_else(|| Some(socket.get(other)?.saturating_add(1)))
            }
            Quantity::OverHalf(field, limit) => Some((socket.get(field)? > socket.get(limit)? / 2).into()),
            Quantity::Test(field, condition) => Some(condition.holds(socket.get(field)?).into()),
            Quantity::Ulp(_, name) => Some(socket.ulp()?.is(name).into()),
            Quantity::Peering(_, peering) => Some((socket.peering() == Some(peering)).into()),
        }
    }

    /// Whether the kernel reports it of sockets of the protocol.
    pub(crate) fn is_of(&self, protocol: &Protocol) -> bool {
        let is_kept = match self.quantity {
            Quantity::ClosedWithoutTcpInfo => protocol.ends_with_values(),
            Quantity::Limited(_) => Bottleneck::is_of(protocol),
            Quantity::Refused(_) => protocol.has_listeners(),
            _ => true,
        };
        // The queues of an MPTCP connection are memory, those of its listener are not.
        let of_listeners = self.states == LISTENERS && protocol.states.contains(State::Listen);
        let has = |field: &Field| protocol.has_field(field) || of_listeners && protocol.has(field.attribute);
        is_kept && self.fields().all(has)
    }

    /// Whether its last value before the end of a socket of the protocol is known; a counter is exact then.
    #[must_use]
    pub fn is_exact(&self, protocol: &Protocol) -> bool {
        !self.quantity.is_sampled() && self.fields().all(|field| protocol.is_exact(field.attribute))
    }

    /// Whether the kernel reports it of every connection, by what it sends of any socket with `tcp_info`.
    pub(crate) fn is_reported(&self, socket: &Socket<'_>) -> bool {
        let exact = self.is_exact(socket.protocol());
        exact && socket.has(&tcp_info::STATE) && self.fields().all(|field| socket.has(field))
    }

    /// The kernel's fields that it reads.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static Field> {
        let (first, second) = match self.quantity {
            Quantity::Sockets
            | Quantity::Opened
            | Quantity::Closed
            | Quantity::ClosedWithoutTcpInfo
            | Quantity::Limited(_) => (None, None),
            Quantity::Field(field)
            | Quantity::Refused(field)
            | Quantity::Test(field, _)
            | Quantity::Ulp(field, _)
            | Quantity::Peering(field, _) => (Some(field), None),
            Quantity::Difference(field, other) | Quantity::OverHalf(field, other) => {
                (Some(field), Some(other))
            }
            // The older one comes first.
            Quantity::OrOneMore(field, other) => (Some(other), Some(field)),
        };
        first.into_iter().chain(second)
    }

    /// How many bits the kernel counts with, before it begins again at 0.
    pub(crate) const fn bits(&self) -> u32 {
        match self.quantity {
            Quantity::Field(field) | Quantity::Refused(field) => field.width.bits(),
            // A difference is taken before it is followed, and neither side of it ever wraps.
            _ => u64::BITS,
        }
    }

    /// How many of the kernel's integers make one base unit.
    #[must_use]
    pub const fn per_unit(&self) -> f64 {
        self.per_unit as f64
    }

    /// The extensions that a dump must ask for.
    #[must_use]
    pub fn extensions(&self) -> Extensions {
        match self.quantity {
            Quantity::Limited(_) => bottleneck::EXTENSIONS,
            // Without it, a time-wait socket looks like one that opened or closed.
            quantity if quantity.is_of_past() => Extensions::INFO,
            _ => self
                .fields()
                .map(|field| Extensions::of(field.attribute))
                .fold(Extensions::NONE, Extensions::union),
        }
    }
}
