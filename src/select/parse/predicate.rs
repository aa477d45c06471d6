//! The predicates: what stands behind the word of a property.

use super::super::ends::{self, EndPattern};
use super::super::error::{SelectionError, Value, number};
use super::super::lex::Comparison;
use super::super::{Expression, Test, is_host_name};
use super::Parser;
use crate::attribute::Direction;
use crate::pattern::is_pattern;
use crate::properties::{Operand, Property};
use sockdiag::packet;

impl Parser<'_> {
    /// The condition on a property, or on any of several, by what stands next.
    pub(super) fn predicate(
        &mut self,
        properties: &[Property],
        operand: Operand,
    ) -> Result<Expression, SelectionError> {
        let at = self.token.at;
        if self.takes_in()? {
            let mut any = Expression::Never;
            for value in self.values(expected(operand))? {
                any = any.or(self.any_of(properties, operand, Comparison::Equal, &value, at)?);
            }
            return Ok(any);
        }
        let comparison = match operand {
            Operand::Port => self.comparison()?,
            _ if self.equals_or_not()? => Comparison::Equal,
            _ => Comparison::Unequal,
        };
        let value = self.value(expected(operand))?;
        self.refuse_tcpdump(&value, properties)?;
        let positive = if comparison == Comparison::Unequal { Comparison::Equal } else { comparison };
        Ok(match (comparison, self.any_of(properties, operand, positive, &value, at)?) {
            (Comparison::Unequal, Expression::Always) => Expression::Never,
            (Comparison::Unequal, condition) => Expression::Not(Box::new(condition)),
            (_, condition) => condition,
        })
    }

    /// The condition that any of the properties compares so with a value.
    fn any_of(
        &self,
        properties: &[Property],
        operand: Operand,
        comparison: Comparison,
        value: &Value,
        at: usize,
    ) -> Result<Expression, SelectionError> {
        let mut any = Expression::Never;
        for property in properties {
            any = any.or(match operand {
                Operand::Port => EndPattern::of(*property).port(comparison, value, at)?,
                // Only the remote end can be the name of a host.
                Operand::Address if properties.len() > 1 && is_host_name(&value.text) => {
                    EndPattern::of(Property::RemoteAddress).address(value)?
                }
                Operand::Address => EndPattern::of(*property).address(value)?,
                Operand::Network => self.network(value)?,
                Operand::PathName => self.path_name(value)?,
                operand => Expression::Is(test(*property, operand, value)?),
            });
        }
        Ok(any)
    }

    /// The addresses of a network of the configuration.
    fn network(&self, value: &Value) -> Result<Expression, SelectionError> {
        let networks = &self.names.networks;
        let networks =
            networks.named(&value.text).ok_or_else(|| unnamed(value, &networks.names(), "network"))?;
        let test = |network| Expression::Is(Test::Network(Property::RemoteAddress, network));
        Ok(networks.into_iter().map(test).fold(Expression::Never, Expression::or))
    }

    /// The patterns of a path of the configuration.
    fn path_name(&self, value: &Value) -> Result<Expression, SelectionError> {
        let paths = &self.names.paths;
        let patterns = paths.named(&value.text).ok_or_else(|| unnamed(value, &paths.names(), "path"))?;
        let test = |pattern: &String| Expression::Is(Test::Text(Property::Path, pattern.clone()));
        Ok(patterns.iter().map(test).fold(Expression::Never, Expression::or))
    }
}

/// What stands behind a word.
const fn expected(operand: Operand) -> &'static str {
    match operand {
        Operand::States => "the name of a state",
        Operand::Direction => DIRECTIONS,
        Operand::Address => ends::ADDRESS,
        Operand::Port => ends::PORT,
        Operand::Network => "the name of a network",
        Operand::PathName => "the name of a path",
        Operand::Interface => "the name or the index of an interface",
        Operand::Cgroup => "a path below the root of cgroup v2",
        Operand::CgroupTree => "a path below the root of the cgroups",
        Operand::Program => "the name of a process",
        Operand::Ethertype => "a type of frames such as 0x88cc or arp",
        Operand::Number(_, expected)
        | Operand::Bits(expected)
        | Operand::Text(_, expected)
        | Operand::Pattern(_, expected) => expected,
    }
}

const DIRECTIONS: &str = "inbound, outbound";

/// The test of a property by one value.
fn test(property: Property, operand: Operand, value: &Value) -> Result<Test, SelectionError> {
    let is_number = |text: &str| number(text).filter(|_| !value.quoted);
    let named = || Test::Text(property, value.text.clone());
    let path = || below_the_root(&value.text).to_owned();
    let test = match operand {
        Operand::Number(least, _) => {
            number(&value.text).filter(|number| *number >= least).map(|number| Test::Number(property, number))
        }
        Operand::Bits(_) => bits(property, &value.text),
        Operand::Ethertype => {
            let by_name = || Some(Test::Bits(property, packet::ethertype(&value.text)?.into(), u32::MAX));
            bits(property, &value.text).or_else(by_name)
        }
        Operand::Text(fits, _) => fits(&value.text).then(named),
        Operand::Pattern(fits, _) => (fits(&value.text) || is_pattern(&value.text)).then(named),
        Operand::Interface => Some(is_number(&value.text).map_or_else(named, Test::InterfaceIndex)),
        Operand::Cgroup => {
            let id = value.text.parse().ok().filter(|_| !value.quoted);
            Some(id.map_or_else(|| Test::Text(property, path()), Test::CgroupId))
        }
        Operand::CgroupTree => Some(Test::CgroupTree(path())),
        Operand::Direction => return direction(value).map(Test::Direction),
        Operand::Program if value.text.starts_with('/') && !value.quoted => {
            return Err(value.error("the name of a process without its path"));
        }
        Operand::Program => Some(named()),
        // Read before, so that nothing comes here. Each operand stands here, so that a new one is no name of a process.
        Operand::States | Operand::Address | Operand::Port | Operand::Network | Operand::PathName => None,
    };
    test.ok_or_else(|| value.error(expected(operand)))
}

fn direction(value: &Value) -> Result<Direction, SelectionError> {
    let all = [Direction::Inbound, Direction::Outbound];
    let known = all.into_iter().find(|direction| direction.name() == value.text);
    known.ok_or_else(|| value.unknown(DIRECTIONS, all.into_iter().map(Direction::name)))
}

/// The error that the configuration gives the name to nothing of that kind.
fn unnamed(value: &Value, names: &[&str], kind: &str) -> SelectionError {
    let expected = match names {
        [] => format!("none, because no {kind} has a name"),
        names => names.join(", "),
    };
    value.unknown(&expected, names.iter().copied())
}

/// A number, and behind `/` the bits that count.
fn bits(property: Property, text: &str) -> Option<Test> {
    let (value, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
    Some(Test::Bits(property, number(value)?, number(mask)?))
}

/// The path without the folder where cgroup v2 is mounted, which `ss` wants to see.
fn below_the_root(path: &str) -> &str {
    let inside = path.strip_prefix("/sys/fs/cgroup").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let inside = inside.map(|rest| rest.strip_prefix("/unified").unwrap_or(rest));
    inside.map_or(path, |rest| if rest.is_empty() { "/" } else { rest })
}
