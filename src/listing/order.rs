//! The order of rows: by a column, or by groups with the same text of a label.

use std::cmp::Ordering;

use super::column::UnknownColumn;
use super::{ListingColumn, Number, Row};
use crate::metrics::{Kind, Metric, named};
use crate::properties::Property;
use sockdiag::Protocol;

/// A column to sort by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// The column.
    pub column: ListingColumn,
    /// Whether the greatest comes first.
    falling: bool,
}

impl Order {
    /// By the column of that name, the greatest first with `-` in front.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn named(name: &str) -> Result<Self, UnknownColumn> {
        let column = ListingColumn::named(name.trim_start_matches('-'))?;
        Ok(Self { column, falling: name.starts_with('-') })
    }

    /// Sorts the rows; those without a value come last.
    pub fn sort(self, rows: &mut [Row]) {
        let Self { column, falling } = self;
        let directed = |ordering: Ordering| if falling { ordering.reverse() } else { ordering };
        if column.is_of_numbers() {
            let value = |row: &Row| column.value(row).map(Number::real);
            rows.sort_by(|one, other| match (value(one), value(other)) {
                (Some(one), Some(other)) => directed(one.total_cmp(&other)),
                (one, other) => other.is_some().cmp(&one.is_some()),
            });
        } else {
            rows.sort_by_cached_key(|row| column.text(row));
            if falling {
                rows.reverse();
            }
        }
    }
}

/// How many sockets a group has.
const SOCKETS: &Metric = named("sockets");

/// The columns of groups by a label, of sockets of these protocols.
#[must_use]
pub fn columns_of_groups(label: Property, protocols: &[&Protocol]) -> Vec<ListingColumn> {
    let named = ["recv_q", "send_q", "sent", "received", "retrans", "rtt", "drops"];
    let figures = named.iter().filter_map(|name| ListingColumn::named(name).ok());
    let figures = figures.filter(|column| protocols.iter().any(|protocol| column.is_of(protocol)));
    [ListingColumn::Label(label), ListingColumn::Metric(SOCKETS)].into_iter().chain(figures).collect()
}

/// A row for each text of a label, those with most sockets first: the sums of counters and gauges, the means of what does not
/// add up.
#[must_use]
pub fn grouped(rows: &[Row], label: Property) -> Vec<Row> {
    let mut groups: Vec<(&str, Vec<&Row>)> = Vec::new();
    let mut sorted: Vec<_> = rows.iter().map(|row| (row.label(label), row)).collect();
    sorted.sort_by_key(|(text, _)| *text);
    for (text, row) in sorted {
        match groups.last_mut() {
            Some((of, group)) if *of == text => group.push(row),
            _ => groups.push((text, vec![row])),
        }
    }
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    groups.into_iter().filter_map(|(text, group)| of_group(label, text, &group)).collect()
}

fn of_group(label: Property, text: &str, group: &[&Row]) -> Option<Row> {
    let protocol = group.first()?.protocol;
    let mut metrics: Vec<&'static Metric> = Vec::new();
    for (metric, _) in group.iter().flat_map(|row| &row.values) {
        if !metrics.iter().any(|known| known.name == metric.name) {
            metrics.push(metric);
        }
    }
    let of_metric = |metric: &'static Metric| {
        let values: Vec<_> =
            group.iter().filter_map(|row| row.value(metric.name)).map(Number::real).collect();
        let sum: f64 = values.iter().sum();
        let is_mean = metric.kind == Kind::Distribution;
        (metric, Number::Real(if is_mean { sum / count(values.len()) } else { sum }))
    };
    let values = metrics.into_iter().map(of_metric);
    let values = values.chain([(SOCKETS, Number::Real(count(group.len())))]).collect();
    Some(Row { protocol, labels: vec![(label, text.to_owned())], values })
}

#[expect(clippy::cast_precision_loss, reason = "no host has so many sockets")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(process: &str, sent: u64, rtt: Option<f64>) -> Row {
        let rtt = rtt.map(|rtt| (named("rtt_seconds"), Number::Real(rtt)));
        let sent = (named("sent_bytes_total"), Number::Whole(sent));
        Row::of(&[(Property::Process, process)], std::iter::once(sent).chain(rtt).collect())
    }

    fn processes(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| row.label(Property::Process)).collect()
    }

    #[test]
    fn rows_are_sorted_by_numbers_or_texts_and_those_without_a_value_come_last() {
        let mut rows = [row("b", 7, None), row("c", 100, Some(0.1)), row("a", 9, Some(0.3))];
        let mut sorted = |name| {
            Order::named(name).expect("a column").sort(&mut rows);
            processes(&rows).concat()
        };
        assert_eq!((sorted("sent").as_str(), sorted("-sent").as_str()), ("bac", "cab"));
        assert_eq!((sorted("-rtt").as_str(), sorted("rtt").as_str()), ("acb", "cab"));
        assert_eq!(sorted("-local").len(), 3);
        assert!(Order::named("-snt").expect_err("no column").to_string().contains("did you mean sent?"));
    }

    #[test]
    fn a_group_has_the_sums_of_its_sockets_and_the_mean_of_round_trip_times() {
        let rows = [row("a", 1, Some(0.1)), row("b", 5, None), row("a", 2, Some(0.3))];
        let groups = grouped(&rows, Property::Process);
        assert_eq!(processes(&groups), ["a", "b"]);
        let texts = |row: &Row| {
            let columns = columns_of_groups(Property::Process, &[&sockdiag::TCP]);
            columns.into_iter().map(|column| column.text(row)).collect::<Vec<_>>()
        };
        assert_eq!(texts(&groups[0]), ["a", "2", "-", "-", "3", "-", "-", "200.000ms", "-"]);
        assert_eq!(texts(&groups[1]), ["b", "1", "-", "-", "5", "-", "-", "-", "-"]);
    }
}
