//! Writing into the buffer of cells: nothing leaves its area, and nothing acts on the terminal.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::text::Line;

use super::style::Role;
use crate::terminal::inert;

/// An area of the screen to write into.
pub(super) struct Canvas<'b> {
    buffer: &'b mut Buffer,
    pub(super) area: Rect,
    in_colour: bool,
}

/// Which end of a text is left out if there is no room for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Start,
    End,
}

impl<'b> Canvas<'b> {
    pub(super) fn new(buffer: &'b mut Buffer, in_colour: bool) -> Self {
        let area = buffer.area;
        Self { buffer, area, in_colour }
    }

    /// The lines from `first` on, `height` of them if there are as many.
    pub(super) fn lines(&mut self, first: u16, height: u16) -> Canvas<'_> {
        let first = first.min(self.area.height);
        let area = Rect { y: self.area.y + first, height: height.min(self.area.height - first), ..self.area };
        Canvas { buffer: self.buffer, area, in_colour: self.in_colour }
    }

    /// A box in the middle, of that size if there is room, with nothing in it.
    pub(super) fn window(&mut self, width: u16, height: u16) -> Canvas<'_> {
        let (width, height) = (width.min(self.area.width), height.min(self.area.height));
        let area = Rect {
            x: self.area.x + (self.area.width - width) / 2,
            y: self.area.y + (self.area.height - height) / 2,
            width,
            height,
        };
        let mut cells = Canvas { buffer: self.buffer, area, in_colour: self.in_colour };
        cells.clear();
        cells
    }

    fn clear(&mut self) {
        for position in self.area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// Writes a text at a column of a line, in at most `width` cells; returns the column behind it.
    pub(super) fn put(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let width = width.min(self.area.width - x);
        let text = inert(text);
        let style = role.style(self.in_colour);
        let (end, _) =
            self.buffer.set_stringn(self.area.x + x, self.area.y + y, text, usize::from(width), style);
        end - self.area.x
    }

    /// Writes a text into a field of `width` cells, to its right end if `right`; what does not fit is replaced by `…`.
    pub(super) fn field(
        &mut self,
        at: (u16, u16),
        width: u16,
        text: &str,
        right: bool,
        cut: Cut,
        role: Role,
    ) {
        let text = fitted(&inert(text), width, cut);
        let free = width.saturating_sub(cells_of(&text));
        let (x, y) = at;
        self.put(if right { x + free } else { x }, y, width, &text, role);
    }

    /// Gives a whole line a style, on top of what is written there.
    pub(super) fn mark(&mut self, y: u16, role: Role) {
        if y < self.area.height {
            let line = Rect { y: self.area.y + y, height: 1, ..self.area };
            self.buffer.set_style(line, role.style(self.in_colour));
        }
    }
}

/// How many cells a text takes.
pub(super) fn cells_of(text: &str) -> u16 {
    u16::try_from(Line::raw(text).width()).unwrap_or(u16::MAX)
}

fn fitted(text: &str, width: u16, cut: Cut) -> String {
    if cells_of(text) <= width {
        return text.to_owned();
    }
    // A letter takes no cell, one or two.
    let enough = usize::from(width) * 2;
    let mut letters: Vec<char> = match cut {
        Cut::Start => text.chars().skip(text.chars().count().saturating_sub(enough)).collect(),
        Cut::End => text.chars().take(enough).collect(),
    };
    let all = |letters: &[char]| letters.iter().collect::<String>();
    while !letters.is_empty() && cells_of(&all(&letters)) + 1 > width {
        match cut {
            Cut::Start => drop(letters.remove(0)),
            Cut::End => drop(letters.pop()),
        }
    }
    match cut {
        _ if width == 0 => String::new(),
        Cut::Start => format!("\u{2026}{}", all(&letters)),
        Cut::End => format!("{}\u{2026}", all(&letters)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_one_end_and_wide_letters_count_twice() {
        assert_eq!(fitted("10.0.0.1:443", 8, Cut::Start), "\u{2026}0.1:443");
        assert_eq!(fitted("nginx(4711)", 8, Cut::End), "nginx(4\u{2026}");
        assert_eq!((fitted("abc", 3, Cut::End), fitted("abc", 0, Cut::End)), ("abc".into(), String::new()));
        assert_eq!(fitted("\u{65e5}\u{672c}\u{8a9e}", 5, Cut::End), "\u{65e5}\u{672c}\u{2026}");
    }

    #[test]
    fn what_is_outside_of_the_area_is_not_written() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 2));
        let mut cells = Canvas::new(&mut buffer, false);
        assert_eq!(cells.put(3, 0, 9, "a\u{1b}[2J", Role::Plain), 5);
        cells.put(9, 0, 9, "x", Role::Plain);
        cells.put(0, 9, 9, "x", Role::Plain);
        cells.lines(7, 3).put(0, 0, 9, "x", Role::Plain);
        cells.mark(9, Role::Selected);
        assert_eq!(buffer, Buffer::with_lines(["   a\u{fffd}", "     "]));
    }
}
