//! `state:`, in which states sockets are shown.
//!
//! Takes the spellings of `node_exporter` and of ss, and the words of ss for groups of states.

use crate::select::{Expression, state_names, states_named};
use crate::strict_yaml::Entry;
use crate::view::ProtocolStates;
use sockdiag::{Protocol, State, StateSet};

/// The words of ss for groups of states.
const GROUPS: [&str; 5] = ["all", "connected", "synchronized", "bucket", "big"];

/// The states of each protocol of a view: those of the entry that the selection lets through. Without an entry, those that the
/// selection names, or else those of connections.
pub(super) fn of_view(
    entry: Option<&Entry<'_>>,
    protocols: &[&'static Protocol],
    selection: &Expression,
) -> Vec<ProtocolStates> {
    let named = entry.and_then(|entry| read(entry, protocols));
    let mut left_out = named.is_some();
    let of_protocol = |protocol: &&'static Protocol| {
        let selected = selection.states().intersection(protocol.states);
        let selected_by_name = selection.named_states().filter(|_| entry.is_none());
        let states = match (named, selected_by_name) {
            (Some(named), _) => named.intersection(selected),
            (None, Some(states)) => states.intersection(protocol.states),
            (None, None) => protocol.connections,
        };
        left_out &= states.is_empty();
        ProtocolStates { protocol, states }
    };
    let all = protocols.iter().map(of_protocol).collect();
    if let Some(entry) = entry.filter(|_| left_out) {
        entry.error("found states that select leaves out; expected: a state that it lets through");
    }
    all
}

/// The states of an entry: a word or a list of words.
fn read(entry: &Entry<'_>, protocols: &[&'static Protocol]) -> Option<StateSet> {
    const SOME: &str = "a state or a list of states";
    let items = if entry.is_list() { entry.list(SOME)? } else { vec![entry.clone()] };
    if items.is_empty() {
        entry.error(&format!("found an empty list; expected: {SOME}"));
    }
    let mut all = StateSet::NONE;
    for item in &items {
        all = all.union(state(item, protocols)?);
    }
    let lacks = |protocol: &&&Protocol| all.intersection(protocol.states).is_empty();
    if let Some(protocol) = protocols.iter().find(lacks).filter(|_| !all.is_empty()) {
        let name = protocol.name;
        entry.error(&format!("found no state of {name} sockets; expected: {}", one_of(&[protocol])));
        return None;
    }
    Some(all).filter(|states| !states.is_empty())
}

fn state(entry: &Entry<'_>, protocols: &[&'static Protocol]) -> Option<StateSet> {
    let expected = one_of(protocols);
    let word = entry.text(&expected)?;
    // One spelling each, so that editors can know them.
    let states = state_names().find(|name| *name == word).and_then(states_named);
    let is_had = |states: &StateSet| !states.intersection(any_of(protocols)).is_empty();
    if !states.as_ref().is_some_and(is_had) {
        let had = |name: &&str| states_named(name).as_ref().is_some_and(is_had);
        entry.unknown_word(&word, &expected, state_names().filter(had));
        return None;
    }
    states
}

/// The states that sockets of any of the protocols can have.
fn any_of(protocols: &[&'static Protocol]) -> StateSet {
    protocols.iter().fold(StateSet::NONE, |all, protocol| all.union(protocol.states))
}

/// The words for the states of the protocols.
fn one_of(protocols: &[&'static Protocol]) -> String {
    let known = any_of(protocols);
    let names = State::ALL.into_iter().map(State::name).chain(GROUPS);
    let had = |name: &&str| states_named(name).is_some_and(|states| !states.intersection(known).is_empty());
    let names: Vec<_> = names.filter(had).collect();
    match names.split_last() {
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
