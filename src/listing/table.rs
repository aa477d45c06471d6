//! Sockets as a table for people.

use std::fmt::Write as _;

use super::figures::Figures;
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

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The line of titles.
    pub titles: Titles,
    /// How values are written.
    pub figures: Figures,
    /// The most characters of a line, for which the columns that matter least are left out; `None` for all columns.
    pub width: Option<usize>,
}

/// What separates two columns.
const GAP: &str = "  ";

/// The columns that matter most to people, first.
const MATTERING: [&str; 18] = [
    "local",
    "remote",
    "state",
    "netid",
    "process",
    "fill",
    "recv_q",
    "send_q",
    "bottleneck",
    "rtt",
    "sent",
    "received",
    "retrans",
    "sockets",
    "drops",
    "peer_process",
    "unit",
    "cwnd",
];

/// A column with the texts of all rows.
struct Texts {
    column: ListingColumn,
    title: String,
    rows: Vec<String>,
    width: usize,
}

impl Texts {
    fn of(column: ListingColumn, rows: &[Row], layout: Layout) -> Self {
        let title = if layout.titles == Titles::None { String::new() } else { column.title() };
        let rows: Vec<_> = rows.iter().map(|row| column.text_in(row, layout.figures)).collect();
        let widths = rows.iter().chain([&title]).map(|text| text.chars().count());
        let width = widths.max().unwrap_or_default();
        Self { column, title, rows, width }
    }

    /// Its place among those that matter.
    fn rank(&self) -> usize {
        let name = self.column.name();
        MATTERING.iter().position(|known| *known == name).unwrap_or(MATTERING.len())
    }

    /// Appends a text, to the right if the column is of numbers.
    fn append(&self, line: &mut String, text: &str) {
        let gap = if line.is_empty() { "" } else { GAP };
        let width = self.width;
        // Writing to a String cannot fail.
        let _ = if self.column.is_of_numbers() {
            write!(line, "{gap}{text:>width$}")
        } else {
            write!(line, "{gap}{text:<width$}")
        };
    }
}

/// Leaves out the columns that matter least, until a line has at most that many characters or one column is left.
fn fit(columns: &mut Vec<Texts>, width: usize) {
    let total = |columns: &[Texts]| columns.iter().map(|texts| texts.width + GAP.len()).sum::<usize>();
    while columns.len() > 1 && total(columns) > width + GAP.len() {
        let least = columns.iter().enumerate().max_by_key(|(number, texts)| (texts.rank(), *number));
        let Some((number, _)) = least else { return };
        columns.remove(number);
    }
}

/// The table of some rows, each column as wide as its widest text.
#[must_use]
pub fn table(rows: &[Row], columns: &[ListingColumn], layout: Layout) -> String {
    let mut columns: Vec<_> = columns.iter().map(|column| Texts::of(*column, rows, layout)).collect();
    if let Some(width) = layout.width {
        fit(&mut columns, width);
    }
    let mut out = String::new();
    let mut add =
        |text: for<'a> fn(&'a Texts, usize) -> &'a str, number: usize, [before, after]: [&str; 2]| {
            let mut line = String::new();
            for texts in &columns {
                texts.append(&mut line, text(texts, number));
            }
            out.extend([before, line.trim_end(), after, "\n"]);
        };
    match layout.titles {
        Titles::Bold => add(|texts, _| &texts.title, 0, BOLD),
        Titles::Plain => add(|texts, _| &texts.title, 0, [""; 2]),
        Titles::None => {}
    }
    for number in 0..rows.len() {
        add(|texts, number| texts.rows.get(number).map_or("", String::as_str), number, [""; 2]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::{Number, usual};
    use crate::metrics::named;
    use crate::properties::Property;
    use sockdiag::TCP;

    #[test]
    fn columns_are_as_wide_as_their_widest_text_and_numbers_stand_to_the_right() {
        let row = |state: &str, sent| {
            Row::of(&[(Property::State, state)], vec![(named("sent_bytes_total"), Number::Whole(sent))])
        };
        let columns = ["state", "sent_bytes_total"].map(|name| ListingColumn::named(name).expect("a column"));
        let rows = [row("established", 7), row("syn_sent", 12_345_678_901)];
        let layout = Layout { titles: Titles::Plain, figures: Figures::Exact, width: None };
        let expected = "STATE            SENT\nESTAB               7\nSYN-SENT  12345678901\n";
        assert_eq!(table(&rows, &columns, layout), expected);
        assert_eq!(table(&rows[..1], &columns, Layout { titles: Titles::None, ..layout }), "ESTAB  7\n");
        let short = Layout { figures: Figures::Short, ..layout };
        assert!(table(&rows, &columns, short).ends_with("SYN-SENT  12.3G\n"));
        assert!(
            table(&[], &columns, Layout { titles: Titles::Bold, ..layout }).starts_with("\u{1b}[1mSTATE")
        );
    }

    #[test]
    fn columns_that_matter_least_are_left_out_until_a_line_fits() {
        let labels = [
            (Property::State, "established"),
            (Property::LocalAddress, "192.168.100.100"),
            (Property::LocalPort, "50000"),
            (Property::RemoteAddress, "192.168.100.101"),
            (Property::RemotePort, "50001"),
            (Property::Process, "a-long-process"),
            (Property::Pid, "12345"),
        ];
        let row = Row::of(&labels, vec![(named("sent_bytes_total"), Number::Whole(7))]);
        let columns = usual(&[&TCP], false);
        let lines = |width| {
            let layout = Layout { titles: Titles::Plain, figures: Figures::Exact, width: Some(width) };
            table(std::slice::from_ref(&row), &columns, layout)
        };
        for width in [60, 80, 120, 200] {
            assert!(lines(width).lines().all(|line| line.chars().count() <= width), "{}", lines(width));
        }
        assert!(
            lines(80).starts_with("STATE") && lines(80).contains("a-long-process(12345)"),
            "{}",
            lines(80)
        );
        assert!(!lines(80).contains("CWND") && lines(200).contains("CWND"));
        // The ends alone are wider.
        assert!(lines(5).starts_with("LOCAL"), "{}", lines(5));
    }
}
