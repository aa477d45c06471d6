//! That no two columns are written under one name.
//!
//! A histogram is written under three names, and in `OpenMetrics` a counter's family has a name without
//! `_total`.

use std::collections::HashMap;

use crate::metrics::{Aggregation, Kind};
use crate::strict_yaml::Entry;
use crate::view::{Column, View};

/// Notes every name that a view has in common with another or with itself.
pub(super) fn check(views: &[(&Entry<'_>, View)]) {
    let mut owners = HashMap::new();
    for (entry, view) in views {
        for column in &view.columns {
            if let Some((name, owner)) = claim(&mut owners, &view.name, column) {
                entry.error(&format!(
                    "found the exposed name {name} in view {owner} and in view {}; \
                     expected: names of views and metrics that make each exposed name once",
                    view.name
                ));
            }
        }
    }
}

/// Takes the names of a column for a view, or returns the first that is taken, and by which view.
fn claim<'v>(
    owners: &mut HashMap<String, &'v str>,
    view: &'v str,
    column: &Column,
) -> Option<(String, &'v str)> {
    let names = names(column);
    let taken = names.iter().find_map(|name| Some((name.clone(), *owners.get(name)?)));
    if taken.is_none() {
        owners.extend(names.into_iter().map(|name| (name, view)));
    }
    taken
}

/// Every name that a column is written under in either format.
fn names(column: &Column) -> Vec<String> {
    let name = &column.name;
    match (&column.aggregation, column.kind) {
        (Aggregation::Histogram(_) | Aggregation::CurrentHistogram(_), _) => {
            ["", "_bucket", "_sum", "_count"].iter().map(|suffix| format!("{name}{suffix}")).collect()
        }
        (_, Kind::Counter) => vec![name.clone(), name.trim_end_matches("_total").to_owned()],
        (_, Kind::Gauge | Kind::Distribution) => vec![name.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::named;

    fn column(name: &str, kind: Kind, aggregation: Aggregation) -> Column {
        let metric = named("sockets");
        Column { metric, name: name.to_owned(), help: String::new(), kind, per_base: 1.0, aggregation }
    }

    #[test]
    fn a_histogram_takes_its_suffixes_and_a_counter_its_name_without_total() {
        let histogram = || column("ss_a", Kind::Distribution, Aggregation::Histogram(vec![1.0]));
        let counter = || column("ss_b_total", Kind::Counter, Aggregation::Gain);
        let gauge = |name: &str| column(name, Kind::Gauge, Aggregation::Sum);
        for (first, second, name) in [
            (histogram(), gauge("ss_a_bucket"), "ss_a_bucket"),
            (histogram(), gauge("ss_a_sum"), "ss_a_sum"),
            (gauge("ss_a_count"), histogram(), "ss_a_count"),
            (histogram(), gauge("ss_a"), "ss_a"),
            (counter(), gauge("ss_b"), "ss_b"),
            (gauge("ss_b"), counter(), "ss_b"),
            (counter(), counter(), "ss_b_total"),
        ] {
            let mut owners = HashMap::new();
            assert_eq!(claim(&mut owners, "x", &first), None);
            assert_eq!(claim(&mut owners, "y", &second), Some((name.to_owned(), "x")));
        }
        let mut owners = HashMap::new();
        for column in [histogram(), counter(), gauge("ss_a_total"), gauge("ss_b_sum")] {
            assert_eq!(claim(&mut owners, "x", &column), None, "{column:?}");
        }
    }
}
