//! Which network namespaces a collection dumps, and what it reports of them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashSet;

use super::host::Host;
use super::netns::{NetnsRegistry, NetnsTarget};
use super::problems::Problems;
use super::state::CollectorState;
use crate::attribute::{NetnsListing, Which};
use crate::plan::Plan;
use crate::self_metrics::{NetnsReport, SelfReport, Stage};

/// The namespaces that were listed.
pub(super) struct ListedNamespaces {
    pub(super) targets: Vec<NetnsTarget>,
    /// Those whose close events carry an nsid, by that nsid.
    observable: Vec<(i32, NetnsTarget)>,
    /// Processes whose namespace could not be read.
    hidden: u64,
    /// Names of the configuration that no namespace has.
    unknown: Vec<String>,
    /// The numbers of known namespaces that are missed because they could not be listed.
    pub(super) missed: Vec<u32>,
    /// Why only the exporter's own namespace is known.
    error: Option<io::Error>,
    began: Instant,
    took: Duration,
}

impl ListedNamespaces {
    /// Lists the namespaces.
    fn of(host: &impl Host, state: &mut CollectorState) -> Self {
        let began = Instant::now();
        let (listing, error) = match host.namespaces() {
            Ok(listing) => (listing, None),
            Err(error) => {
                (NetnsListing { namespaces: vec![host.own()], ..NetnsListing::default() }, Some(error))
            }
        };
        let (hidden, unknown) = (listing.hidden, listing.unknown.clone());
        let CollectorState { registry, tracker, .. } = state;
        let next_generation = || tracker.lock().next_generation();
        let targets = registry.update(listing, error.is_none(), host.proc(), next_generation);
        let missed = if error.is_some() { registry.others(&targets) } else { Vec::new() };
        let (observable, took) = (Vec::new(), began.elapsed());
        Self { targets, observable, hidden, unknown, missed, error, began, took }
    }

    /// Lists the namespaces and registers them with the tracker.
    pub(super) fn for_tracker(plan: &Plan, host: &impl Host, state: &mut CollectorState) -> Self {
        let young = state.registry.were_found();
        let mut listed = Self::of(host, state);
        if plan.collect.reads_other_namespaces() {
            let nsid = |target: &NetnsTarget| Some((host.nsid(&target.namespace)?, target.clone()));
            listed.observable = listed.targets.iter().filter_map(nsid).collect();
        }
        if let Some(own) = listed.targets.iter().find(|target| target.namespace.own) {
            let (own, numbers) = (Arc::clone(&own.netns), state.registry.numbers());
            state.tracker.lock().know(own, listed.observable.clone(), &numbers, young);
        }
        listed
    }

    /// The report before the walk; `None` if only the exporter's own namespace is collected.
    pub(super) fn report(
        &mut self,
        plan: &Plan,
        host: &impl Host,
        state: &mut CollectorState,
    ) -> Option<NetnsReport> {
        if !plan.collect.reads_other_namespaces() {
            return None;
        }
        let others = self.targets.iter().filter(|target| !target.namespace.own).count();
        let named = self.observable.iter().filter(|(_, target)| !target.namespace.own).count();
        let observed = if state.tracker.subscription().everywhere { named } else { 0 };
        let unobserved = others.saturating_sub(observed);
        state.logged.unobserved(unobserved);
        let unreachable = self.unreachable(plan, host, &mut state.registry);
        self.took = self.began.elapsed();
        let (seen, failed, hidden) = (self.targets.len(), self.unknown.len(), self.hidden);
        Some(NetnsReport { seen, empty: 0, failed, unobserved, unreachable, hidden })
    }

    /// Says why namespaces are missing.
    pub(super) fn say(&self, problems: &mut Problems) {
        if let Some(error) = &self.error {
            problems.add(error.to_string());
        }
        if !self.unknown.is_empty() {
            let names = self.unknown.join(", ");
            problems.add(format!("no network namespace is called {names} (collect.netns)"));
        }
    }

    /// How many namespaces have an nsid and were not found, if all were searched for.
    fn unreachable(&self, plan: &Plan, host: &impl Host, registry: &mut NetnsRegistry) -> usize {
        if plan.collect.netns != Which::All {
            return 0;
        }
        let found: HashSet<i32> = self.observable.iter().map(|(nsid, _)| *nsid).collect();
        registry.unreachable(host.nsids().into_iter().filter(|nsid| !found.contains(nsid)))
    }

    /// The report after the walk.
    pub(super) fn report_walked(&self, plan: &Plan, failures: usize, empty: usize, report: &mut SelfReport) {
        if !plan.collect.reads_other_namespaces() {
            return;
        }
        let failed = self.unknown.len() + failures;
        if let Some(netns) = &mut report.netns {
            (netns.failed, netns.empty) = (failed, empty);
        }
        let success = self.error.is_none() && failed == 0;
        report.stages.push(Stage { name: "namespaces".into(), duration: self.took, success });
    }
}
