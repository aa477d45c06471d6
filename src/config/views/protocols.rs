//! `protocol:`, whose sockets a view shows, by the words of `ss -A`.

use crate::properties::Property;
use crate::select::{Expression, Test};
use crate::strict_yaml::Entry;
use crate::view::PROTOCOL;
use sockdiag::{PROTOCOLS, Protocol, SocketType, TYPED_PROTOCOLS};

/// What the words of an entry stand for.
pub(super) struct Protocols {
    /// The protocols, each once and at least one.
    pub(super) protocols: Vec<&'static Protocol>,
    /// Which of their sockets: of a protocol with words for types, those of these types.
    pub(super) selection: Expression,
}

impl Default for Protocols {
    /// Those of a view without the key.
    fn default() -> Self {
        Self { protocols: vec![PROTOCOL], selection: Expression::Always }
    }
}

/// The protocols of an entry, a word or a list of words; that of a view without the key if none is right.
pub(super) fn read(entry: &Entry<'_>) -> Protocols {
    const SOME: &str = "a protocol or a list of protocols, such as [tcp, udp]";
    let items = entry.items();
    if items.is_empty() {
        entry.error(&format!("found an empty list; expected: {SOME}"));
    }
    let mut all: Vec<(&'static Protocol, Vec<SocketType>)> = Vec::new();
    for item in &items {
        let Some((word, protocol, socket_type)) = protocol(item) else { continue };
        match (all.iter_mut().find(|(known, _)| *known == protocol), socket_type) {
            (None, socket_type) => all.push((protocol, socket_type.into_iter().collect())),
            (Some((_, types)), Some(more)) if !types.is_empty() && !types.contains(&more) => types.push(more),
            _ => item.error(&format!("found {word} again; expected: each protocol once")),
        }
    }
    if all.is_empty() {
        return Protocols::default();
    }
    let protocols: Vec<_> = all.iter().map(|(protocol, _)| *protocol).collect();
    let selections = all.iter().map(|(protocol, types)| of_types(protocol, types, all.len() == 1));
    let selection = selections.fold(Expression::Always, Expression::and);
    Protocols { protocols, selection }
}

/// The sockets of other protocols, unless it is the only one, and of these types; without a type, all.
fn of_types(protocol: &Protocol, types: &[SocketType], is_only: bool) -> Expression {
    if types.is_empty() {
        return Expression::Always;
    }
    let is = |property, text: &str| Expression::Is(Test::Text(property, text.to_owned()));
    let others = Expression::Not(Box::new(is(Property::Protocol, protocol.name)));
    let first = if is_only { Expression::Never } else { others };
    types.iter().map(|of| is(Property::Type, of.name())).fold(first, Expression::or)
}

fn protocol(entry: &Entry<'_>) -> Option<(String, &'static Protocol, Option<SocketType>)> {
    let plain = PROTOCOLS.iter().map(|protocol| (protocol.name, *protocol, None));
    let typed = TYPED_PROTOCOLS.iter().map(|(name, protocol, of)| (*name, *protocol, Some(*of)));
    let words: Vec<_> = plain.chain(typed).collect();
    let names = || words.iter().map(|(name, ..)| *name);
    let expected = names().collect::<Vec<_>>().join(", ");
    let word = entry.text(&expected)?;
    let known = words.iter().find(|(name, ..)| *name == word);
    if known.is_none() {
        entry.unknown_word(&word, &expected, names());
    }
    known.map(|(_, protocol, socket_type)| (word, *protocol, *socket_type))
}

/// Notes that sockets of a protocol lack what the view asks for, which those of the others have.
pub(super) fn lacks(entry: &Entry<'_>, word: &str, protocol: &Protocol, kind: &str, others: &str) {
    let name = protocol.name;
    entry.error(&format!(
        "found {word}, which {name} sockets do not have; expected: {kind} that they have, or protocol: {others}"
    ));
}
