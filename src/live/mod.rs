//! The sockets of this host as they are now, for people and programs that ask again and again.
//!
//! What is asked within a second is answered from one look at the host; two looks tell rates. Refuses to know who asks
//! and over what.

mod figure;
mod html;
mod page;
mod query;
mod rate;
mod room;
mod summary;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::collect::{CollectorState, World, collect};
use crate::config::Config;
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::select::{Expression, parse};
use crate::sockdiag::StateSet;
use crate::sockdiag::sys;
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
    memory: CollectorState,
    /// What is shared now, and since when. Another look takes its place, so that there is memory for one.
    shared: Option<(Question, Instant, Look)>,
    /// The counters of the last look at each, the latest last.
    before: VecDeque<(Question, Instant, Counters)>,
}

impl<W: World> Live<W> {
    /// Looks at this world, with the networks and namespaces of a configuration.
    pub fn new(world: W, config: &Config, privileges: Privileges) -> Self {
        let config = Config { views: Vec::new(), ..config.clone() };
        let plan = plan_of(Expression::Always, Detail::Glance, &config);
        let memory = CollectorState::of_one(&plan, privileges);
        let state = State { memory, shared: None, before: VecDeque::new() };
        Self { world, config, state: Mutex::new(state) }
    }

    /// Shows the sockets that pass a filter, as they were at most a second ago; all of them if it says nothing.
    ///
    /// It takes as long as a collection, and waits for others.
    ///
    /// # Errors
    /// If the filter is not valid, in words for people.
    pub fn look<T>(&self, filter: &str, detail: Detail, show: impl FnOnce(&Look) -> T) -> Result<T, Refusal> {
        let question = (filter.trim().to_owned(), detail);
        let selection = self.selection(&question.0)?;
        let mut state = lock(&self.state);
        state.forget();
        if let Some((.., look)) = state.shared.as_ref().filter(|(known, ..)| *known == question) {
            return Ok(show(look));
        }
        state.shared = None;
        let room = room::room(self.world.proc(), &state.memory).ok_or_else(|| {
            Refusal(
                "The memory limit of the exporter leaves no room for a look at so many sockets.".to_owned(),
            )
        })?;
        let plan = Arc::new(plan_of(selection, detail, &self.config));
        let privileges = state.memory.privileges();
        state.memory.adopt(&plan, &self.world, privileges);
        let known = state.before.iter().position(|(known, ..)| *known == question);
        let known =
            known.and_then(|place| state.before.remove(place)).map(|(_, then, before)| (then, before));
        let (then, before) = known.unwrap_or_else(|| {
            let (began, sockets) = self.take(&plan, room, &mut state);
            std::thread::sleep(FIRST);
            (began, Counters::of(&sockets))
        });
        let (began, sockets) = self.take(&plan, room, &mut state);
        let counters = Counters::of(&sockets);
        let rates = counters.since(&before, began.duration_since(then));
        let look = Look { sockets, rates, at: SystemTime::now() };
        let shown = show(&look);
        while state.before.len() >= MOST_KEPT {
            state.before.pop_front();
        }
        state.before.push_back((question.clone(), began, counters));
        state.shared = Some((question, Instant::now(), look));
        Ok(shown)
    }

    fn take(&self, plan: &Plan, room: usize, state: &mut State) -> (Instant, List) {
        let began = Instant::now();
        // What is missing stands on the page and in the answer. The log belongs to the collections of scrapes.
        state.memory.bound(room);
        let silent = tracing::subscriber::NoSubscriber::default();
        let look = || collect(plan, &self.world, &mut state.memory);
        (began, List::of(tracing::subscriber::with_default(silent, look)))
    }

    /// Lets go of what is too old for any client; whether anything is kept.
    pub fn forget(&self) -> bool {
        let mut state = lock(&self.state);
        let freed = state.forget();
        let kept = state.shared.is_some() || !state.before.is_empty();
        drop(state);
        if freed {
            sys::release_freed_memory();
        }
        kept
    }

    fn selection(&self, filter: &str) -> Result<Expression, Refusal> {
        if filter.is_empty() {
            return Ok(Expression::Always);
        }
        let selection = parse(filter, &self.config.networks)
            .map_err(|mistake| Refusal(format!("The filter is not valid: {}", mistake.told_of(filter))))?;
        let host = selection.hosts().next().map(str::to_owned);
        host.map_or(Ok(selection), |host| {
            Err(Refusal(format!("The filter names the host {host:?}; expected an address or a network: names of hosts are for `select:` and `sockets`")))
        })
    }
}

impl State {
    /// Forgets what is no longer shared, counters of which no rate would be about now, and the owners of sockets without
    /// a client for that long; whether much was.
    fn forget(&mut self) -> bool {
        let kept = (self.shared.is_some(), self.before.len());
        self.shared.take_if(|(_, since, _)| since.elapsed() >= SHARED);
        self.before.retain(|(_, since, _)| since.elapsed() < LONGEST);
        if self.before.is_empty() {
            self.memory.forget_owners();
        }
        kept != (self.shared.is_some(), self.before.len())
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
