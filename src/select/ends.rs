//! The ends of a connection as `ss` writes them: `ADDRESS[/PREFIX][:PORT]`, or a port alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::error::{SelectionError, Value, number};
use super::families;
use super::is_host_name;
use super::lex::Comparison;
use super::{Expression, Test, canonical, services};
use crate::properties::Property;

pub(super) const PORT: &str = "a port from 0 to 65535, or the name of a service such as https";
pub(super) const ADDRESS: &str =
    "ADDRESS, ADDRESS/PREFIX, [IPV6ADDRESS], * or nothing, with or without :PORT";

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum EndPattern {
    Local,
    Remote,
}

/// Which addresses are meant.
enum Addresses {
    Any,
    Of(IpNet),
    Host(String),
}

impl EndPattern {
    /// The end that the property is of.
    pub(super) const fn of(property: Property) -> Self {
        match property {
            Property::LocalAddress | Property::LocalPort => Self::Local,
            _ => Self::Remote,
        }
    }

    /// The condition on its port.
    pub(super) fn port(
        self,
        comparison: Comparison,
        value: &Value,
        at: usize,
    ) -> Result<Expression, SelectionError> {
        let text = value.text.strip_prefix(':').unwrap_or(&value.text);
        let is = |range| Expression::Is(self.in_range(range));
        let not = |one| Expression::Not(Box::new(one));
        if text == "*" {
            return match comparison {
                Comparison::Equal => Ok(Expression::Always),
                Comparison::Unequal => Ok(Expression::Never),
                _ => Err(SelectionError {
                    at,
                    found: "a comparison with any port".into(),
                    expected: "=, !=".into(),
                }),
            };
        }
        let range = ports(text, value)?;
        let (port, last) = (*range.start(), *range.end());
        if port != last && !matches!(comparison, Comparison::Equal | Comparison::Unequal) {
            return Err(value.error("one port, or =, != or in before the range"));
        }
        Ok(match comparison {
            Comparison::Equal => is(range),
            Comparison::Unequal => not(is(range)),
            Comparison::AtLeast => is(port..=u16::MAX),
            Comparison::AtMost => is(0..=port),
            Comparison::Above => not(is(0..=port)),
            Comparison::Below => not(is(port..=u16::MAX)),
        })
    }

    /// The condition on its address, and on its port if one is given.
    pub(super) fn address(self, value: &Value) -> Result<Expression, SelectionError> {
        if let Some(condition) = families::end(matches!(self, Self::Local), value) {
            return condition;
        }
        let (family, text) = family(&value.text);
        let (address, port_text) = divided(text, value)?;
        let mut condition = match self.addresses(address, value)? {
            Addresses::Any => family.map_or(Expression::Always, |all| self.within(all)),
            Addresses::Of(network) => {
                if family.is_some_and(|all| all.addr().is_ipv4() != network.addr().is_ipv4()) {
                    return Err(value.error("an address of the family that stands before it"));
                }
                self.within(canonical(network))
            }
            Addresses::Host(name) => {
                let family = family.map_or(Expression::Always, |all| self.within(all));
                family.and(Expression::Is(Test::RemoteHost(name)))
            }
        };
        if let Some(text) = port_text.filter(|text| !text.is_empty() && *text != "*") {
            condition = condition.and(Expression::Is(self.in_range(ports(text, value)?)));
        }
        Ok(condition)
    }

    fn addresses(self, text: &str, value: &Value) -> Result<Addresses, SelectionError> {
        let network = || text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match (text, self) {
            // Between quotation marks is a name, whatever it looks like.
            _ if value.quoted && !is_host_name(text) => Err(value.error("the name of a host")),
            ("" | "*" | "any" | "all" | "default", _) if !value.quoted => Ok(Addresses::Any),
            _ if !value.quoted
                && let Some(network) = network() =>
            {
                Ok(Addresses::Of(network))
            }
            (_, Self::Remote) if is_host_name(text) => Ok(Addresses::Host(text.to_owned())),
            (_, Self::Local) if is_host_name(text) => {
                Err(value.error("an address or a network; the name of a host stands behind dst alone"))
            }
            _ => Err(value.error(ADDRESS)),
        }
    }

    fn within(self, network: IpNet) -> Expression {
        let address = match self {
            Self::Local => Property::LocalAddress,
            Self::Remote => Property::RemoteAddress,
        };
        Expression::Is(Test::Network(address, network))
    }

    fn in_range(self, range: RangeInclusive<u16>) -> Test {
        let port = match self {
            Self::Local => Property::LocalPort,
            Self::Remote => Property::RemotePort,
        };
        Test::Port(port, range)
    }
}

/// Every address of the family named at the beginning, and the rest.
fn family(text: &str) -> (Option<IpNet>, &str) {
    let all = |address: IpAddr| IpNet::new(address, 0).ok();
    if let Some(rest) = text.strip_prefix("inet:") {
        return (all(Ipv4Addr::UNSPECIFIED.into()), rest);
    }
    match text.strip_prefix("inet6:") {
        Some(rest) => (all(Ipv6Addr::UNSPECIFIED.into()), rest),
        None => (None, text),
    }
}

/// The address and, behind a colon, the port.
fn divided<'t>(text: &'t str, value: &Value) -> Result<(&'t str, Option<&'t str>), SelectionError> {
    if let Some(inside) = text.strip_prefix('[') {
        let (address, rest) = inside.split_once(']').ok_or_else(|| value.error("] behind the address"))?;
        return match rest.strip_prefix(':') {
            None if !rest.is_empty() => {
                Err(value.error("[ADDRESS] or [ADDRESS/PREFIX], with or without :PORT"))
            }
            port => Ok((address, port)),
        };
    }
    let split = match text.split_once('/') {
        Some((_, prefix)) => prefix.rfind(':').map(|at| text.len() - prefix.len() + at),
        None => text.rfind(':'),
    };
    let parts = split.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    let is_address = text.parse::<Ipv6Addr>().is_ok();
    match parts {
        // `::1:443` could be one address or an address and a port.
        Some((address, port)) if is_address && address.parse::<Ipv6Addr>().is_ok() => {
            Err(value.error(format!("[{text}] for an address, [{address}]:{port} for an address and a port")))
        }
        Some((address, port)) if !is_address => Ok((address, Some(port))),
        _ => Ok((text, None)),
    }
}

/// A port, or the first and the last of a range.
fn ports(text: &str, value: &Value) -> Result<RangeInclusive<u16>, SelectionError> {
    let number = |text: &str| number(text).and_then(|number| u16::try_from(number).ok());
    // The name of a service may have a dash too.
    let range = text.split_once('-').and_then(|(first, last)| Some(number(first)?..=number(last)?));
    match range {
        Some(range) if range.is_empty() => Err(value.error("the lower port first")),
        Some(range) => Ok(range),
        None => port(text, value).map(|port| port..=port),
    }
}

fn port(text: &str, value: &Value) -> Result<u16, SelectionError> {
    if let Some(port) = number(text).and_then(|number| u16::try_from(number).ok()) {
        return Ok(port);
    }
    services::port(text).ok_or_else(|| {
        let named = Value { at: value.at, text: text.to_owned(), quoted: false };
        named.unknown(PORT, services::names())
    })
}
