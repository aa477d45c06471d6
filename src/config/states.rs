//! `state:`, in which states sockets are shown.
//!
//! Takes the spellings of node exporter and of ss, and ss's words for groups of states. Refuses to
//! know what a state means for a metric.

use super::entry::Entry;
use crate::sockdiag::{State, StateSet};

/// The states of a connection that has two ends and full sockets.
pub(super) const CONNECTIONS: StateSet = StateSet::of(&[
    State::Established,
    State::SynSent,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::LastAck,
    State::Closing,
]);

/// The states of an entry: a word or a list of words.
pub(super) fn read(entry: &Entry<'_>) -> Option<StateSet> {
    const SOME: &str = "a state or a list of states";
    let items = if entry.is_list() { entry.list(SOME)? } else { vec![entry.clone()] };
    if items.is_empty() {
        entry.mistake(&format!("found an empty list; allowed: {SOME}"));
    }
    let mut all = StateSet::NONE;
    for item in &items {
        all = all.union(state(item)?);
    }
    Some(all).filter(|states| *states != StateSet::NONE)
}

fn state(entry: &Entry<'_>) -> Option<StateSet> {
    const ALLOWED: &str = "established, syn_sent, syn_recv, fin_wait1, fin_wait2, time_wait, close, close_wait, \
                           last_ack, listen, closing, all, connected, synchronized, bucket or big";
    let word = entry.text(ALLOWED)?;
    let states = named(&word);
    if states.is_none() {
        let known = State::ALL.into_iter().map(State::name);
        entry.strange(&word, ALLOWED, known.chain(["connected", "synchronized", "bucket"]));
    }
    states
}

fn named(word: &str) -> Option<StateSet> {
    use State::{Close, CloseWait, Closing, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent, TimeWait};
    let but = |states: &[State]| StateSet::ALL.without(StateSet::of(states));
    let one = match word {
        "all" => return Some(StateSet::ALL),
        "connected" => return Some(but(&[Close, Listen])),
        "synchronized" => return Some(but(&[Close, Listen, SynSent])),
        "bucket" => return Some(StateSet::of(&[SynRecv, TimeWait])),
        "big" => return Some(but(&[SynRecv, TimeWait])),
        "syn-sent" => SynSent,
        "syn-recv" => SynRecv,
        "fin-wait-1" => FinWait1,
        "fin-wait-2" => FinWait2,
        "time-wait" => TimeWait,
        "closed" | "unconnected" => Close,
        "close-wait" => CloseWait,
        "last-ack" => LastAck,
        "listening" => Listen,
        "closing" => Closing,
        _ => State::ALL.into_iter().find(|state| state.name() == word)?,
    };
    Some(StateSet::of(&[one]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_the_name_of_either_tool() {
        for state in State::ALL {
            assert_eq!(named(state.name()), Some(StateSet::of(&[state])));
        }
        for (word, state) in [
            ("syn-sent", State::SynSent),
            ("syn-recv", State::SynRecv),
            ("fin-wait-1", State::FinWait1),
            ("fin-wait-2", State::FinWait2),
            ("time-wait", State::TimeWait),
            ("unconnected", State::Close),
            ("closed", State::Close),
            ("close-wait", State::CloseWait),
            ("last-ack", State::LastAck),
            ("listening", State::Listen),
            ("closing", State::Closing),
        ] {
            assert_eq!(named(word), Some(StateSet::of(&[state])), "{word}");
        }
        assert_eq!(named("bound-inactive"), None);
    }

    #[test]
    fn a_group_of_states_is_what_ss_means_by_it() {
        let count = |word: &str| named(word).map(|states| states.bits().count_ones());
        for (word, states) in [("all", 11), ("connected", 9), ("synchronized", 8), ("bucket", 2), ("big", 9)]
        {
            assert_eq!(count(word), Some(states), "{word}");
        }
        let holds = |word: &str, state| named(word).is_some_and(|states| states.contains(state));
        assert!(holds("connected", State::SynSent) && !holds("synchronized", State::SynSent));
        assert!(holds("bucket", State::TimeWait) && !holds("big", State::TimeWait));
        assert!(!holds("connected", State::Listen) && !holds("connected", State::Close));
    }
}
