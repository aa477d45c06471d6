//! What keys do, as in htop.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Chosen;
use super::app::{App, Mode, Step, TableRows};
use super::column::{COLUMNS, TopColumn};
use super::details::Details;
use super::group::Grouping;
use super::line_editor::LineEditor;
use super::menu::{Choice, Menu};
use super::problem_list::{ProblemChoice, ProblemList};
use super::sort::SortOrder;

/// The first word of the menu of columns.
const TRAFFIC: &str = "Send/s + Recv/s";

impl App {
    /// Does what a key says.
    pub fn key(&mut self, key: KeyEvent) -> Step {
        if key.kind == KeyEventKind::Release {
            return Step::Continue;
        }
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Step::Quit,
            KeyCode::Char('z') if key.modifiers.contains(KeyModifiers::CONTROL) => return Step::Suspend,
            KeyCode::F(10) => return Step::Quit,
            _ => {}
        }
        match &mut self.mode {
            Mode::Table => return self.table_key(key),
            Mode::Filter { editor, error } => {
                *error = None;
                match key.code {
                    KeyCode::Esc => self.mode = Mode::Table,
                    KeyCode::Enter => {
                        let text = editor.text();
                        self.enter_filter(&text);
                    }
                    _ => editor.key(key),
                }
            }
            Mode::SortMenu(menu) => {
                let choice = menu.key(key);
                self.choose_sort(choice);
            }
            Mode::GroupMenu(menu) => {
                let choice = menu.key(key);
                if choice != Choice::Open {
                    self.mode = Mode::Table;
                }
                if let Choice::Chosen(place) = choice
                    && let Some(grouping) = Grouping::ALL.get(place)
                {
                    self.group_by(*grouping);
                }
            }
            Mode::Problems(list) => {
                let choice = list.key(key);
                self.choose_problem(choice);
            }
            Mode::Details(details) => match key.code {
                KeyCode::Esc | KeyCode::Char('q') | KeyCode::Enter => {
                    self.mode = Mode::Table;
                    self.wanted.details = None;
                }
                KeyCode::Char('p' | ' ') => self.wanted.paused = !self.wanted.paused,
                code => scroll(&mut details.first, code),
            },
            Mode::Help { first } => match key.code {
                KeyCode::Esc | KeyCode::Char('q' | 'h' | '?') | KeyCode::Enter | KeyCode::F(1) => {
                    self.mode = Mode::Table;
                }
                code => scroll(first, code),
            },
        }
        Step::Continue
    }

    fn table_key(&mut self, key: KeyEvent) -> Step {
        self.note = None;
        let page = self.cursor.height.max(1);
        let row = &mut self.cursor.row;
        match key.code {
            KeyCode::Char('q') => return Step::Quit,
            KeyCode::Up | KeyCode::Char('k') => *row = row.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => *row = row.saturating_add(1),
            KeyCode::PageUp => *row = row.saturating_sub(page),
            KeyCode::PageDown => *row = row.saturating_add(page),
            KeyCode::Home => *row = 0,
            KeyCode::End => *row = usize::MAX - 1,
            KeyCode::Char('h' | '?') | KeyCode::F(1) => self.mode = Mode::Help { first: 0 },
            KeyCode::Char('/' | '\\') | KeyCode::F(4) => {
                self.mode = Mode::Filter { editor: LineEditor::of(&self.wanted.chosen.filter), error: None };
            }
            KeyCode::Char('s') | KeyCode::F(6) => self.open_sort_menu(),
            KeyCode::Char('<' | ',') => self.move_sort(false),
            KeyCode::Char('>' | '.') => self.move_sort(true),
            KeyCode::Char('I') => {
                self.sort.falling = !self.sort.falling;
                self.arrange();
            }
            KeyCode::Char('g') => {
                let at = Grouping::ALL.iter().position(|one| *one == self.grouping).unwrap_or_default();
                self.mode =
                    Mode::GroupMenu(Menu::new("Group by", Grouping::ALL.map(Grouping::name).to_vec(), at));
            }
            KeyCode::Char('p' | ' ') => self.wanted.paused = !self.wanted.paused,
            KeyCode::Char('!') | KeyCode::Tab => {
                let problems = self.sockets.as_ref().map_or(&[][..], |sockets| sockets.problems());
                if problems.is_empty() {
                    self.note = Some(("No problem was found.".to_owned(), false));
                } else {
                    self.mode = Mode::Problems(ProblemList::of(problems));
                }
            }
            KeyCode::Enter => self.enter_row(),
            KeyCode::Esc => self.go_back(),
            _ => {}
        }
        self.cursor.keep(self.rows.len());
        Step::Continue
    }

    fn enter_filter(&mut self, text: &str) {
        match self.apply(text) {
            Ok(()) => self.mode = Mode::Table,
            Err(refused) => {
                if let Mode::Filter { error, .. } = &mut self.mode {
                    *error = Some(refused);
                }
            }
        }
    }

    /// The columns that the table can be sorted by, whether there is room for them or not.
    fn sortable(&self) -> Vec<TopColumn> {
        let of_groups = self.grouping != Grouping::Flow;
        let there = COLUMNS.iter().filter(|line| if of_groups { line.of.1 } else { line.of.0 });
        there.map(|line| line.column).collect()
    }

    fn open_sort_menu(&mut self) {
        let columns = self.sortable();
        let at =
            columns.iter().position(|column| self.sort.column == Some(*column)).map_or(0, |place| place + 1);
        let titles = columns.iter().filter_map(|column| column.line()).map(|line| line.title);
        let words = std::iter::once(TRAFFIC).chain(titles).collect();
        self.mode = Mode::SortMenu(Menu::new("Sort by", words, at));
    }

    fn choose_sort(&mut self, choice: Choice) {
        match choice {
            Choice::Open => return,
            Choice::Closed => {}
            Choice::Chosen(0) => self.sort = SortOrder::BY_TRAFFIC,
            Choice::Chosen(place) => {
                self.sort = self.sortable().get(place - 1).map_or(self.sort, |column| SortOrder::by(*column));
            }
        }
        self.mode = Mode::Table;
        self.arrange();
    }

    /// Sorts by the next column to the right or to the left.
    fn move_sort(&mut self, right: bool) {
        let columns = self.sortable();
        let sorted = self.sort.column.unwrap_or(TopColumn::Sent);
        let at = columns.iter().position(|column| *column == sorted).unwrap_or_default();
        let next = if right { (at + 1).min(columns.len().saturating_sub(1)) } else { at.saturating_sub(1) };
        self.sort = columns.get(next).map_or(self.sort, |column| SortOrder::by(*column));
        self.arrange();
    }

    /// The details of a socket, or the sockets of a group.
    fn enter_row(&mut self) {
        match (&self.rows, &self.sockets) {
            (TableRows::Sockets(order), Some(sockets)) => {
                let Some(index) = order.get(self.cursor.row) else { return };
                let Some(row) = sockets.row(*index) else { return };
                let details = Details::of(row, sockets.rate(*index), &self.wanted.chosen.filter);
                self.wanted.details = Some(details.id.clone());
                self.mode = Mode::Details(Box::new(details));
            }
            (TableRows::Groups(groups), _) => {
                let Some(name) = groups.get(self.cursor.row).map(|group| group.name.clone()) else { return };
                let known = &self.wanted.chosen;
                let filter = self.grouping.filter(&name).map(|filter| match known.filter.as_str() {
                    "" => filter,
                    known => format!("({known}) and {filter}"),
                });
                self.narrow(filter.map(|filter| Chosen { filter, ..known.clone() }));
            }
            (TableRows::Sockets(_), None) => {}
        }
    }

    /// Shows the sockets of a problem.
    fn choose_problem(&mut self, choice: ProblemChoice) {
        match choice {
            ProblemChoice::Open => {}
            ProblemChoice::Closed => self.mode = Mode::Table,
            ProblemChoice::Chosen(chosen) => {
                self.mode = Mode::Table;
                self.narrow(chosen);
            }
        }
    }

    /// Shows some sockets for a while, if the language has a filter for them.
    fn narrow(&mut self, chosen: Option<Chosen>) {
        let before = (self.wanted.chosen.clone(), self.grouping);
        match chosen.map(|chosen| self.choose(chosen)) {
            Some(Ok(())) => {
                self.before.push(before);
                self.group_by(Grouping::Flow);
            }
            Some(Err(error)) => self.note = Some((error.message, true)),
            None => self.note = Some(("No filter selects exactly these sockets.".to_owned(), true)),
        }
    }

    /// Back to the groups, or without a filter.
    fn go_back(&mut self) {
        let all = || (Chosen { filter: String::new(), ..self.wanted.chosen.clone() }, self.grouping);
        let (chosen, grouping) = self.before.pop().unwrap_or_else(all);
        // It was valid before, or selects everything.
        if self.choose(chosen).is_ok() && grouping != self.grouping {
            self.group_by(grouping);
        }
    }
}

fn scroll(first: &mut usize, code: KeyCode) {
    *first = match code {
        KeyCode::Up | KeyCode::Char('k') => first.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => first.saturating_add(1),
        KeyCode::PageUp => first.saturating_sub(10),
        KeyCode::PageDown => first.saturating_add(10),
        KeyCode::Home => 0,
        // What is drawn ends at the last line.
        KeyCode::End => usize::MAX,
        _ => *first,
    };
}
