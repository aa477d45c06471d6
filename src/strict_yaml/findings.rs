//! The errors of a file, all at once: a reader notes what it found and what it expected.

use std::cell::RefCell;
use std::fmt;

use super::Position;

/// A file that says something it must not say.
///
/// Displays one line for each error: `FILE:LINE:COLUMN: KEY.PATH: what was found; what is expected`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    lines: Vec<String>,
}

impl Error {
    /// One line for each error, in the order of the file.
    #[must_use]
    pub fn errors(&self) -> &[String] {
        &self.lines
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// The errors and warnings found so far.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    file: &'a str,
    // Filled through shared references, so that every part of the tree can hold one.
    errors: RefCell<Vec<(Position, String)>>,
    warnings: RefCell<Vec<(Position, String)>>,
}

impl<'a> Findings<'a> {
    /// Of a file in which nothing was found yet.
    pub(crate) fn of(file: &'a str) -> Self {
        Self { file, errors: RefCell::default(), warnings: RefCell::default() }
    }

    /// Whether no error was found so far.
    pub(crate) fn has_no_error(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    /// Adds an error.
    pub(crate) fn error(&self, position: Position, path: &str, what: &str) {
        self.errors.borrow_mut().push((position, self.line(position, path, what)));
    }

    /// Adds a warning.
    pub(crate) fn warning(&self, position: Position, path: &str, what: &str) {
        self.warnings.borrow_mut().push((position, self.line(position, path, what)));
    }

    /// The warnings, if there is no error.
    pub(crate) fn settle(self) -> Result<Vec<String>, Error> {
        let errors = in_order(self.errors.into_inner());
        if errors.is_empty() {
            return Ok(in_order(self.warnings.into_inner()));
        }
        Err(Error { lines: errors })
    }

    fn line(&self, Position { line, column }: Position, path: &str, what: &str) -> String {
        let (file, colon) = (self.file, if path.is_empty() { "" } else { ": " });
        format!("{file}:{line}:{column}: {path}{colon}{what}")
    }
}

fn in_order(mut lines: Vec<(Position, String)>) -> Vec<String> {
    lines.sort_by_key(|(position, _)| *position);
    lines.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_the_order_of_the_file() {
        let findings = Findings::of("a.yml");
        findings.error(Position { line: 9, column: 2 }, "b.c", "late");
        findings.error(Position { line: 2, column: 1 }, "", "early");
        let error = findings.settle().err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("a.yml:2:1: early\na.yml:9:2: b.c: late"));
    }
}
