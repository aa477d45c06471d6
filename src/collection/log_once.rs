//! What a collector has logged, so that the log does not grow with the pace of scrapes.

use std::time::{Duration, Instant};

use hashbrown::HashSet;

use super::netns::NetnsError;
use crate::select::Expression;
use crate::self_metrics::TrackerReport;
use crate::view::View;
use sockdiag::Protocol;

/// Time between two warnings of the same kind.
pub(super) const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

/// What has been logged.
#[derive(Debug, Default)]
pub(super) struct LogOnce {
    /// Views whose limit drops rows or aggregates them into `other`.
    limited: HashSet<String>,
    /// Protocols whose sockets the kernel does not report.
    missing: HashSet<&'static str>,
    /// Views of which it is known whether they selected a socket in their first collection.
    judged: HashSet<String>,
    /// Whether it was logged that the tracker is full.
    full: bool,
    /// Whether it was logged that some network namespaces send no close events.
    unobserved: bool,
    incomplete: Incomplete,
}

/// What was logged of collections that were not complete.
#[derive(Debug, Default)]
struct Incomplete {
    /// The reason that was logged last; empty since collections were logged as complete.
    reason: String,
    /// When.
    at: Option<Instant>,
    /// Incomplete collections since then.
    collections: u64,
}

/// What to log about whether collections are complete.
#[derive(Debug, PartialEq, Eq)]
enum Completeness {
    /// The number of incomplete collections since the last such line.
    Incomplete(u64),
    CompleteAgain,
}

impl Incomplete {
    /// Notes why a collection was not complete, or that it was. A reason that begins or changes is logged at most once
    /// a minute, however many there are: on a busy host, it changes with every collection.
    fn note(&mut self, reason: &str, now: Instant) -> Option<Completeness> {
        self.collections += u64::from(!reason.is_empty());
        if reason == self.reason {
            return None;
        }
        if reason.is_empty() {
            self.reason.clear();
            return Some(Completeness::CompleteAgain);
        }
        if self.at.is_some_and(|at| now.duration_since(at) < BETWEEN_WARNINGS) {
            return None;
        }
        (self.reason, self.at) = (reason.to_owned(), Some(now));
        Some(Completeness::Incomplete(std::mem::take(&mut self.collections)))
    }
}

impl LogOnce {
    /// Logs limits again but of the views for which that is so.
    pub(super) fn keep_limits(&mut self, keep: impl Fn(&str) -> bool) {
        self.limited.retain(|name| keep(name));
    }

    /// Logs why collections are not complete, when that begins, changes or ends.
    pub(super) fn trouble(&mut self, trouble: &str, now: Instant) {
        match self.incomplete.note(trouble, now) {
            Some(Completeness::Incomplete(collections)) => {
                tracing::warn!(trouble, collections, "a collection is not complete");
            }
            Some(Completeness::CompleteAgain) => tracing::info!("collections are complete again"),
            None => {}
        }
    }

    /// Logs that the selection of a view let no socket through in its first collection, which may be an error in it. A list,
    /// which has no limit, says so itself.
    pub(super) fn selected(&mut self, view: &View, sockets: u64) {
        let is_first = view.limit.is_some() && self.judged.insert(view.name.clone());
        if is_first && sockets == 0 && view.selection != Expression::Always {
            tracing::info!(
                view = view.name,
                select = %view.selection,
                metric = "ss_exporter_sockets_selected",
                "no socket passes the selection of a view yet"
            );
        }
    }

    pub(super) fn left_out(&mut self, view: &View, rows: usize) {
        // A view that shows the greatest is meant to leave out the others.
        if rows > 0 && view.ranked_by.is_none() && self.limited.insert(view.name.clone()) {
            let limit = view.limit;
            tracing::warn!(
                view = view.name,
                left_out = rows,
                limit,
                metric = "ss_exporter_rows_dropped",
                hint = "raise the limit of the view, or select fewer sockets",
                "a view dropped rows beyond its limit"
            );
        }
    }

    pub(super) fn over_limit(&mut self, view: &View, sockets: u64) {
        if sockets > 0 && self.limited.insert(view.name.clone()) {
            let limit = view.limit;
            tracing::warn!(
                view = view.name,
                limit,
                metric = "ss_exporter_sockets_over_limit_total",
                hint = "raise the limit of the view, or use fewer labels",
                "a view counts sockets beyond its limit in its row \"other\""
            );
        }
    }

    pub(super) fn unobserved(&mut self, namespaces: usize) {
        if namespaces > 0 && !self.unobserved {
            self.unobserved = true;
            tracing::warn!(
                namespaces,
                metric = "ss_exporter_namespaces_unobserved",
                hint = "ip netns set NAME auto; CAP_NET_BROADCAST",
                "some network namespaces send no close events"
            );
        }
    }

    /// Logs which protocols the kernel does not know.
    pub(super) fn missing(&mut self, protocols: &[(&'static Protocol, NetnsError)]) {
        for (protocol, error) in protocols {
            if self.missing.insert(protocol.name) {
                tracing::warn!(
                    protocol = protocol.name,
                    %error,
                    metric = "ss_exporter_protocol_available",
                    "the kernel does not report the sockets of a protocol; its views are empty"
                );
            }
        }
    }

    pub(super) fn full(&mut self, tracker: Option<&TrackerReport>) {
        let Some(TrackerReport { limit, stats, .. }) = tracker else { return };
        if stats.untracked > 0 && !self.full {
            self.full = true;
            tracing::warn!(
                limit,
                untracked = stats.untracked,
                metric = "ss_exporter_sockets_untracked",
                hint = "raise collect.tracked_sockets",
                "more sockets exist than collect.tracked_sockets"
            );
        }
    }
}

#[cfg(test)]
mod tests;
