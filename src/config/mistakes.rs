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
pub(super) struct Mistakes<'a> {
    file: &'a str,
    // Filled through shared references, so that every part of the tree can hold one.
    wrong: RefCell<Vec<(Place, String)>>,
    odd: RefCell<Vec<(Place, String)>>,
}

impl<'a> Mistakes<'a> {
    /// Of a file in which nothing was found yet.
    pub(super) fn of(file: &'a str) -> Self {
        Self { file, wrong: RefCell::default(), odd: RefCell::default() }
    }

    /// Whether no mistake was found so far.
    pub(super) fn none(&self) -> bool {
        self.wrong.borrow().is_empty()
    }

    /// Adds a mistake.
    pub(super) fn mistake(&self, place: Place, path: &str, what: &str) {
        self.wrong.borrow_mut().push((place, self.line(place, path, what)));
    }

    /// Adds what is odd and harmless.
    pub(super) fn warning(&self, place: Place, path: &str, what: &str) {
        self.odd.borrow_mut().push((place, self.line(place, path, what)));
    }

    /// The warnings, if there is no mistake.
    pub(super) fn settle(self) -> Result<Vec<String>, Error> {
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

/// The known name that a word was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    known
        .map(|name| (distance(word, name), name))
        .filter(|(distance, name)| distance * 3 <= letters.max(name.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be added, removed or replaced; upper case counts as lower case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.to_lowercase().chars().enumerate() {
        let (mut left, mut next) = (index + 1, vec![index + 1]);
        for (target, above) in other.iter().zip(row.windows(2)) {
            if let &[diagonal, above] = above {
                left = (diagonal + usize::from(*target != letter)).min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_the_number_of_edits() {
        for (one, other, edits) in [
            ("", "", 0),
            ("", "rtt", 3),
            ("rtt", "", 3),
            ("rtt", "RTT", 0),
            ("gagues", "gauges", 2),
            ("cwnds", "cwnd", 1),
        ] {
            assert_eq!(distance(one, other), edits, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_name_is_none_if_every_name_is_far() {
        let known = || ["gauges", "histograms", "counters"].into_iter();
        assert_eq!(nearest("gagues", known()), Some("gauges"));
        assert_eq!(nearest("Counter", known()), Some("counters"));
        assert_eq!(nearest("x", known()), None);
        assert_eq!(nearest("selection", known()), None);
        assert_eq!(nearest("", known()), None);
    }

    #[test]
    fn lines_come_in_the_order_of_the_file() {
        let mistakes = Mistakes::of("a.yml");
        mistakes.mistake(Place { line: 9, column: 2 }, "b.c", "late");
        mistakes.mistake(Place { line: 2, column: 1 }, "", "early");
        let error = mistakes.settle().err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("a.yml:2:1: early\na.yml:9:2: b.c: late"));
    }
}
