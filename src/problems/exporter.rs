//! What the exporter itself misses.

use super::Problem;
use super::rules::{
    CAPABILITY_MISSING, COLLECTION_FAILING, EVENTS_DROPPED, IN_OTHER, NAMESPACES_FAILED,
    NAMESPACES_UNOBSERVED, RELOAD_FAILED, ROWS_DROPPED, Rule, UNTRACKED,
};
use crate::self_metrics::SelfReport;

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
        let title = format!("The kernel has dropped {dropped} close events since the exporter started");
        let detail = "Counters miss what those connections did last. Raise collect.event_buffer.";
        add(&EVENTS_DROPPED, float(dropped), title, detail);
        let title = format!("The exporter counts {} sockets only when they close", tracker.stats.untracked);
        add(&UNTRACKED, float(tracker.stats.untracked), title, "Raise collect.tracked_sockets.");
    }
    for view in &report.views {
        let in_other = view.in_other.unwrap_or_default();
        let title = format!("{in_other} sockets are in the row other of the view {}", view.name);
        let detail = "Use fewer labels, a selection, or a higher limit.";
        add(&IN_OTHER, float(in_other), title, detail);
        let left_out = view.left_out.unwrap_or_default();
        let title = format!("The view {} misses {left_out} connections", view.name);
        add(&ROWS_DROPPED, float(left_out as u64), title, "Use a selection or a higher limit.");
    }
    for (feature, capability, held) in report.privileges.needs() {
        let title = format!("The exporter lacks {capability}");
        let detail = format!("Without it, {} works for a part of the host only.", feature.word());
        add(&CAPABILITY_MISSING, flag(held), title, &detail);
    }
    if let Some(netns) = &report.netns {
        let title = format!("The sockets of {} network namespaces are missing", netns.failed);
        add(&NAMESPACES_FAILED, float(netns.failed as u64), title, "The log names the first of them.");
        let title = format!("{} network namespaces send no close events", netns.unobserved);
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
