//! The last listings, kept for clients that ask often: one answers all requests of a second, and two give rates.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::rates::{Counters, Rate};
use super::{Detail, ListedSockets, Row, SocketList, States, room};
use crate::attribute::ConfiguredNames;
use crate::bottleneck::MIN_INTERVAL;
use crate::collection::{CollectorState, Host};
use crate::config::Collect;
use crate::plan::Plan;
use crate::properties::Property;
use crate::select::{Expression, parse};
use sockdiag::{Protocol, sys};

/// A listing is shared by all who ask within this time, and then forgotten.
const SHARED: Duration = Duration::from_secs(1);
/// How long after a listing its memory is given back. Pages are refreshed every ten seconds or more often, and to get the
/// memory from the kernel again takes as much as a fifth of a refresh.
const RELEASED: Duration = Duration::from_secs(15);
/// Questions of which the counters of the last listing are kept.
const MAX_KEPT: usize = 8;
/// A rate over more than this time would not be about now.
const MAX_INTERVAL: Duration = Duration::from_mins(1);

/// The sockets at one time.
#[derive(Debug)]
pub struct Listing {
    /// Every socket that the filter lets through.
    pub sockets: SocketList,
    /// Bytes per second of each, in the same order.
    pub rates: Vec<Option<Rate>>,
    /// When it was.
    pub at: SystemTime,
}

impl Listing {
    /// All of the socket with a cookie, and its rate.
    #[must_use]
    pub fn socket(&self, cookie: &str) -> Option<(Row, Option<Rate>)> {
        let mut sockets = self.sockets.iter().zip(&self.rates);
        let (socket, rate) = sockets.find(|(socket, _)| socket.text(Property::Cookie) == cookie)?;
        Some((socket.row()?, *rate))
    }
}

/// Why there is nothing to see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// What has been listed, and what filters mean.
pub struct RecentListings {
    names: Arc<ConfiguredNames>,
    collect: Collect,
    state: Mutex<State>,
}

/// Protocols, a filter, and what is asked of the sockets that it lets through.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The protocols, each once.
    pub protocols: Vec<&'static Protocol>,
    /// The filter; all sockets pass an empty one.
    pub filter: String,
    /// What is asked of each.
    pub detail: Detail,
}

#[derive(Default)]
struct State {
    /// What is shared now, and since when. Another listing takes its place, so that there is memory for one.
    shared: Option<(Question, Instant, Listing)>,
    /// The counters of the last listing of each, the latest last.
    before: VecDeque<(Question, Instant, Counters)>,
    /// When the last listing was made, until its memory is given back.
    used: Option<Instant>,
}

impl RecentListings {
    /// Nothing yet, with the names and namespaces of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let (names, collect) = (Arc::clone(&plan.names), plan.collect.clone());
        Self { names, collect, state: Mutex::default() }
    }

    /// Shows the sockets that a question is about, as they were at most a second ago.
    ///
    /// `list` lists the sockets of a plan. It takes as long as a collection, and waits for others.
    ///
    /// # Errors
    /// If the filter is not valid, or what `list` says, in words for people.
    pub fn show<T>(
        &self,
        question: Question,
        mut list: impl FnMut(&Plan) -> Result<(Instant, SocketList), Refusal>,
        show: impl FnOnce(&Listing) -> T,
    ) -> Result<T, Refusal> {
        let question = Question { filter: question.filter.trim().to_owned(), ..question };
        let sockets = self.sockets(&question)?;
        let mut state = lock(&self.state);
        state.forget();
        if let Some((.., listing)) = state.shared.as_ref().filter(|(known, ..)| *known == question) {
            return Ok(show(listing));
        }
        state.shared = None;
        let plan = super::plan(sockets, &question.detail, Arc::clone(&self.names), self.collect.clone());
        let (then, before) = if let Some(known) = state.counters(&question) {
            known
        } else {
            let (began, sockets) = list(&plan)?;
            let counters = Counters::of(&sockets);
            drop(sockets);
            std::thread::sleep(MIN_INTERVAL);
            (began, counters)
        };
        let (began, sockets) = list(&plan)?;
        let counters = Counters::of(&sockets);
        let rates = counters.since(&before, began.duration_since(then));
        let listing = Listing { sockets, rates, at: SystemTime::now() };
        let shown = show(&listing);
        state.keep(question, began, counters, listing);
        Ok(shown)
    }

    /// Lets go of what is too old for any client; whether anything is kept.
    pub fn forget(&self) -> bool {
        let mut state = lock(&self.state);
        state.forget();
        let released = state.used.take_if(|used| used.elapsed() >= RELEASED).is_some();
        let kept = state.used.is_some() || !state.before.is_empty();
        drop(state);
        if released {
            sys::release_freed_memory();
        }
        kept
    }

    /// In every state, unless the filter names some.
    fn sockets(&self, question: &Question) -> Result<ListedSockets, Refusal> {
        let sockets = ListedSockets::of(&question.protocols, States::All, self.selection(&question.filter)?);
        match sockets.obstacle() {
            Some(obstacle) => Err(Refusal(format!("The filter is not valid: {obstacle}"))),
            None => Ok(sockets),
        }
    }

    fn selection(&self, filter: &str) -> Result<Expression, Refusal> {
        if filter.is_empty() {
            return Ok(Expression::Always);
        }
        let selection = parse(filter, &self.names)
            .map_err(|error| Refusal(format!("The filter is not valid: {}", error.in_context(filter))))?;
        let host = selection.hosts().next().map(str::to_owned);
        host.map_or(Ok(selection), |host| {
            Err(Refusal(format!("The filter names the host {host:?}; expected an address or a network: names of hosts are for `select:` and `sockets`")))
        })
    }
}

impl State {
    /// Forgets what is no longer shared, and counters of which no rate would be about now.
    fn forget(&mut self) {
        self.shared.take_if(|(_, since, _)| since.elapsed() >= SHARED);
        self.before.retain(|(_, since, _)| since.elapsed() < MAX_INTERVAL);
    }

    /// Takes the counters of the last listing, and when it began.
    fn counters(&mut self, question: &Question) -> Option<(Instant, Counters)> {
        let place = self.before.iter().position(|(known, ..)| known == question)?;
        self.before.remove(place).map(|(_, then, counters)| (then, counters))
    }

    fn keep(&mut self, question: Question, began: Instant, counters: Counters, listing: Listing) {
        while self.before.len() >= MAX_KEPT {
            self.before.pop_front();
        }
        self.before.push_back((question.clone(), began, counters));
        let now = Instant::now();
        self.shared = Some((question, now, listing));
        self.used = Some(now);
    }
}

/// Lists the sockets of a plan of [`RecentListings`], beside the collections for the metrics, and says when that began.
///
/// # Errors
/// If there is no memory for it, or if the kernel holds a dump, behind which no other begins.
pub fn list(
    plan: &Plan,
    host: &impl Host,
    state: &mut CollectorState,
) -> Result<(Instant, SocketList), Refusal> {
    let Some(bytes) = room::room(host.proc(), &plan.protocols, state) else {
        let said = "The memory limit of the exporter leaves no room for a list of so many sockets.";
        return Err(Refusal(said.to_owned()));
    };
    let began = Instant::now();
    // The page and the answer say what is missing. The log belongs to the collections for the metrics.
    let silent = tracing::subscriber::NoSubscriber::default();
    // Each protocol has a table of its own.
    let bytes = bytes / plan.protocols.len().max(1);
    let listing = || SocketList::collect(plan, host, state.for_listing(plan), bytes);
    let sockets = tracing::subscriber::with_default(silent, listing);
    match sockets.stuck() {
        Some(stuck) if sockets.has_failed() => {
            Err(Refusal(format!("The kernel has been holding a dump for {stuck} s.")))
        }
        _ => Ok((began, sockets)),
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic ends the program, so that no thread finds it in pieces.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
