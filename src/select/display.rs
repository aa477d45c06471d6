//! A condition as text in the language of selections: read back, it accepts the same sockets.

use std::fmt::{self, Display, Formatter};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::lex::is_word;
use super::{Expression, Test};
use sockdiag::{State, StateSet};

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("state all"),
            Self::Never => f.write_str("exclude all"),
            Self::All(all) => joined(f, all, " and ", &Self::Always),
            Self::Any(any) => joined(f, any, " or ", &Self::Never),
            Self::Not(inner) => write!(f, "not {}", Part(inner)),
            Self::Is(test) => test.fmt(f),
        }
    }
}

fn joined(f: &mut Formatter<'_>, list: &[Expression], link: &str, none: &Expression) -> fmt::Result {
    if list.is_empty() {
        return none.fmt(f);
    }
    for (index, one) in list.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { link })?;
        Part(one).fmt(f)?;
    }
    Ok(())
}

/// An expression inside another.
struct Part<'a>(&'a Expression);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::All(list) | Expression::Any(list) if !list.is_empty() => write!(f, "( {} )", self.0),
            one => one.fmt(f),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = self.property().line().word();
        match self {
            Self::Port(_, range) => ports(f, word, range),
            Self::Network(_, network) => address(f, word, network),
            // Between quotation marks it is a name, whatever it looks like.
            Self::RemoteHost(name) => write!(f, "{word} = {}", Quoted(name)),
            Self::State(states) => state(f, *states),
            Self::Direction(direction) => write!(f, "{word} = {}", direction.name()),
            Self::Text(_, text) => write!(f, "{word} = {}", Name(text)),
            Self::Number(_, number) | Self::InterfaceIndex(number) => write!(f, "{word} = {number}"),
            Self::Bits(_, value, mask) => write!(f, "{word} = {value:#x}/{mask:#x}"),
            Self::CgroupId(id) => write!(f, "{word} = {id}"),
            Self::CgroupTree(path) => write!(f, "cgroup_tree = {}", Name(path)),
        }
    }
}

fn ports(f: &mut Formatter<'_>, name: &str, range: &RangeInclusive<u16>) -> fmt::Result {
    match (*range.start(), *range.end()) {
        (first, last) if first == last => write!(f, "{name} = {first}"),
        (0, last) => write!(f, "{name} <= {last}"),
        (first, u16::MAX) => write!(f, "{name} >= {first}"),
        (first, last) => write!(f, "{name} in {first}-{last}"),
    }
}

fn address(f: &mut Formatter<'_>, name: &str, network: &IpNet) -> fmt::Result {
    match network {
        IpNet::V4(v4) if v4.prefix_len() == 32 => write!(f, "{name} = {}", v4.addr()),
        IpNet::V6(v6) if v6.prefix_len() == 128 => write!(f, "{name} = [{}]", v6.addr()),
        network => write!(f, "{name} = {network}"),
    }
}

fn state(f: &mut Formatter<'_>, states: StateSet) -> fmt::Result {
    if states == StateSet::ALL {
        return f.write_str("state all");
    }
    if states.is_empty() {
        return f.write_str("exclude all");
    }
    // What the set lacks, if that is less than what it has.
    let is_large = states.len() > StateSet::ANY.len() / 2;
    let (word, named) = if is_large { ("exclude", StateSet::ALL.without(states)) } else { ("state", states) };
    let mut separator = "";
    if is_large && states.contains(State::BoundInactive) {
        f.write_str("state all state bound_inactive")?;
        separator = " ";
    }
    for state in State::ALL.into_iter().filter(|state| named.contains(*state)) {
        write!(f, "{separator}{word} {}", state.name())?;
        separator = " ";
    }
    Ok(())
}

/// A name, between quotation marks if it could be read as something else.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_plain = self.0.starts_with(|first: char| first.is_alphabetic()) && is_word(self.0);
        if is_plain { f.write_str(self.0) } else { Quoted(self.0).fmt(f) }
    }
}

/// A text between quotation marks, as selections read it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
