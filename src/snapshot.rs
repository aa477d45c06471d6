//! The result of one collection, and its exposition chunk by chunk.
//!
//! The body never exists as a whole: families are written from the columns, some rows at a time. Refuses to know how a
//! collection is made and who reads it.

use std::sync::Arc;

use crate::aggregate::FrozenTable;
use crate::exposition::{Encoder, FamilyFilter, Format, LabelSet, MetricFamily};
use crate::plan::Plan;
use crate::self_metrics::{LegacyStatus, SelfReport};
use crate::view::View;

/// Bytes after which a chunk ends. Larger chunks wake the reader less often, but with [`SLACK`] one is not to take pages of its
/// own from the kernel, as allocations from 128 KiB on do.
const CHUNK: usize = 96 * 1024;
/// Room for the row or the metrics of the exporter itself that make a chunk longer than [`CHUNK`].
const SLACK: usize = 16 * 1024;

/// What one collection found.
#[derive(Debug)]
pub struct Snapshot {
    /// The plan's views.
    pub views: Arc<[View]>,
    /// Their tables, in the same order; `None` where there was no complete dump.
    pub tables: Vec<Option<FrozenTable>>,
    /// How the collection went.
    pub report: SelfReport,
}

/// An exposition, and how far it has come.
#[derive(Debug)]
pub struct Cursor {
    filter: FamilyFilter,
    encoder: Encoder,
    view: usize,
    column: usize,
    row: usize,
    done: bool,
}

impl Cursor {
    /// The beginning of an exposition of these families.
    pub(crate) fn new(filter: FamilyFilter, format: Format) -> Self {
        Self { filter, encoder: Encoder::new(format), view: 0, column: 0, row: 0, done: false }
    }
}

impl Snapshot {
    /// What a plan shows where there is no complete dump.
    pub(crate) fn blank(plan: &Plan) -> Self {
        let legacy = plan.legacy_meta.then_some(LegacyStatus::Failed);
        Self {
            views: Arc::clone(&plan.views),
            tables: plan.views.iter().map(|_| None).collect(),
            report: SelfReport { legacy, ..SelfReport::default() },
        }
    }

    /// Withholds what needs a past, of which a single collection has none.
    pub fn forget_past(&mut self) {
        for (view, table) in self.views.iter().zip(&mut self.tables) {
            let stays = |column: usize| {
                view.columns.get(column).is_some_and(|column| column.aggregation.is_cumulative())
            };
            if let Some(table) = table {
                table.withhold(stays);
            }
        }
        self.report.tracker = None;
    }

    /// The exposition of these families in chunks of about 96 KiB.
    pub fn chunks(&self, filter: FamilyFilter, format: Format) -> impl Iterator<Item = Vec<u8>> {
        let mut cursor = Cursor::new(filter, format);
        std::iter::from_fn(move || self.chunk(&mut cursor))
    }

    /// The next chunk of the exposition; `None` after the last.
    pub(crate) fn chunk(&self, cursor: &mut Cursor) -> Option<Vec<u8>> {
        if cursor.done {
            return None;
        }
        cursor.encoder.reserve(CHUNK + SLACK);
        while cursor.encoder.len() < CHUNK {
            let Some((view, table)) = self.views.get(cursor.view).zip(self.tables.get(cursor.view)) else {
                self.report.write(&mut cursor.encoder, &cursor.filter);
                cursor.encoder.end();
                cursor.done = true;
                break;
            };
            let table = table.as_ref().filter(|_| cursor.filter.wants_group(&view.name));
            match (view.columns.get(cursor.column), table) {
                (Some(column), Some(table)) if cursor.filter.wants(&column.name) => {
                    write_rows(view, table, cursor);
                }
                (Some(_), Some(_)) => cursor.column += 1,
                (None, _) | (_, None) => (cursor.view, cursor.column) = (cursor.view + 1, 0),
            }
        }
        Some(cursor.encoder.take())
    }
}

/// Writes rows of the cursor's column until the chunk or the column ends. Skips a column that is withheld.
fn write_rows(view: &View, table: &FrozenTable, cursor: &mut Cursor) {
    let Cursor { encoder, column, row, .. } = cursor;
    if let (Some(of), Some(cells)) = (view.columns.get(*column), table.column(*column)) {
        if *row == 0 {
            let labels: Vec<_> = view.by.iter().map(|label| label.name()).collect();
            encoder.begin_family(&MetricFamily {
                name: &of.name,
                help: &of.help,
                kind: of.exposed_type(),
                labels: &labels,
                bounds: cells.bounds(),
            });
        }
        let mut next = *row;
        // At least one: the row says whether the family has begun.
        while next < table.rows() && (next == *row || encoder.len() < CHUNK) {
            if let Some((cell, key)) = table.shown(next)
                && let Some(sample) = cells.sample(cell)
            {
                encoder.sample(LabelSet::unpack(key), sample);
            }
            next += 1;
        }
        *row = next;
        if next < table.rows() {
            return;
        }
        encoder.end_family();
    }
    *column += 1;
    *row = 0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::RowId;
    use crate::config::Config;

    #[test]
    fn a_header_that_fills_a_chunk_is_written_once() {
        let config =
            Config::parse("a.yml", "views: {v: {by: [], metrics: [sockets]}}").expect("a configuration");
        let plan = Plan::new(config);
        let mut views = plan.views.to_vec();
        views[0].columns[0].help = "x".repeat(CHUNK);
        let (_, table) = plan.tracking.with_tables(&plan.views).remove(0);
        let mut gauges = table.gauges();
        gauges.add(RowId::OTHER, 0, 1);
        let snapshot = Snapshot {
            views: views.into(),
            tables: vec![Some(table.freeze(Some(gauges), |_| true))],
            ..Snapshot::blank(&plan)
        };
        let text: Vec<u8> =
            snapshot.chunks(FamilyFilter::default(), Format::Text).take(3).flatten().collect();
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text.matches("# TYPE ss_v_sockets ").count(), 1);
        assert!(text.contains("\nss_v_sockets "), "{}", text.replace('x', ""));
    }
}
