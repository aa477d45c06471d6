//! What the exporter itself misses.

use std::time::Duration;

use super::Problem;
use super::ends::counted;
use super::rules::{
    CAPABILITY_MISSING, COLLECTION_FAILING, EVENTS_DROPPED, IN_OTHER, NAMESPACES_FAILED,
    NAMESPACES_UNOBSERVED, RELOAD_FAILED, ROWS_DROPPED, Rule, UNTRACKED,
};
use crate::self_metrics::SelfReport;

/// How long a loss is a problem: the time that its alert looks back.
pub(super) const RECENT: Duration = Duration::from_mins(15);

/// The problems of a report, each view and each capability by itself.
pub(super) fn problems(report: &SelfReport) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut add = |rule: &'static Rule, value: f64, title: String, detail: &str| {
        if rule.is_met([value]) {
            found.push(Problem { rule, title, detail: detail.to_owned(), filter: None });
        }
    };
    for stage in &report.stages {
        let title = format!("The stage {} of the exporter's collections is incomplete", stage.name);
        let detail = "Gauges and per-connection series may be missing from the metrics.";
        add(&COLLECTION_FAILING, flag(stage.success), title, detail);
    }
    if let Some(reload) = report.files.reload {
        let title = "The last reload of the exporter's configuration was refused".to_owned();
        add(&RELOAD_FAILED, flag(reload.successful), title, "The previous configuration is active.");
    }
    if let Some(tracker) = &report.tracker {
        let dropped = tracker.dropped.unwrap_or_default();
        let is_recent = tracker.last_drop.is_some_and(|ago| ago < RECENT);
        let events = counted(dropped, "close event");
        let minutes = tracker.last_drop.unwrap_or_default().as_secs().div_ceil(60);
        let title =
            format!("The kernel has dropped {events} since the exporter started, the last {minutes} min ago");
        let detail = "Counters miss what those connections did last. Raise collect.event_buffer.";
        add(&EVENTS_DROPPED, if is_recent { float(dropped) } else { 0.0 }, title, detail);
        let sockets = counted(tracker.stats.untracked, "socket");
        let title = format!("The exporter counts {sockets} only at the close");
        add(&UNTRACKED, float(tracker.stats.untracked), title, "Raise collect.tracked_sockets.");
    }
    for view in &report.views {
        let in_other = view.in_other.unwrap_or_default();
        let sockets = counted(in_other, "socket");
        let title = format!("The row other of the view {} has {sockets}", view.name);
        let detail = "Use fewer labels, a selection, or a higher limit.";
        add(&IN_OTHER, float(in_other), title, detail);
        let left_out = view.left_out.unwrap_or_default();
        let title = format!("The view {} misses {}", view.name, counted(left_out, "connection"));
        add(&ROWS_DROPPED, float(left_out as u64), title, "Use a selection or a higher limit.");
    }
    for (feature, capability, held) in report.privileges.needs() {
        let title = format!("The exporter lacks {capability}");
        let detail = format!("Without it, {} works for a part of the host only.", feature.word());
        add(&CAPABILITY_MISSING, flag(held), title, &detail);
    }
    if let Some(netns) = &report.netns {
        let title = format!("The sockets of {} are missing", counted(netns.failed, "network namespace"));
        add(&NAMESPACES_FAILED, float(netns.failed as u64), title, "The log names the first of them.");
        let title = format!("No close events come from {}", counted(netns.unobserved, "network namespace"));
        let detail = "Counters miss what their connections did last. Grant CAP_NET_BROADCAST.";
        add(&NAMESPACES_UNOBSERVED, float(netns.unobserved as u64), title, detail);
    }
    found
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

#[expect(clippy::cast_precision_loss, reason = "it is only compared")]
fn float(integer: u64) -> f64 {
    integer as f64
}
