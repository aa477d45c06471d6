//! The configuration file: what to show, checked as a whole, with all its errors at once.
//!
//! Refuses to know the kernel, and every file but its own.

use std::sync::Arc;
use std::time::Duration;

use crate::attribute::{ConfiguredNames, Which};
use crate::legacy;
use crate::strict_yaml::{Entry, Findings, Name, Node, Unreadable};

mod collect;
mod duration;
mod effective;
mod networks;
mod paths;
mod size;
#[cfg(test)]
mod tests;
mod views;

pub use crate::strict_yaml::Error;
use crate::view::{Origin, View};

/// The configuration that is used without a file.
pub const DEFAULT_FILE: &str = include_str!("default.yml");

/// [`DEFAULT_FILE`] without the predecessor's metrics: `legacy: false` in place of its `legacy: true`.
#[must_use]
pub fn default_file_without_legacy() -> String {
    DEFAULT_FILE.replacen("\nlegacy: true\n", "\nlegacy: false\n", 1)
}

const COLLECT: Name = &["collect"];
const LEGACY: Name = &["legacy"];
const NETWORK_PREFIX: Name = &["network_prefix"];
const NETWORKS: Name = &["networks"];
const PATHS: Name = &["paths"];
const VIEWS: Name = &["views"];

/// A whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The views, in the order in which they are exposed.
    pub views: Vec<View>,
    /// Whether the collection metrics of the predecessor's 3.x are exposed.
    pub legacy_meta: bool,
    /// The networks and paths with names.
    pub names: Arc<ConfiguredNames>,
    /// How to collect.
    pub collect: Collect,
    /// What is unusual and harmless, one sentence each.
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
    /// Which network namespaces to collect.
    pub netns: Which,
}

impl Collect {
    /// Whether to read other network namespaces than the exporter's own.
    #[must_use]
    pub fn reads_other_namespaces(&self) -> bool {
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

impl Config {
    /// The configuration that a text describes.
    ///
    /// # Errors
    /// Names every error in the text, its position, what was found and what is expected.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Error> {
        let findings = Findings::of(file_name);
        let config = match Node::read(text) {
            Ok(node) => Self::read(&Entry::root(&node, &findings)),
            Err(Unreadable { position, reason }) => {
                findings.error(
                    position,
                    "",
                    &format!("found invalid YAML: {reason}; expected: one YAML map"),
                );
                Self::empty()
            }
        };
        Ok(Self { warnings: findings.settle()?, ..config })
    }

    /// Whether a view is of the predecessor's keys.
    #[must_use]
    pub fn shows_legacy(&self) -> bool {
        self.views.iter().any(|view| view.origin == Origin::Legacy)
    }

    fn empty() -> Self {
        Self {
            views: Vec::new(),
            legacy_meta: false,
            names: Arc::default(),
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
        let file = root.section(
            &[&[VIEWS, NETWORKS, NETWORK_PREFIX, PATHS, COLLECT, LEGACY][..], &legacy::KEYS].concat(),
        );
        let networks = networks::read(file.filled(NETWORKS), file.filled(NETWORK_PREFIX));
        config.names = ConfiguredNames { networks, paths: paths::read(file.filled(PATHS)) }.into();
        config.collect = file.filled(COLLECT).map_or(Collect::DEFAULT, collect::read);
        let views = file.filled(VIEWS).map(|views| views::read(views, &config.names)).unwrap_or_default();
        // What is left out is checked all the same.
        let shown = file.filled(LEGACY).and_then(Entry::flag).unwrap_or(true);
        let legacy = legacy::read(&file).filter(|_| shown);
        // An unknown key is an error already.
        if legacy.is_none() && views.is_empty() && root.has_no_error() {
            root.error("found nothing to show; expected: the key views or logic, with what to show under it");
        }
        config.views = views;
        if let Some(legacy) = legacy {
            config.views.extend(legacy.views);
            config.legacy_meta = legacy.meta;
        }
        config
    }
}
