//! Why the owners of a collection are incomplete.

use std::fmt;

use rustix::io::Errno;

/// What is missing from the owners of a collection's sockets.
#[derive(Clone, Debug, Default)]
pub struct OwnerReport {
    /// Processes whose file descriptors could not be read; `None` if no view needs owners.
    pub unreadable: Option<u64>,
    /// Sockets that processes hold, of unknown owner; `None` if no view needs owners.
    pub unowned: Option<u64>,
    /// Why owners are incomplete; `None` if they are complete, or not needed.
    pub shortage: Option<OwnerShortage>,
    /// What can hide owners, and whether it does.
    pub restrictions: Vec<(&'static str, bool)>,
}

/// Why the owners of a collection are incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerShortage {
    /// The search reached its time limit.
    Time,
    /// The search reached its time limit among processes or sockets that a restriction hides: more time finds no more.
    Hidden,
    /// An error of the exporter's own, such as too many open files.
    Failed(Errno),
}

impl OwnerShortage {
    /// Why a search was incomplete, by its error and by whether owners are hidden.
    pub(crate) fn of(failed: Option<Errno>, hidden: bool) -> Self {
        match failed {
            Some(error) => Self::Failed(error),
            None if hidden => Self::Hidden,
            None => Self::Time,
        }
    }
}

/// As a part of a sentence.
impl fmt::Display for OwnerShortage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => {
                out.write_str("owners could not all be found within collect.owners; some are unknown")
            }
            Self::Hidden => {
                out.write_str("owners could not all be found; they are hidden (ss_exporter_owners_hidden)")
            }
            Self::Failed(error) => {
                write!(
                    out,
                    "owners could not all be found: cannot inspect processes: {}",
                    std::io::Error::from(*error)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_blamed_only_if_nothing_else_is_the_cause() {
        let said = |failed, hidden| OwnerShortage::of(failed, hidden).to_string();
        assert!(said(None, false).contains("within collect.owners"));
        assert!(!said(None, true).contains("collect.owners") && said(None, true).contains("hidden"));
        let files = said(Some(Errno::MFILE), true);
        assert!(files.contains("Too many open files") && !files.contains("collect.owners"), "{files}");
    }
}
