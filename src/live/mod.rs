//! The sockets of this host as they are now, for people and programs that ask again and again.
//!
//! What is asked within a second is answered from one look at the host; two looks tell rates. Refuses to know who asks
//! and over what.

mod figure;
mod html;
mod page;
mod query;
mod rate;
mod summary;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::collect::{Memory, World, collect};
use crate::config::Config;
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::select::{Expression, parse};
use crate::sockdiag::StateSet;
use crate::sockets::{self, Detail, List};

pub use page::{Exporter, page, policy};
pub use query::Query;
use rate::Counters;

/// A look at the host is shared by all who ask within this time, and then forgotten.
const SHARED: Duration = Duration::from_secs(1);
/// The time between the two first looks, of which a rate is made.
const FIRST: Duration = Duration::from_millis(250);
/// So many questions have the counters of their last looks kept.
const MOST_KEPT: usize = 8;
/// A rate over more than this time would not be about now.
const LONGEST: Duration = Duration::from_mins(1);

/// What was seen at one look.
#[derive(Debug)]
pub struct Look {
    /// Every socket that the filter lets through.
    pub sockets: List,
    /// Bytes a second of each, in the same order.
    pub rates: Vec<Option<rate::Rate>>,
    /// When it was.
    pub at: SystemTime,
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

/// A filter, and what is asked of the sockets that it lets through.
type Question = (String, Detail);

struct State {
    memory: Memory,
    /// What is shared now, and since when.
    shared: Vec<(Question, Instant, Arc<Look>)>,
    /// The counters of the last look at each, the latest last.
    before: VecDeque<(Question, Instant, Counters)>,
}

impl<W: World> Live<W> {
    /// Looks at this world, with the networks and namespaces of a configuration.
    pub fn new(world: W, config: &Config, privileges: Privileges) -> Self {
        let config = Config { views: Vec::new(), ..config.clone() };
        let plan = plan_of(Expression::Always, Detail::Glance, &config);
        let memory = Memory::of_one(&plan, privileges);
        let state = State { memory, shared: Vec::new(), before: VecDeque::new() };
        Self { world, config, state: Mutex::new(state) }
    }

    /// The sockets that pass a filter, as they were at most a second ago; all of them if it says nothing.
    ///
    /// It takes as long as a collection, and waits for others.
    ///
    /// # Errors
    /// If the filter is not valid, in words for people.
    pub fn look(&self, filter: &str, detail: Detail) -> Result<Arc<Look>, Refusal> {
        let question = (filter.trim().to_owned(), detail);
        let selection = self.selection(&question.0)?;
        let mut state = lock(&self.state);
        state.forget();
        if let Some((.., look)) = state.shared.iter().find(|(known, ..)| *known == question) {
            return Ok(Arc::clone(look));
        }
        let plan = Arc::new(plan_of(selection, detail, &self.config));
        let privileges = state.memory.privileges();
        state.memory.adopt(&plan, &self.world, privileges);
        let known = state.before.iter().position(|(known, ..)| *known == question);
        let known =
            known.and_then(|place| state.before.remove(place)).map(|(_, then, before)| (then, before));
        let (then, before) = known.unwrap_or_else(|| {
            let (began, sockets) = self.take(&plan, &mut state);
            std::thread::sleep(FIRST);
            (began, Counters::of(&sockets))
        });
        let (began, sockets) = self.take(&plan, &mut state);
        let counters = Counters::of(&sockets);
        let rates = counters.since(&before, began.duration_since(then));
        let look = Arc::new(Look { sockets, rates, at: SystemTime::now() });
        while state.before.len() >= MOST_KEPT {
            state.before.pop_front();
        }
        state.before.push_back((question.clone(), began, counters));
        state.shared.push((question, Instant::now(), Arc::clone(&look)));
        Ok(look)
    }

    fn take(&self, plan: &Plan, state: &mut State) -> (Instant, List) {
        let began = Instant::now();
        (began, List::of(collect(plan, &self.world, &mut state.memory)))
    }

    /// Lets go of what is no longer shared.
    pub fn forget(&self) {
        lock(&self.state).forget();
    }

    fn selection(&self, filter: &str) -> Result<Expression, Refusal> {
        if filter.is_empty() {
            return Ok(Expression::Always);
        }
        let selection = parse(filter, &self.config.networks)
            .map_err(|mistake| Refusal(format!("The filter is not valid: {}", mistake.told_of(filter))))?;
        let host = selection.hosts().next().map(str::to_owned);
        host.map_or(Ok(selection), |host| {
            Err(Refusal(format!("The filter names the host {host:?}; allowed: addresses and networks")))
        })
    }
}

impl State {
    /// Forgets what is no longer shared, and counters of which no rate would be about now.
    fn forget(&mut self) {
        self.shared.retain(|(_, since, _)| since.elapsed() < SHARED);
        self.before.retain(|(_, since, _)| since.elapsed() < LONGEST);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic ends the program, so that nobody finds it in pieces.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every state, unless the filter names some.
fn plan_of(selection: Expression, detail: Detail, config: &Config) -> Plan {
    let states = if selection.mentions_states() { None } else { Some(StateSet::NONE.complement()) };
    sockets::plan(selection, states, detail, config.clone())
}
