//! An entry of the file while it is read: a node, the way to it, and where mistakes go.
//!
//! A read that fails has noted its mistake and gives nothing, so that reading goes on and finds the
//! next one. Refuses to know any key.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::mistakes::Mistakes;
use super::node::{Key, Node, Place, Value};
use crate::suggest::nearest;
use crate::terminal::shown;

/// The spellings of one key; messages use the first.
pub(crate) type Name = &'static [&'static str];

/// A node, the keys that lead to it, and where mistakes go.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    mistakes: &'a Mistakes<'a>,
    path: String,
    place: Place,
    node: &'a Node,
    lenient: bool,
}

/// A map whose keys have been checked.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    entries: Vec<(Name, Entry<'a>)>,
}

impl<'a> Entry<'a> {
    /// The whole file.
    pub(crate) fn root(node: &'a Node, mistakes: &'a Mistakes<'a>) -> Self {
        Self { mistakes, path: String::new(), place: node.place, node, lenient: false }
    }

    /// The same entry, under which an unknown key is a warning.
    pub(crate) fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    pub(crate) fn node(&self) -> &'a Node {
        self.node
    }

    pub(crate) fn is_null(&self) -> bool {
        self.node.value == Value::Null
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.node.value, Value::Seq(_))
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Notes that the value is none of the allowed ones.
    pub(crate) fn refuse(&self, allowed: &str) {
        self.mistake(&format!("found {}; expected: {allowed}", self.found()));
    }

    /// Notes that a word is none of the known ones, and which it was probably meant to be.
    pub(crate) fn strange<'k>(&self, word: &str, allowed: &str, known: impl Iterator<Item = &'k str>) {
        self.mistake(&format!("found \"{}\"; expected: {allowed}{}", shown(word), meant(word, known)));
    }

    pub(crate) fn mistake(&self, what: &str) {
        self.mistakes.mistake(self.place, &self.path, what);
    }

    pub(crate) fn warn(&self, what: &str) {
        self.mistakes.warning(self.place, &self.path, what);
    }

    /// The map with these keys, each at most once; null is the empty map.
    pub(crate) fn section(&self, names: &[Name]) -> Section<'a> {
        let mut section = Section { entries: Vec::new() };
        match &self.node.value {
            Value::Null => {}
            Value::Map(pairs) => {
                for (key, node) in pairs {
                    let entry = self.child(key, node);
                    match names.iter().find(|name| name.contains(&key.name.as_str())) {
                        Some(name) => section.add(name, entry),
                        None => entry.unknown(&key.name, names),
                    }
                }
            }
            _ => self.refuse(&format!("a map with the keys {}", listed(names))),
        }
        section
    }

    /// The entries of a map whose keys are names of the file's own choice, each at most once.
    pub(crate) fn named(&self, allowed: &str) -> Vec<(&'a str, Self)> {
        let mut entries: Vec<(&'a str, Self)> = Vec::new();
        match &self.node.value {
            Value::Null => {}
            Value::Map(pairs) => {
                for (key, node) in pairs {
                    let entry = self.child(key, node);
                    match entries.iter().find(|(known, _)| *known == key.name) {
                        Some((_, first)) => entry.repeats(first),
                        None => entries.push((&key.name, entry)),
                    }
                }
            }
            _ => self.refuse(allowed),
        }
        entries
    }

    /// The entries of a list that is one.
    pub(crate) fn list(&self, allowed: &str) -> Option<Vec<Self>> {
        if !self.is_list() {
            self.refuse(allowed);
        }
        self.is_list().then(|| self.items())
    }

    /// The entries of a list; null is the empty list and anything else a list of itself.
    pub(crate) fn items(&self) -> Vec<Self> {
        match &self.node.value {
            Value::Null => Vec::new(),
            Value::Seq(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| Self {
                    path: format!("{}[{index}]", self.path),
                    place: node.place,
                    node,
                    ..self.clone()
                })
                .collect(),
            _ => vec![self.clone()],
        }
    }

    /// The truth value; null is none. Only a lenient entry may quote it.
    pub(crate) fn flag(&self) -> Option<bool> {
        match &self.node.value {
            Value::Null => None,
            Value::Bool(flag) => Some(*flag),
            Value::Str(text) if self.lenient && text.eq_ignore_ascii_case("true") => Some(true),
            Value::Str(text) if self.lenient && text.eq_ignore_ascii_case("false") => Some(false),
            _ => {
                self.refuse("true or false");
                None
            }
        }
    }

    /// The number. Only a lenient entry may quote it.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = match &self.node.value {
            #[expect(clippy::cast_precision_loss, reason = "a bound has no more than 53 significant bits")]
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Str(text) if self.lenient => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.refuse("a number");
        }
        number
    }

    /// The integer, if the type holds it. Only a lenient entry may quote it.
    pub(crate) fn integer<T: TryFrom<i128>>(&self, allowed: &str) -> Option<T> {
        let number = match &self.node.value {
            Value::Int(number) => Some(*number),
            // The shortest text of an integral float within range is that integer.
            Value::Float(number) => number.to_string().parse().ok(),
            Value::Str(text) if self.lenient => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            self.refuse(allowed);
        }
        number
    }

    /// The integer within the range.
    pub(crate) fn within(&self, range: &RangeInclusive<usize>, allowed: &str) -> Option<usize> {
        let number = self.integer(allowed)?;
        if !range.contains(&number) {
            self.refuse(allowed);
        }
        Some(number).filter(|number| range.contains(number))
    }

    /// The network, as it is written; an address is a network of its own.
    pub(crate) fn network(&self) -> Option<IpNet> {
        const ALLOWED: &str = "a network such as 192.0.2.0/24 or 2001:db8::/32";
        let text = self.text(ALLOWED)?;
        let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        if network.is_none() {
            self.refuse(ALLOWED);
        }
        network
    }

    /// Whether the file has no mistake so far.
    pub(crate) fn faultless(&self) -> bool {
        self.mistakes.none()
    }

    /// The text without blanks around it; a number counts as its digits.
    pub(crate) fn text(&self, allowed: &str) -> Option<String> {
        self.verbatim(allowed).map(|text| text.trim().to_owned())
    }

    /// The text as it stands; a number counts as its digits.
    pub(crate) fn verbatim(&self, allowed: &str) -> Option<String> {
        let text = match &self.node.value {
            Value::Str(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            _ => None,
        };
        let text = text.filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.refuse(allowed);
        }
        text
    }

    /// Notes that another entry has said the same already.
    pub(crate) fn repeats(&self, first: &Self) {
        let (line, here) = (first.place.line, self.place.line);
        self.mistake(&format!(
            "found on line {here} what {} on line {line} says already; expected: once",
            first.path
        ));
    }

    fn child(&self, key: &Key, node: &'a Node) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{}", self.path, shown(&key.name));
        Self { path, place: key.place, node, ..self.clone() }
    }

    fn unknown(&self, key: &str, names: &[Name]) {
        let hint = meant(key, names.iter().flat_map(|name| name.iter().copied()));
        let what = format!("found an unknown key; expected: {}{hint}", listed(names));
        if self.lenient { self.warn(&what) } else { self.mistake(&what) }
    }

    fn found(&self) -> String {
        match &self.node.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Str(text) => format!("\"{}\"", shown(text)),
            Value::Seq(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }
}

impl<'a> Section<'a> {
    /// The entry of that name, null or not.
    pub(crate) fn get(&self, name: Name) -> Option<&Entry<'a>> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, entry)| entry)
    }

    /// The entry of that name unless it is null.
    pub(crate) fn filled(&self, name: Name) -> Option<&Entry<'a>> {
        self.get(name).filter(|entry| !entry.is_null())
    }

    fn add(&mut self, name: Name, entry: Entry<'a>) {
        match self.get(name) {
            Some(first) => entry.repeats(first),
            None => self.entries.push((name, entry)),
        }
    }
}

/// One of two entries that say the same; both is a mistake.
pub(crate) fn either<'s, 'a>(
    one: Option<&'s Entry<'a>>,
    other: Option<&'s Entry<'a>>,
) -> Option<&'s Entry<'a>> {
    if let (Some(one), Some(other)) = (one, other) {
        let (first, second) = if one.place <= other.place { (one, other) } else { (other, one) };
        second.repeats(first);
    }
    one.or(other)
}

/// The keys and words that builds before 4.0 knew by other names, with the names of today.
const RENAMED: &[(&str, &str)] = &[("folds", "aggregate"), ("snapshot", "current_histogram")];

fn meant<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<_> = known.collect();
    if let Some((_, new)) = RENAMED.iter().find(|(old, new)| *old == word && known.contains(new)) {
        return format!("; it is called \"{new}\" now");
    }
    nearest(word, known.into_iter()).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default()
}

fn listed(names: &[Name]) -> String {
    names.iter().filter_map(|name| name.first().copied()).collect::<Vec<_>>().join(", ")
}
