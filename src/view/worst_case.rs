//! The max rows and series of a view.

use super::View;
use crate::metrics::Aggregation;
use crate::properties::Property;

/// The most that a view can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorstCase {
    /// Rows, the one over the limit included.
    pub rows: usize,
    /// Series: the lines that have a value.
    pub series: usize,
}

impl View {
    /// The most rows and series that the view can show; `None` if it has no limit.
    pub(crate) fn worst_case(&self) -> Option<WorstCase> {
        // The row of those over the limit.
        let other = usize::from(self.aggregates);
        let limited = self.limit.map(|limit| limit.saturating_add(other));
        let distinct = self.distinct();
        let rows = match (distinct, self.limit) {
            (Some(distinct), Some(limit)) if distinct > limit => limited,
            (Some(distinct), _) => Some(distinct),
            (None, _) => limited,
        }?;
        Some(WorstCase { rows, series: rows.saturating_mul(self.series_per_row()) })
    }

    /// The most series of a row.
    pub(crate) fn series_per_row(&self) -> usize {
        let series = self.columns.iter().map(|column| match &column.aggregation {
            // The bucket without a bound, the sum and the count.
            Aggregation::Histogram(bounds) | Aggregation::CurrentHistogram(bounds) => {
                bounds.len().saturating_add(3)
            }
            _ => 1,
        });
        series.sum()
    }

    /// How many keys there can be, if they are few and known.
    fn distinct(&self) -> Option<usize> {
        self.by.iter().try_fold(1_usize, |product, label| {
            let values = match label {
                Property::State => self.states().len(),
                _ => label.values()?.len(),
            };
            product.checked_mul(values)
        })
    }
}

/// A table for people: the most rows and series of each view and of all.
#[must_use]
pub fn worst_cases(views: &[View]) -> String {
    let mut lines = vec![["view", "limit", "rows at most", "series at most"].map(str::to_owned)];
    let cases: Vec<_> = views.iter().map(View::worst_case).collect();
    for (view, case) in views.iter().zip(&cases) {
        let limit = view.limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        lines.push(line(&view.name, &limit, *case));
    }
    let total = cases.into_iter().try_fold(WorstCase { rows: 0, series: 0 }, |total, case| {
        let case = case?;
        Some(WorstCase {
            rows: total.rows.saturating_add(case.rows),
            series: total.series.saturating_add(case.series),
        })
    });
    lines.push(line("total", "", total));
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
    let [name, limit, rows, series] = [0, 1, 2, 3].map(|column| width(column).unwrap_or_default());
    let padded = |[a, b, c, d]: &[String; 4]| format!("{a:<name$}  {b:>limit$}  {c:>rows$}  {d:>series$}");
    lines.iter().map(padded).collect::<Vec<_>>().join("\n") + "\n"
}

fn line(name: &str, limit: &str, case: Option<WorstCase>) -> [String; 4] {
    let number = |number: Option<usize>| number.map_or_else(|| "no limit".to_owned(), |n| n.to_string());
    [
        name.to_owned(),
        limit.to_owned(),
        number(case.map(|case| case.rows)),
        number(case.map(|case| case.series)),
    ]
}
