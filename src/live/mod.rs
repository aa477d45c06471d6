//! The sockets of this host as they are now, for people and programs that ask again and again.
//!
//! What is asked within a second is answered from one look at the host; two looks tell rates. Refuses to know who asks
//! and over what.

mod html;
mod page;
mod query;
mod rate;
mod summary;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::collect::{Memory, World, collect};
use crate::config::Config;
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::select::{Expression, Mistake, parse};
use crate::sockdiag::StateSet;
use crate::sockets::{self, Row};

pub use page::{Exporter, page, policy};
pub use query::Query;
use rate::Rates;

/// A look at the host is shared by all who ask within this time.
const SHARED: Duration = Duration::from_secs(1);
/// The time between the two first looks, of which a rate is made.
const FIRST: Duration = Duration::from_millis(250);
/// So many filters have their last looks kept.
const MOST_KEPT: usize = 8;
/// A rate over more than this time would not be about now.
const LONGEST: Duration = Duration::from_mins(1);

/// What was seen at one look.
#[derive(Debug)]
pub struct Look {
    /// Every socket that the filter lets through.
    pub rows: Vec<Row>,
    /// Bytes a second of each, in the same order.
    pub rates: Vec<Option<rate::Rate>>,
    /// Whether the kernel told of all of them.
    pub complete: bool,
    /// When it was.
    pub at: SystemTime,
    began: Instant,
    /// The counters that the next look's rates are made of.
    counters: Rates,
}

/// Why there is nothing to see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Where looks are taken from and kept.
pub struct Live<W> {
    world: W,
    config: Config,
    state: Mutex<State>,
}

struct State {
    memory: Memory,
    /// By filter, the latest last.
    looks: VecDeque<(String, Arc<Look>)>,
}

impl<W: World> Live<W> {
    /// Looks at this world, with the networks and namespaces of a configuration.
    pub fn new(world: W, config: &Config, privileges: Privileges) -> Self {
        let config = Config { views: Vec::new(), ..config.clone() };
        let plan = plan_of(Expression::Always, &config);
        let state = State { memory: Memory::of_one(&plan, privileges), looks: VecDeque::new() };
        Self { world, config, state: Mutex::new(state) }
    }

    /// The sockets that pass a filter, as they were at most a second ago; all of them if it says nothing.
    ///
    /// It takes as long as a collection, and waits for others.
    ///
    /// # Errors
    /// If the filter is not valid, in words for people.
    pub fn look(&self, filter: &str) -> Result<Arc<Look>, Refusal> {
        let filter = filter.trim();
        let selection = self.selection(filter)?;
        // A panic ends the program, so that nobody finds it in pieces.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.looks.iter().find(|(known, _)| known == filter).map(|(_, look)| Arc::clone(look));
        if let Some(look) = known.as_ref().filter(|look| look.began.elapsed() < SHARED) {
            return Ok(Arc::clone(look));
        }
        let plan = Arc::new(plan_of(selection, &self.config));
        let privileges = state.memory.privileges();
        state.memory.adopt(&plan, &self.world, privileges);
        let before = known.filter(|look| look.began.elapsed() < LONGEST).unwrap_or_else(|| {
            let first = self.take(&plan, &mut state, None);
            std::thread::sleep(FIRST);
            Arc::new(first)
        });
        let look = Arc::new(self.take(&plan, &mut state, Some(&before)));
        state.looks.retain(|(known, _)| known != filter);
        while state.looks.len() >= MOST_KEPT {
            state.looks.pop_front();
        }
        state.looks.push_back((filter.to_owned(), Arc::clone(&look)));
        Ok(look)
    }

    fn take(&self, plan: &Plan, state: &mut State, before: Option<&Look>) -> Look {
        let began = Instant::now();
        let snapshot = collect(plan, &self.world, &mut state.memory);
        let rows: Vec<Row> = sockets::rows(&snapshot).collect();
        let counters = Rates::of(&rows);
        let rates = match before {
            Some(before) => counters.since(&before.counters, began.duration_since(before.began)),
            None => Vec::new(),
        };
        let complete = snapshot.health.success();
        Look { rows, rates, complete, at: SystemTime::now(), began, counters }
    }

    fn selection(&self, filter: &str) -> Result<Expression, Refusal> {
        if filter.is_empty() {
            return Ok(Expression::Always);
        }
        let selection = parse(filter, &self.config.networks).map_err(|Mistake { at, found, allowed }| {
            let rest = filter.get(at..).map(str::trim).filter(|rest| !rest.is_empty());
            let place = rest.map_or_else(|| "its end".to_owned(), |rest| format!("{rest:?}"));
            Refusal(format!("The filter is not valid: at {place}: found {found}; allowed: {allowed}"))
        })?;
        let host = selection.hosts().next().map(str::to_owned);
        host.map_or(Ok(selection), |host| {
            Err(Refusal(format!("The filter names the host {host:?}; allowed: addresses and networks")))
        })
    }
}

/// Every state, unless the filter names some.
fn plan_of(selection: Expression, config: &Config) -> Plan {
    let states = if selection.mentions_states() { None } else { Some(StateSet::NONE.complement()) };
    sockets::plan(selection, states, config.clone())
}
