//! The ends of sockets without internet addresses, as `ss` writes them behind the name of their family.

use super::error::{SelectionError, Value, number};
use super::{Expression, Test};
use crate::properties::Property;
use sockdiag::{netlink, packet};

/// How the text behind the name of a family is read, of the local end or of the remote one.
type Read = fn(bool, &str, &Value) -> Result<Expression, SelectionError>;

/// What stands before an end of each family.
const FAMILIES: [(&str, Read); 4] =
    [("unix:", unix), ("netlink:", netlink), ("link:", link), ("vsock:", vsock)];

/// What no part of an end restricts.
const ANY: [&str; 2] = ["", "*"];

/// The condition on an end of such a socket; `None` if the value is of another family. A path, and `@` before an abstract
/// name, need no name of a family.
pub(super) fn end(is_local: bool, value: &Value) -> Option<Result<Expression, SelectionError>> {
    let text = value.text.as_str();
    if text.starts_with(['/', '@']) {
        return Some(unix(is_local, text, value));
    }
    FAMILIES.iter().find_map(|(family, read)| Some(read(is_local, text.strip_prefix(family)?, value)))
}

fn unix(is_local: bool, name: &str, value: &Value) -> Result<Expression, SelectionError> {
    match name {
        "" if is_local => Ok(text(Property::Path, "*")),
        name if is_local => Ok(text(Property::Path, name)),
        _ => Err(value.error("src with the name of a unix socket, or peer_process")),
    }
}

fn netlink(is_local: bool, rest: &str, value: &Value) -> Result<Expression, SelectionError> {
    const EXPECTED: &str = "src netlink:PROTOCOL, with or without :*";
    let (protocol, port) = parts(rest);
    let known = |word: &&str| netlink::number(word).is_some() || word.parse::<u8>().is_ok();
    if !is_local || !ANY.contains(&port) {
        return Err(value.error(EXPECTED));
    }
    let protocol = one(protocol, |word| Some(word).filter(known), value, EXPECTED)?;
    Ok(protocol.map_or(Expression::Always, |protocol| text(Property::NetlinkProtocol, protocol)))
}

fn link(is_local: bool, rest: &str, value: &Value) -> Result<Expression, SelectionError> {
    const EXPECTED: &str = "src link:ETHERTYPE, with or without :INTERFACE";
    let (ethertype, device) = parts(rest);
    if !is_local {
        return Err(value.error(EXPECTED));
    }
    let ethertype = one(ethertype, packet::ethertype, value, EXPECTED)?
        .map_or(Expression::Always, |number| {
            Expression::Is(Test::Bits(Property::Ethertype, u32::from(number), u32::MAX))
        });
    let device = match device {
        any if ANY.contains(&any) => Expression::Always,
        device => number(device).map_or_else(
            || text(Property::Interface, device),
            |index| Expression::Is(Test::InterfaceIndex(index)),
        ),
    };
    Ok(ethertype.and(device))
}

fn vsock(is_local: bool, rest: &str, value: &Value) -> Result<Expression, SelectionError> {
    let (cid, port) = parts(rest);
    let properties = if is_local {
        [Property::LocalCid, Property::VsockPort]
    } else {
        [Property::Cid, Property::RemoteVsockPort]
    };
    let mut condition = Expression::Always;
    for (property, text) in properties.into_iter().zip([cid, port]) {
        let number = one(text, number, value, "vsock:CID, with or without :PORT, both numbers")?;
        let is = |number| Expression::Is(Test::Number(property, number));
        condition = condition.and(number.map_or(Expression::Always, is));
    }
    Ok(condition)
}

/// What stands before a colon and behind it.
fn parts(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, ""))
}

/// One part of an end; `None` if it restricts nothing.
fn one<'t, T>(
    part: &'t str,
    read: impl Fn(&'t str) -> Option<T>,
    value: &Value,
    expected: &str,
) -> Result<Option<T>, SelectionError> {
    if ANY.contains(&part) {
        return Ok(None);
    }
    read(part).map(Some).ok_or_else(|| value.error(expected))
}

fn text(property: Property, text: &str) -> Expression {
    Expression::Is(Test::Text(property, text.to_owned()))
}
