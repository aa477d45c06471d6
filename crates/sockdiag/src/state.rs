//! States and sets of them: those of TCP as the kernel numbers them (`include/net/tcp_states.h`), which most protocols use, then
//! those that SCTP and SMC have beside them.

/// A state. The discriminant of TCP's is the kernel's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// `TCP_ESTABLISHED`
    Established = 1,
    /// `TCP_SYN_SENT`
    SynSent = 2,
    /// `TCP_SYN_RECV`
    SynRecv = 3,
    /// `TCP_FIN_WAIT1`
    FinWait1 = 4,
    /// `TCP_FIN_WAIT2`
    FinWait2 = 5,
    /// `TCP_TIME_WAIT`
    TimeWait = 6,
    /// `TCP_CLOSE`
    Close = 7,
    /// `TCP_CLOSE_WAIT`
    CloseWait = 8,
    /// `TCP_LAST_ACK`
    LastAck = 9,
    /// `TCP_LISTEN`
    Listen = 10,
    /// `TCP_CLOSING`
    Closing = 11,
    /// `TCP_BOUND_INACTIVE` (Linux 6.8): bound to a port, and neither listening nor connecting. The kernel reports
    /// `TCP_CLOSE` for it.
    BoundInactive = 13,
    /// `SCTP_STATE_COOKIE_WAIT`
    CookieWait = 14,
    /// `SCTP_STATE_COOKIE_ECHOED`
    CookieEchoed = 15,
    /// `SCTP_STATE_SHUTDOWN_PENDING`
    ShutdownPending = 16,
    /// `SCTP_STATE_SHUTDOWN_SENT`
    ShutdownSent = 17,
    /// `SCTP_STATE_SHUTDOWN_RECEIVED`
    ShutdownReceived = 18,
    /// `SCTP_STATE_SHUTDOWN_ACK_SENT`
    ShutdownAckSent = 19,
    /// `SMC_INIT`
    Init = 20,
    /// `SMC_ACTIVE`
    Active = 21,
    /// `SMC_PEERCLOSEWAIT1`
    PeerCloseWait1 = 22,
    /// `SMC_PEERCLOSEWAIT2`
    PeerCloseWait2 = 23,
    /// `SMC_APPFINCLOSEWAIT`
    AppFinCloseWait = 24,
    /// `SMC_APPCLOSEWAIT1`
    AppCloseWait1 = 25,
    /// `SMC_APPCLOSEWAIT2`
    AppCloseWait2 = 26,
    /// `SMC_PEERFINCLOSEWAIT`
    PeerFinCloseWait = 27,
    /// `SMC_PEERABORTWAIT`
    PeerAbortWait = 28,
    /// `SMC_PROCESSABORT`
    ProcessAbort = 29,
}

impl State {
    /// Every state, those of TCP first and in the kernel's order.
    pub const ALL: [Self; 28] = [
        Self::Established,
        Self::SynSent,
        Self::SynRecv,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::Close,
        Self::CloseWait,
        Self::LastAck,
        Self::Listen,
        Self::Closing,
        Self::BoundInactive,
        Self::CookieWait,
        Self::CookieEchoed,
        Self::ShutdownPending,
        Self::ShutdownSent,
        Self::ShutdownReceived,
        Self::ShutdownAckSent,
        Self::Init,
        Self::Active,
        Self::PeerCloseWait1,
        Self::PeerCloseWait2,
        Self::AppFinCloseWait,
        Self::AppCloseWait1,
        Self::AppCloseWait2,
        Self::PeerFinCloseWait,
        Self::PeerAbortWait,
        Self::ProcessAbort,
    ];

    /// The state of TCP with the kernel's number, if it has a name here.
    #[must_use]
    pub fn from_kernel(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| StateSet::OF_TCP.contains(*state) && *state as u8 == number)
    }

    /// The name: of a state of TCP as `node_exporter` spells it, e.g. `fin_wait1`, else as the kernel names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::SynSent => "syn_sent",
            Self::SynRecv => "syn_recv",
            Self::FinWait1 => "fin_wait1",
            Self::FinWait2 => "fin_wait2",
            Self::TimeWait => "time_wait",
            Self::Close => "close",
            Self::CloseWait => "close_wait",
            Self::LastAck => "last_ack",
            Self::Listen => "listen",
            Self::Closing => "closing",
            Self::BoundInactive => "bound_inactive",
            Self::CookieWait => "cookie_wait",
            Self::CookieEchoed => "cookie_echoed",
            Self::ShutdownPending => "shutdown_pending",
            Self::ShutdownSent => "shutdown_sent",
            Self::ShutdownReceived => "shutdown_received",
            Self::ShutdownAckSent => "shutdown_ack_sent",
            Self::Init => "init",
            Self::Active => "active",
            Self::PeerCloseWait1 => "peerclosewait1",
            Self::PeerCloseWait2 => "peerclosewait2",
            Self::AppFinCloseWait => "appfinclosewait",
            Self::AppCloseWait1 => "appclosewait1",
            Self::AppCloseWait2 => "appclosewait2",
            Self::PeerFinCloseWait => "peerfinclosewait",
            Self::PeerAbortWait => "peerabortwait",
            Self::ProcessAbort => "processabort",
        }
    }
}

/// A set of states, as the bit mask `idiag_states` of a request (bit n = state n).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSet(u32);

impl StateSet {
    /// No state.
    pub const NONE: Self = Self(0);

    /// Every state whose sockets are found in one walk.
    pub const ALL: Self = Self::ANY.without(Self::of(&[State::BoundInactive]));

    /// Any state, also [`State::BoundInactive`], for which the kernel walks another and large table.
    pub const ANY: Self = Self::of(&State::ALL);

    /// The states of TCP, which have the kernel's numbers.
    pub const OF_TCP: Self = Self(Self::ANY.0 & ((2 << State::BoundInactive as u32) - 1));

    /// The set of the given states.
    #[must_use]
    pub const fn of(states: &[State]) -> Self {
        let mut mask = 0;
        let mut rest = states;
        while let [state, tail @ ..] = rest {
            mask |= 1 << *state as u32;
            rest = tail;
        }
        Self(mask)
    }

    /// The states in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The states in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The states in this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set holds no state.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many states the set holds.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the other set holds all of this one.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The states of [`StateSet::ALL`] that are not in the set.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self::ALL.without(self)
    }

    /// Whether the set holds the state.
    #[must_use]
    pub const fn contains(self, state: State) -> bool {
        self.0 & (1 << state as u32) != 0
    }

    /// The mask of the states of TCP, as the kernel takes it.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0 & Self::OF_TCP.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_the_way_through_the_kernels_number() {
        for state in State::ALL {
            let of_tcp = StateSet::OF_TCP.contains(state);
            assert_eq!(State::from_kernel(state as u8), of_tcp.then_some(state));
            assert_eq!(StateSet::of(&[state]).bits() != 0, of_tcp);
        }
        assert_eq!(State::from_kernel(0), None);
        assert_eq!(State::from_kernel(12), None);
    }

    #[test]
    fn all_states_are_the_mask_that_skips_the_bound_inactive_walk() {
        assert_eq!(StateSet::ALL.bits(), 0xffe);
        assert_eq!(StateSet::ANY.bits(), 0x2ffe);
        assert!(!StateSet::NONE.contains(State::Listen));
        assert!(StateSet::of(&[State::Listen]).contains(State::Listen));
    }

    #[test]
    fn a_set_and_its_complement_share_no_state_and_lack_none() {
        let closed = StateSet::of(&[State::Close, State::Listen]);
        assert_eq!(closed.intersection(closed.complement()), StateSet::NONE);
        assert_eq!(closed.union(closed.complement()), StateSet::ALL);
        assert_eq!(StateSet::NONE.complement(), StateSet::ALL);
        assert_eq!(closed.intersection(StateSet::of(&[State::Listen])), StateSet::of(&[State::Listen]));
    }
}
