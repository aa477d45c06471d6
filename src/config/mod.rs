//! The configuration file: what to show, checked as a whole, every mistake of it at once.
//!
//! Refuses to know the kernel, and every file but its own.

use std::time::Duration;

use entry::{Entry, Name, Section};
use mistakes::Mistakes;
use node::{Node, Unreadable};

use crate::attribute::{Networks, Which};
use crate::metrics::{Aggregation, Kind, Metric};
use crate::properties::Property;
use crate::select::Expression;
use crate::sockdiag::StateSet;

mod collect;
mod duration;
mod effective;
pub(crate) mod entry;
pub(crate) mod mistakes;
mod networks;
pub(crate) mod node;
mod seed;
mod size;
mod states;
#[cfg(test)]
mod tests;
mod views;
mod worst_case;

pub use mistakes::Error;
pub use states::CONNECTIONS;
pub use worst_case::{WorstCase, worst_cases};

/// The file that counts if there is none.
pub const DEFAULT_FILE: &str = include_str!("default.yml");

const CNFG: Name = &["cnfg"];
const COLLECT: Name = &["collect"];
const LOGIC: Name = &["logic"];
const NETWORK_PREFIX: Name = &["network_prefix"];
const NETWORKS: Name = &["networks"];
const SELECTION: Name = &["selection"];
const VIEWS: Name = &["views"];

/// A whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The views, in the order in which they are exposed.
    pub views: Vec<View>,
    /// Whether the collection metrics of the predecessor's 3.x are exposed.
    pub seed_meta: bool,
    /// The networks with names.
    pub networks: Networks,
    /// How to collect.
    pub collect: Collect,
    /// What is odd and harmless, one sentence each.
    pub warnings: Vec<String>,
}

/// How to collect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    /// How long a collection may take.
    pub deadline: Duration,
    /// At most one observation of a socket's readings in such a period.
    pub observe: Duration,
    /// Whether to listen to the kernel's events of closing sockets.
    pub events: bool,
    /// The kernel's buffer for these events, in bytes.
    pub event_buffer: usize,
    /// The most sockets that the ledger remembers.
    pub tracked: usize,
    /// How long a collection may look for the owners of sockets.
    pub owners: Duration,
    /// Which network namespaces to look at.
    pub netns: Which,
}

impl Collect {
    /// Whether to look at other network namespaces than the own one.
    #[must_use]
    pub fn looks_elsewhere(&self) -> bool {
        self.netns != Which::Own
    }

    /// What counts where the file says nothing.
    pub const DEFAULT: Self = Self {
        deadline: Duration::from_secs(5),
        observe: Duration::from_secs(15),
        events: true,
        event_buffer: 32 * 1024 * 1024,
        tracked: 1 << 20,
        owners: Duration::from_secs(1),
        netns: Which::Own,
    };
}

/// A named question: a selection of sockets, the labels to fold them by, the metrics to show.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The name in messages and in `ss_exporter_*` labels.
    pub name: String,
    /// Which sockets it shows.
    pub selection: Expression,
    /// Only sockets in these states.
    pub states: StateSet,
    /// What its rows are keyed by; empty for one row over all sockets.
    pub by: Vec<Property>,
    /// What its rows show.
    pub columns: Vec<Column>,
    /// The most rows to show; `None` for no limit.
    pub limit: Option<usize>,
    /// Whether rows beyond the limit fold into one whose labels are all `other`; else they are left out.
    pub folds: bool,
    /// How long a row that has accumulated something is shown after its last socket.
    pub idle: Duration,
}

impl View {
    /// Whether every row is one flow.
    #[must_use]
    pub fn is_of_flows(&self) -> bool {
        let has = |label| self.by.contains(&label);
        let ends =
            [Property::LocalAddress, Property::LocalPort, Property::RemoteAddress, Property::RemotePort];
        ends.into_iter().all(has) || has(Property::Flow)
    }

    /// Whether a row holds the counters of all connections of one process to one endpoint.
    #[must_use]
    pub fn condenses(&self) -> bool {
        let counts = self.columns.iter().any(|column| column.kind == Kind::Counter);
        counts && self.by.contains(&Property::FlowOfProcess)
    }

    /// Whether it shows connections without a word of their states.
    #[must_use]
    pub fn is_of_connections(&self) -> bool {
        self.states == CONNECTIONS && !self.by.contains(&Property::State)
    }

    /// Whether the listeners of the host must be known for it.
    #[must_use]
    pub fn needs_listeners(&self) -> bool {
        self.by.iter().any(|label| label.needs_listeners()) || self.selection.needs_listeners()
    }

    /// Whether the owners of its sockets must be known.
    #[must_use]
    pub fn needs_processes(&self) -> bool {
        self.by.iter().any(|label| label.needs_processes()) || self.selection.needs_processes()
    }

    /// Whether the paths of its sockets' cgroups must be known.
    #[must_use]
    pub fn needs_cgroups(&self) -> bool {
        self.by.iter().any(|label| label.needs_cgroups()) || self.selection.needs_cgroups()
    }

    /// Whether the ledger must follow its sockets: for their past, for what was so at first sight, or for who
    /// held a socket that nobody holds any more.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.stays() || self.needs_listeners() || self.needs_processes()
    }

    /// Whether its rows have a past.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.columns.iter().any(|column| column.aggregation.is_cumulative())
    }
}

/// A metric as a view shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The line of the table.
    pub metric: &'static Metric,
    /// The exposed name.
    pub name: String,
    /// The exposed help.
    pub help: String,
    /// The exposed type.
    pub kind: Kind,
    /// How many of the column's units make one base unit: 1000 for milliseconds.
    pub per_base: f64,
    /// How sockets become one cell.
    pub aggregation: Aggregation,
}

impl Config {
    /// The configuration that a text describes.
    ///
    /// # Errors
    /// Names every mistake in the text, its position, what was found and what is allowed.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Error> {
        let mistakes = Mistakes::of(file_name);
        let config = match Node::read(text) {
            Ok(node) => Self::read(&Entry::root(&node, &mistakes)),
            Err(Unreadable { place, reason }) => {
                mistakes.mistake(
                    place,
                    "",
                    &format!("found what is no YAML: {reason}; expected: one YAML map"),
                );
                Self::empty()
            }
        };
        Ok(Self { warnings: mistakes.settle()?, ..config })
    }

    /// The configuration of [`DEFAULT_FILE`].
    #[must_use]
    pub fn built_in() -> Self {
        // A test proves that the file has no mistake.
        Self::parse("built-in", DEFAULT_FILE).unwrap_or_else(|_| Self::empty())
    }

    fn empty() -> Self {
        Self {
            views: Vec::new(),
            seed_meta: false,
            networks: Networks::default(),
            collect: Collect::DEFAULT,
            warnings: Vec::new(),
        }
    }

    fn read(root: &Entry<'_>) -> Self {
        let mut config = Self::empty();
        if !root.is_null() && !root.is_map() {
            root.refuse("a map with the key views or logic");
            return config;
        }
        let file = root.section(&[VIEWS, NETWORKS, NETWORK_PREFIX, COLLECT, LOGIC, SELECTION, CNFG]);
        config.networks = networks::read(file.filled(NETWORKS), file.filled(NETWORK_PREFIX));
        config.collect = file.filled(COLLECT).map_or(Collect::DEFAULT, collect::read);
        let views = file.filled(VIEWS).map(|views| views::read(views, &config.networks)).unwrap_or_default();
        let seed = seed(&file);
        // Who misspelled the key has been told so.
        if seed.is_none() && views.is_empty() && root.faultless() {
            root.mistake(
                "found nothing to show; expected: the key views or logic, with what to show under it",
            );
        }
        if let Some(seed) = seed {
            config.views = seed.views;
            config.seed_meta = seed.meta;
        }
        config.views.extend(views);
        config
    }
}

/// What the predecessor's keys ask for, wherever they stand.
fn seed(file: &Section<'_>) -> Option<seed::Seed> {
    let wrapped = file.get(CNFG).map(|cnfg| cnfg.clone().lenient().section(&[LOGIC, SELECTION]));
    let wrapped = |name| wrapped.as_ref().and_then(|section| section.get(name));
    let logic = entry::either(file.get(LOGIC), wrapped(LOGIC));
    let selection = entry::either(file.get(SELECTION), wrapped(SELECTION));
    if let (None, Some(selection)) = (logic, selection.filter(|selection| !selection.is_null())) {
        selection.mistake("found a selection without logic; expected: beside logic, and select in each view");
    }
    let selection = selection.map(|selection| selection.clone().lenient());
    logic.map(|logic| seed::read(&logic.clone().lenient(), selection.as_ref()))
}
