//! What one collection leaves for the next: admitted rows, sizes, and what has been logged.
//!
//! Refuses to know sockets.

use hashbrown::HashSet;

use crate::config::View;
use crate::fold::{Limit, Seed, Size};
use crate::plan::Plan;

/// What one collection leaves for the next.
#[derive(Debug)]
pub struct Memory {
    pub(super) limits: Vec<Limit>,
    /// How much the tables held, and how many sockets there were.
    pub(super) sizes: Vec<Size>,
    pub(super) sockets: usize,
    pub(super) seed: Seed,
    pub(super) said: Said,
}

/// What has been logged, so that a scraper's pace is not the log's.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Of each view, that its limit leaves rows out.
    left_out: HashSet<String>,
    /// Why the last collection was not complete.
    trouble: String,
}

impl Said {
    /// Logs a trouble when it begins, changes or ends.
    pub(super) fn trouble(&mut self, now: String) {
        if now == self.trouble {
            return;
        }
        if now.is_empty() {
            tracing::info!("collections are complete again");
        } else {
            tracing::warn!(trouble = now, "a collection is not complete");
        }
        self.trouble = now;
    }

    pub(super) fn left_out(&mut self, view: &View, rows: usize) {
        if rows > 0 && self.left_out.insert(view.name.clone()) {
            let limit = view.limit;
            tracing::warn!(
                view = view.name,
                left_out = rows,
                limit,
                "a limit leaves rows out; said once, counted in ss_exporter_rows_left_out"
            );
        }
    }
}

impl Memory {
    /// The memory before the first collection.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let limit = |view: &View| view.limit.map_or_else(Limit::none, Limit::of);
        Self {
            limits: plan.views.iter().map(limit).collect(),
            sizes: vec![Size::default(); plan.views.len()],
            sockets: 0,
            seed: Seed::default(),
            said: Said::default(),
        }
    }
}
