//! YAML text as a tree in which every node has its line and column.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

/// A position in the file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Position {
    /// The first character of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl From<serde_saphyr::Location> for Position {
    fn from(location: serde_saphyr::Location) -> Self {
        Self { line: location.line().max(1), column: location.column().max(1) }
    }
}

/// A value and its position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: YamlValue,
}

/// A key of a map and its position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapKey {
    pub(crate) position: Position,
    pub(crate) name: String,
}

/// What YAML can say, scalars already distinguished.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum YamlValue {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
    Seq(Vec<Node>),
    Map(Vec<(MapKey, Node)>),
}

/// Why a text is not YAML, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unreadable {
    pub(crate) position: Position,
    pub(crate) reason: String,
}

impl Node {
    /// The tree of a file; a file without a document is null.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            with_snippet: false,
            // So that a bound is refused with its key.
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            // Reading recurses: a deep file must not exhaust the stack of a thread.
            budget: serde_saphyr::budget! { max_depth: 16 },
        };
        serde_saphyr::from_str_with_options::<Spanned<YamlValue>>(text, options).map(Self::from).map_err(
            |error| {
                let position = error.location().map_or(Position::START, Position::from);
                let reason = reason(&error.to_string());
                Unreadable { position, reason }
            },
        )
    }

    /// Every key in the tree.
    pub(crate) fn keys(&self) -> Box<dyn Iterator<Item = &MapKey> + '_> {
        match &self.value {
            YamlValue::Seq(items) => Box::new(items.iter().flat_map(Self::keys)),
            YamlValue::Map(pairs) => {
                Box::new(pairs.iter().flat_map(|(key, node)| std::iter::once(key).chain(node.keys())))
            }
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// A message of the parser in one line, without the position that it may repeat.
fn reason(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.split_once(" at line ").map_or(line, |(reason, _)| reason);
    if line.starts_with("budget breached") {
        return "it is too deep or too large".to_owned();
    }
    // The rest of this one gives advice to programmers.
    line.split_once("; use from_str_multiple").map_or(line, |(reason, _)| reason).to_owned()
}

impl From<Spanned<YamlValue>> for Node {
    fn from(spanned: Spanned<YamlValue>) -> Self {
        let position = match &spanned.value {
            // The parser has no position for a block map; it begins where its first key does.
            YamlValue::Map(pairs) => pairs.first().map(|(key, _)| key.position),
            _ => None,
        };
        Self { position: position.unwrap_or_else(|| spanned.referenced.into()), value: spanned.value }
    }
}

impl<'de> Deserialize<'de> for YamlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = YamlValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }

    fn visit_none<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<YamlValue, E> {
        Ok(YamlValue::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<YamlValue, E> {
        Ok(YamlValue::Int(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<YamlValue, E> {
        Ok(YamlValue::Int(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<YamlValue, E> {
        Ok(YamlValue::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<YamlValue, E> {
        Ok(YamlValue::Str(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<YamlValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<Spanned<YamlValue>>()? {
            items.push(item.into());
        }
        Ok(YamlValue::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<YamlValue, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let key = MapKey { position: key.referenced.into(), name: key.value };
            pairs.push((key, access.next_value::<Spanned<YamlValue>>()?.into()));
        }
        Ok(YamlValue::Map(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> YamlValue {
        Node::read(text).map_or_else(|error| panic!("{error:?}"), |node| node.value)
    }

    fn refusal(text: &str) -> (u64, u64, String) {
        match Node::read(text) {
            Err(Unreadable { position, reason }) => (position.line, position.column, reason),
            Ok(node) => panic!("{node:?}"),
        }
    }

    #[test]
    fn an_empty_file_is_null() {
        assert_eq!(value(""), YamlValue::Null);
        assert_eq!(value("# nothing\n"), YamlValue::Null);
    }

    #[test]
    fn scalars_are_distinguished_as_the_predecessors_reader_did() {
        assert_eq!(
            value("[yes, Off, True, 'yes', 0x10, -1, 1.50, 1_000, 12:30, ~, .inf, 1e29]"),
            YamlValue::Seq(
                [
                    YamlValue::Bool(true),
                    YamlValue::Bool(false),
                    YamlValue::Bool(true),
                    YamlValue::Str("yes".to_owned()),
                    YamlValue::Int(16),
                    YamlValue::Int(-1),
                    YamlValue::Float(1.5),
                    YamlValue::Int(1000),
                    YamlValue::Str("12:30".to_owned()),
                    YamlValue::Null,
                    YamlValue::Float(f64::INFINITY),
                    YamlValue::Float(1e29),
                ]
                .into_iter()
                .zip([2, 7, 12, 18, 25, 31, 35, 41, 48, 55, 58, 64])
                .map(|(value, column)| Node { position: Position { line: 1, column }, value })
                .collect()
            )
        );
    }

    #[test]
    fn every_key_keeps_its_place_and_its_repetition() {
        let node = Node::read("a:\n  b:\n    - {c: 1, c: 2}\n5: x\n");
        let keys = node.as_ref().map_or(Vec::new(), |node| {
            node.keys().map(|key| (key.name.as_str(), key.position.line, key.position.column)).collect()
        });
        assert_eq!(keys, [("a", 1, 1), ("b", 2, 3), ("c", 3, 8), ("c", 3, 14), ("5", 4, 1)]);
    }

    #[test]
    fn what_is_no_yaml_says_where_and_why() {
        assert_eq!(
            refusal("a:\n\tb: 1"),
            (2, 2, "tabs disallowed within this context (block indentation)".to_owned())
        );
        assert_eq!(refusal("a: *x"), (1, 4, "alias references unknown anchor".to_owned()));
        assert_eq!(refusal("a: 1\n---\nb: 2\n"), (3, 1, "multiple YAML documents detected".to_owned()));
        assert_eq!(refusal("? [a]\n: b"), (1, 3, "expected string scalar".to_owned()));
        let (_, _, reason) = refusal("a: [1");
        assert!(!reason.contains(" line "), "{reason}");
    }

    #[test]
    fn what_would_exhaust_the_stack_or_the_memory_is_refused() {
        for opening in ["[", "{a: ", "- ", "? "] {
            let (_, _, reason) = refusal(&opening.repeat(100_000));
            assert!(
                reason == "it is too deep or too large" || reason == "recursion limit exceeded",
                "{reason}"
            );
        }
        let more =
            (1..200).fold("0: &a0 x\n".to_owned(), |text, n| format!("{text}{n}: &a{n} [*a{}]\n", n - 1));
        assert_eq!(refusal(&more).2, "it is too deep or too large");
    }
}
