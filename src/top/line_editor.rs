//! A line of text that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The longest text, in bytes.
const LONGEST: usize = 1000;

/// A text and the place of the cursor in it, in letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LineEditor {
    letters: Vec<char>,
    pub(super) cursor: usize,
}

impl LineEditor {
    /// With the cursor at the end of a text.
    pub(super) fn of(text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect();
        Self { cursor: letters.len(), letters }
    }

    pub(super) fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// The text before the cursor.
    pub(super) fn before(&self) -> String {
        self.letters.iter().take(self.cursor).collect()
    }

    /// Does what a key says.
    pub(super) fn key(&mut self, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let end = self.letters.len();
        match key.code {
            KeyCode::Char('u') if control => drop(self.letters.drain(..std::mem::take(&mut self.cursor))),
            KeyCode::Char('w') if control => {
                let kept = self.letters.iter().take(self.cursor).collect::<String>();
                let kept = kept
                    .trim_end()
                    .rfind(' ')
                    .map_or(0, |at| kept.get(..=at).unwrap_or_default().chars().count());
                self.letters.drain(kept..std::mem::replace(&mut self.cursor, kept));
            }
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = end,
            KeyCode::Char(_) if control || key.modifiers.contains(KeyModifiers::ALT) => {}
            KeyCode::Char(letter) if end < LONGEST => {
                self.letters.insert(self.cursor, letter);
                self.cursor += 1;
            }
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.letters.remove(self.cursor);
            }
            KeyCode::Delete if self.cursor < end => drop(self.letters.remove(self.cursor)),
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(end),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = end,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_anywhere_and_no_key_leaves_it() {
        let mut line = LineEditor::of("dport = 44");
        let mut press = |code, modifiers| {
            line.key(KeyEvent::new(code, modifiers));
            (line.text(), line.cursor)
        };
        let (none, control) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        assert_eq!(press(KeyCode::Char('3'), none), ("dport = 443".into(), 11));
        assert_eq!(press(KeyCode::Delete, none), ("dport = 443".into(), 11));
        assert_eq!(press(KeyCode::Char('w'), control), ("dport = ".into(), 8));
        assert_eq!(press(KeyCode::Home, none), ("dport = ".into(), 0));
        assert_eq!(press(KeyCode::Backspace, none), ("dport = ".into(), 0));
        assert_eq!(press(KeyCode::Delete, none), ("port = ".into(), 0));
        assert_eq!(press(KeyCode::Char('\u{fc}'), none), ("\u{fc}port = ".into(), 1));
        assert_eq!(press(KeyCode::Left, none).1, 0);
        assert_eq!(press(KeyCode::Left, none).1, 0);
        assert_eq!(press(KeyCode::End, none).1, 8);
        assert_eq!(press(KeyCode::Right, none).1, 8);
        assert_eq!(press(KeyCode::Char('u'), control), (String::new(), 0));
        assert_eq!(press(KeyCode::Char('w'), control), (String::new(), 0));
    }
}
