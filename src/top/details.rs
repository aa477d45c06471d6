//! All that is known of one socket.

use super::cells::{Canvas, Cut, cells_of};
use super::figures::{amount, percent, time};
use super::group::bracketed;
use super::style::Role;
use super::{NotCollected, ObservedId, ObservedSocket};
use crate::bottleneck::Bottleneck;
use crate::listing::{ListingColumn, Number, Rate, Row, state_word};
use crate::metrics::{Kind, Metric, Unit};
use crate::properties::{Property, UNKNOWN};
use sockdiag::State;

/// A socket, and what was found of it last.
#[derive(Clone, Debug)]
pub(super) struct Details {
    pub(super) id: ObservedId,
    row: Row,
    rate: Option<Rate>,
    /// Why the figures are not those of now.
    outdated: Option<String>,
    /// The first line that is shown.
    pub(super) first: usize,
}

/// A line: a title, or a name with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum DetailLine {
    Title(&'static str),
    Pair(&'static str, String),
    Text(&'static str),
}

type IsOf = fn(&Metric) -> bool;

/// The groups of metrics, of which the first that takes a metric has it.
const GROUPS: [(&str, IsOf); 5] = [
    ("Times", |metric| metric.unit == Unit::Seconds),
    ("Traffic", |metric| metric.kind == Kind::Counter),
    ("Rates", |metric| metric.unit == Unit::BytesPerSecond),
    ("Queues and memory", |metric| {
        ["queue", "memory", "buffer", "not_sent"].iter().any(|word| metric.name.contains(word))
    }),
    ("Windows and segments", |_| true),
];

impl Details {
    /// Of a socket that passes a filter.
    pub(super) fn of(row: Row, rate: Option<Rate>, passed: &str) -> Self {
        let cookie = row.label(Property::Cookie).to_owned();
        Self {
            id: ObservedId { filter: filter(&row).unwrap_or_else(|| passed.to_owned()), cookie },
            row,
            rate,
            outdated: None,
            first: 0,
        }
    }

    /// Takes what was found now.
    pub(super) fn take(&mut self, found: Result<Option<ObservedSocket>, NotCollected>) {
        match found {
            Ok(Some((row, rate))) => {
                (self.row, self.rate, self.outdated) = (row, rate.or(self.rate), None);
            }
            Ok(None) => self.outdated = Some("The socket is closed. These are its last figures.".to_owned()),
            Err(NotCollected::Filter(message) | NotCollected::Source(message)) => {
                self.outdated = Some(message);
            }
        }
    }

    fn lines(&self) -> Vec<DetailLine> {
        let mut lines = Vec::new();
        if let Some(bottleneck) = Bottleneck::named(self.row.label(Property::Bottleneck)) {
            lines.push(DetailLine::Title("Bottleneck"));
            lines.push(DetailLine::Pair("bottleneck", bottleneck.name().to_owned()));
            lines.push(DetailLine::Text(bottleneck.meaning()));
            lines.push(DetailLine::Text(bottleneck.advice()));
        }
        if let Some(rate) = self.rate {
            lines.push(DetailLine::Title("Now"));
            lines.push(DetailLine::Pair("sent per second", format!("{}B", amount(rate.sent))));
            lines.push(DetailLine::Pair("received per second", format!("{}B", amount(rate.received))));
            let share = rate.retransmission_ratio().map(percent);
            lines.extend(share.map(|share| DetailLine::Pair("retransmitted", share)));
        }
        lines.push(DetailLine::Title("Socket"));
        let labels = self
            .row
            .labels()
            .filter(|(label, text)| *label != Property::Bottleneck && !text.is_empty() && *text != UNKNOWN);
        lines.extend(labels.map(|(label, text)| DetailLine::Pair(label.name(), text.to_owned())));
        for (number, (title, _)) in GROUPS.iter().enumerate() {
            let is_here =
                |metric: &Metric| GROUPS.iter().position(|(_, is_of)| is_of(metric)) == Some(number);
            let mut values = self.row.values().filter(|(metric, _)| is_here(metric)).peekable();
            if values.peek().is_some() {
                lines.push(DetailLine::Title(title));
                lines.extend(
                    values.map(|(metric, value)| DetailLine::Pair(metric.name, figure(metric, value))),
                );
            }
        }
        lines
    }

    pub(super) fn draw(&mut self, screen: &mut Canvas<'_>) {
        let (width, height) = (screen.area.width, screen.area.height.saturating_sub(2));
        let ends = format!(
            " {}  {} > {}  {}",
            state_word(self.row.label(Property::State)),
            ListingColumn::Local.text(&self.row),
            ListingColumn::Remote.text(&self.row),
            ListingColumn::Process.text(&self.row)
        );
        screen.field((0, 0), width, &ends, false, Cut::End, Role::Titles);
        screen.mark(0, Role::Titles);
        let lines = self.lines();
        // Side by side where there is room: the figures are many.
        let columns = usize::from((width / 60).clamp(1, 3));
        let tall = lines.len().div_ceil(columns).max(usize::from(height));
        self.first = self.first.min(tall.saturating_sub(usize::from(height)));
        let each = width / u16::try_from(columns).unwrap_or(1);
        for (x, part) in (0..width).step_by(usize::from(each.max(1))).zip(lines.chunks(tall.max(1))) {
            for (y, line) in (1..=height).zip(part.iter().skip(self.first)) {
                draw_line(screen, (x, y), each, line);
            }
        }
        let (said, role) = self
            .outdated
            .as_deref()
            .map_or(("Esc Back   Up/Down Scroll   p Pause", Role::Weak), |said| (said, Role::Warning));
        screen.field((0, height + 1), width, said, false, Cut::End, role);
    }
}

fn draw_line(screen: &mut Canvas<'_>, (x, y): (u16, u16), width: u16, line: &DetailLine) {
    match line {
        DetailLine::Title(title) => drop(screen.put(x, y, width, title, Role::Strong)),
        DetailLine::Text(text) => {
            screen.field((x + 2, y), width.saturating_sub(3), text, false, Cut::End, Role::Plain);
        }
        DetailLine::Pair(name, value) => {
            let end = screen.put(x + 2, y, width, name, Role::Weak);
            let start = end.max(x + 34) + 1;
            let room = (x + width).saturating_sub(start + 1);
            screen.field(
                (start, y),
                room.max(cells_of(value).min(room)),
                value,
                false,
                Cut::End,
                Role::Plain,
            );
        }
    }
}

/// The filter that selects the socket by its ends, if it has addresses.
fn filter(row: &Row) -> Option<String> {
    if row.label(Property::LocalAddress).is_empty() {
        return None;
    }
    let end = |word, address, port| match row.label(address) {
        "" => format!("{word} = *:{}", row.label(port)),
        address => format!("{word} = {}:{}", bracketed(address), row.label(port)),
    };
    let local = end("src", Property::LocalAddress, Property::LocalPort);
    if row.label(Property::State) == State::Listen.name() {
        return Some(format!("{local} and state listening"));
    }
    Some(format!("{local} and {} and state all", end("dst", Property::RemoteAddress, Property::RemotePort)))
}

fn figure(metric: &Metric, value: Number) -> String {
    let exact = |value: Number| match value {
        Number::Whole(whole) => whole.to_string(),
        Number::Real(real) => format!("{real:.3}"),
    };
    match metric.unit {
        Unit::Seconds => time(value.real()),
        Unit::Bytes if value.real() >= 10_000.0 => format!("{} ({}B)", exact(value), amount(value.real())),
        Unit::BytesPerSecond => format!("{}B/s", amount(value.real())),
        _ => exact(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_of_a_socket_is_read_by_the_language() {
        let ends = [
            (Property::LocalAddress, "::1"),
            (Property::LocalPort, "443"),
            (Property::RemoteAddress, "10.0.0.1"),
            (Property::RemotePort, "0"),
        ];
        let names = crate::attribute::ConfiguredNames::default();
        for (state, expected) in [
            ("established", "src = [::1]:443 and dst = 10.0.0.1:0 and state all"),
            ("listen", "src = [::1]:443 and state listening"),
        ] {
            let row = Row::of(&[&ends[..], &[(Property::State, state)]].concat(), Vec::new());
            assert_eq!(filter(&row).as_deref(), Some(expected));
            assert!(crate::select::parse(expected, &names).is_ok(), "{expected}");
        }
    }

    #[test]
    fn every_metric_is_in_one_group() {
        for metric in crate::listing::metrics() {
            assert!(GROUPS.iter().any(|(_, is_of)| is_of(metric)), "{}", metric.name);
        }
    }
}
