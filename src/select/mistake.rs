//! Values in a selection, and what is said of those that cannot be meant.

use std::fmt;

use crate::suggest::nearest;
use crate::terminal::shown;

/// What is wrong with a selection, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the text, in bytes from its beginning.
    pub at: usize,
    /// What stands there.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: found {}; expected: {}", self.at + 1, self.found, self.allowed)
    }
}

impl std::error::Error for Mistake {}

impl Mistake {
    /// What is wrong in a text that its reader has before him, by the rest of it that could not be read.
    #[must_use]
    pub fn told_of(&self, text: &str) -> String {
        let rest = text.get(self.at..).map(str::trim).filter(|rest| !rest.is_empty());
        let place = rest.map_or_else(|| "its end".to_owned(), |rest| format!("\"{}\"", shown(rest)));
        format!("at {place}: found {}; expected: {}", self.found, self.allowed)
    }
}

/// A word where a value is expected.
pub(super) struct Value {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) quoted: bool,
}

impl Value {
    /// What is wrong with it.
    pub(super) fn mistake(&self, allowed: impl Into<String>) -> Mistake {
        Mistake { at: self.at, found: format!("\"{}\"", shown(&self.text)), allowed: allowed.into() }
    }

    /// The same, with the known word that was probably meant.
    pub(super) fn unknown<'k>(&self, allowed: &str, known: impl Iterator<Item = &'k str>) -> Mistake {
        // Comparing a word costs its length.
        let guess =
            Some(self.text.as_str()).filter(|text| text.len() < 64).and_then(|text| nearest(text, known));
        let hint = guess.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
        self.mistake(format!("{allowed}{hint}"))
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
