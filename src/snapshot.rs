//! The result of one collection, and its exposition chunk by chunk.
//!
//! The body never exists as a whole: families are written from the columns, some rows at a time.
//! Refuses to know how a collection is made and who reads it.

use std::sync::Arc;

use crate::config::{Column, View};
use crate::exposition::{Encoder, Family, Format, Value, Wanted};
use crate::fold::FrozenTable;
use crate::plan::Plan;
use crate::self_metrics::{LegacyStatus, SelfReport};

/// A chunk is handed on when it has grown to this many bytes.
const CHUNK: usize = 64 * 1024;
/// Room for the rows that are written before the size is looked at again.
const SLACK: usize = 16 * 1024;
/// So many rows are written between two looks at the size.
const STRIDE: usize = 32;

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

/// How far an exposition has come.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    wanted: Wanted,
    view: usize,
    column: usize,
    row: usize,
    done: bool,
}

impl Cursor {
    /// The beginning of an exposition of these families.
    #[must_use]
    pub fn of(wanted: Wanted) -> Self {
        Self { wanted, ..Self::default() }
    }
}

impl Snapshot {
    /// What a plan shows where there is no complete dump.
    #[must_use]
    pub fn blank(plan: &Plan) -> Self {
        let legacy = plan.seed_meta.then_some(LegacyStatus::Failed);
        Self {
            views: Arc::clone(&plan.views),
            tables: plan.views.iter().map(|_| None).collect(),
            report: SelfReport { legacy, ..SelfReport::default() },
        }
    }

    /// Withholds what needs a past, of which a single collection has none.
    pub fn forget_past(&mut self) {
        for (view, table) in self.views.iter().zip(&mut self.tables) {
            let stays = |column: usize| view.columns.get(column).is_some_and(|column| column.fold.stays());
            if let Some(table) = table {
                table.withhold(stays);
            }
        }
        self.report.tracker = None;
    }

    /// The next chunk of the exposition; `None` after the last.
    #[must_use]
    pub fn chunk(&self, cursor: &mut Cursor, format: Format) -> Option<Vec<u8>> {
        if cursor.done {
            return None;
        }
        let mut encoder = Encoder::new(format, CHUNK + SLACK);
        while encoder.out.len() < CHUNK {
            let Some((view, table)) = self.views.get(cursor.view).zip(self.tables.get(cursor.view)) else {
                self.report.write(&mut encoder, &cursor.wanted);
                encoder.end();
                cursor.done = true;
                break;
            };
            let table = table.as_ref().filter(|_| cursor.wanted.wants_group(&view.name));
            match (view.columns.get(cursor.column), table) {
                (Some(column), Some(table)) if cursor.wanted.wants(&column.name) => {
                    rows(&mut encoder, column, table, cursor);
                }
                (Some(_), Some(_)) => cursor.column += 1,
                (None, _) | (_, None) => (cursor.view, cursor.column) = (cursor.view + 1, 0),
            }
        }
        Some(encoder.out)
    }
}

/// Writes the next rows of a column, with its header before the first.
fn rows(encoder: &mut Encoder, column: &Column, table: &FrozenTable, cursor: &mut Cursor) {
    let Some(cells) = table.column(cursor.column) else {
        // It is withheld.
        cursor.column += 1;
        return;
    };
    if cursor.row == 0 {
        encoder.family(&Family { name: &column.name, help: &column.help, kind: column.exposed_type() });
    }
    let end = (cursor.row + STRIDE).min(table.rows());
    for index in cursor.row..end {
        let Some((row, key)) = table.shown(index) else { continue };
        if let Some(bounds) = cells.bounds() {
            if let Some((counts, sum)) = cells.observations(row) {
                encoder.histogram(&column.name, key, &bounds.upper, counts, Value::Float(sum));
            }
        } else if let Some(integer) = cells.integer(row) {
            encoder.sample(&column.name, key, Value::Integer(integer));
        } else if let Some(value) = cells.get(row) {
            encoder.sample(&column.name, key, Value::Float(value));
        }
    }
    cursor.row = end;
    if end == table.rows() {
        cursor.column += 1;
        cursor.row = 0;
    }
}
