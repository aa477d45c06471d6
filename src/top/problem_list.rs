//! What is wrong: a strip above the table, and a list to choose from.

use crossterm::event::{KeyCode, KeyEvent};

use super::Chosen;
use super::cells::{Canvas, Cut};
use super::style::Role;
use crate::listing::protocols;
use crate::problems::{Problem, Severity};

/// The most problems of the strip.
const IN_STRIP: usize = 3;

/// What a key does to the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ProblemChoice {
    Open,
    Closed,
    /// The sockets of a problem, if it is about some.
    Chosen(Option<Chosen>),
}

/// The problems at the time when the list was opened.
#[derive(Clone, Debug)]
pub(super) struct ProblemList {
    problems: Vec<Problem>,
    at: usize,
}

/// How many lines the strip takes.
pub(super) fn strip_height(problems: &[Problem]) -> u16 {
    u16::try_from(problems.len().min(IN_STRIP)).unwrap_or(0)
}

/// Draws the first problems, a line each.
pub(super) fn draw_strip(cells: &mut Canvas<'_>, problems: &[Problem]) {
    for (y, problem) in (0..cells.area.height).zip(problems) {
        let more = problems.len().saturating_sub(IN_STRIP);
        let is_last = usize::from(y) + 1 == IN_STRIP && more > 0;
        let more = if is_last { format!(" (! shows {more} more)") } else { String::new() };
        let line = format!("! {}{more}. {}", problem.title, problem.detail);
        cells.field((0, y), cells.area.width, &line, false, Cut::End, role(problem));
    }
}

const fn role(problem: &Problem) -> Role {
    match problem.rule.severity {
        Severity::Critical => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Info => Role::Weak,
    }
}

impl ProblemList {
    pub(super) fn of(problems: &[Problem]) -> Self {
        Self { problems: problems.to_vec(), at: 0 }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> ProblemChoice {
        let last = self.problems.len().saturating_sub(1);
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.at = self.at.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.at = (self.at + 1).min(last),
            KeyCode::Home | KeyCode::PageUp => self.at = 0,
            KeyCode::End | KeyCode::PageDown => self.at = last,
            KeyCode::Enter => {
                let chosen = self.problems.get(self.at);
                let (protocol, filter) = chosen.and_then(|problem| problem.filter.clone()).unzip();
                let protocols = protocol.and_then(|name| protocols([name]).ok());
                let chosen = protocols.zip(filter).map(|(protocols, filter)| Chosen { protocols, filter });
                return ProblemChoice::Chosen(chosen);
            }
            KeyCode::Esc | KeyCode::Char('q' | '!') | KeyCode::Tab => return ProblemChoice::Closed,
            _ => {}
        }
        ProblemChoice::Open
    }

    /// Draws the titles, and below them the details of the one at the cursor.
    pub(super) fn draw(&self, screen: &mut Canvas<'_>) {
        let (width, height) = (screen.area.width, screen.area.height);
        let mut window = screen.window(width, height);
        window.field((0, 0), width, " Problems", false, Cut::End, Role::Titles);
        window.mark(0, Role::Titles);
        let room = usize::from(height.saturating_sub(5));
        let first = (self.at + 1).saturating_sub(room);
        for (y, (place, problem)) in (1..).zip(self.problems.iter().enumerate().skip(first).take(room)) {
            window.field((1, y), width.saturating_sub(1), &problem.title, false, Cut::End, role(problem));
            if place == self.at {
                window.mark(y, Role::Selected);
            }
        }
        if let Some(problem) = self.problems.get(self.at) {
            let filter = problem.filter.as_ref().map_or("", |(_, filter)| filter);
            window.field((1, height - 3), width - 1, &problem.detail, false, Cut::End, Role::Plain);
            window.field((1, height - 2), width - 1, filter, false, Cut::End, Role::Weak);
        }
        window.field(
            (0, height - 1),
            width,
            "Enter Show its sockets   Esc Back",
            false,
            Cut::End,
            Role::Weak,
        );
    }
}
