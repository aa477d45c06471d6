//! An estimate for machines: one JSON object.

use serde_json::{Value, json};

use super::figures::{Estimate, EventCoverage, ViewEstimate};
use super::size::ExpositionSize;

impl Estimate {
    /// All figures.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (dropped, unread) = match &self.events {
            EventCoverage::Read { dropped } => (Some(*dropped), None),
            EventCoverage::Unread(reason) => (None, Some(reason)),
        };
        json!({
            "seconds": self.elapsed.as_secs_f64(),
            "sockets": self.sockets,
            "connections": self.connections.first,
            "opened": self.connections.new,
            "closed": self.closed,
            "closed_without_information": self.without_information,
            "events_dropped": dropped,
            "events_unheard": unread,
            "lower_bound": self.is_lower_bound(),
            "complete": self.complete,
            "views": self.views.iter().map(|view| self.view(view)).collect::<Vec<_>>(),
            "own": size(self.own),
            "total": size(self.total),
            "series_after_an_hour": self.series_after(1),
            "series_after_a_day": self.series_after(24),
            "advice": self.advice(),
        })
    }

    fn view(&self, view: &ViewEstimate) -> Value {
        json!({
            "name": view.name,
            "limit": view.limit,
            "rows": view.keys.first,
            "rows_over_limit": view.over(),
            "rows_shown": view.shown,
            "series_per_row": view.series_per_row,
            "scrape": size(view.size),
            "new_rows": view.keys.new,
            "new_rows_met": view.keys.met,
            "new_rows_per_hour": self.new_rows(view),
            "new_lasting_rows_per_hour": self.lasting_rows(view),
            "new_series_per_hour": self.new_series(view),
            "more": view.keys.more,
        })
    }
}

fn size(size: ExpositionSize) -> Value {
    json!({ "series": size.samples, "bytes": size.bytes, "gzip_bytes": size.compressed })
}
