//! Which sockets are wanted: one expression tree for every way of saying it.
//!
//! The tree is built by [`parse`] or by `config`, pushed into the kernel as far as it can be by [`split`], and
//! the rest is tested here on a decoded socket. Refuses to know where an expression was written.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net};

use crate::attribute::{Cgroup, Direction, Owner};
use crate::facts::Facts;
use crate::sockdiag::{Extensions, StateSet};

mod display;
mod ends;
mod host_name;
mod lex;
mod mistake;
mod parse;
mod services;
mod split;
mod stability;
mod states;

pub(crate) use host_name::is_host_name;
pub use mistake::Mistake;
pub use parse::parse;
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

/// One property of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The local port lies in the range.
    LocalPort(RangeInclusive<u16>),
    /// The remote port lies in the range.
    RemotePort(RangeInclusive<u16>),
    /// The local address lies in the network.
    LocalAddress(IpNet),
    /// The remote address lies in the network.
    RemoteAddress(IpNet),
    /// The remote address is one that the host name resolves to.
    RemoteHost(String),
    /// A process with this id holds the socket.
    Pid(u32),
    /// A process whose comm or executable's base name is this holds the socket.
    Command(String),
    /// A process whose executable's base name is this holds the socket.
    Executable(String),
    /// The socket is in one of these states.
    State(StateSet),
    /// The connection was made this way.
    Direction(Direction),
    /// The congestion control algorithm has this name.
    Congestion(String),
    /// The socket belongs to this user.
    Uid(u32),
    /// The socket belongs to the user of that name.
    User(String),
    /// The socket is bound to the interface of that name.
    Interface(String),
    /// The socket is bound to the interface with this index, or to none if it is 0; what [`Test::Interface`] is
    /// resolved to.
    InterfaceIndex(u32),
    /// The socket's mark is `value` in the bits of `mask`.
    Mark {
        /// The bits to compare with.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// The socket belongs to the cgroup with that path below the root of cgroup v2, and to none below it.
    Cgroup(String),
    /// The socket belongs to the cgroup with this id; what [`Test::Cgroup`] is resolved to.
    CgroupId(u64),
    /// The socket belongs to the cgroup with that path or to one below it.
    CgroupTree(String),
    /// The socket belongs to that unit of systemd: a service or a scope.
    Unit(String),
    /// The socket belongs to that slice of systemd.
    Slice(String),
    /// The socket belongs to the container whose id begins so.
    Container(String),
    /// The socket belongs to the Kubernetes pod with that uid.
    Pod(String),
    /// The socket is in the network namespace of that name, or with that inode if it has no name.
    Netns(String),
}

impl Expression {
    /// The conjunction of two conditions, without the parts that say nothing.
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

    /// The disjunction of two conditions, without the parts that say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
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
    /// A name that stands for nothing matches nothing.
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
                    .map(|a| Self::Is(Test::RemoteAddress(canonical(a.into()))))
                    .collect(),
            ),
            Self::Is(Test::Interface(name)) => known(lookup.interface(name).map(Test::InterfaceIndex)),
            // One that is not there may have been: its sockets know its path.
            Self::Is(Test::Cgroup(path)) => {
                Self::Is(lookup.cgroup(path).map_or_else(|| Test::Cgroup(path.clone()), Test::CgroupId))
            }
            Self::Is(Test::User(name)) => known(lookup.user(name).map(Test::Uid)),
            Self::Always | Self::Never | Self::Is(_) => self.clone(),
        }
    }

    /// Every test in the tree, from left to right.
    pub fn tests(&self) -> Box<dyn Iterator<Item = &Test> + '_> {
        match self {
            Self::Always | Self::Never => Box::new(std::iter::empty()),
            Self::All(list) | Self::Any(list) => Box::new(list.iter().flat_map(Self::tests)),
            Self::Not(inner) => inner.tests(),
            Self::Is(test) => Box::new(std::iter::once(test)),
        }
    }

    /// The host names that the tree mentions.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.tests().filter_map(|test| match test {
            Test::RemoteHost(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether a test needs the listeners of the host.
    #[must_use]
    pub fn needs_listeners(&self) -> bool {
        self.tests().any(|test| matches!(test, Test::Direction(_)))
    }

    /// The extensions that a dump must ask for.
    #[must_use]
    pub fn extensions(&self) -> Extensions {
        let congestion = self.tests().any(|test| matches!(test, Test::Congestion(_)));
        if congestion { Extensions::CONG } else { Extensions::NONE }
    }

    /// Whether a test looks at the mark of a socket.
    #[must_use]
    pub fn needs_marks(&self) -> bool {
        self.tests().any(|test| matches!(test, Test::Mark { .. }))
    }

    /// Whether a test looks at the owners of a socket.
    #[must_use]
    pub fn needs_processes(&self) -> bool {
        self.tests().any(|test| matches!(test, Test::Pid(_) | Test::Command(_) | Test::Executable(_)))
    }

    /// Whether a test looks at the cgroup of a socket, by its path.
    #[must_use]
    pub fn needs_cgroups(&self) -> bool {
        self.tests().any(Test::needs_cgroups)
    }

    /// Whether what the condition says differs from one network namespace to another.
    #[must_use]
    pub fn depends_on_netns(&self) -> bool {
        self.tests().any(|test| matches!(test, Test::Netns(_) | Test::Interface(_)))
    }
}

impl Test {
    fn needs_cgroups(&self) -> bool {
        use Test::{Cgroup, CgroupTree, Container, Pod, Slice, Unit};
        matches!(self, Cgroup(_) | CgroupTree(_) | Unit(_) | Slice(_) | Container(_) | Pod(_))
    }

    fn accepts(&self, facts: &Facts<'_>) -> bool {
        let socket = facts.socket;
        let owners = || facts.owner().into_iter().flat_map(Owner::processes);
        let cgroup = |test: &dyn Fn(&Cgroup) -> bool| facts.cgroup().is_some_and(test);
        match self {
            Self::LocalPort(range) => range.contains(&socket.local().port()),
            Self::RemotePort(range) => range.contains(&socket.remote().port()),
            Self::LocalAddress(network) => network.contains(&socket.local().ip()),
            Self::RemoteAddress(network) => network.contains(&socket.remote().ip()),
            // Names are resolved before a dump; one that still stands here has nothing behind it.
            Self::RemoteHost(_) | Self::Interface(_) | Self::User(_) => false,
            Self::State(states) => states.contains(facts.state),
            Self::Direction(direction) => facts.direction == Some(*direction),
            Self::Congestion(name) => socket.congestion() == Some(name.as_bytes()),
            Self::Uid(uid) => facts.uid() == Some(*uid),
            Self::InterfaceIndex(index) => socket.interface().unwrap_or(0) == *index,
            Self::Mark { value, mask } => socket.mark().is_some_and(|mark| mark & mask == *value),
            Self::CgroupId(id) => socket.cgroup() == Some(*id),
            Self::Cgroup(path) => cgroup(&|cgroup| cgroup.is(path)),
            Self::CgroupTree(path) => cgroup(&|cgroup| cgroup.is_below(path)),
            Self::Unit(name) => cgroup(&|cgroup| cgroup.unit() == Some(name)),
            Self::Slice(name) => cgroup(&|cgroup| cgroup.slice() == Some(name)),
            Self::Container(id) => {
                cgroup(&|cgroup| cgroup.container_id().is_some_and(|own| own.starts_with(id.as_str())))
            }
            Self::Pod(uid) => cgroup(&|cgroup| cgroup.pod_uid() == Some(uid)),
            Self::Netns(name) => facts.netns().is_some_and(|netns| netns.name == *name),
            Self::Pid(pid) => owners().any(|owner| owner.pid == *pid),
            Self::Command(name) => owners().any(|owner| owner.is_called(name)),
            Self::Executable(name) => owners().any(|owner| owner.executable() == name),
        }
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
#[must_use]
pub(crate) fn covers_mapped(network: &IpNet) -> bool {
    const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    matches!(network, IpNet::V6(v6) if v6.contains(&MAPPED))
}

#[cfg(test)]
mod tests;
