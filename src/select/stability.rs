//! How long the answer of a condition stays the same, and what of it is known before there is a connection.

use super::{Expression, Test};
use crate::properties::{Needs, Stability};

impl Expression {
    /// How long the answer is the same for a socket.
    pub(crate) fn stability(&self) -> Stability {
        self.tests().map(Test::stability).max().unwrap_or(Stability::Fixed)
    }

    /// The condition with everything that a listener does not tell of its connections taken as not
    /// fulfilled: true of a listener only if every connection to it will be wanted.
    pub(crate) fn of_every_connection(&self) -> Self {
        self.bounded(&Test::is_of_every_connection, false)
    }

    /// The condition with everything that may change in a socket's life taken as fulfilled: true of
    /// every socket that is or may come to be wanted.
    pub(crate) fn at_any_time(&self) -> Self {
        self.bounded(&Test::is_fixed, true)
    }

    /// The condition with every test that is not `known` taken as fulfilled, or as not.
    fn bounded(&self, known: &dyn Fn(&Test) -> bool, fulfilled: bool) -> Self {
        let each = |list: &[Self]| list.iter().map(|one| one.bounded(known, fulfilled)).collect();
        match self {
            Self::All(all) => Self::All(each(all)),
            Self::Any(any) => Self::Any(each(any)),
            Self::Not(inner) => Self::Not(Box::new(inner.bounded(known, !fulfilled))),
            Self::Is(test) if !known(test) => {
                if fulfilled {
                    Self::Always
                } else {
                    Self::Never
                }
            }
            Self::Always | Self::Never | Self::Is(_) => self.clone(),
        }
    }

    /// The condition with every test of a cgroup's path taken as fulfilled: the path may become known later
    /// than the socket.
    pub(crate) fn in_any_cgroup(&self) -> Self {
        self.bounded(&|test| !test.needs().has(Needs::CGROUPS), true)
    }
}
