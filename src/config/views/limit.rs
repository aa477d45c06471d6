//! `limit:` of a view: how many rows, and which.

use std::ops::RangeInclusive;

use super::BY;
use super::columns::find;
use crate::metrics::{Aggregation, Metric};
use crate::strict_yaml::{Entry, Name};
use crate::view::View;

const TOP: Name = &["top"];

const ROWS: RangeInclusive<usize> = 1..=1_000_000;
const ROWS_UNSAID: usize = 1000;
const MAP: &str = "a map such as {top: 20, by: sent_bytes_total}";

/// A limit as it is written.
pub(super) struct WrittenLimit<'a> {
    /// The most rows.
    pub(super) rows: usize,
    /// That it chooses, and the name of the metric by which.
    by: Option<(&'a Entry<'a>, Entry<'a>)>,
}

impl<'a> WrittenLimit<'a> {
    pub(super) fn read(entry: Option<&'a Entry<'a>>) -> Self {
        let Some(entry) = entry else { return Self { rows: ROWS_UNSAID, by: None } };
        let expected = "a number of rows from 1 to 1000000";
        if !entry.is_map() {
            let rows = entry.within(&ROWS, &format!("{expected}, or {MAP}"));
            return Self { rows: rows.unwrap_or(ROWS_UNSAID), by: None };
        }
        let keys = entry.section(&[TOP, BY]);
        let (top, by) = (keys.filled(TOP), keys.filled(BY).cloned());
        if top.is_none() || by.is_none() {
            entry.error(&format!("found no {}; expected: {MAP}", if top.is_none() { "top" } else { "by" }));
        }
        let by = top.and(by).map(|by| (entry, by));
        Self { rows: top.and_then(|top| top.within(&ROWS, expected)).unwrap_or(ROWS_UNSAID), by }
    }

    /// The metric whose greatest values get the rows of a view with these columns.
    pub(super) fn ranked_by(&self, view: &mut View) -> Option<&'static Metric> {
        let (entry, by) = self.by.as_ref()?;
        let name = by.text("a metric that this view shows")?;
        // A row that comes and goes cannot count: what it missed would be lost.
        let counts: Vec<_> = view
            .columns
            .iter()
            .filter(|column| column.aggregation.is_cumulative())
            .map(|column| column.metric.name)
            .collect();
        if let ([first, rest @ ..], false) = (counts.as_slice(), view.is_per_connection()) {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            entry.error(&format!(
                "found in an aggregated view that counts {first}{more}; expected: in a view of gauges alone, such as metrics: [sockets, send_queue_bytes], or of single connections, because a row that comes and goes loses counts"
            ));
            return None;
        }
        let column = find(&name, by, &mut view.columns)?;
        if let Aggregation::CurrentHistogram(_) = column.aggregation {
            by.error(&format!("found {name}, a histogram; expected: a metric with one value for each row"));
            return None;
        }
        Some(column.metric)
    }
}
