//! One property of a socket compared with one value.

use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::read::fits;
use super::{FromListener, Needs, Property, Read, Stability};
use crate::attribute::Direction;
use crate::facts::Facts;
use sockdiag::StateSet;

/// One property of a socket compared with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The port lies in the range.
    Port(Property, RangeInclusive<u16>),
    /// The address lies in the network.
    Network(Property, IpNet),
    /// The remote address is one that the host name resolves to.
    RemoteHost(String),
    /// The socket is in one of these states.
    State(StateSet),
    /// The connection was made this way.
    Direction(Direction),
    /// The property has this text, or fits this pattern; the name of an interface or of a user has to be resolved.
    Text(Property, String),
    /// The property has this number.
    Number(Property, u32),
    /// The property has this value in the bits of the mask.
    Bits(Property, u32, u32),
    /// The socket is bound to the interface with this index, or to none if it is 0.
    InterfaceIndex(u32),
    /// The socket belongs to the cgroup with this id.
    CgroupId(u64),
    /// The socket belongs to the cgroup with that path or to one below it.
    CgroupTree(String),
}

impl Test {
    /// The property.
    pub(crate) const fn property(&self) -> Property {
        match self {
            Self::Port(property, _)
            | Self::Network(property, _)
            | Self::Text(property, _)
            | Self::Number(property, _)
            | Self::Bits(property, ..) => *property,
            Self::RemoteHost(_) => Property::RemoteAddress,
            Self::State(_) => Property::State,
            Self::Direction(_) => Property::Direction,
            Self::InterfaceIndex(_) => Property::Interface,
            Self::CgroupId(_) | Self::CgroupTree(_) => Property::Cgroup,
        }
    }

    /// What has to be known for it. Every reply carries what a name is resolved to.
    pub(crate) const fn needs(&self) -> Needs {
        match self {
            Self::CgroupId(_) | Self::InterfaceIndex(_) => Needs::NONE,
            _ => self.property().needs(),
        }
    }

    /// How long the answer is the same. The path of a cgroup may become known with the owner.
    pub(crate) const fn stability(&self) -> Stability {
        match self {
            // The addresses of a host name change, whatever its sockets do.
            Self::RemoteHost(_) => Stability::Changing,
            Self::CgroupId(_) => Stability::Fixed,
            _ => self.property().stability(),
        }
    }

    /// Whether the answer is the same as long as a socket lives, whatever is found out about it: also for the path of
    /// the cgroup, which stands for an id.
    pub(crate) fn is_fixed(&self) -> bool {
        self.stability() == Stability::Fixed || matches!(self, Self::Text(Property::Cgroup, _))
    }

    /// Whether a listener gives the answer for each of its connections.
    pub(crate) fn is_of_every_connection(&self) -> bool {
        self.property().line().from_listener == FromListener::Always && !matches!(self, Self::CgroupId(_))
    }

    /// Whether a socket passes.
    pub(crate) fn accepts(&self, facts: &Facts<'_>) -> bool {
        match (self.property().line().read, self) {
            (Read::Port(read), Self::Port(_, range)) => range.contains(&read(facts)),
            (Read::Address(read), Self::Network(_, network)) => network.contains(&read(facts)),
            (Read::Text(read), Self::Text(_, text)) => read(facts).is_some_and(|known| fits(text, known)),
            (Read::Prefix(read), Self::Text(_, start)) => {
                read(facts).is_some_and(|id| id.starts_with(start.as_str()))
            }
            (Read::Number(read), Self::Number(_, number)) => read(facts) == Some(*number),
            (Read::Bits(read), Self::Bits(_, value, mask)) => {
                read(facts).is_some_and(|bits| bits & mask == *value)
            }
            (Read::Own(_, accepts), test) => accepts(facts, test),
            // A name is resolved before a dump; one that still stands here stands for nothing.
            _ => false,
        }
    }
}
