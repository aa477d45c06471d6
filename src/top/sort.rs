//! The order of sockets and of groups.

use std::cmp::Ordering;

use super::ObservedSockets;
use super::column::{SortKey, TopColumn};
use super::group::Group;

/// By which column, and whether the greatest come first; without a column, by the bytes per second both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SortOrder {
    pub(super) column: Option<TopColumn>,
    pub(super) falling: bool,
}

impl SortOrder {
    pub(super) const BY_TRAFFIC: Self = Self { column: None, falling: true };

    /// By a column in its usual direction.
    pub(super) const fn by(column: TopColumn) -> Self {
        Self { column: Some(column), falling: column.is_of_numbers() }
    }

    /// The word for it in the API.
    pub(super) fn of_api(self) -> String {
        let metric = self.column.map_or(TopColumn::Sent.metric(), TopColumn::metric);
        if metric.is_empty() {
            String::new()
        } else {
            format!("{}{metric}", if self.falling { "-" } else { "" })
        }
    }

    /// The sockets in order.
    pub(super) fn sockets(self, sockets: &dyn ObservedSockets) -> Vec<usize> {
        let traffic =
            || SortKey::Number(Box::new(|index| sockets.rate(index).map(crate::listing::Rate::sum)));
        let all = 0..sockets.count();
        match self.column.map_or_else(traffic, |column| column.key(sockets)) {
            SortKey::Number(value) => {
                let mut order: Vec<_> = all.map(|index| (value(index), index)).collect();
                order.sort_unstable_by(|(one, a), (other, b)| self.numbers(*one, *other).then(a.cmp(b)));
                order.into_iter().map(|(_, index)| index).collect()
            }
            SortKey::Text(text) => {
                let mut order: Vec<usize> = all.collect();
                order.sort_by_cached_key(|index| text(*index));
                if self.falling {
                    order.reverse();
                }
                order
            }
        }
    }

    /// Puts groups in order.
    pub(super) fn groups(self, groups: &mut [Group]) {
        groups.sort_by(|one, other| {
            let order = match self.column {
                None => self.numbers(Some(one.rate.sum()), Some(other.rate.sum())),
                Some(column) if column.is_of_numbers() => {
                    self.numbers(column.of_group(one), column.of_group(other))
                }
                Some(_) if self.falling => other.name.cmp(&one.name),
                Some(_) => Ordering::Equal,
            };
            order.then_with(|| one.name.cmp(&other.name))
        });
    }

    /// What has no number comes last.
    fn numbers(self, one: Option<f64>, other: Option<f64>) -> Ordering {
        match (one, other) {
            (Some(one), Some(other)) if self.falling => other.total_cmp(&one),
            (Some(one), Some(other)) => one.total_cmp(&other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        }
    }
}
