//! The names that the configuration gives to networks and paths.

use super::{Networks, Paths};

/// What a configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredNames {
    /// Networks, by their addresses.
    pub networks: Networks,
    /// Paths of unix sockets, by patterns.
    pub paths: Paths,
}

impl ConfiguredNames {
    /// No name at all.
    pub const NONE: Self = Self { networks: Networks::NONE, paths: Paths::NONE };
}
