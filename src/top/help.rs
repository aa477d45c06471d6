//! The keys and the columns, explained.

use super::cells::{Canvas, Cut};
use super::column::COLUMNS;
use super::style::Role;

/// Keys, and what they do.
pub(super) const KEYS: [(&str, &str); 14] = [
    ("Up Down PgUp PgDn Home End", "move the cursor; also k and j"),
    ("s F6", "choose the column to sort by"),
    ("< >", "sort by the column to the left or to the right"),
    ("I", "invert the order"),
    ("/ F4", "filter, in the language of ss"),
    ("g", "group sockets by process, unit, container, service, remote address or network"),
    ("Enter", "details of the socket; of a group, its sockets"),
    ("! Tab", "the problems, each with its sockets"),
    ("p Space", "pause and continue"),
    ("Esc", "back to the groups, or to all sockets"),
    ("h ? F1", "this help"),
    ("Ctrl-Z", "suspend"),
    ("q F10 Ctrl-C", "quit"),
    ("Ctrl-A -E -U -W", "in the filter: begin, end, delete to the begin, delete a word"),
];

pub(super) fn draw(screen: &mut Canvas<'_>, first: &mut usize) {
    let (width, height) = (screen.area.width, screen.area.height);
    screen.field((0, 0), width, " Help", false, Cut::End, Role::Titles);
    screen.mark(0, Role::Titles);
    let keys = KEYS.iter().map(|(key, does)| (*key, *does));
    let columns = COLUMNS.iter().map(|line| (line.title, line.help));
    let lines: Vec<_> = keys.chain([("", "")]).chain(columns).collect();
    let room = usize::from(height.saturating_sub(2));
    *first = (*first).min(lines.len().saturating_sub(room));
    for (y, (name, help)) in (1..).zip(lines.iter().skip(*first).take(room)) {
        screen.field((1, y), 27, name, false, Cut::End, Role::Strong);
        screen.field((29, y), width.saturating_sub(29), help, false, Cut::End, Role::Plain);
    }
    screen.field((0, height - 1), width, "Esc Back   Up/Down Scroll", false, Cut::End, Role::Weak);
}
