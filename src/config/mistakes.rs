//! What is wrong with a file, all of it at once.
//!
//! Refuses to know what a key means; a reader says what it found and what is allowed.

use std::cell::RefCell;
use std::fmt;

use super::node::Place;

/// A file that says something it must not say.
///
/// Displays one line for each mistake: `FILE:LINE:COLUMN: KEY.PATH: what was found; what is allowed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    lines: Vec<String>,
}

impl Error {
    /// One line for each mistake, in the order of the file.
    #[must_use]
    pub fn mistakes(&self) -> &[String] {
        &self.lines
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// The mistakes and the oddities found so far.
#[derive(Debug)]
pub(crate) struct Mistakes<'a> {
    file: &'a str,
    // Filled through shared references, so that every part of the tree can hold one.
    wrong: RefCell<Vec<(Place, String)>>,
    odd: RefCell<Vec<(Place, String)>>,
}

impl<'a> Mistakes<'a> {
    /// Of a file in which nothing was found yet.
    pub(crate) fn of(file: &'a str) -> Self {
        Self { file, wrong: RefCell::default(), odd: RefCell::default() }
    }

    /// Whether no mistake was found so far.
    pub(crate) fn none(&self) -> bool {
        self.wrong.borrow().is_empty()
    }

    /// Adds a mistake.
    pub(crate) fn mistake(&self, place: Place, path: &str, what: &str) {
        self.wrong.borrow_mut().push((place, self.line(place, path, what)));
    }

    /// Adds what is odd and harmless.
    pub(crate) fn warning(&self, place: Place, path: &str, what: &str) {
        self.odd.borrow_mut().push((place, self.line(place, path, what)));
    }

    /// The warnings, if there is no mistake.
    pub(crate) fn settle(self) -> Result<Vec<String>, Error> {
        let mistakes = in_order(self.wrong.into_inner());
        if mistakes.is_empty() {
            return Ok(in_order(self.odd.into_inner()));
        }
        Err(Error { lines: mistakes })
    }

    fn line(&self, Place { line, column }: Place, path: &str, what: &str) -> String {
        let (file, colon) = (self.file, if path.is_empty() { "" } else { ": " });
        format!("{file}:{line}:{column}: {path}{colon}{what}")
    }
}

fn in_order(mut lines: Vec<(Place, String)>) -> Vec<String> {
    lines.sort_by_key(|(place, _)| *place);
    lines.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_the_order_of_the_file() {
        let mistakes = Mistakes::of("a.yml");
        mistakes.mistake(Place { line: 9, column: 2 }, "b.c", "late");
        mistakes.mistake(Place { line: 2, column: 1 }, "", "early");
        let error = mistakes.settle().err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("a.yml:2:1: early\na.yml:9:2: b.c: late"));
    }
}
