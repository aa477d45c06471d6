//! The state of the screen, and what becomes of it when sockets arrive.

use std::time::Duration;

use super::details::Details;
use super::group::{Group, Grouping};
use super::line_editor::LineEditor;
use super::menu::Menu;
use super::problem_list::ProblemList;
use super::sort::SortOrder;
use super::totals::Totals;
use super::{Chosen, Collected, Demand, NotCollected, ObservedSockets};
use crate::select::SelectionError;

/// What the program does after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Draws again.
    Continue,
    /// Stops until the shell continues it.
    Suspend,
    /// Ends.
    Quit,
}

/// Whether a filter is valid.
pub type Check = Box<dyn Fn(&str) -> Result<(), SelectionError>>;

/// What keys act on.
#[derive(Debug)]
pub(super) enum Mode {
    Table,
    Filter { editor: LineEditor, error: Option<FilterError> },
    SortMenu(Menu),
    GroupMenu(Menu),
    Problems(ProblemList),
    Details(Box<Details>),
    Help { first: usize },
}

/// Why a filter was refused, and where, in letters from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FilterError {
    pub(super) at: Option<usize>,
    pub(super) message: String,
}

/// The row that keys act on, and the first one that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TableCursor {
    pub(super) row: usize,
    pub(super) first: usize,
    /// How many rows there was room for.
    pub(super) height: usize,
}

impl TableCursor {
    /// Keeps the row among `count`, and in sight.
    pub(super) fn keep(&mut self, count: usize) {
        self.row = self.row.min(count.saturating_sub(1));
        let height = self.height.max(1);
        self.first = self.first.min(self.row).max((self.row + 1).saturating_sub(height));
        self.first = self.first.min(count.saturating_sub(height));
    }
}

/// The screen.
pub struct App {
    /// Whose sockets are shown.
    pub(super) host: String,
    pub(super) interval: Duration,
    pub(super) in_colour: bool,
    pub(super) check: Check,
    pub(super) wanted: Demand,
    /// What was shown before that which no answer has confirmed yet.
    pub(super) unconfirmed: Option<Chosen>,
    pub(super) sockets: Option<Box<dyn ObservedSockets + Send>>,
    pub(super) totals: Totals,
    pub(super) sort: SortOrder,
    pub(super) grouping: Grouping,
    pub(super) rows: TableRows,
    pub(super) cursor: TableCursor,
    pub(super) mode: Mode,
    /// What the last line says, and whether it is an error.
    pub(super) note: Option<(String, bool)>,
    /// What to go back to.
    pub(super) before: Vec<(Chosen, Grouping)>,
}

/// The rows of the table in order.
#[derive(Debug)]
pub(super) enum TableRows {
    /// Places of sockets.
    Sockets(Vec<usize>),
    Groups(Vec<Group>),
}

impl TableRows {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Sockets(order) => order.len(),
            Self::Groups(groups) => groups.len(),
        }
    }
}

impl App {
    /// The screen before the first sockets: those of `host` that pass the filter, every `interval`.
    #[must_use]
    pub fn new(host: String, chosen: Chosen, interval: Duration, in_colour: bool, check: Check) -> Self {
        let sort = SortOrder::BY_TRAFFIC;
        Self {
            host,
            interval,
            in_colour,
            check,
            wanted: Demand { chosen, sort: sort.of_api(), ..Demand::default() },
            unconfirmed: None,
            sockets: None,
            totals: Totals::default(),
            sort,
            grouping: Grouping::Flow,
            rows: TableRows::Sockets(Vec::new()),
            cursor: TableCursor::default(),
            mode: Mode::Table,
            note: None,
            before: Vec::new(),
        }
    }

    /// What the source is to collect from now on.
    #[must_use]
    pub const fn wanted(&self) -> &Demand {
        &self.wanted
    }

    /// Says something in the last line, until a key is pressed.
    pub fn say(&mut self, note: String) {
        self.note = Some((note, false));
    }

    /// Takes what the source has found.
    pub fn take(&mut self, answer: Collected) {
        match answer {
            Collected::Sockets { chosen, found } if chosen == self.wanted.chosen => self.take_sockets(found),
            Collected::Details { id, found } => {
                if let Mode::Details(details) = &mut self.mode
                    && details.id == id
                {
                    details.take(found);
                }
            }
            // The filter has changed meanwhile.
            Collected::Sockets { .. } => {}
        }
    }

    fn take_sockets(&mut self, found: Result<Box<dyn ObservedSockets + Send>, NotCollected>) {
        match found {
            // What was on its way when the table was paused.
            Ok(_) if self.wanted.paused && self.unconfirmed.is_none() && self.sockets.is_some() => {}
            Ok(sockets) => {
                self.unconfirmed = None;
                self.note.take_if(|(_, is_error)| *is_error);
                self.totals = Totals::of(&*sockets);
                self.sockets = Some(sockets);
                self.arrange();
            }
            Err(NotCollected::Source(message)) => self.note = Some((message, true)),
            Err(NotCollected::Filter(message)) => match self.unconfirmed.take() {
                Some(before) => {
                    let refused = std::mem::replace(&mut self.wanted.chosen, before);
                    let error = Some(FilterError { at: None, message });
                    self.mode = Mode::Filter { editor: LineEditor::of(&refused.filter), error };
                }
                None => self.note = Some((message, true)),
            },
        }
    }

    /// Makes the rows again, in their order.
    pub(super) fn arrange(&mut self) {
        self.wanted.sort = self.sort.of_api();
        let Some(sockets) = &self.sockets else { return };
        self.rows = if self.grouping == Grouping::Flow {
            TableRows::Sockets(self.sort.sockets(&**sockets))
        } else {
            let mut groups = self.grouping.groups(&**sockets);
            self.sort.groups(&mut groups);
            TableRows::Groups(groups)
        };
        self.cursor.keep(self.rows.len());
    }

    /// Shows the sockets that pass a filter, of the same protocols.
    pub(super) fn apply(&mut self, filter: &str) -> Result<(), FilterError> {
        let chosen = Chosen { filter: filter.to_owned(), ..self.wanted.chosen.clone() };
        self.choose(chosen)
    }

    /// Shows other sockets, if their filter is valid.
    pub(super) fn choose(&mut self, chosen: Chosen) -> Result<(), FilterError> {
        let filter = chosen.filter.trim();
        if !filter.is_empty() {
            (self.check)(filter).map_err(|error| FilterError {
                at: filter.get(..error.at).map(|before| before.chars().count()),
                message: error.to_string(),
            })?;
        }
        let chosen = Chosen { filter: filter.to_owned(), ..chosen };
        if chosen != self.wanted.chosen {
            let before = std::mem::replace(&mut self.wanted.chosen, chosen);
            self.unconfirmed.get_or_insert(before);
            self.cursor = TableCursor { height: self.cursor.height, ..TableCursor::default() };
        }
        Ok(())
    }

    /// Shows sockets in other groups.
    pub(super) fn group_by(&mut self, grouping: Grouping) {
        self.grouping = grouping;
        let of_groups = grouping != Grouping::Flow;
        let is_there = |column: super::column::TopColumn| {
            column.line().is_some_and(|line| if of_groups { line.of.1 } else { line.of.0 })
        };
        if self.sort.column.is_some_and(|column| !is_there(column)) {
            self.sort = SortOrder::BY_TRAFFIC;
        }
        self.cursor = TableCursor { height: self.cursor.height, ..TableCursor::default() };
        self.arrange();
    }
}
