//! How things stand out: in colour, or by weight alone.

use ratatui_core::style::{Color, Modifier, Style};

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// Titles and what is chosen.
    Strong,
    /// What matters less.
    Weak,
    /// The line of titles.
    Titles,
    /// The row at the cursor.
    Selected,
    /// What deserves attention.
    Warning,
    /// What is wrong.
    Error,
    /// A key of the last line.
    Key,
}

impl Role {
    /// The style, in the colours of the terminal's own palette if it may be coloured.
    pub(super) fn style(self, in_colour: bool) -> Style {
        let style = Style::new();
        let colour = |colour: Color, else_: Modifier| {
            if in_colour { style.fg(colour).add_modifier(Modifier::BOLD) } else { style.add_modifier(else_) }
        };
        match self {
            Self::Plain => style,
            Self::Strong => style.add_modifier(Modifier::BOLD),
            Self::Weak => style.add_modifier(Modifier::DIM),
            Self::Titles | Self::Key => style.add_modifier(Modifier::REVERSED),
            Self::Selected => style.add_modifier(Modifier::REVERSED.union(Modifier::BOLD)),
            Self::Warning => colour(Color::Yellow, Modifier::BOLD),
            Self::Error => colour(Color::Red, Modifier::REVERSED),
        }
    }
}
