//! The predecessor's file as views: what either generation accepted, in every spelling.
//!
//! A key spelled as only the 3.x spelled it selects the names that the 3.x exposed. Refuses to know
//! how views are collected and written.

use std::time::Duration;

use super::View;
use super::entry::{Entry, Section, either};
use super::states::CONNECTIONS;
use crate::properties::Property;
use crate::select::Expression;
use names::{
    COMPRESSION, COUNTERS, FLOW_LABEL, GAUGES, HISTOGRAMS, LABEL_FOLDING, MAX_FLOWS, METRICS, ORIGIN,
    ORIGIN_FOLDING, SELECTION,
};

mod metrics;
mod names;
mod selection;

/// Rows of flows at most, unless the file says otherwise.
const MAX_FLOWS_UNSAID: usize = 10_000;

/// Which of the predecessor's generations a file is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    /// 1.x and 2.x.
    Second,
    /// 3.x.
    Third,
}

/// What a `logic:` section asks for.
pub(super) struct Seed {
    pub(super) views: Vec<View>,
    pub(super) meta: bool,
}

/// The views of a `logic:` section and of the selection beside it, where it once stood.
pub(super) fn read(logic: &Entry<'_>, beside: Option<&Entry<'_>>) -> Seed {
    let camel = logic.node().keys().any(|key| names::is_camel(&key.name));
    let generation = if camel { Generation::Third } else { Generation::Second };
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
    let shown = metrics::read(&section, generation);
    let (label, limit) = compression(&section);
    let selection = selection_of(&section, beside);
    let view = |name: &str, by, columns, limit| View {
        name: name.to_owned(),
        selection: selection.clone(),
        // Both generations skipped sockets without a peer or without an owner.
        states: CONNECTIONS,
        by,
        columns,
        limit,
        folds: false,
        idle: Duration::ZERO,
    };
    let mut views = vec![
        view("legacy", vec![label], shown.of_flow(generation, label), limit),
        view("legacy_totals", Vec::new(), shown.of_all(generation), None),
    ];
    views.retain(|view| !view.columns.is_empty());
    Seed { views, meta: generation == Generation::Third }
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
