//! The tables of views, and the cells of their columns.

use crate::aggregate::{Bounds, Cells, Counter, HashSeed, Limit, Table};
use crate::exposition::MetricType;
use crate::metrics::{Aggregation, Kind};
use crate::view::{Column, View};

impl View {
    /// An empty table for a collection.
    #[must_use]
    pub fn table(&self, limit: Limit, seed: HashSeed) -> Table {
        Table::new(self.columns.iter().map(Column::cells).collect(), limit, seed)
    }

    /// The columns that hold counters.
    pub(crate) fn counters(&self) -> Vec<Counter> {
        let columns = self.columns.iter().enumerate();
        let counters = columns.filter(|(_, column)| column.kind == Kind::Counter);
        counters.map(|(column, of)| Counter { column, bits: of.metric.source.bits() }).collect()
    }
}

impl Column {
    /// The exposed type.
    pub(crate) const fn exposed_type(&self) -> MetricType {
        match (&self.aggregation, self.kind) {
            (Aggregation::CurrentHistogram(_) | Aggregation::Histogram(_), _) => MetricType::Histogram,
            (_, Kind::Counter) => MetricType::Counter,
            (_, Kind::Gauge | Kind::Distribution) => MetricType::Gauge,
        }
    }

    pub(crate) fn cells(&self) -> Cells {
        let divisor = self.metric.source.per_unit() / self.per_base;
        let cells = match &self.aggregation {
            Aggregation::Sum | Aggregation::Gain => Cells::sum(),
            Aggregation::Mean => Cells::mean(),
            Aggregation::Min => Cells::least(),
            Aggregation::Max => Cells::greatest(),
            Aggregation::Latest => Cells::latest(),
            Aggregation::CurrentHistogram(upper) | Aggregation::Histogram(upper) => {
                Cells::distribution(Bounds::new(upper.clone(), divisor))
            }
        };
        cells.divided_by(divisor)
    }
}
