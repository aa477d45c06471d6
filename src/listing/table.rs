//! Sockets as a table for people.

use std::fmt::Write as _;

use super::{ListingColumn, Row};

/// Bold, and its end (ECMA-48, 8.3.117).
const BOLD: [&str; 2] = ["\u{1b}[1m", "\u{1b}[0m"];

/// The line of titles of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Titles {
    /// In bold.
    Bold,
    /// As they are.
    Plain,
    /// There are none.
    None,
}

/// The table of some rows, each column as wide as its widest text.
#[must_use]
pub fn table(rows: &[Row], columns: &[ListingColumn], titles: Titles) -> String {
    let head: Vec<Vec<String>> = match titles {
        Titles::None => Vec::new(),
        _ => vec![columns.iter().map(|column| column.title().to_uppercase()).collect()],
    };
    let texts: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|column| column.text(row)).collect()).collect();
    let width = |number: usize| {
        let lines = head.iter().chain(&texts);
        lines.filter_map(|line| line.get(number)).map(|text| text.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |texts: &[String]| {
        let mut line = String::new();
        for ((text, column), width) in texts.iter().zip(columns).zip(&widths) {
            let gap = if line.is_empty() { "" } else { "  " };
            // Writing to a String cannot fail.
            let _ = if column.is_of_numbers() {
                write!(line, "{gap}{text:>width$}")
            } else {
                write!(line, "{gap}{text:<width$}")
            };
        }
        line.truncate(line.trim_end().len());
        line
    };
    let [bold, end] = if titles == Titles::Bold { BOLD } else { [""; 2] };
    let mut out = String::new();
    for texts in &head {
        out.extend([bold, &line(texts), end, "\n"]);
    }
    for texts in &texts {
        out.push_str(&line(texts));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::Number;
    use crate::metrics::named;
    use crate::properties::Property;

    #[test]
    fn columns_are_as_wide_as_their_widest_text_and_numbers_stand_to_the_right() {
        let row = |state: &str, sent| {
            Row::of(&[(Property::State, state)], vec![(named("sent_bytes_total"), Number::Whole(sent))])
        };
        let columns = ["state", "sent_bytes_total"].map(|name| ListingColumn::named(name).expect("a column"));
        let rows = [row("established", 7), row("syn_sent", 12_345_678_901)];
        let expected = "STATE               SENT\nestablished            7\nsyn_sent     12345678901\n";
        assert_eq!(table(&rows, &columns, Titles::Plain), expected);
        assert_eq!(table(&rows[..1], &columns, Titles::None), "established  7\n");
        assert!(table(&[], &columns, Titles::Bold).starts_with("\u{1b}[1mSTATE"));
    }
}
