//! The terminal: taken over at the start, and given back on every way out.

use std::io::{self, IsTerminal as _, Stdout, Write as _};
use std::sync::Once;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Color, Print, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, window_size,
};
use crossterm::{execute, queue};
use ratatui_core::backend::{self, Backend, WindowSize};
use ratatui_core::buffer::Cell;
use ratatui_core::layout::{Position, Size};
use ratatui_core::style::{self, Modifier};
use ratatui_core::terminal::Terminal;
use ss_exporter::top::App;

use crate::stderr;

/// The terminal with the screen on it. Dropping it gives the terminal back.
pub struct Screen(Terminal<Canvas>);

impl Screen {
    /// Takes the terminal over.
    pub fn enter() -> io::Result<Self> {
        // The release build ends at a panic, without dropping anything.
        static RESTORES: Once = Once::new();
        RESTORES.call_once(|| {
            let report = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                let _ = restore();
                report(panic);
            }));
        });
        take_over()?;
        Ok(Self(Terminal::new(Canvas(io::stdout())).inspect_err(|_| drop(restore()))?))
    }

    /// Draws what has changed.
    pub fn draw(&mut self, app: &mut App) -> io::Result<()> {
        self.0
            .draw(|frame| {
                if let Some(cursor) = app.draw(frame.buffer_mut()) {
                    frame.set_cursor_position(cursor);
                }
            })
            .map(drop)
    }

    /// Gives the terminal back.
    pub fn leave(&mut self) -> io::Result<()> {
        self.0.show_cursor()?;
        restore()
    }

    /// Takes the terminal over again, and draws everything at the next draw.
    pub fn again(&mut self) -> io::Result<()> {
        // Whatever the shell has made of the modes meanwhile, they are those to give back.
        disable_raw_mode()?;
        take_over()?;
        self.0.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = restore();
    }
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    // Log lines would be written across the screen.
    stderr::hide(io::stderr().is_terminal());
    execute!(io::stdout(), EnterAlternateScreen, DisableLineWrap, Hide, Clear(ClearType::All))
}

fn restore() -> io::Result<()> {
    stderr::hide(false);
    let written =
        execute!(io::stdout(), SetAttribute(Attribute::Reset), EnableLineWrap, Show, LeaveAlternateScreen);
    disable_raw_mode().and(written)
}

/// The cells of the terminal.
struct Canvas(Stdout);

/// The modifiers that the screen uses.
const MODIFIERS: [(Modifier, Attribute); 3] = [
    (Modifier::BOLD, Attribute::Bold),
    (Modifier::DIM, Attribute::Dim),
    (Modifier::REVERSED, Attribute::Reverse),
];

/// The colours that the screen uses, of the terminal's own palette.
fn colour(colour: style::Color) -> Color {
    match colour {
        style::Color::Red => Color::DarkRed,
        style::Color::Yellow => Color::DarkYellow,
        _ => Color::Reset,
    }
}

impl Backend for Canvas {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut next: Option<(u16, u16)> = None;
        let mut now: Option<(style::Color, Modifier)> = None;
        for (x, y, cell) in content {
            if next != Some((x, y)) {
                queue!(self.0, MoveTo(x, y))?;
            }
            if now != Some((cell.fg, cell.modifier)) {
                queue!(self.0, SetAttribute(Attribute::Reset))?;
                for (_, attribute) in
                    MODIFIERS.iter().filter(|(modifier, _)| cell.modifier.contains(*modifier))
                {
                    queue!(self.0, SetAttribute(*attribute))?;
                }
                if colour(cell.fg) != Color::Reset {
                    queue!(self.0, SetForegroundColor(colour(cell.fg)))?;
                }
                now = Some((cell.fg, cell.modifier));
            }
            queue!(self.0, Print(cell.symbol()))?;
            // Of a wide letter the terminal and the buffer may disagree.
            next = cell.symbol().is_ascii().then_some((x + 1, y));
        }
        queue!(self.0, SetAttribute(Attribute::Reset))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        execute!(self.0, Hide)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        execute!(self.0, Show)
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // Only a screen inside of other text would need it.
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        execute!(self.0, MoveTo(x, y))
    }

    fn clear(&mut self) -> io::Result<()> {
        execute!(self.0, Clear(ClearType::All))
    }

    fn clear_region(&mut self, region: backend::ClearType) -> io::Result<()> {
        let region = match region {
            backend::ClearType::All => ClearType::All,
            backend::ClearType::AfterCursor => ClearType::FromCursorDown,
            backend::ClearType::BeforeCursor => ClearType::FromCursorUp,
            backend::ClearType::CurrentLine => ClearType::CurrentLine,
            backend::ClearType::UntilNewLine => ClearType::UntilNewLine,
        };
        execute!(self.0, Clear(region))
    }

    fn size(&self) -> io::Result<Size> {
        let size = window_size()?;
        Ok(Size { width: size.columns, height: size.rows })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
