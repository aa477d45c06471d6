//! The plan: everything that can be decided once, decided from the configuration alone.
//!
//! Cost derives from need: which states and attributes are dumped, which sockets the kernel is to
//! leave out, whether the process table is read. Refuses to do any of it.

use std::sync::Arc;

use crate::attribute::ConfiguredNames;
use crate::config::{Collect, Config};
use crate::facts::Facts;
use crate::metrics::Quantity;
use crate::privileges::Feature;
use crate::properties::{Needs, Property};
use crate::select::{Expression, Judge, Lookup, split};
use crate::view::{PROTOCOL, ProtocolStates, View};
use lookup::OfProtocol;
use sockdiag::bytecode::{Filter, compile};
use sockdiag::{Attribute, Extensions, Protocol, Request, State, StateSet};

mod columns;
mod lookup;
mod tracking;

pub use tracking::{AggregatedView, Feed, Tracking};

/// What a configuration means.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The views, in the order in which they are exposed.
    pub views: Arc<[View]>,
    /// The protocols of the views, each once; at least one.
    pub protocols: Vec<&'static Protocol>,
    /// Whether the collection metrics of the predecessor's 3.x are exposed.
    pub legacy_meta: bool,
    /// The networks and paths with names.
    pub names: Arc<ConfiguredNames>,
    /// How to collect.
    pub collect: Collect,
    /// What must be known of sockets.
    pub needs: Needs,
    /// Whether a selection depends on the owner.
    pub selects_by_process: bool,
    /// The host names to resolve.
    pub hosts: Vec<String>,
    /// What must be remembered from one collection to the next.
    pub tracking: Arc<Tracking>,
    /// Whether a collection makes tables of the per-connection views.
    pub makes_tables: bool,
    groups: Vec<Group>,
}

/// Views that show the same sockets.
#[derive(Clone, Debug)]
struct Group {
    protocol: &'static Protocol,
    selection: Expression,
    states: StateSet,
    /// Those that each collection makes again.
    views: Vec<usize>,
    /// Whether the ledger follows the sockets of any view here.
    tracked: bool,
}

impl Group {
    /// A socket that is followed must be seen in every state that has counters.
    fn dumped(&self) -> StateSet {
        if self.tracked { self.states.union(self.protocol.connections) } else { self.states }
    }
}

/// The plan for the sockets of a protocol in one collection, with the addresses that hosts have now.
#[derive(Clone, Debug)]
pub struct Program {
    /// The protocol.
    pub protocol: &'static Protocol,
    /// What to ask of the kernel; `None` if no view wants any socket.
    pub request: Option<Request>,
    /// What to do with each reply, for views that each collection makes again.
    pub routes: Vec<Route>,
    /// Which sockets the aggregated views want, in their order.
    pub aggregated: Vec<Wanted>,
    /// Which sockets are worth following: any of these.
    pub track_if: Vec<Expression>,
    /// Whether the number of sockets in `TIME_WAIT` is all that is asked of them.
    pub counts_time_wait: bool,
}

/// Which sockets an aggregated view wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Only sockets in these states.
    pub states: StateSet,
    /// Only sockets that pass; `None` for all.
    pub test: Option<Expression>,
    /// Listeners that pass have connections that all do.
    pub listener: Expression,
}

/// Which sockets go to which views.
#[derive(Clone, Debug)]
pub struct Route {
    /// Only sockets in these states.
    pub states: StateSet,
    /// Only sockets that pass; `None` if the kernel has judged already.
    pub test: Option<Expression>,
    /// The numbers of the views.
    pub views: Vec<usize>,
}

/// Whether a socket is in one of these states and passes.
#[inline]
fn passes(states: StateSet, test: Option<&Expression>, facts: &Facts<'_>) -> bool {
    states.contains(facts.state) && test.is_none_or(|test| test.accepts(facts))
}

impl Wanted {
    /// Whether the view wants a socket.
    #[inline]
    pub(crate) fn wants(&self, facts: &Facts<'_>) -> bool {
        passes(self.states, self.test.as_ref(), facts)
    }

    /// Whether the view wants every connection that a listener will accept.
    pub(crate) fn announces(&self, listener: &Facts<'_>) -> bool {
        self.states.contains(listener.state) && self.listener.accepts(listener)
    }
}

impl Route {
    /// Whether the views want a socket.
    #[inline]
    pub(crate) fn wants(&self, facts: &Facts<'_>) -> bool {
        passes(self.states, self.test.as_ref(), facts)
    }
}

impl Plan {
    /// The plan of a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let views = config.views;
        let mut groups: Vec<Group> = Vec::new();
        for (number, view) in views.iter().enumerate() {
            for ProtocolStates { protocol, states } in view.protocols.iter().copied() {
                let selection = view.selection_of(protocol);
                let same = |group: &Group| {
                    group.protocol == protocol && group.selection == selection && group.states == states
                };
                let at = groups.iter().position(same).unwrap_or(groups.len());
                if at == groups.len() {
                    groups.push(Group { protocol, selection, states, views: Vec::new(), tracked: false });
                }
                if let Some(group) = groups.get_mut(at) {
                    group.tracked |= view.is_tracked();
                    group.views.extend((!view.aggregates).then_some(number));
                }
            }
        }
        let mut protocols = Vec::new();
        for group in &groups {
            if !protocols.contains(&group.protocol) {
                protocols.push(group.protocol);
            }
        }
        if protocols.is_empty() {
            // Without a view, the kernel is asked whether it would answer.
            protocols.push(PROTOCOL);
        }
        let events = config.collect.events;
        let selects_by_process = groups.iter().any(|group| group.selection.needs().has(Needs::PROCESSES));
        let mut hosts: Vec<_> =
            groups.iter().flat_map(|group| group.selection.hosts()).map(str::to_owned).collect();
        hosts.sort_unstable();
        hosts.dedup();
        Self {
            protocols,
            legacy_meta: config.legacy_meta,
            names: config.names,
            collect: config.collect,
            needs: views.iter().map(View::needs).collect(),
            selects_by_process,
            hosts,
            tracking: Arc::new(Tracking::new(&views, events)),
            makes_tables: true,
            groups,
            views: views.into(),
        }
    }

    /// How long a collection may search for owners: the dump must have time left, however many processes there are.
    pub(crate) fn owner_time(&self) -> std::time::Duration {
        self.collect.owners.min(self.collect.deadline / 2)
    }

    /// The same plan for collections to which the kernel reports every connection: only then is it known which
    /// of them are new.
    pub(crate) fn with_all_connections(&self) -> Self {
        let mut plan = self.clone();
        for protocol in &self.protocols {
            let groups = self.groups.iter().filter(|group| group.protocol == *protocol);
            let states = groups.fold(protocol.connections, |all, group| all.union(group.states));
            let selection = Expression::Always;
            plan.groups.push(Group { protocol, selection, states, views: Vec::new(), tracked: true });
            Arc::make_mut(&mut plan.tracking).track_if.push((protocol, Expression::Always));
        }
        plan
    }

    /// The same plan for collections whose sockets go to sinks alone: no table is made of them, and none is tracked from one
    /// to the next.
    pub(crate) fn for_sinks(mut self) -> Self {
        Arc::make_mut(&mut self.tracking).track_if.clear();
        Self { makes_tables: false, ..self }
    }

    /// Whether a view of this plan shows the same as one of another plan.
    pub(crate) fn shows_as(&self, view: &View, other: &View, plan: &Self) -> bool {
        let (own, others) = (&self.names, &plan.names);
        view == other
            && view.by.iter().all(|label| match label {
                Property::RemoteNetwork => own.networks == others.networks,
                Property::PathName => own.paths == others.paths,
                _ => true,
            })
    }

    /// Whether owners are found in the same way as under another plan.
    pub(crate) fn attributes_as(&self, other: &Self) -> bool {
        let (processes, owners) = (Needs::PROCESSES, [Needs::PROCESSES, Needs::CGROUPS]);
        // One table of processes serves both, if it reads cgroups for both or for none.
        self.reads_cgroups_of_processes() == other.reads_cgroups_of_processes()
            && (self.needs.has(processes) && other.needs.has(processes)
                || owners.map(|what| self.needs.has(what)) == owners.map(|what| other.needs.has(what)))
    }

    /// Whether a view asks for the cgroup of sockets of which the kernel reports none.
    pub(crate) fn reads_cgroups_of_processes(&self) -> bool {
        let reports = |protocol: &Protocol| protocol.has(Attribute::Cgroup);
        self.views.iter().any(|view| view.needs().has(Needs::CGROUPS) && !view.protocols().all(reports))
    }

    /// Whether a label or a condition is known only after two collections.
    #[must_use]
    pub fn compares_samples(&self) -> bool {
        self.needs.has(Needs::BOTTLENECK)
    }

    /// Whether the program differs from one network namespace to another.
    pub(crate) fn depends_on_netns(&self) -> bool {
        self.groups.iter().any(|group| group.selection.needs().has(Needs::NETNS))
    }

    /// What is asked for that needs capabilities, on any host.
    #[must_use]
    pub fn features(&self) -> Vec<Feature> {
        let elsewhere = self.collect.reads_other_namespaces();
        let asked = [
            (self.needs.has(Needs::PROCESSES), Feature::Processes),
            (elsewhere, Feature::Namespaces),
            (elsewhere && self.tracking.needs_events(), Feature::NamespaceEvents),
            (self.needs.has(Needs::MARKS), Feature::Marks),
        ];
        asked.into_iter().filter_map(|(asked, feature)| asked.then_some(feature)).collect()
    }

    /// Whether a label, a condition or a metric of any view is read from the attribute.
    #[must_use]
    pub fn asks_for(&self, attribute: Attribute) -> bool {
        self.protocols
            .iter()
            .any(|protocol| protocol.has(attribute) && self.extensions(protocol).0.contains(attribute))
    }

    /// The programs for a collection at which names stand for this, one for each protocol.
    pub(crate) fn programs(&self, lookup: &impl Lookup) -> Vec<Arc<Program>> {
        self.protocols.iter().map(|protocol| Arc::new(self.program(protocol, lookup))).collect()
    }

    fn program(&self, protocol: &'static Protocol, lookup: &impl Lookup) -> Program {
        let lookup = &OfProtocol { lookup, protocol };
        let groups: Vec<_> = self.groups.iter().filter(|group| group.protocol == protocol).collect();
        let resolved: Vec<_> = groups.iter().map(|group| group.selection.resolve(lookup)).collect();
        let judge = if lookup.judges_cgroups() { Judge::Everything } else { Judge::EverythingButCgroups };
        let splits: Vec<_> = groups
            .iter()
            .zip(&resolved)
            .map(|(group, resolved)| {
                // A socket that the kernel once reported must not vanish from later dumps.
                let never_changes = group.tracked.then(|| {
                    let changes = protocol.reconnects();
                    let selection = if changes { &Expression::Always } else { &group.selection };
                    split(selection, Judge::WhatNeverChanges)
                });
                never_changes.unwrap_or_else(|| split(resolved, judge))
            })
            .collect();
        let filter = Filter::Any(splits.iter().map(|split| split.filter.clone()).collect());
        let anything = splits.iter().any(|split| split.filter != Filter::Never);
        let everything = splits.iter().any(|split| split.filter == Filter::Always);
        // A program that is too long for the kernel is user space's work.
        let compiled = (protocol.takes_filter && !everything).then(|| compile(&filter).ok()).flatten();
        let judged = groups.len() == 1 && (everything || compiled.is_some());
        let aggregated = self.views.iter().filter(|view| view.aggregates).map(|view| {
            let selection = view.selection_of(protocol);
            Wanted {
                states: view.states_of(protocol),
                test: Some(selection.resolve(lookup)).filter(|test| *test != Expression::Always),
                listener: selection.of_every_connection(),
            }
        });
        let routes = groups.iter().zip(resolved).zip(splits).map(|((group, selection), split)| Route {
            states: group.states,
            test: if judged && !group.tracked { split.residual } else { Some(selection) },
            views: group.views.clone(),
        });
        let asked = groups.iter().fold(StateSet::NONE, |all, group| all.union(group.dumped()));
        let states = asked.intersection(protocol.states);
        let (of_all, of_listeners) = self.extensions(protocol);
        let request = Request { of_listeners, filter: compiled, ..Request::new(protocol, states, of_all) };
        let track_if = self.tracking.track_if.iter().filter(|(of, _)| *of == protocol);
        Program {
            protocol,
            request: anything.then_some(request),
            routes: routes.filter(|route| !route.views.is_empty()).collect(),
            aggregated: aggregated.collect(),
            track_if: track_if.map(|(_, track_if)| track_if.resolve(lookup).in_any_cgroup()).collect(),
            // What is left of FIN_WAIT2 is in the kernel's count, and must be shown to be taken off.
            counts_time_wait: self.counts_time_wait(protocol) && asked.contains(State::FinWait2),
        }
    }

    /// Whether nothing is asked of sockets in `TIME_WAIT` but how many there are.
    fn counts_time_wait(&self, protocol: &Protocol) -> bool {
        let waits = |of: &Protocol, states: StateSet| *of == *protocol && states.contains(State::TimeWait);
        let mut asking =
            self.views.iter().filter(|view| waits(protocol, view.states_of(protocol))).peekable();
        let tracked = self.groups.iter().any(|group| group.tracked && waits(group.protocol, group.states));
        asking.peek().is_some()
            && !tracked
            && asking.all(|view| {
                view.aggregates
                    && view.selection_of(protocol) == Expression::Always
                    && view.by == [Property::State]
                    && view.columns.iter().all(|column| column.metric.source.quantity == Quantity::Sockets)
            })
    }

    /// What is asked of all sockets of a protocol, and what of its listeners beside that.
    fn extensions(&self, protocol: &Protocol) -> (Extensions, Extensions) {
        let views = self.views.iter().filter(|view| view.protocols().any(|of| of == protocol));
        let (mut of_all, mut of_listeners) = (self.needs.extensions, Extensions::NONE);
        if !self.tracking.track_if.is_empty() {
            // Without it, what is left of a socket looks like one.
            of_all = of_all.union(Extensions::INFO);
        }
        for source in views.flat_map(|view| &view.columns).map(|column| column.metric.source) {
            let asked = if source.quantity.is_of_listeners() { &mut of_listeners } else { &mut of_all };
            *asked = asked.union(source.extensions());
        }
        (of_all, of_listeners)
    }
}

#[cfg(test)]
mod tests;
