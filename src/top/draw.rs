//! What is on the screen: figures of all sockets, the table, and a line of keys.

use std::time::UNIX_EPOCH;

use ratatui_core::buffer::Buffer;

use super::app::{App, FilterError, Mode, TableRows};
use super::cells::{Canvas, Cut, cells_of};
use super::column::TopColumn;
use super::figures::{amount, percent, time};
use super::fit::fit;
use super::group::Grouping;
use super::help;
use super::line_editor::LineEditor;
use super::problem_list::{draw_strip, strip_height};
use super::style::Role;
use crate::bottleneck::Bottleneck;
use crate::listing::{Rate, Row, state_word};
use crate::properties::Property;
use sockdiag::State;

/// The smallest screen.
const SMALLEST: (u16, u16) = (60, 10);
/// The lines above the table, without its titles.
const HEADER: u16 = 3;

const KEYS: [(&str, &str); 8] = [
    ("F1", "Help"),
    ("/", "Filter"),
    ("s", "Sort"),
    ("g", "Group"),
    ("Enter", "Details"),
    ("p", "Pause"),
    ("Esc", "Back"),
    ("q", "Quit"),
];

impl App {
    /// Draws everything into an empty buffer; returns where the cursor is, if it is to be seen.
    pub fn draw(&mut self, buffer: &mut Buffer) -> Option<(u16, u16)> {
        let mut screen = Canvas::new(buffer, self.in_colour);
        let (width, height) = (screen.area.width, screen.area.height);
        if width < SMALLEST.0 || height < SMALLEST.1 {
            let said = format!(
                "The terminal has {width} x {height} cells; at least {} x {} are needed",
                SMALLEST.0, SMALLEST.1
            );
            for (y, part) in (0..height).zip(said.as_bytes().chunks(usize::from(width.max(1)))) {
                screen.put(0, y, width, &String::from_utf8_lossy(part), Role::Plain);
            }
            return None;
        }
        match &mut self.mode {
            Mode::Details(details) => {
                details.draw(&mut screen);
                return None;
            }
            Mode::Help { first } => {
                help::draw(&mut screen, first);
                return None;
            }
            _ => {}
        }
        if let Mode::Problems(list) = &self.mode {
            list.draw(&mut screen);
            return None;
        }
        self.draw_header(&mut screen.lines(0, HEADER));
        let problems = self.sockets.as_ref().map_or(&[][..], |sockets| sockets.problems());
        let header = HEADER + strip_height(problems);
        draw_strip(&mut screen.lines(HEADER, header - HEADER), problems);
        let footer = match &self.mode {
            Mode::Filter { error: Some(_), .. } => 3,
            Mode::Filter { .. } => 2,
            _ => 1,
        };
        self.draw_table(&mut screen.lines(header, height - header - footer));
        let cursor = self.draw_footer(&mut screen.lines(height - footer, footer));
        if let Mode::SortMenu(menu) | Mode::GroupMenu(menu) = &self.mode {
            menu.draw(&mut screen);
        }
        cursor.map(|(x, y)| (x, y + height - footer))
    }

    fn draw_header(&self, cells: &mut Canvas<'_>) {
        let width = cells.area.width;
        let mut x = cells.put(0, 0, width, &self.host, Role::Strong);
        let filter = match self.wanted.chosen.filter.as_str() {
            "" => "all sockets",
            filter => filter,
        };
        let paused = if self.wanted.paused { "  PAUSED" } else { "" };
        let at = self.sockets.as_ref().map_or_else(String::new, |sockets| {
            let seconds = sockets.at().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            format!("{:02}:{:02}:{:02} UTC", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        });
        let right = format!("{at}  every {} s", self.interval.as_secs());
        let (right_width, paused_width) = (cells_of(&right), cells_of(paused));
        let room = width.saturating_sub(x + right_width + paused_width + 4);
        cells.field((x + 2, 0), room, filter, false, Cut::End, Role::Plain);
        x = width.saturating_sub(right_width + paused_width);
        x = cells.put(x, 0, right_width, &right, Role::Weak);
        cells.put(x, 0, paused_width, paused, Role::Warning);

        let totals = &self.totals;
        let total = self.sockets.as_ref().map_or(0, |sockets| sockets.total());
        let mut states = format!("Sockets {total}");
        if let Some(sockets) = self.sockets.as_ref().filter(|sockets| sockets.count() < sockets.total()) {
            states = format!("{states}, of which {} are shown", sockets.count());
        }
        for (name, count) in &totals.states {
            states = format!("{states}  {count} {}", state_word(name));
        }
        cells.field((0, 1), width, &states, false, Cut::End, Role::Plain);

        let bytes = |value: f64| format!("{}B/s", amount(value));
        let rate = totals.rate.map_or_else(
            || "Send -  Recv -".to_owned(),
            |rate| format!("Send {}  Recv {}", bytes(rate.sent), bytes(rate.received)),
        );
        let rtt = totals.rtt.map_or_else(String::new, |(median, high)| {
            format!("  RTT p50 {} p95 {}", time(median), time(high))
        });
        let share = totals.rate.and_then(Rate::retransmission_ratio);
        let retransmitted =
            share.map_or_else(String::new, |share| format!("  Retransmitted {}", percent(share)));
        cells.field((0, 2), width, &format!("{rate}{rtt}{retransmitted}"), false, Cut::End, Role::Plain);
    }

    fn draw_table(&mut self, cells: &mut Canvas<'_>) {
        self.cursor.height = usize::from(cells.area.height.saturating_sub(1));
        self.cursor.keep(self.rows.len());
        let visible = self.visible_rows();
        let of_groups = self.grouping != Grouping::Flow;
        let wanted = |column| {
            let texts = visible.iter().map(|row| cells_of(&row.text(column)));
            // The title of groups is longer than that of their column.
            let title = if column == TopColumn::Group { cells_of(self.grouping.name()) + 1 } else { 0 };
            texts.max().unwrap_or(0).max(title)
        };
        let columns = fit(cells.area.width, of_groups, self.sort.column, wanted);
        let mut x = 0;
        for (line, width) in &columns {
            let is_sorted = self.sort.column == Some(line.column);
            let arrow = if self.sort.falling { '\u{25bc}' } else { '\u{25b2}' };
            let title = if line.column == TopColumn::Group { self.grouping.name() } else { line.title };
            let title = if is_sorted { format!("{title}{arrow}") } else { title.to_owned() };
            cells.field((x, 0), *width, &title, line.column.is_of_numbers(), Cut::End, Role::Titles);
            for (y, row) in (1..).zip(&visible) {
                let text = row.text(line.column);
                cells.field(
                    (x, y),
                    *width,
                    &text,
                    line.column.is_of_numbers(),
                    line.cut,
                    row.role(line.column),
                );
            }
            x += width + 1;
        }
        cells.mark(0, Role::Titles);
        if let Some(y) =
            self.cursor.row.checked_sub(self.cursor.first).and_then(|y| u16::try_from(y + 1).ok())
            && !visible.is_empty()
        {
            cells.mark(y, Role::Selected);
        }
        if visible.is_empty() {
            let said = match (&self.sockets, self.wanted.chosen.filter.as_str()) {
                (None, _) => "Collecting ...",
                (Some(_), "") => "There are no sockets.",
                (Some(_), _) => "No socket passes the filter. Esc shows all.",
            };
            cells.put(0, 2, cells.area.width, said, Role::Plain);
        }
    }

    /// The rows in sight: only they become texts.
    fn visible_rows(&self) -> Vec<VisibleRow> {
        let (first, height) = (self.cursor.first, self.cursor.height);
        match (&self.rows, &self.sockets) {
            (TableRows::Sockets(order), Some(sockets)) => {
                let visible = order.iter().skip(first).take(height);
                let row =
                    |index: &usize| Some(VisibleRow::Socket(sockets.row(*index)?, sockets.rate(*index)));
                visible.filter_map(row).collect()
            }
            (TableRows::Groups(groups), _) => {
                groups.iter().skip(first).take(height).cloned().map(VisibleRow::Group).collect()
            }
            (TableRows::Sockets(_), None) => Vec::new(),
        }
    }

    fn draw_footer(&self, cells: &mut Canvas<'_>) -> Option<(u16, u16)> {
        if let Mode::Filter { editor, error } = &self.mode {
            return Some(draw_prompt(cells, editor, error.as_ref()));
        }
        let width = cells.area.width;
        let shortage = self.sockets.as_ref().and_then(|sockets| sockets.shortage());
        let note = self.note.clone().or(shortage.map(|note| (note, false)));
        if let Some((note, is_error)) = note {
            let role = if is_error { Role::Error } else { Role::Warning };
            cells.field((0, 0), width, &note, false, Cut::End, role);
            return None;
        }
        let mut x = 0;
        for (key, does) in KEYS {
            x = cells.put(x, 0, width, key, Role::Key);
            x = cells.put(x, 0, width, &format!("{does}  "), Role::Plain);
        }
        None
    }
}

/// A row of the table.
enum VisibleRow {
    Socket(Row, Option<Rate>),
    Group(super::group::Group),
}

impl VisibleRow {
    fn text(&self, column: TopColumn) -> String {
        match self {
            Self::Socket(row, rate) => column.text(row, *rate),
            Self::Group(group) => column.group_text(group),
        }
    }

    /// What deserves attention stands out.
    fn role(&self, column: TopColumn) -> Role {
        let Self::Socket(row, _) = self else { return Role::Plain };
        let is_odd = match column {
            TopColumn::State => row.label(Property::State) == State::CloseWait.name(),
            TopColumn::Bottleneck => matches!(
                Bottleneck::named(row.label(Property::Bottleneck)),
                Some(
                    Bottleneck::AcceptQueue
                        | Bottleneck::Stalled
                        | Bottleneck::PeerNotReading
                        | Bottleneck::NotReading
                        | Bottleneck::Loss
                )
            ),
            TopColumn::ReceiveQueue => {
                let waiting = row.value("accept_queue_connections").map_or(0.0, crate::listing::Number::real);
                let limit = row.value("accept_queue_limit").map_or(0.0, crate::listing::Number::real);
                waiting > 0.0 && waiting >= limit
            }
            _ => false,
        };
        if is_odd { Role::Warning } else { Role::Plain }
    }
}

/// Draws the line that is typed, and why it was refused; returns where the cursor is.
fn draw_prompt(cells: &mut Canvas<'_>, editor: &LineEditor, error: Option<&FilterError>) -> (u16, u16) {
    const PROMPT: &str = "Filter: ";
    let width = cells.area.width;
    let start = cells.put(0, 0, width, PROMPT, Role::Strong);
    let room = width.saturating_sub(start + 1);
    // The end of a long line is in sight as long as the cursor is there.
    let hidden = cells_of(&editor.before()).saturating_sub(room);
    let text: String = editor.text().chars().skip(usize::from(hidden)).collect();
    cells.put(start, 0, room, &text, Role::Plain);
    let cursor = start + cells_of(&editor.before()).saturating_sub(hidden);
    match error {
        None => {
            let said = "dst 10.0.0.0/8 and process = nginx   Enter Apply   Esc Cancel   Ctrl-U Clear";
            cells.field((0, 1), width, said, false, Cut::End, Role::Weak);
        }
        Some(FilterError { at, message }) => {
            if let Some(at) = at {
                let x = u16::try_from(*at).unwrap_or(u16::MAX).saturating_sub(hidden).saturating_add(start);
                cells.put(x, 1, 1, "^", Role::Error);
            }
            cells.field((0, 2), width, message, false, Cut::End, Role::Error);
        }
    }
    (cursor, 0)
}
