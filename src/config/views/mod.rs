//! `views:` as views: which sockets, keyed by what, how many rows and for how long.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration;
use crate::attribute::ConfiguredNames;
use crate::properties::Property;
use crate::select::{Expression, parse};
use crate::strict_yaml::{Entry, Name, Section};
use crate::terminal::shown;
use crate::view::{Origin, View};
use sockdiag::Protocol;

mod columns;
mod exposed;
mod limit;
mod metrics;
mod protocols;
mod states;

use limit::WrittenLimit;
use protocols::Protocols;

const PROTOCOLS: Name = &["protocol"];
const BY: Name = &["by"];
const METRICS: Name = &["metrics"];
const AGGREGATE: Name = &["aggregate"];
const HISTOGRAMS: Name = &["histograms"];
const SELECT: Name = &["select"];
const STATE: Name = &["state"];
const LIMIT: Name = &["limit"];
const IDLE: Name = &["idle"];

const IDLES: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(30 * 24);
const IDLE_UNSAID: Duration = Duration::from_hours(1);

/// The views of a section, in its order.
pub(super) fn read(section: &Entry<'_>, names: &ConfiguredNames) -> Vec<View> {
    let entries = section.named("a map of views by their names");
    let views: Vec<_> = entries
        .iter()
        .map(|(name, entry)| {
            check_name(name, entry);
            (entry, view(name, entry, names))
        })
        .collect();
    exposed::check(&views);
    views.into_iter().map(|(_, view)| view).collect()
}

fn view(name: &str, entry: &Entry<'_>, names: &ConfiguredNames) -> View {
    let keys = entry.section(&[PROTOCOLS, BY, METRICS, AGGREGATE, HISTOGRAMS, SELECT, STATE, LIMIT, IDLE]);
    let protocols = keys.filled(PROTOCOLS).map(protocols::read).unwrap_or_default();
    let Protocols { protocols, selection: of_types } = protocols;
    let selection = keys.filled(SELECT).and_then(|entry| selection(entry, &protocols, names));
    let selection = selection.unwrap_or(Expression::Always).and(of_types);
    let by = keys.filled(BY).map(|entry| labels(entry, &protocols)).unwrap_or_default();
    let limit = WrittenLimit::read(keys.filled(LIMIT));
    let mut view = View {
        name: name.to_owned(),
        origin: Origin::Native,
        protocols: states::of_view(keys.filled(STATE), &protocols, &selection),
        selection,
        by,
        columns: Vec::new(),
        limit: Some(limit.rows),
        ranked_by: None,
        aggregates: true,
        idle: IDLE_UNSAID,
    };
    view.aggregates = !view.is_per_connection();
    view.idle = idle(&keys, &view);
    view.columns = columns::read(&keys, &view);
    view.ranked_by = limit.ranked_by(&mut view);
    view.aggregates &= view.ranked_by.is_none();
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

fn selection(
    entry: &Entry<'_>,
    protocols: &[&'static Protocol],
    names: &ConfiguredNames,
) -> Option<Expression> {
    let text = entry.verbatim("a selection such as \"dst 10.0.0.0/8 and not dport = 22\"")?;
    let selection = parse(&text, names).map_err(|error| entry.error(&error.in_context(&text))).ok()?;
    if let Some(obstacle) = protocols.iter().find_map(|protocol| selection.obstacle(protocol)) {
        entry.error(&obstacle);
    }
    Some(selection)
}

fn labels(entry: &Entry<'_>, protocols: &[&'static Protocol]) -> Vec<Property> {
    const SOME: &str = "a list of labels, such as [direction, service_port]";
    let known = || Property::all().map(Property::name);
    let mut labels = Vec::new();
    for item in entry.list(SOME).iter().flatten() {
        let Some(word) = item.text("the name of a label") else { continue };
        match Property::named(&word) {
            Some(label) if labels.contains(&label) => {
                item.error(&format!("found {word} again; expected: each label once"));
            }
            Some(label) => {
                if let Some(protocol) = protocols.iter().find(|protocol| !label.is_of(protocol)) {
                    protocols::lacks(item, &word, protocol, "labels", &label.protocols());
                }
                labels.push(label);
            }
            None => item.unknown_word(&word, &known().collect::<Vec<_>>().join(", "), known()),
        }
    }
    labels
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
