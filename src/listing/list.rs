//! The sockets of one collection. Each is made a row only when it is needed: of ten thousand, a page shows few.

use super::{Number, Row};
use crate::aggregate::FrozenTable;
use crate::exposition::{LabelSet, LabelValue, Sample};
use crate::metrics::Quantity;
use crate::properties::Property;
use crate::self_metrics::OwnerShortage;
use crate::snapshot::Snapshot;
use crate::view::View;
use sockdiag::{Protocol, State};

/// The sockets of a snapshot of [`super::plan`], protocol by protocol in the kernel's order.
///
/// The snapshot has a view for each protocol, and one that counts the sockets of all of them by state.
#[derive(Debug)]
pub struct SocketList(Snapshot);

impl SocketList {
    /// The sockets of a snapshot.
    #[must_use]
    pub const fn of(snapshot: Snapshot) -> Self {
        Self(snapshot)
    }

    /// The views that list sockets, and their tables.
    fn listed(&self) -> impl Iterator<Item = (&View, Option<&FrozenTable>)> {
        let views = self.0.views.split_last().map_or(&[][..], |(_, listed)| listed);
        views.iter().zip(self.0.tables.iter().map(Option::as_ref))
    }

    fn tables(&self) -> impl Iterator<Item = &FrozenTable> {
        self.listed().filter_map(|(_, table)| table)
    }

    /// How many are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables().map(FrozenTable::rows).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are not, because there was no room for them.
    pub(crate) fn left_out(&self) -> usize {
        self.tables().map(|table| table.left_out).sum()
    }

    /// How many are in a state, whether they are listed or not.
    pub(crate) fn in_state(&self, name: &str) -> u64 {
        let Some(Some(counted)) = self.0.tables.last() else { return 0 };
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

    /// The protocol's view and table of a socket, its row there, and its labels, packed: no other socket has the same.
    fn place(&self, index: usize) -> Option<Place<'_>> {
        let mut before = 0;
        self.listed().enumerate().find_map(|(number, (view, table))| {
            let table = table?;
            let (row, key) =
                index.checked_sub(before).and_then(|index| table.shown(index)).or_else(|| {
                    before += table.rows();
                    None
                })?;
            Some(Place { number, view, table, row, key })
        })
    }

    /// The labels of a socket and their values, the state first.
    pub(crate) fn labels(&self, index: usize) -> impl Iterator<Item = (Property, LabelValue<'_>)> {
        let place = self.place(index);
        let labels = place.as_ref().map_or(&[][..], |place| &place.view.by);
        labels.iter().copied().zip(LabelSet::unpack(place.map_or(&[], |place| place.key)))
    }

    /// What names a socket as long as it lives: its protocol, cookie and network namespace.
    pub(crate) fn name(&self, index: usize) -> impl Iterator<Item = &[u8]> {
        let protocol = self.protocol(index).map(|protocol| protocol.name.as_bytes());
        let label = move |label| self.label(index, label).map(|value| value.bytes);
        protocol.into_iter().chain([Property::Cookie, Property::Netns].into_iter().filter_map(label))
    }

    /// Whether a socket is in a state.
    pub(crate) fn is_in(&self, index: usize, state: State) -> bool {
        self.place(index).is_some_and(|place| first(place.key).bytes == state.name().as_bytes())
    }

    /// The protocol of a socket.
    pub(crate) fn protocol(&self, index: usize) -> Option<&'static Protocol> {
        self.place(index)?.view.protocols().next()
    }

    /// The value of a label of a socket; `None` if sockets of its protocol do not have it, or it was not asked for.
    pub(crate) fn label(&self, index: usize, label: Property) -> Option<LabelValue<'_>> {
        let place = self.place(index)?;
        let number = place.view.by.iter().position(|one| *one == label)?;
        LabelSet::unpack(place.key).nth(number)
    }

    /// The values of sockets in the column of a metric, each by the index of the socket.
    pub(crate) fn column(&self, name: &str) -> impl Fn(usize) -> Option<Number> {
        let column = |view: &View| view.columns.iter().position(|column| column.metric.name == name);
        let columns: Vec<_> = self.listed().map(|(view, _)| column(view)).collect();
        move |index| {
            let place = self.place(index)?;
            place.value((*columns.get(place.number)?)?)
        }
    }

    /// The text of a label of a socket; empty if it was not asked for.
    pub(crate) fn text(&self, index: usize, label: Property) -> String {
        self.label(index, label).map(LabelValue::text).unwrap_or_default()
    }

    /// All of a socket.
    pub(crate) fn row(&self, index: usize) -> Option<Row> {
        let place = self.place(index)?;
        let protocol = place.view.protocols().next()?;
        let metrics = place.view.columns.iter().map(|column| column.metric).enumerate();
        let metrics = metrics.filter(|(_, metric)| metric.source.quantity != Quantity::Sockets);
        let values = metrics.filter_map(|(number, metric)| Some((metric, place.value(number)?)));
        let texts = place.view.by.iter().copied().zip(LabelSet::unpack(place.key).map(LabelValue::text));
        let labels = std::iter::once((Property::Protocol, protocol.name.to_owned())).chain(texts);
        Some(Row { protocol, labels: labels.collect(), values: values.collect() })
    }

    /// All of all sockets.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        (0..self.len()).filter_map(|index| self.row(index))
    }
}

/// Where a socket stands.
struct Place<'a> {
    /// The number of the view.
    number: usize,
    view: &'a View,
    table: &'a FrozenTable,
    row: usize,
    key: &'a [u8],
}

impl Place<'_> {
    fn value(&self, column: usize) -> Option<Number> {
        match self.table.column(column)?.sample(self.row)? {
            Sample::Integer(whole) => Some(Number::Whole(whole)),
            Sample::Float(real) => Some(Number::Real(real)),
            // A row is one socket.
            Sample::Histogram { .. } => None,
        }
    }
}

/// The first value of a key.
fn first(key: &[u8]) -> LabelValue<'_> {
    LabelSet::unpack(key).next().unwrap_or_default()
}

/// The texts and the values of a socket.
#[cfg(test)]
type Made<'a> = (&'a [(Property, &'a str)], &'a [(&'a str, u64)]);

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
        let always = crate::select::Expression::Always;
        let all = super::ListedSockets::of(&[crate::view::PROTOCOL], super::States::All, always);
        let plan = super::plan(all, &super::Detail::Glance, config.names, config.collect);
        let table = |view: &crate::view::View| {
            let cells = view.columns.iter().map(crate::view::Column::cells).collect();
            Table::new(cells, Limit::none(), HashSeed::default())
        };
        let (view, of_states) = (&plan.views[0], &plan.views[1]);
        let (mut table, mut counted) = (table(view), table(of_states));
        for (texts, values) in sockets {
            let text = |label| texts.iter().find(|(one, _)| one == label).map_or("", |(_, text)| *text);
            let key = LabelBuffer::of(view.by.iter().map(text));
            let row = table.row(|| key.packed(), 0, 0).expect("no limit");
            for (name, value) in *values {
                let column =
                    view.columns.iter().position(|column| column.metric.name == *name).expect("a metric");
                table.add(row, column, *value, 0);
            }
            let key = LabelBuffer::of([text(&of_states.by[0])]);
            let row = counted.row(|| key.packed(), crate::aggregate::NO_SOCKET, 0).expect("no limit");
            counted.add(row, 0, 1, 0);
        }
        let tables = vec![Some(table.freeze(&()).0), Some(counted.freeze(&()).0)];
        Self(Snapshot { views: std::sync::Arc::clone(&plan.views), tables, report: SelfReport::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_read_from_its_cells_or_as_a_whole() {
        let texts = [(Property::State, "established"), (Property::Process, "a\"b")];
        let list =
            SocketList::made(&[(&texts, &[("rtt_seconds", 2_000), ("sent_bytes_total", 7)]), (&[], &[])]);
        assert_eq!(list.len(), 2);
        assert!(list.is_in(0, State::Established) && !list.is_in(1, State::Established));
        let rtt = list.column("rtt_seconds");
        assert_eq!((rtt(0), rtt(1)), (Some(Number::Real(0.002)), None));
        let row = list.row(0).expect("a socket");
        assert_eq!(
            (row.label(Property::Process), row.value("sent_bytes_total")),
            ("a\"b", Some(Number::Whole(7)))
        );
        assert_eq!(row.label(Property::Protocol), "tcp");
        assert_eq!(list.text(0, Property::Process), "a\"b");
        assert!(list.row(2).is_none() && list.column("pacing_rate_bytes_per_second")(0).is_none());
    }
}
