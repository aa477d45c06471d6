//! The sockets of one collection. Texts and values are read when they are needed: of ten thousand, a page shows few.

use std::sync::Arc;

use super::kept::{AtHand, HashedEnds, Kept, KeptSockets, ListedNames};
use super::{Number, Row};
use crate::attribute::Direction;
use crate::bottleneck::Bottleneck;
use crate::collection::{CollectorState, Host, Sink, collect_into};
use crate::facts::Facts;
use crate::metrics::Metric;
use crate::plan::{Plan, Program};
use crate::properties::Property;
use crate::self_metrics::{OwnerShortage, SelfReport};
use crate::view::View;
use sockdiag::{Class, Protocol, Socket, State};

/// The sockets of a collection for a plan of [`super::plan`], protocol by protocol in the kernel's order.
#[derive(Debug)]
pub struct SocketList {
    /// One for each protocol.
    views: Arc<[View]>,
    /// The sockets of each view; `None` if not all could be read.
    kept: Vec<Option<KeptSockets>>,
    names: ListedNames,
    report: SelfReport,
}

impl SocketList {
    /// Collects the sockets of a plan of [`super::plan`], of each view those that take at most that many bytes.
    #[must_use]
    pub fn collect(plan: &Plan, host: &impl Host, state: &mut CollectorState, bytes: usize) -> Self {
        let mut list = Self::empty(plan, bytes);
        list.kept.iter_mut().flatten().zip(&*state.sizes_mut()).for_each(|(kept, size)| kept.expect(*size));
        let (collected, mut list) = collect_into(plan.collect.deadline, plan, host, state, list);
        let report = collected.report;
        *state.sizes_mut() = list.kept.iter().flatten().map(KeptSockets::size).collect();
        let usable = |view: &View| report.views.iter().any(|of| of.name == view.name);
        let (views, kept) = (list.views.iter(), list.kept.iter_mut());
        views.zip(kept).filter(|(view, _)| !usable(view)).for_each(|(_, kept)| *kept = None);
        Self { report, ..list }
    }

    fn empty(plan: &Plan, bytes: usize) -> Self {
        let of_view = |view: &View| Some(KeptSockets::within(bytes, view.protocols().next()?));
        Self {
            views: Arc::clone(&plan.views),
            kept: plan.views.iter().map(of_view).collect(),
            names: ListedNames::of(Arc::clone(&plan.names)),
            report: SelfReport::default(),
        }
    }

    /// Adds a socket that a view shows.
    fn add(&mut self, number: usize, facts: &Facts<'_>) {
        let (Some(view), Some(Some(kept))) = (self.views.get(number), self.kept.get_mut(number)) else {
            return;
        };
        // A remnant in FIN_WAIT2 is no connection any more.
        if facts.socket.class() == Class::Remnant && view.is_of_connections() {
            return;
        }
        kept.put(facts);
        self.names.note(facts, view);
    }

    /// The views and their sockets.
    fn listed(&self) -> impl Iterator<Item = (&View, &KeptSockets)> {
        self.views.iter().zip(&self.kept).filter_map(|(view, kept)| Some((view, kept.as_ref()?)))
    }

    /// How many are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listed().map(|(_, kept)| kept.len()).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the sockets of no protocol could be read.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.kept.iter().all(Option::is_none)
    }

    /// For how many seconds the kernel has been holding a dump.
    pub(crate) fn stuck(&self) -> Option<u64> {
        self.report.dump.stuck.map(|stuck| stuck.as_secs())
    }

    /// How many are not listed, because there was no room for them.
    pub(crate) fn left_out(&self) -> usize {
        self.listed().map(|(_, kept)| kept.left_out).sum()
    }

    /// How many are in a state, whether they are listed or not.
    pub(crate) fn in_state(&self, state: State) -> u64 {
        self.listed().map(|(_, kept)| kept.in_state(state)).sum()
    }

    /// Whether every stage of the collection was complete: no socket and no owner is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.report.success()
    }

    /// The stages of the collection that were not complete.
    pub(crate) fn incomplete(&self) -> impl Iterator<Item = &str> {
        self.report.stages.iter().filter(|stage| !stage.success).map(|stage| &*stage.name)
    }

    /// Why owners are incomplete, if the search for them was.
    pub(crate) const fn owner_shortage(&self) -> Option<OwnerShortage> {
        self.report.owners.shortage
    }

    /// A socket.
    pub(crate) fn get(&self, index: usize) -> Option<ListedSocket<'_>> {
        let mut rest = index;
        let number = self.kept.iter().position(|kept| {
            let behind = rest.checked_sub(kept.as_ref().map_or(0, KeptSockets::len));
            rest = behind.unwrap_or(rest);
            behind.is_none()
        });
        self.in_view(number?, rest)
    }

    /// A socket of a view.
    fn in_view(&self, number: usize, place: usize) -> Option<ListedSocket<'_>> {
        let (view, kept) = (self.views.get(number)?, self.kept.get(number)?.as_ref()?);
        let (reply, kept) = kept.get(place)?;
        Some(ListedSocket {
            number,
            view,
            names: &self.names,
            kept,
            reply,
            protocol: view.protocols().next()?,
        })
    }

    /// The values of a metric, of sockets of this list.
    pub(crate) fn column(
        &self,
        metric: &'static Metric,
    ) -> impl Fn(&ListedSocket<'_>) -> Option<Number> + use<> {
        let is_of = |view: &View| view.protocols().all(|protocol| metric.source.is_of(protocol));
        let views: Vec<bool> = self.views.iter().map(is_of).collect();
        move |socket| {
            let is_of = views.get(socket.number) == Some(&true);
            is_of.then(|| value(metric, &socket.socket()?)).flatten()
        }
    }

    /// All sockets.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ListedSocket<'_>> {
        self.iter_views(|_| true)
    }

    /// The sockets of a protocol.
    pub(crate) fn of(&self, protocol: &'static Protocol) -> impl Iterator<Item = ListedSocket<'_>> {
        self.iter_views(move |view| view.protocols().any(|of| of == protocol))
    }

    fn iter_views(&self, is_wanted: impl Fn(&View) -> bool) -> impl Iterator<Item = ListedSocket<'_>> {
        let views = self.views.iter().zip(&self.kept).enumerate();
        let views = views.filter_map(move |(number, (view, kept))| {
            Some((number, kept.as_ref().filter(|_| is_wanted(view))?.len()))
        });
        views.flat_map(move |(number, len)| (0..len).filter_map(move |place| self.in_view(number, place)))
    }

    /// All of a socket.
    pub(crate) fn row(&self, index: usize) -> Option<Row> {
        self.get(index)?.row()
    }

    /// All of all sockets.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.iter().filter_map(|socket| socket.row())
    }
}

impl Sink for SocketList {
    fn socket(&mut self, facts: &Facts<'_>, program: &Program) {
        for route in program.routes.iter().filter(|route| route.wants(facts)) {
            route.views.iter().for_each(|view| self.add(*view, facts));
        }
    }
}

/// A socket of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListedSocket<'a> {
    /// The number of its view.
    number: usize,
    view: &'a View,
    names: &'a ListedNames,
    kept: &'a Kept,
    reply: &'a [u8],
    protocol: &'static Protocol,
}

impl<'a> ListedSocket<'a> {
    /// What the kernel replied.
    pub(crate) fn socket(&self) -> Option<Socket<'a>> {
        Some(self.protocol.parse(self.reply)?.in_state(self.kept.state()))
    }

    /// The state.
    pub(crate) const fn state(&self) -> State {
        self.kept.state()
    }

    /// The protocol.
    pub(crate) const fn protocol(&self) -> &'static Protocol {
        self.protocol
    }

    /// What identifies it among all sockets of the host.
    pub(crate) const fn identity(&self) -> u64 {
        self.kept.identity
    }

    /// A value, in the kernel's unit; `None` if the kernel does not report it of this socket.
    pub(crate) fn count(&self, value: AtHand) -> Option<u64> {
        self.kept.count(value)
    }

    /// A value, in its metric's base unit; `None` if the kernel does not report it of this socket.
    pub(crate) fn figure(&self, value: AtHand) -> Option<f64> {
        self.kept.figure(value)
    }

    /// Its ends, of the internet.
    pub(crate) const fn ends(&self) -> HashedEnds {
        self.kept.ends
    }

    /// Which end opened the connection; `None` if that was not asked for.
    pub(crate) const fn direction(&self) -> Option<Direction> {
        self.kept.direction
    }

    /// What limits it; `None` if that is unknown or was not asked for.
    pub(crate) const fn bottleneck(&self) -> Option<Bottleneck> {
        self.kept.bottleneck
    }

    /// The text of a label; empty if sockets of its protocol do not have it, or if it was not asked for.
    pub(crate) fn text(&self, label: Property) -> String {
        let is_known = label == Property::Protocol || self.view.by.contains(&label);
        let socket = self.socket().filter(|_| is_known);
        let text = |socket| self.names.read(&socket, self.kept, |facts| text_of(label, facts));
        socket.map(text).unwrap_or_default()
    }

    /// All of it.
    pub(crate) fn row(&self) -> Option<Row> {
        let socket = self.socket()?;
        let metrics = self.view.columns.iter().map(|column| column.metric);
        let mut values = Vec::with_capacity(self.view.columns.len());
        values.extend(metrics.filter_map(|metric| Some((metric, value(metric, &socket)?))));
        let labels = [Property::Protocol].into_iter().chain(self.view.by.iter().copied());
        let labels = self
            .names
            .read(&socket, self.kept, |facts| labels.map(|label| (label, text_of(label, facts))).collect());
        Some(Row { protocol: self.protocol, labels, values })
    }
}

/// The value of a metric that sockets of the protocol have, if the kernel reports it of this socket.
fn value(metric: &Metric, socket: &Socket<'_>) -> Option<Number> {
    Some(Number::of(metric.source.read(socket)?, metric.source.per_unit()))
}

/// A length that most texts do not exceed.
const USUAL: usize = 16;

/// The text of a label.
fn text_of(label: Property, facts: &Facts<'_>) -> String {
    let mut text = Vec::with_capacity(USUAL);
    label.write(&mut text, facts);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
impl SocketList {
    /// The same sockets from a collection that went otherwise.
    pub(crate) fn with(self, report: SelfReport) -> Self {
        Self { report, ..self }
    }

    /// A list of the sockets that are added, of a plan of one view.
    pub(super) fn made_by(plan: &Plan, add: impl FnOnce(&mut dyn FnMut(&Facts<'_>))) -> Self {
        let mut list = Self::empty(plan, usize::MAX);
        add(&mut |facts| list.add(0, facts));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::named;

    #[test]
    fn a_socket_is_read_from_its_reply_or_as_a_whole() {
        let texts = [(Property::State, "established"), (Property::Process, "a\"b")];
        let closed = [(Property::State, "close_wait")];
        let list =
            SocketList::made(&[(&texts, &[("rtt_seconds", 2_000), ("sent_bytes_total", 7)]), (&closed, &[])]);
        assert_eq!(list.len(), 2);
        let states: Vec<_> = list.iter().map(|socket| socket.state()).collect();
        assert_eq!(states, [State::Established, State::CloseWait]);
        assert_eq!((list.in_state(State::CloseWait), list.in_state(State::Listen)), (1, 0));
        let rtt = list.column(named("rtt_seconds"));
        assert_eq!(
            list.iter().map(|socket| rtt(&socket)).collect::<Vec<_>>(),
            [Some(Number::Real(0.002)), None]
        );
        let row = list.row(0).expect("a socket");
        assert_eq!(
            (row.label(Property::Process), row.value("sent_bytes_total")),
            ("a\"b", Some(Number::Whole(7)))
        );
        assert_eq!(row.label(Property::Protocol), "tcp");
        assert_eq!(list.get(0).expect("a socket").text(Property::Process), "a\"b");
        assert!(list.row(2).is_none());
    }

    #[test]
    fn what_is_at_hand_is_the_value_of_its_metric() {
        let values = [
            ("sent_bytes_total", 1),
            ("received_bytes_total", 2),
            ("retransmitted_bytes_total", 3),
            ("rtt_seconds", 4_000),
            ("min_rtt_seconds", 5_000),
            ("receive_queue_bytes", 6),
            ("send_queue_bytes", 7),
        ];
        let list = SocketList::made(&[(&[(Property::State, "established")], &values)]);
        let socket = list.get(0).expect("a socket");
        let at_hand = [
            AtHand::SentBytes,
            AtHand::ReceivedBytes,
            AtHand::RetransmittedBytes,
            AtHand::Rtt,
            AtHand::MinRtt,
            AtHand::ReceiveQueue,
            AtHand::SendQueue,
        ];
        for ((name, value), at_hand) in values.into_iter().zip(at_hand) {
            let of_metric = list.column(named(name))(&socket).map(Number::real);
            assert_eq!((socket.count(at_hand), socket.figure(at_hand)), (Some(value), of_metric), "{name}");
        }
    }

    #[test]
    fn the_other_end_of_a_connection_has_the_same_ends_in_the_other_places() {
        let end = |local, remote| {
            [
                (Property::LocalAddress, "10.0.0.1"),
                (Property::LocalPort, local),
                (Property::RemoteAddress, "10.0.0.1"),
                (Property::RemotePort, remote),
            ]
        };
        let ends = [end("1", "2"), end("2", "1"), end("1", "3")];
        let list = SocketList::made(&ends.each_ref().map(|texts| (&texts[..], &[][..])));
        let [one, other, third] = [0, 1, 2].map(|place| list.get(place).expect("a socket").ends());
        assert_eq!((one.swapped(), one == third), (other, false));
    }
}
