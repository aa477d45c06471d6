//! The predecessor's configuration as views: what any of its versions accepted, in every spelling.
//!
//! A key that only the 3.x spelled like this selects the names that the 3.x exposed. Refuses to know how views are collected
//! and written.

use std::time::Duration;

use crate::properties::Property;
use crate::select::Expression;
use crate::strict_yaml::{Entry, Name, Section, either};
use crate::view::{Origin, PROTOCOL, ProtocolStates, View};
use names::{
    CNFG, COMPRESSION, COUNTERS, FLOW_LABEL, GAUGES, HISTOGRAMS, LABEL_FOLDING, LOGIC, MAX_FLOWS, METRICS,
    ORIGIN, ORIGIN_FOLDING, SELECTION,
};

mod metrics;
mod names;
mod selection;

/// The predecessor's keys of a file.
pub(crate) const KEYS: [Name; 3] = [LOGIC, SELECTION, CNFG];

/// Max rows, unless the file says otherwise.
const MAX_FLOWS_UNSAID: usize = 10_000;

/// The version of the predecessor that a file is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// 1.x and 2.x.
    V2,
    /// 3.x.
    V3,
}

/// What the predecessor's keys ask for.
pub(crate) struct LegacyConfig {
    /// The views.
    pub(crate) views: Vec<View>,
    /// Whether the collection metrics of the 3.x are exposed.
    pub(crate) meta: bool,
}

/// What the predecessor's keys of a file ask for, wherever they are; `None` without `logic:`.
pub(crate) fn read(file: &Section<'_>) -> Option<LegacyConfig> {
    let wrapped = file.get(CNFG).map(|cnfg| cnfg.clone().lenient().section(&[LOGIC, SELECTION]));
    let wrapped = |name| wrapped.as_ref().and_then(|section| section.get(name));
    let logic = either(file.get(LOGIC), wrapped(LOGIC));
    let selection = either(file.get(SELECTION), wrapped(SELECTION));
    if let (None, Some(selection)) = (logic, selection.filter(|selection| !selection.is_null())) {
        selection.error("found a selection without logic; expected: beside logic, and select in each view");
    }
    let selection = selection.map(|selection| selection.clone().lenient());
    logic.map(|logic| read_logic(&logic.clone().lenient(), selection.as_ref()))
}

/// The views of a `logic:` section and of the selection beside it, where it once was.
fn read_logic(logic: &Entry<'_>, beside: Option<&Entry<'_>>) -> LegacyConfig {
    let camel = logic.node().keys().any(|key| names::is_camel(&key.name));
    let dialect = if camel { Dialect::V3 } else { Dialect::V2 };
    let section = logic.section(&[
        METRICS,
        GAUGES,
        COUNTERS,
        HISTOGRAMS,
        COMPRESSION,
        FLOW_LABEL,
        SELECTION,
        MAX_FLOWS,
    ]);
    let shown = metrics::read(&section, dialect);
    let (label, limit) = compression(&section);
    let selection = selection_of(&section, beside);
    let view = |name: &str, by, columns, limit| View {
        name: name.to_owned(),
        origin: Origin::Legacy,
        // Both dialects skipped sockets without a peer or without an owner.
        protocols: vec![ProtocolStates::connections(PROTOCOL)],
        selection: selection.clone(),
        by,
        columns,
        limit,
        ranked_by: None,
        aggregates: false,
        idle: Duration::ZERO,
    };
    let mut views = vec![
        view("legacy", vec![label], shown.of_flow(dialect, label), limit),
        view("legacy_totals", Vec::new(), shown.of_all(dialect), None),
    ];
    views.retain(|view| !view.columns.is_empty());
    LegacyConfig { views, meta: dialect == Dialect::V3 }
}

fn selection_of(logic: &Section<'_>, beside: Option<&Entry<'_>>) -> Expression {
    let beside = beside.filter(|beside| !beside.is_null());
    match (logic.filled(SELECTION), beside) {
        (Some(inside), Some(beside)) => {
            beside.warn("found a second selection; used: the one under logic");
            selection::read(inside)
        }
        (Some(only), None) | (None, Some(only)) => selection::read(only),
        (None, None) => Expression::Always,
    }
}

fn compression(logic: &Section<'_>) -> (Property, Option<usize>) {
    let compression = logic.get(COMPRESSION).map(|entry| entry.section(&[LABEL_FOLDING, MAX_FLOWS]));
    let folding = compression.as_ref().and_then(|section| section.get(LABEL_FOLDING));
    let origin = folding.filter(|folding| folding.is_map()).map(|folding| folding.section(&[ORIGIN]));
    let flow_label = logic.get(FLOW_LABEL).map(|entry| entry.section(&[ORIGIN_FOLDING]));
    let modern = match &origin {
        Some(section) => section.filled(ORIGIN),
        None => folding.filter(|folding| !folding.is_null()),
    };
    let label = either(modern, flow_label.as_ref().and_then(|section| section.filled(ORIGIN_FOLDING)));
    let most =
        either(compression.as_ref().and_then(|section| section.filled(MAX_FLOWS)), logic.filled(MAX_FLOWS));
    (label.map_or(Property::Flow, label_of), limit_of(most))
}

fn label_of(folding: &Entry<'_>) -> Property {
    const ALLOWED: &str = "raw_endpoint or pid_condensed";
    match folding.text(ALLOWED).as_deref() {
        Some("pid_condensed") => Property::FlowOfProcess,
        Some("raw_endpoint") | None => Property::Flow,
        Some(_) => {
            folding.refuse(ALLOWED);
            Property::Flow
        }
    }
}

fn limit_of(most: Option<&Entry<'_>>) -> Option<usize> {
    let most = most.and_then(|most| most.integer("a number of flows, or 0 for no limit"));
    match most.unwrap_or(MAX_FLOWS_UNSAID) {
        0 => None,
        most => Some(most),
    }
}
