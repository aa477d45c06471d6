//! A list of words to choose from.

use crossterm::event::{KeyCode, KeyEvent};

use super::cells::{Canvas, Cut, cells_of};
use super::style::Role;

/// What a key does to a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Nothing is chosen yet.
    Open,
    /// Nothing will be.
    Closed,
    /// The word at that place.
    Chosen(usize),
}

/// The words, and the one at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Menu {
    title: &'static str,
    words: Vec<&'static str>,
    at: usize,
}

impl Menu {
    pub(super) fn new(title: &'static str, words: Vec<&'static str>, at: usize) -> Self {
        Self { title, words, at }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Choice {
        let last = self.words.len().saturating_sub(1);
        match key.code {
            KeyCode::Up => self.at = self.at.saturating_sub(1),
            KeyCode::Down => self.at = (self.at + 1).min(last),
            KeyCode::Home | KeyCode::PageUp => self.at = 0,
            KeyCode::End | KeyCode::PageDown => self.at = last,
            KeyCode::Enter => return Choice::Chosen(self.at),
            KeyCode::Esc | KeyCode::Char('q') | KeyCode::F(_) => return Choice::Closed,
            // The first word behind the cursor that begins with the letter, from the start again after the last.
            KeyCode::Char(letter) => {
                let begins = |place: &usize| {
                    let word = self.words.get(*place).copied().unwrap_or_default();
                    word.to_lowercase().starts_with(letter.to_ascii_lowercase())
                };
                let mut places = (self.at + 1..=last).chain(0..=self.at);
                self.at = places.find(begins).unwrap_or(self.at);
            }
            _ => {}
        }
        Choice::Open
    }

    pub(super) fn draw(&self, screen: &mut Canvas<'_>) {
        let widest = self.words.iter().copied().chain([self.title]).map(cells_of).max().unwrap_or(0) + 4;
        let height = u16::try_from(self.words.len()).unwrap_or(u16::MAX).saturating_add(1);
        let mut window = screen.window(widest, height);
        let shown = usize::from(window.area.height.saturating_sub(1));
        let first = (self.at + 1).saturating_sub(shown);
        window.field((0, 0), widest, &format!(" {} ", self.title), false, Cut::End, Role::Titles);
        window.mark(0, Role::Titles);
        for (y, (place, word)) in (1..).zip(self.words.iter().enumerate().skip(first).take(shown)) {
            window.field((2, y), widest.saturating_sub(3), word, false, Cut::End, Role::Plain);
            if place == self.at {
                window.put(0, y, 1, ">", Role::Plain);
                window.mark(y, Role::Selected);
            }
        }
    }
}
