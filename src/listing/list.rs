//! The sockets of one collection. Each is made a row only when it is needed: of ten thousand, a page shows few.

use super::{Number, Row};
use crate::exposition::{LabelSet, LabelValue, Sample};
use crate::properties::Stability;
use crate::self_metrics::OwnerShortage;
use crate::snapshot::Snapshot;

/// The sockets of a snapshot of [`super::plan`], in the kernel's order.
#[derive(Debug)]
pub struct SocketList(Snapshot);

impl SocketList {
    /// The sockets of a snapshot.
    #[must_use]
    pub const fn of(snapshot: Snapshot) -> Self {
        Self(snapshot)
    }

    /// How many are listed.
    pub(crate) fn len(&self) -> usize {
        self.0.tables.first().and_then(Option::as_ref).map_or(0, crate::aggregate::FrozenTable::rows)
    }

    /// How many are not, because there was no room for them.
    pub(crate) fn left_out(&self) -> usize {
        self.0.tables.first().and_then(Option::as_ref).map_or(0, |table| table.left_out)
    }

    /// How many are in a state, whether they are listed or not.
    pub(crate) fn in_state(&self, name: &str) -> u64 {
        let Some(Some(counted)) = self.0.tables.get(1) else { return 0 };
        let rows = (0..counted.rows()).filter_map(|index| counted.shown(index));
        let of_state = rows.filter(|(_, key)| first(key).bytes == name.as_bytes());
        of_state.filter_map(|(row, _)| counted.column(0)?.sample(row)?.integer()).sum()
    }

    /// Whether every stage of the collection was complete: no socket and no owner is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.report.success()
    }

    /// The stages of the collection that were not complete.
    pub(crate) fn incomplete(&self) -> impl Iterator<Item = &str> {
        self.0.report.stages.iter().filter(|stage| !stage.success).map(|stage| &*stage.name)
    }

    /// Why owners are incomplete, if the search for them was.
    pub(crate) const fn owner_shortage(&self) -> Option<OwnerShortage> {
        self.0.report.owners.shortage
    }

    /// The labels of a socket, packed: no other socket has the same.
    fn key(&self, index: usize) -> &[u8] {
        self.shown(index).map_or(&[], |(_, key)| key)
    }

    /// Those labels of a socket that stay the same as long as it lives.
    pub(crate) fn fixed(&self, index: usize) -> impl Iterator<Item = LabelValue<'_>> {
        let labels = self.0.views.first().map_or(&[][..], |view| &view.by);
        let values = labels.iter().zip(LabelSet::unpack(self.key(index)));
        values.filter(|(label, _)| label.stability() == Stability::Fixed).map(|(_, value)| value)
    }

    /// The text of the first label, which is the state.
    pub(crate) fn state(&self, index: usize) -> String {
        first(self.key(index)).text()
    }

    /// The column of a metric, if it was asked for.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.0.views.first()?.columns.iter().position(|column| column.metric.name == name)
    }

    /// The value of a socket in a column.
    pub(crate) fn value(&self, index: usize, column: usize) -> Option<Number> {
        let (row, _) = self.shown(index)?;
        let cells = self.0.tables.first()?.as_ref()?.column(column)?;
        match cells.sample(row)? {
            Sample::Integer(whole) => Some(Number::Whole(whole)),
            Sample::Float(real) => Some(Number::Real(real)),
            // A row is one socket.
            Sample::Histogram { .. } => None,
        }
    }

    /// All of a socket.
    pub(crate) fn row(&self, index: usize) -> Option<Row> {
        let view = self.0.views.first()?;
        let (_, key) = self.shown(index)?;
        let values = view.columns.iter().enumerate();
        let values = values.filter_map(|(number, column)| Some((column.metric, self.value(index, number)?)));
        let texts = view.by.iter().copied().zip(LabelSet::unpack(key).map(LabelValue::text));
        Some(Row { labels: texts.collect(), values: values.collect() })
    }

    /// All of all sockets.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        (0..self.len()).filter_map(|index| self.row(index))
    }

    fn shown(&self, index: usize) -> Option<(usize, &[u8])> {
        self.0.tables.first()?.as_ref()?.shown(index)
    }
}

/// The first value of a key.
fn first(key: &[u8]) -> LabelValue<'_> {
    LabelSet::unpack(key).next().unwrap_or_default()
}

/// The texts and the values of a socket.
#[cfg(test)]
type Made<'a> = (&'a [(crate::properties::Property, &'a str)], &'a [(&'a str, u64)]);

#[cfg(test)]
impl SocketList {
    /// The same sockets from a collection that went otherwise.
    pub(crate) fn with(self, report: crate::self_metrics::SelfReport) -> Self {
        Self(Snapshot { report, ..self.0 })
    }

    /// Sockets with these texts, all others empty, and these values in the kernel's units.
    pub(crate) fn made(sockets: &[Made<'_>]) -> Self {
        use crate::aggregate::{HashSeed, Limit, Table};
        use crate::exposition::LabelBuffer;
        use crate::self_metrics::SelfReport;

        let config = crate::config::Config::parse("built-in", crate::config::DEFAULT_FILE).expect("valid");
        let plan = super::plan(
            crate::select::Expression::Always,
            None,
            super::Detail::Glance,
            config.networks,
            config.collect,
        );
        let table = |view: &crate::view::View| {
            let cells = view.columns.iter().map(crate::view::Column::cells).collect();
            Table::new(cells, Limit::none(), HashSeed::default())
        };
        let (view, of_states) = (&plan.views[0], &plan.views[1]);
        let (mut table, mut counted) = (table(view), table(of_states));
        for (texts, values) in sockets {
            let text = |label| texts.iter().find(|(one, _)| one == label).map_or("", |(_, text)| *text);
            let key = LabelBuffer::of(view.by.iter().map(text));
            let row = table.row(key.packed(), 0).expect("no limit");
            for (name, value) in *values {
                let column =
                    view.columns.iter().position(|column| column.metric.name == *name).expect("a metric");
                table.add(row, column, *value, 0);
            }
            let key = LabelBuffer::of([text(&of_states.by[0])]);
            let row = counted.row(key.packed(), crate::aggregate::NO_SOCKET).expect("no limit");
            counted.add(row, 0, 1, 0);
        }
        let tables = vec![Some(table.freeze(&()).0), Some(counted.freeze(&()).0)];
        Self(Snapshot { views: std::sync::Arc::clone(&plan.views), tables, report: SelfReport::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::Property;

    #[test]
    fn a_socket_is_read_from_its_cells_or_as_a_whole() {
        let texts = [(Property::State, "established"), (Property::Process, "a\"b")];
        let list =
            SocketList::made(&[(&texts, &[("rtt_seconds", 2_000), ("sent_bytes_total", 7)]), (&[], &[])]);
        assert_eq!((list.len(), list.state(0), list.state(1)), (2, "established".to_owned(), String::new()));
        let rtt = list.column("rtt_seconds").expect("a column");
        assert_eq!((list.value(0, rtt), list.value(1, rtt)), (Some(Number::Real(0.002)), None));
        let row = list.row(0).expect("a socket");
        assert_eq!(
            (row.label(Property::Process), row.value("sent_bytes_total")),
            ("a\"b", Some(Number::Whole(7)))
        );
        assert_ne!(list.key(0), list.key(1));
        assert!(list.row(2).is_none() && list.column("pacing_rate_bytes_per_second").is_none());
    }
}
