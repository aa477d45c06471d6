//! `state:`, in which states sockets are shown.
//!
//! Takes the spellings of `node_exporter` and of ss, and the words of ss for groups of states.

use crate::select::{state_names, states_named};
use crate::strict_yaml::Entry;
use sockdiag::StateSet;

/// The states of an entry: a word or a list of words.
pub(super) fn read(entry: &Entry<'_>) -> Option<StateSet> {
    const SOME: &str = "a state or a list of states";
    let items = if entry.is_list() { entry.list(SOME)? } else { vec![entry.clone()] };
    if items.is_empty() {
        entry.error(&format!("found an empty list; expected: {SOME}"));
    }
    let mut all = StateSet::NONE;
    for item in &items {
        all = all.union(state(item)?);
    }
    Some(all).filter(|states| !states.is_empty())
}

fn state(entry: &Entry<'_>) -> Option<StateSet> {
    const ALLOWED: &str = "established, syn_sent, syn_recv, fin_wait1, fin_wait2, time_wait, close, close_wait, \
                           last_ack, listen, closing, bound_inactive, all, connected, synchronized, bucket or big";
    let word = entry.text(ALLOWED)?;
    // One spelling each, so that editors can know them.
    if !state_names().any(|name| name == word) {
        entry.unknown_word(&word, ALLOWED, state_names());
        return None;
    }
    states_named(&word)
}
