//! The error of a selection, and the values that raise it.

use std::fmt;

use crate::suggest::nearest;
use crate::terminal::shown;

/// Why a text is not a selection, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionError {
    /// Where in the text, in bytes from its beginning.
    pub at: usize,
    /// What the text has there.
    pub found: String,
    /// What the language has there.
    pub expected: String,
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: found {}; expected: {}", self.at + 1, self.found, self.expected)
    }
}

impl std::error::Error for SelectionError {}

impl SelectionError {
    /// The same for a reader who has the text: it quotes the rest of `text` that could not be read, not a column.
    #[must_use]
    pub fn in_context(&self, text: &str) -> String {
        let rest = text.get(self.at..).map(str::trim).filter(|rest| !rest.is_empty());
        let place = rest.map_or_else(|| "its end".to_owned(), |rest| format!("\"{}\"", shown(rest)));
        format!("at {place}: found {}; expected: {}", self.found, self.expected)
    }
}

/// A word where a value is expected.
pub(super) struct Value {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) quoted: bool,
}

impl Value {
    /// The error that it is not what was expected.
    pub(super) fn error(&self, expected: impl Into<String>) -> SelectionError {
        SelectionError { at: self.at, found: format!("\"{}\"", shown(&self.text)), expected: expected.into() }
    }

    /// The same, with the nearest known word.
    pub(super) fn unknown<'k>(&self, expected: &str, known: impl Iterator<Item = &'k str>) -> SelectionError {
        // Comparing a word costs its length.
        let guess =
            Some(self.text.as_str()).filter(|text| text.len() < 64).and_then(|text| nearest(text, known));
        let hint = guess.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
        self.error(format!("{expected}{hint}"))
    }
}

/// A number, decimal or hexadecimal behind `0x`; `ss` takes a leading zero for octal, which no user wants.
pub(super) fn number(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x") {
        let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return u32::from_str_radix(digits, 16).ok().filter(|_| all);
    }
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| all && (text == "0" || !text.starts_with('0')))
}
