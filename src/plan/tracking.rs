//! What must be remembered of sockets, so that folded views have a past.
//!
//! Refuses to know how it is remembered.

use std::collections::BTreeSet;

use crate::config::{CONNECTIONS, View};
use crate::exposition::LabelBuffer;
use crate::fold::{CumulativeTable, Feed, Shape};
use crate::metrics::{Fold, Kind, Quantity, Source};
use crate::properties::{Property, Stability};
use crate::select::Expression;
use crate::sockdiag::State;

/// The label text of what finds no room.
const OTHER: &[u8] = b"other";

/// What is remembered.
#[derive(Clone, Debug)]
pub struct Tracking {
    /// The folded views.
    pub folded: Vec<Folded>,
    /// The counters that any of them shows, each once.
    pub counters: Vec<Source>,
    /// The readings of which any of them has a histogram, each once.
    pub readings: Vec<Source>,
    /// Which sockets are followed: any that one of these accepts at first sight. Empty if none is.
    pub track_if: Vec<Expression>,
    /// Whether a row of a per-connection view may hold several connections that are followed.
    pub condenses: bool,
    /// Whether the listeners of the host must be known.
    pub listeners: bool,
    /// Whether the kernel's events of closing sockets are of use.
    pub events: bool,
}

/// A folded view.
#[derive(Clone, Debug)]
pub struct Folded {
    /// Its number among the views.
    pub view: usize,
    /// Its number among those that the ledger follows, if its rows have a past.
    pub followed: Option<usize>,
    /// How long a socket stays in one row.
    pub stability: Stability,
    /// Whether its selection asks for owners.
    pub by_owner: bool,
    /// The columns that each collection makes anew, with their source.
    pub amounts: Vec<(usize, Source)>,
    /// Whether a row can be named after a listener, before there is a connection.
    pub announced: bool,
}

impl Tracking {
    pub(super) fn new(views: &[View], events: bool) -> Self {
        let needs_events = |view: &View| view.stays() || view.condenses() || view.needs_listeners();
        let mut tracking = Self {
            folded: Vec::new(),
            counters: Vec::new(),
            readings: Vec::new(),
            track_if: Vec::new(),
            condenses: views.iter().any(View::condenses),
            listeners: false,
            events: events && views.iter().any(needs_events),
        };
        let mut followed = 0;
        for (number, view) in views.iter().enumerate() {
            // A connection that no dump shows belongs to whom its listener does.
            let asks_for_owner = view.needs_processes() || view.needs_cgroups();
            tracking.listeners |= view.needs_listeners() || view.stays() && asks_for_owner;
            if view.is_followed() {
                tracking.track_if.push(view.selection.at_any_time());
            }
            if view.folds {
                tracking.add(number, view, &mut followed);
            } else if view.condenses() {
                let counters = view.columns.iter().filter(|column| column.kind == Kind::Counter);
                counters.for_each(|column| tracking.count(column.metric.source));
            }
        }
        tracking
    }

    fn add(&mut self, number: usize, view: &View, followed: &mut usize) {
        for column in &view.columns {
            let source = column.metric.source;
            match column.fold {
                Fold::Gain if !matches!(source.quantity, Quantity::Opened | Quantity::Closed) => {
                    self.count(source)
                }
                Fold::Histogram(_) if !self.readings.contains(&source) => self.readings.push(source),
                _ => {}
            }
        }
        let amounts = view.columns.iter().enumerate().filter(|(_, column)| !column.fold.stays());
        let folded = Folded {
            view: number,
            followed: view.stays().then_some(*followed),
            stability: if CONNECTIONS.is_within(view.states) {
                view.by
                    .iter()
                    .map(|label| label.stability())
                    .max()
                    .max(Some(view.selection.stability()))
                    .unwrap_or(Stability::Fixed)
            } else {
                Stability::Changing
            },
            by_owner: view.selection.needs_processes(),
            amounts: amounts.map(|(number, column)| (number, column.metric.source)).collect(),
            announced: view.stays()
                && !view.by.is_empty()
                && view.by.iter().all(|label| label.is_of_listener()),
        };
        *followed += usize::from(view.stays());
        self.folded.push(folded);
    }

    fn count(&mut self, counter: Source) {
        if !self.counters.contains(&counter) {
            self.counters.push(counter);
        }
    }

    /// Whether nothing is remembered: every collection stands alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty() && self.track_if.is_empty()
    }

    /// The ledger to begin with.
    #[must_use]
    pub fn shape(&self, views: &[View], most: usize) -> Shape {
        let folded = || self.folded.iter().enumerate();
        Shape {
            counters: self.counters.iter().map(|source| source.bits()).collect(),
            tables: folded().filter_map(|(_, folded)| Some(self.table(views.get(folded.view)?))).collect(),
            followed: folded()
                .filter(|(_, folded)| folded.followed.is_some())
                .map(|(table, _)| table)
                .collect(),
            most,
        }
    }

    fn table(&self, view: &View) -> CumulativeTable {
        let columns = view.columns.iter().map(|column| {
            let source = column.metric.source;
            let number = |list: &[Source]| list.iter().position(|one| *one == source).unwrap_or(list.len());
            let feed = match (&column.fold, source.quantity) {
                (Fold::Gain, Quantity::Opened) => Feed::Opened,
                (Fold::Gain, Quantity::Closed) => Feed::Closed,
                (Fold::Gain, _) => Feed::Counter(number(&self.counters)),
                (Fold::Histogram(_), _) => Feed::Reading(number(&self.readings)),
                _ => Feed::Amount,
            };
            (feed, column.cells())
        });
        let other = LabelBuffer::of(view.by.iter().map(|_| OTHER));
        let idle = if view.stays() { view.idle.as_secs() } else { 0 };
        let limit = view.limit.unwrap_or(usize::MAX);
        CumulativeTable::new(
            columns.collect(),
            other.packed(),
            limit,
            u32::try_from(idle).unwrap_or(u32::MAX),
        )
    }
}

/// The keys that a view's rows can have, if they are few and known.
#[must_use]
pub fn known_keys(view: &View) -> Vec<Vec<u8>> {
    match view.by.as_slice() {
        [] => vec![Vec::new()],
        [label] => {
            let shown: BTreeSet<_> = State::ALL
                .into_iter()
                .filter(|state| view.states.contains(*state))
                .map(State::name)
                .collect();
            let values = label.values().unwrap_or_default().into_iter();
            let values = values.filter(|value| *label != Property::State || shown.contains(value));
            values.map(|value| LabelBuffer::of([value]).packed().to_vec()).collect()
        }
        _ => Vec::new(),
    }
}
