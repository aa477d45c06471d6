//! Which sockets are wanted: one expression tree for every way of saying it.
//!
//! The tree is built by [`parse`] or by `config`, pushed into the kernel as far as it can be by [`split`], and
//! the rest is tested here on a decoded socket. Refuses to know where an expression was written.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::facts::Facts;
use crate::properties::{Needs, Property};
use sockdiag::Protocol;

mod display;
mod ends;
mod error;
mod families;
mod host_name;
mod lex;
mod parse;
mod services;
mod split;
mod stability;
mod states;

pub use crate::properties::Test;
pub(crate) use display::Quoted;
pub use error::SelectionError;
pub(crate) use host_name::is_host_name;
pub use parse::parse;
pub(crate) use services::name as service_named;
pub use split::{Judge, Split, split};
pub use states::{state_names, states_named};

/// A condition on sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Every socket.
    Always,
    /// No socket.
    Never,
    /// The sockets that satisfy each of these.
    All(Vec<Expression>),
    /// The sockets that satisfy at least one of these.
    Any(Vec<Expression>),
    /// The sockets that do not satisfy this.
    Not(Box<Expression>),
    /// The sockets that pass one test.
    Is(Test),
}

impl Expression {
    /// The conjunction of two conditions, without parts that are always true.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, only) | (only, Self::Always) => only,
            (Self::All(mut all), Self::All(more)) => {
                all.extend(more);
                Self::All(all)
            }
            (Self::All(mut all), one) => {
                all.push(one);
                Self::All(all)
            }
            (one, other) => Self::All(vec![one, other]),
        }
    }

    /// The disjunction of two conditions, without parts that are never true.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, only) | (only, Self::Never) => only,
            (Self::Any(mut any), Self::Any(more)) => {
                any.extend(more);
                Self::Any(any)
            }
            (Self::Any(mut any), one) => {
                any.push(one);
                Self::Any(any)
            }
            (one, other) => Self::Any(vec![one, other]),
        }
    }

    /// Whether the socket satisfies the condition.
    #[must_use]
    pub fn accepts(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::All(all) => all.iter().all(|one| one.accepts(facts)),
            Self::Any(any) => any.iter().any(|one| one.accepts(facts)),
            Self::Not(inner) => !inner.accepts(facts),
            Self::Is(test) => test.accepts(facts),
        }
    }

    /// The same condition with every name replaced by what it stands for now.
    ///
    /// A name without a value matches nothing.
    #[must_use]
    pub fn resolve(&self, lookup: &impl Lookup) -> Self {
        let each = |list: &[Self]| list.iter().map(|one| one.resolve(lookup)).collect();
        match self {
            Self::All(all) => Self::All(each(all)),
            Self::Any(any) => Self::Any(each(any)),
            Self::Not(inner) => Self::Not(Box::new(inner.resolve(lookup))),
            Self::Is(Test::RemoteHost(name)) => Self::Any(
                lookup
                    .addresses(name)
                    .into_iter()
                    .map(|a| Self::Is(Test::Network(Property::RemoteAddress, canonical(a.into()))))
                    .collect(),
            ),
            Self::Is(Test::Text(Property::Interface, name)) => {
                known(lookup.interface(name).map(Test::InterfaceIndex))
            }
            // One that is not there may have been: its sockets know its path.
            Self::Is(test @ Test::Text(Property::Cgroup, path)) => {
                Self::Is(lookup.cgroup(path).map_or_else(|| test.clone(), Test::CgroupId))
            }
            Self::Is(Test::Text(Property::User, name)) => {
                known(lookup.user(name).map(|uid| Test::Number(Property::Uid, uid)))
            }
            Self::Always | Self::Never | Self::Is(_) => self.clone(),
        }
    }

    /// The condition on sockets of a protocol, without the tests that the protocol answers for each of them.
    pub(crate) fn of_protocol(&self, protocol: &Protocol) -> Self {
        if !self.tests().any(|test| test.property() == Property::Protocol) {
            return self.clone();
        }
        let each = |list: &[Self]| -> Vec<_> { list.iter().map(|one| one.of_protocol(protocol)).collect() };
        match self {
            Self::All(all) => match each(all) {
                all if all.contains(&Self::Never) => Self::Never,
                all => all.into_iter().fold(Self::Always, Self::and),
            },
            Self::Any(any) => match each(any) {
                any if any.contains(&Self::Always) => Self::Always,
                any => any.into_iter().fold(Self::Never, Self::or),
            },
            Self::Not(inner) => match inner.of_protocol(protocol) {
                Self::Always => Self::Never,
                Self::Never => Self::Always,
                inner => Self::Not(Box::new(inner)),
            },
            Self::Is(Test::Text(Property::Protocol, name)) if name == protocol.name => Self::Always,
            Self::Is(Test::Text(Property::Protocol, _)) => Self::Never,
            Self::Always | Self::Never | Self::Is(_) => self.clone(),
        }
    }

    /// Every test in the tree, from left to right.
    pub(crate) fn tests(&self) -> Box<dyn Iterator<Item = &Test> + '_> {
        match self {
            Self::Always | Self::Never => Box::new(std::iter::empty()),
            Self::All(list) | Self::Any(list) => Box::new(list.iter().flat_map(Self::tests)),
            Self::Not(inner) => inner.tests(),
            Self::Is(test) => Box::new(std::iter::once(test)),
        }
    }

    /// What of the condition sockets of a protocol lack; `None` if they can answer all of it.
    #[must_use]
    pub fn obstacle(&self, protocol: &Protocol) -> Option<String> {
        let name = protocol.name;
        self.of_protocol(protocol).tests().find_map(|test| match test {
            Test::State(states) if states.intersection(protocol.states).is_empty() => {
                Some(format!("found a state that {name} sockets do not have; expected: one that they have"))
            }
            _ if test.property().is_of(protocol) => None,
            _ => {
                let word = test.property().line().word();
                let others = test.property().protocols();
                Some(format!("found {word}, which {name} sockets do not have; expected: predicates that they have, or protocol: {others}"))
            }
        })
    }

    /// The host names that the tree mentions.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.tests().filter_map(|test| match test {
            Test::RemoteHost(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// What its tests need.
    pub(crate) fn needs(&self) -> Needs {
        self.tests().map(Test::needs).collect()
    }
}

fn known(test: Option<Test>) -> Expression {
    test.map_or(Expression::Never, Expression::Is)
}

/// What the names in an expression stand for at the moment; nothing, unless it is implemented.
pub trait Lookup {
    /// The addresses of a host name.
    fn addresses(&self, _host: &str) -> Vec<IpAddr> {
        Vec::new()
    }

    /// The index of an interface.
    fn interface(&self, _name: &str) -> Option<u32> {
        None
    }

    /// The id of a cgroup by its path below the root of cgroup v2.
    fn cgroup(&self, _path: &str) -> Option<u64> {
        None
    }

    /// The user id of a user.
    fn user(&self, _name: &str) -> Option<u32> {
        None
    }

    /// Whether the kernel judges by cgroup.
    fn judges_cgroups(&self) -> bool;
}

/// Where no name stands for anything, and the kernel judges by no cgroup.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Lookup for Nothing {
    fn judges_cgroups(&self) -> bool {
        false
    }
}

/// The network with IPv4-mapped IPv6 addresses written as IPv4, and no host bits.
///
/// Sockets report mapped addresses as IPv4 too (RFC 4291 section 2.5.5.2), so that one spelling
/// matches both.
#[must_use]
pub fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(v6) = network
        && let Some(mapped) = v6.addr().to_ipv4_mapped()
        && let Some(prefix) = v6.prefix_len().checked_sub(96)
        && let Ok(v4) = Ipv4Net::new(mapped, prefix)
    {
        return IpNet::V4(v4.trunc());
    }
    network.trunc()
}

/// The network `::ffff:0:0/96` of the IPv4-mapped addresses.
pub(crate) fn covers_mapped(network: &IpNet) -> bool {
    const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    matches!(network, IpNet::V6(v6) if v6.contains(&MAPPED))
}

#[cfg(test)]
mod tests;
