//! An entry of a file while it is read: a node, the keys that lead to it, and where errors are noted.
//!
//! A read that fails has noted its error and returns nothing, so that reading goes on and finds the next error.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::{Findings, MapKey, Node, Position, YamlValue};
use crate::suggest::nearest;
use crate::terminal::shown;

/// The spellings of one key; messages use the first.
pub(crate) type Name = &'static [&'static str];

/// A node, the keys that lead to it, and where errors are noted.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    findings: &'a Findings<'a>,
    path: String,
    position: Position,
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
    pub(crate) fn root(node: &'a Node, findings: &'a Findings<'a>) -> Self {
        Self { findings, path: String::new(), position: node.position, node, lenient: false }
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
        self.node.value == YamlValue::Null
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.node.value, YamlValue::Seq(_))
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.node.value, YamlValue::Map(_))
    }

    /// Notes an error: the value is none of the expected ones.
    pub(crate) fn refuse(&self, expected: &str) {
        self.error(&format!("found {}; expected: {expected}", self.found()));
    }

    /// What was read; if nothing was, that is noted.
    pub(crate) fn or_refuse<T>(&self, read: Option<T>, expected: &str) -> Option<T> {
        if read.is_none() {
            self.refuse(expected);
        }
        read
    }

    /// What `parse` makes of the text.
    pub(crate) fn parsed<T>(&self, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(expected)?;
        self.or_refuse(parse(&text), expected)
    }

    /// Notes that a word is none of the known ones, and which it was probably meant to be.
    pub(crate) fn unknown_word<'k>(&self, word: &str, expected: &str, known: impl Iterator<Item = &'k str>) {
        self.error(&format!("found \"{}\"; expected: {expected}{}", shown(word), meant(word, known)));
    }

    /// The value that a table gives to a word.
    pub(crate) fn one_of<T: Copy>(&self, word: &str, known: &[(&str, T)], expected: &str) -> Option<T> {
        let found = known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            self.unknown_word(word, expected, known.iter().map(|(name, _)| *name));
        }
        found
    }

    pub(crate) fn error(&self, what: &str) {
        self.findings.error(self.position, &self.path, what);
    }

    pub(crate) fn warn(&self, what: &str) {
        self.findings.warning(self.position, &self.path, what);
    }

    /// The map with these keys, each at most once; null is the empty map.
    pub(crate) fn section(&self, names: &[Name]) -> Section<'a> {
        let mut section = Section { entries: Vec::new() };
        match &self.node.value {
            YamlValue::Null => {}
            YamlValue::Map(pairs) => {
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
    pub(crate) fn named(&self, expected: &str) -> Vec<(&'a str, Self)> {
        let mut entries: Vec<(&'a str, Self)> = Vec::new();
        match &self.node.value {
            YamlValue::Null => {}
            YamlValue::Map(pairs) => {
                for (key, node) in pairs {
                    let entry = self.child(key, node);
                    match entries.iter().find(|(known, _)| *known == key.name) {
                        Some((_, first)) => entry.repeats(first),
                        None => entries.push((&key.name, entry)),
                    }
                }
            }
            _ => self.refuse(expected),
        }
        entries
    }

    /// The entries of a list that is one.
    pub fn list(&self, expected: &str) -> Option<Vec<Self>> {
        self.or_refuse(self.is_list().then(|| self.items()), expected)
    }

    /// The entries of a list; null is the empty list and anything else a list of itself.
    pub(crate) fn items(&self) -> Vec<Self> {
        match &self.node.value {
            YamlValue::Null => Vec::new(),
            YamlValue::Seq(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| Self {
                    path: format!("{}[{index}]", self.path),
                    position: node.position,
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
            YamlValue::Null => None,
            YamlValue::Bool(flag) => Some(*flag),
            YamlValue::Str(text) if self.lenient && text.eq_ignore_ascii_case("true") => Some(true),
            YamlValue::Str(text) if self.lenient && text.eq_ignore_ascii_case("false") => Some(false),
            _ => self.or_refuse(None, "true or false"),
        }
    }

    /// The number. Only a lenient entry may quote it.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = match &self.node.value {
            #[expect(clippy::cast_precision_loss, reason = "a bound has no more than 53 significant bits")]
            YamlValue::Int(number) => Some(*number as f64),
            YamlValue::Float(number) => Some(*number),
            YamlValue::Str(text) if self.lenient => text.trim().parse().ok(),
            _ => None,
        };
        self.or_refuse(number, "a number")
    }

    /// The numbers of a list, each allowed and greater than the one before; a number alone is a list of one.
    pub(crate) fn ascending(&self, is_allowed: impl Fn(f64) -> bool, allowed: &str) -> Vec<f64> {
        let mut numbers: Vec<f64> = Vec::new();
        for item in self.items() {
            let Some(number) = item.number() else { continue };
            if !is_allowed(number) {
                item.refuse(allowed);
            } else if let Some(last) = numbers.last().filter(|last| **last >= number) {
                item.error(&format!("found {number} after {last}; expected: ascending bounds, each once"));
            } else {
                numbers.push(number);
            }
        }
        numbers
    }

    /// The integer, if the type holds it. Only a lenient entry may quote it.
    pub(crate) fn integer<T: TryFrom<i128>>(&self, expected: &str) -> Option<T> {
        let number = match &self.node.value {
            YamlValue::Int(number) => Some(*number),
            // The shortest text of an integral float within range is that integer.
            YamlValue::Float(number) => number.to_string().parse().ok(),
            YamlValue::Str(text) if self.lenient => text.trim().parse().ok(),
            _ => None,
        };
        self.or_refuse(number.and_then(|number| T::try_from(number).ok()), expected)
    }

    /// The integer within the range.
    pub(crate) fn within(&self, range: &RangeInclusive<usize>, expected: &str) -> Option<usize> {
        let number = self.integer(expected)?;
        self.or_refuse(Some(number).filter(|number| range.contains(number)), expected)
    }

    /// The network, as it is written; an address is a network of its own.
    pub(crate) fn network(&self) -> Option<IpNet> {
        const ALLOWED: &str = "a network such as 192.0.2.0/24 or 2001:db8::/32";
        self.parsed(ALLOWED, |text| text.parse().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into())))
    }

    /// Whether the file has no error so far.
    pub(crate) fn has_no_error(&self) -> bool {
        self.findings.has_no_error()
    }

    /// The text without blanks around it; a number counts as its digits.
    pub(crate) fn text(&self, expected: &str) -> Option<String> {
        self.verbatim(expected).map(|text| text.trim().to_owned())
    }

    /// The text as it stands; a number counts as its digits.
    pub(crate) fn verbatim(&self, expected: &str) -> Option<String> {
        let text = match &self.node.value {
            YamlValue::Str(text) => Some(text.clone()),
            YamlValue::Int(number) => Some(number.to_string()),
            YamlValue::Float(number) => Some(number.to_string()),
            _ => None,
        };
        self.or_refuse(text.filter(|text| !text.trim().is_empty()), expected)
    }

    /// Notes that another entry has said the same already.
    pub(crate) fn repeats(&self, first: &Self) {
        let (line, here) = (first.position.line, self.position.line);
        self.error(&format!(
            "found on line {here} what {} on line {line} says already; expected: once",
            first.path
        ));
    }

    fn child(&self, key: &MapKey, node: &'a Node) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{}", self.path, shown(&key.name));
        Self { path, position: key.position, node, ..self.clone() }
    }

    fn unknown(&self, key: &str, names: &[Name]) {
        let hint = meant(key, names.iter().flat_map(|name| name.iter().copied()));
        let what = format!("found an unknown key; expected: {}{hint}", listed(names));
        if self.lenient { self.warn(&what) } else { self.error(&what) }
    }

    fn found(&self) -> String {
        match &self.node.value {
            YamlValue::Null => "nothing".to_owned(),
            YamlValue::Bool(flag) => flag.to_string(),
            YamlValue::Int(number) => number.to_string(),
            YamlValue::Float(number) => number.to_string(),
            YamlValue::Str(text) => format!("\"{}\"", shown(text)),
            YamlValue::Seq(_) => "a list".to_owned(),
            YamlValue::Map(_) => "a map".to_owned(),
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

/// One of two entries that say the same; both is an error.
pub(crate) fn either<'s, 'a>(
    one: Option<&'s Entry<'a>>,
    other: Option<&'s Entry<'a>>,
) -> Option<&'s Entry<'a>> {
    if let (Some(one), Some(other)) = (one, other) {
        let (first, second) = if one.position <= other.position { (one, other) } else { (other, one) };
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
