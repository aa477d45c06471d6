//! What is asked of a source of sockets, and what it answers.

use std::time::{Duration, SystemTime};

use crate::listing::{Listing, Number, Rate, Row};
use crate::metrics::named;
use crate::problems::Problem;
use crate::properties::Property;
use crate::self_metrics::OwnerShortage;
use sockdiag::{Protocol, State};

/// Which sockets are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    /// The protocols.
    pub protocols: Vec<&'static Protocol>,
    /// The filter, in the language of `ss`; all sockets pass an empty one.
    pub filter: String,
}

/// What the screen needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// Which sockets.
    pub chosen: Chosen,
    /// By which metric or rate a source sorts that sends only the first sockets; `-` in front for the greatest first.
    pub sort: String,
    /// The socket whose details are shown.
    pub details: Option<ObservedId>,
    /// Whether nothing is to be collected until a key says so.
    pub paused: bool,
}

/// Which socket details are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedId {
    /// A filter that it passes, and few others do.
    pub filter: String,
    /// The label `cookie`.
    pub cookie: String,
}

/// What a source answers.
pub enum Collected {
    /// The sockets that were chosen.
    Sockets {
        /// Which sockets.
        chosen: Chosen,
        /// The sockets, or why there are none.
        found: Result<Box<dyn ObservedSockets + Send>, NotCollected>,
    },
    /// All that is known of the socket with the details.
    Details {
        /// Which one.
        id: ObservedId,
        /// The socket, if it still exists.
        found: Result<Option<ObservedSocket>, NotCollected>,
    },
}

/// A socket, and what it does per second.
pub type ObservedSocket = (Row, Option<Rate>);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCollected {
    /// The filter is not valid.
    Filter(String),
    /// The source has failed.
    Source(String),
}

/// From so many seconds between two collections on, the screen says why there are no more.
const SLOW: u64 = 3;

/// The sockets of one time.
pub trait ObservedSockets {
    /// When it was.
    fn at(&self) -> SystemTime;
    /// How many can be shown.
    fn count(&self) -> usize;
    /// How many pass the filter.
    fn total(&self) -> usize;
    /// All that was collected of a socket.
    fn row(&self, index: usize) -> Option<Row>;
    /// The text of a label of a socket.
    fn text(&self, index: usize, label: Property) -> String;
    /// The values of a metric.
    fn values<'s>(&'s self, metric: &'static str) -> Box<dyn Fn(usize) -> Option<f64> + 's>;
    /// What a socket does per second.
    fn rate(&self, index: usize) -> Option<Rate>;
    /// How many sockets are in a state.
    fn in_state(&self, state: State) -> u64;
    /// What is missing, in one sentence.
    fn shortage(&self) -> Option<String>;
    /// What is wrong, the most severe first.
    fn problems(&self) -> &[Problem];
}

/// A listing of this host, and what is wrong on it.
pub struct ObservedListing {
    /// The sockets.
    pub listing: Listing,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The minimum time between two listings, because each takes long.
    pub pause: Duration,
}

impl ObservedSockets for ObservedListing {
    fn at(&self) -> SystemTime {
        self.listing.at
    }

    fn count(&self) -> usize {
        self.listing.sockets.len()
    }

    fn total(&self) -> usize {
        self.listing.sockets.len() + self.listing.sockets.left_out()
    }

    fn row(&self, index: usize) -> Option<Row> {
        self.listing.sockets.row(index)
    }

    fn text(&self, index: usize, label: Property) -> String {
        self.listing.sockets.get(index).map(|socket| socket.text(label)).unwrap_or_default()
    }

    fn values<'s>(&'s self, metric: &'static str) -> Box<dyn Fn(usize) -> Option<f64> + 's> {
        let column = self.listing.sockets.column(named(metric));
        Box::new(move |index| column(&self.listing.sockets.get(index)?).map(Number::real))
    }

    fn rate(&self, index: usize) -> Option<Rate> {
        self.listing.rates.get(index).copied().flatten()
    }

    fn in_state(&self, state: State) -> u64 {
        self.listing.sockets.in_state(state)
    }

    fn shortage(&self) -> Option<String> {
        let shortage = self.listing.sockets.owner_shortage();
        let mut missing = self.listing.sockets.incomplete().map(|stage| match (stage, shortage) {
            ("processes", Some(OwnerShortage::Hidden)) => {
                "Some owners are unknown: their processes are hidden."
            }
            ("processes", _) => "Some owners are unknown: not all processes could be inspected in time.",
            ("namespaces", _) => "Some sockets are missing: a network namespace could not be read.",
            _ => "Some sockets are missing: the kernel did not report all of them in time.",
        });
        let missing = missing.next().map(str::to_owned);
        let seconds = self.pause.as_secs();
        missing.or_else(|| {
            (seconds >= SLOW)
                .then(|| format!("There are so many sockets that they are collected every {seconds} s."))
        })
    }

    fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
