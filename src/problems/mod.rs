//! What is wrong on this host: each problem with a title, what it is about and the filter that shows it.
//!
//! The rules are a table (`rules.rs`). The thresholds of `deploy/alerts.yml` are the same, which a test compares. An alert
//! needs its symptom for minutes; a problem is what two listings and two readings of the host's totals show now.
//! Refuses to know how problems are displayed.

mod ends;
mod exporter;
mod host;
mod json;
mod ports;
mod rules;
mod sockets;

pub use host::{HostMonitor, HostRates, HostTotals};
pub use rules::{Rule, Severity, Threshold};

use crate::listing::Listing;
use crate::self_metrics::SelfReport;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// What is wrong, without a full stop.
    pub title: String,
    /// Where, and what to look at: one or two sentences.
    pub detail: String,
    /// The filter of a listing that shows the sockets, and their protocol; `None` if no socket shows it.
    pub filter: Option<(&'static str, String)>,
}

/// What problems are found in.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The sockets, with their rates; `None` if there is no listing.
    pub listing: Option<&'a Listing>,
    /// What the host counted within some seconds; `None` before the second reading.
    pub host: Option<&'a HostRates>,
    /// The exporter's last collection for the metrics; `None` if there was none.
    pub report: Option<&'a SelfReport>,
}

/// The problems that the evidence shows, the most severe first; of those, the ones with the most sockets or bytes first.
///
/// A listing at a glance suffices. It needs the label `bottleneck`, whose first value is `unknown`: connections that a
/// listing shows for the first time have no problem yet.
#[must_use]
pub fn problems(evidence: &Evidence<'_>) -> Vec<Problem> {
    let ports = evidence.host.map_or(host::DEFAULT_PORTS, |host| host.client_ports);
    let of_sockets =
        evidence.listing.map(|listing| sockets::problems(&listing.sockets, &listing.rates, ports));
    let listed = evidence.listing.map(|listing| &listing.sockets);
    let (refusing, fullest) =
        (listed.and_then(sockets::most_refusing), listed.and_then(sockets::fullest_of_udp));
    let of_host = evidence.host.map(|host| host.problems(refusing.as_ref(), fullest.as_ref()));
    let of_exporter = evidence.report.map(exporter::problems);
    let mut all: Vec<_> = [of_sockets, of_host, of_exporter].into_iter().flatten().flatten().collect();
    // Stable: each part has its greatest first.
    all.sort_by_key(|problem| problem.rule.severity);
    all
}

#[cfg(test)]
mod tests;
