//! How long the answer of a condition stays the same, and what of it is known before there is a connection.

use super::{Expression, Test};
use crate::properties::Stability;

impl Expression {
    /// How long the answer is the same for a socket.
    #[must_use]
    pub fn stability(&self) -> Stability {
        self.tests().map(Test::stability).max().unwrap_or(Stability::Fixed)
    }

    /// The condition with everything that a listener does not tell of its connections taken as not
    /// fulfilled: true of a listener only if every connection to it will be wanted.
    #[must_use]
    pub fn of_every_connection(&self) -> Self {
        let told = |test: &Test| {
            matches!(test, Test::LocalPort(_) | Test::Direction(_) | Test::State(_) | Test::Netns(_))
                || test.needs_cgroups()
        };
        self.bounded(&told, false)
    }

    /// The condition with everything that may change in a socket's life taken as fulfilled: true of
    /// every socket that is or may come to be wanted.
    #[must_use]
    pub fn at_any_time(&self) -> Self {
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
    #[must_use]
    pub fn in_any_cgroup(&self) -> Self {
        self.bounded(&|test| !test.needs_cgroups(), true)
    }
}

impl Test {
    /// How long the answer is the same. A path of a cgroup may become known with the owner.
    fn stability(&self) -> Stability {
        match self {
            Self::Pid(_) | Self::Command(_) | Self::Executable(_) => Stability::WithOwner,
            test if test.needs_cgroups() => Stability::WithOwner,
            test if test.is_fixed() => Stability::Fixed,
            _ => Stability::Changing,
        }
    }

    /// Whether the answer is the same as long as a socket lives, whatever is found out about it. That of a user
    /// id is, because it counts as it was at first sight.
    pub(super) fn is_fixed(&self) -> bool {
        match self {
            Self::LocalPort(_)
            | Self::RemotePort(_)
            | Self::LocalAddress(_)
            | Self::RemoteAddress(_)
            | Self::Direction(_)
            | Self::Cgroup(_)
            | Self::CgroupId(_)
            | Self::Netns(_)
            | Self::User(_)
            | Self::Uid(_) => true,
            // The addresses of a host name change, whatever its sockets do.
            Self::RemoteHost(_)
            | Self::Pid(_)
            | Self::Command(_)
            | Self::Executable(_)
            | Self::CgroupTree(_)
            | Self::Unit(_)
            | Self::Slice(_)
            | Self::Container(_)
            | Self::Pod(_)
            | Self::State(_)
            | Self::Congestion(_)
            | Self::Interface(_)
            | Self::InterfaceIndex(_)
            | Self::Mark { .. } => false,
        }
    }
}
