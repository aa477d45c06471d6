//! Names for sets of states, and which states a condition can accept.

use super::{Expression, Test};
use sockdiag::{State, StateSet};

/// The names that `ss` takes or prints and `node_exporter` has not.
const NAMES: [(&str, StateSet); 23] = [
    ("all", StateSet::ALL),
    ("connected", UNCONNECTED.complement()),
    ("synchronized", UNCONNECTED.union(CONNECTING).complement()),
    ("bucket", MINISOCKS),
    ("big", MINISOCKS.complement()),
    ("syn-sent", StateSet::of(&[State::SynSent])),
    ("syn-recv", StateSet::of(&[State::SynRecv])),
    ("syn-rcv", StateSet::of(&[State::SynRecv])),
    ("fin-wait-1", StateSet::of(&[State::FinWait1])),
    ("fin-wait-2", StateSet::of(&[State::FinWait2])),
    ("time-wait", StateSet::of(&[State::TimeWait])),
    ("estab", StateSet::of(&[State::Established])),
    ("unconn", StateSet::of(&[State::Close])),
    ("new-syn-recv", StateSet::of(&[State::SynRecv])),
    ("closed", StateSet::of(&[State::Close])),
    ("unconnected", StateSet::of(&[State::Close])),
    ("close-wait", StateSet::of(&[State::CloseWait])),
    ("last-ack", StateSet::of(&[State::LastAck])),
    ("listening", StateSet::of(&[State::Listen])),
    ("established", StateSet::of(&[State::Established])),
    ("bound-inactive", BOUND_INACTIVE),
    ("ack_sent", StateSet::of(&[State::ShutdownAckSent])),
    ("ack-sent", StateSet::of(&[State::ShutdownAckSent])),
];

/// Sockets without a peer, of any protocol.
const UNCONNECTED: StateSet = StateSet::of(&[State::Close, State::Init, State::Listen]);

/// Sockets whose peer has not answered.
const CONNECTING: StateSet = StateSet::of(&[State::SynSent, State::CookieWait, State::CookieEchoed]);

/// Only its own name selects it, because the kernel walks a large table for it.
const BOUND_INACTIVE: StateSet = StateSet::of(&[State::BoundInactive]);

const MINISOCKS: StateSet = StateSet::of(&[State::SynRecv, State::TimeWait]);

/// The states that a name stands for, as `ss` or `node_exporter` spells it, in letters of either case.
#[must_use]
pub fn states_named(name: &str) -> Option<StateSet> {
    let of_ss = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, states)| *states);
    let one = || State::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(name));
    of_ss.or_else(|| one().map(|state| StateSet::of(&[state])))
}

/// Every name that [`states_named`] knows.
pub fn state_names() -> impl Iterator<Item = &'static str> {
    let of_ss = NAMES.iter().map(|(name, _)| *name);
    let is_new = |name: &&str| NAMES.iter().all(|(known, _)| known != name);
    of_ss.chain(State::ALL.into_iter().map(State::name).filter(is_new))
}

impl Expression {
    /// The states that the condition selects; `None` if it names none.
    pub(crate) fn named_states(&self) -> Option<StateSet> {
        let mut named = self.tests().filter_map(|test| match test {
            Test::State(states) => Some(*states),
            _ => None,
        });
        let named = named.next().map(|first| named.fold(first, StateSet::union))?;
        Some(self.states().without(BOUND_INACTIVE.without(named)))
    }

    /// The states of all sockets that the condition can accept, and perhaps more.
    #[must_use]
    pub fn states(&self) -> StateSet {
        match self {
            Self::Never => StateSet::NONE,
            Self::All(all) => all.iter().map(Self::states).fold(StateSet::ANY, StateSet::intersection),
            Self::Any(any) => any.iter().map(Self::states).fold(StateSet::NONE, StateSet::union),
            // Only of states themselves is it known that every socket in one is accepted.
            Self::Not(inner) if inner.tests().all(|test| matches!(test, Test::State(_))) => {
                StateSet::ANY.without(inner.states())
            }
            Self::Is(Test::State(states)) => *states,
            Self::Always | Self::Not(_) | Self::Is(_) => StateSet::ANY,
        }
    }
}
