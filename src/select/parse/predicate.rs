//! The predicates: what stands behind the word of a property.

use super::super::ends::{self, EndPattern};
use super::super::error::{SelectionError, Value, number};
use super::super::{Expression, Test};
use super::Parser;
use crate::attribute::Direction;
use crate::properties::{Operand, Property};
use sockdiag::packet;

impl Parser<'_> {
    /// The condition on a property, by what stands next.
    pub(super) fn predicate(
        &mut self,
        property: Property,
        operand: Operand,
    ) -> Result<Expression, SelectionError> {
        if matches!(operand, Operand::Port) {
            let (at, comparison) = (self.token.at, self.comparison()?);
            let value = self.value(ends::PORT)?;
            return EndPattern::of(property).port(comparison, &value, at);
        }
        let equal = self.equals_or_not()?;
        let expression = match operand {
            Operand::Address => EndPattern::of(property).address(&self.value(ends::ADDRESS)?)?,
            Operand::Network => self.network()?,
            Operand::PathName => self.path_name()?,
            operand => Expression::Is(self.test(property, operand)?),
        };
        Ok(if equal { expression } else { Expression::Not(Box::new(expression)) })
    }

    /// The test of a property by one value.
    fn test(&mut self, property: Property, operand: Operand) -> Result<Test, SelectionError> {
        let text = |value: &Value| Test::Text(property, value.text.clone());
        let path = |value: &Value| below_the_root(&value.text).to_owned();
        match operand {
            Operand::Number(least, expected) => self.one(expected, |value| {
                let number = number(&value.text).filter(|number| *number >= least)?;
                Some(Test::Number(property, number))
            }),
            Operand::Bits(expected) => self.one(expected, |value| bits(property, &value.text)),
            Operand::Ethertype => self.one("a type of frames such as 0x88cc or arp", |value| {
                let number = packet::ethertype(&value.text).map(u32::from);
                bits(property, &value.text).or_else(|| Some(Test::Bits(property, number?, u32::MAX)))
            }),
            Operand::Text(fits, expected) => {
                self.one(expected, |value| fits(&value.text).then(|| text(value)))
            }
            Operand::Interface => self.one("the name or the index of an interface", |value| {
                let index = number(&value.text).filter(|_| !value.quoted);
                Some(index.map_or_else(|| text(value), Test::InterfaceIndex))
            }),
            Operand::Cgroup => self.one("a path below the root of cgroup v2", |value| {
                let id = value.text.parse().ok().filter(|_| !value.quoted);
                Some(id.map_or_else(|| Test::Text(property, path(value)), Test::CgroupId))
            }),
            Operand::CgroupTree => {
                self.one("a path below the root of the cgroups", |value| Some(Test::CgroupTree(path(value))))
            }
            Operand::Direction => self.direction().map(Test::Direction),
            Operand::Program => self.program(property),
            // Read before, so that nothing comes here. Each operand stands here, so that a new one is no name of a process.
            Operand::States | Operand::Address | Operand::Port | Operand::Network | Operand::PathName => {
                Err(self.no_predicate(property.name()))
            }
        }
    }

    /// One value that can be read.
    fn one(&mut self, expected: &str, read: impl Fn(&Value) -> Option<Test>) -> Result<Test, SelectionError> {
        let value = self.value(expected)?;
        read(&value).ok_or_else(|| value.error(expected))
    }

    /// The name of a process or of its executable.
    fn program(&mut self, property: Property) -> Result<Test, SelectionError> {
        let value = self.value("the name of a process")?;
        if value.text.starts_with('/') && !value.quoted {
            return Err(value.error("the name of a process without its path"));
        }
        Ok(Test::Text(property, value.text))
    }

    /// The addresses of a network of the configuration.
    fn network(&mut self) -> Result<Expression, SelectionError> {
        let value = self.value("the name of a network")?;
        let networks = &self.names.networks;
        let networks =
            networks.named(&value.text).ok_or_else(|| unnamed(&value, &networks.names(), "network"))?;
        let test = |network| Expression::Is(Test::Network(Property::RemoteAddress, network));
        Ok(networks.into_iter().map(test).fold(Expression::Never, Expression::or))
    }

    /// The patterns of a path of the configuration.
    fn path_name(&mut self) -> Result<Expression, SelectionError> {
        let value = self.value("the name of a path")?;
        let paths = &self.names.paths;
        let patterns = paths.named(&value.text).ok_or_else(|| unnamed(&value, &paths.names(), "path"))?;
        let test = |pattern: &String| Expression::Is(Test::Text(Property::Path, pattern.clone()));
        Ok(patterns.iter().map(test).fold(Expression::Never, Expression::or))
    }

    fn direction(&mut self) -> Result<Direction, SelectionError> {
        const EXPECTED: &str = "inbound, outbound";
        let all = [Direction::Inbound, Direction::Outbound];
        let value = self.value(EXPECTED)?;
        let known = all.into_iter().find(|direction| direction.name() == value.text);
        known.ok_or_else(|| value.unknown(EXPECTED, all.into_iter().map(Direction::name)))
    }
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
