//! `views:` as views: which sockets, keyed by what, how many rows and for how long.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{duration, states};
use crate::attribute::Networks;
use crate::properties::Property;
use crate::select::{Expression, parse};
use crate::strict_yaml::{Entry, Name, Section};
use crate::terminal::shown;
use crate::view::{Origin, PROTOCOL, View};
use sockdiag::{Protocol, StateSet};

mod columns;
mod exposed;
mod metrics;
mod pattern;

const BY: Name = &["by"];
const METRICS: Name = &["metrics"];
const AGGREGATE: Name = &["aggregate"];
const HISTOGRAMS: Name = &["histograms"];
const SELECT: Name = &["select"];
const STATE: Name = &["state"];
const LIMIT: Name = &["limit"];
const IDLE: Name = &["idle"];

const LIMITS: RangeInclusive<usize> = 1..=1_000_000;
const LIMIT_UNSAID: usize = 1000;
const IDLES: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(30 * 24);
const IDLE_UNSAID: Duration = Duration::from_hours(1);

/// The views of a section, in its order.
pub(super) fn read(section: &Entry<'_>, networks: &Networks) -> Vec<View> {
    let named = section.named("a map of views by their names");
    let views: Vec<_> = named
        .iter()
        .map(|(name, entry)| {
            check_name(name, entry);
            (entry, view(name, entry, networks))
        })
        .collect();
    exposed::check(&views);
    views.into_iter().map(|(_, view)| view).collect()
}

fn view(name: &str, entry: &Entry<'_>, networks: &Networks) -> View {
    let keys = entry.section(&[BY, METRICS, AGGREGATE, HISTOGRAMS, SELECT, STATE, LIMIT, IDLE]);
    let selection = keys.filled(SELECT).and_then(|entry| selection(entry, networks));
    let selection = selection.unwrap_or(Expression::Always);
    let by = keys.filled(BY).map(labels).unwrap_or_default();
    let limit =
        keys.filled(LIMIT).and_then(|entry| entry.within(&LIMITS, "a number of rows from 1 to 1000000"));
    let mut view = View {
        name: name.to_owned(),
        origin: Origin::Native,
        protocol: PROTOCOL,
        states: states_of(PROTOCOL, &keys, &selection),
        selection,
        by,
        columns: Vec::new(),
        limit: Some(limit.unwrap_or(LIMIT_UNSAID)),
        aggregates: true,
        idle: IDLE_UNSAID,
    };
    view.aggregates = !view.is_per_connection();
    view.idle = idle(&keys, &view);
    view.columns = columns::read(&keys, &view);
    view
}

fn check_name(name: &str, entry: &Entry<'_>) {
    let fits = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !fits {
        let found = shown(name);
        entry.error(&format!("found the name \"{found}\"; expected: a-z, then a-z, 0-9 and _"));
    }
    if let Some(taken) =
        ["exporter", "legacy"].into_iter().find(|taken| name.split('_').next() == Some(*taken))
    {
        entry.error(&format!(
            "found a name that begins with {taken}, as the exporter's own do; expected: any other"
        ));
    }
}

fn selection(entry: &Entry<'_>, networks: &Networks) -> Option<Expression> {
    let text = entry.verbatim("a selection such as \"dst 10.0.0.0/8 and not dport = 22\"")?;
    parse(&text, networks).map_err(|error| entry.error(&error.in_context(&text))).ok()
}

fn labels(entry: &Entry<'_>) -> Vec<Property> {
    const SOME: &str = "a list of labels, such as [direction, service_port]";
    let names = || Property::all().map(Property::name);
    let mut labels = Vec::new();
    for item in entry.list(SOME).iter().flatten() {
        let Some(word) = item.text("the name of a label") else { continue };
        match Property::named(&word) {
            Some(label) if labels.contains(&label) => {
                item.error(&format!("found {word} again; expected: each label once"));
            }
            Some(label) => labels.push(label),
            None => item.unknown_word(&word, &names().collect::<Vec<_>>().join(", "), names()),
        }
    }
    labels
}

fn states_of(protocol: &Protocol, keys: &Section<'_>, selection: &Expression) -> StateSet {
    let Some(entry) = keys.filled(STATE) else {
        let named = selection.named_states().map(|states| states.intersection(protocol.states));
        return named.unwrap_or(protocol.connections);
    };
    let selected = selection.states().intersection(protocol.states);
    let states = states::read(entry).unwrap_or(protocol.connections);
    if states.intersection(selected).is_empty() {
        entry.error("found states that select leaves out; expected: a state that it lets through");
    }
    states.intersection(selected)
}

fn idle(keys: &Section<'_>, view: &View) -> Duration {
    let Some(entry) = keys.filled(IDLE) else { return IDLE_UNSAID };
    if view.is_per_connection() {
        entry.error(
            "found in a per-connection view, whose rows end with their sockets; expected: in other views",
        );
    }
    duration::read(entry, &IDLES, "a duration from 1m to 30d, such as 10m, 1h or 7d").unwrap_or(IDLE_UNSAID)
}
