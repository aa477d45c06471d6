//! A table of lines: what stands in each column, how a column sorts, and where texts lead.

use std::fmt::Write as _;

use super::flows::FlowFigures;
use super::group::condition;
use super::html::escaped;
use super::request::PageRequest;
use crate::properties::Property;

/// A piece of text in a cell.
pub(super) struct Part {
    /// The text, not escaped.
    pub(super) text: String,
    /// Where it leads.
    pub(super) link: Link,
    /// What it means; empty if it is clear.
    pub(super) title: String,
}

/// Where a piece of text leads.
pub(super) enum Link {
    /// Nowhere.
    None,
    /// To the sockets that also pass a filter.
    Filter(String),
    /// To all that is known of the sockets that pass a filter.
    Details(String),
}

impl Part {
    /// A text that leads nowhere.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), link: Link::None, title: String::new() }
    }

    /// A text that leads to the sockets with this value of a label.
    pub(super) fn of(text: impl Into<String>, property: Property, value: &str) -> Self {
        let link = condition(property, value).map_or(Link::None, Link::Filter);
        Self { link, ..Self::text(text) }
    }

    fn write(&self, out: &mut String, request: &PageRequest) {
        let title = if self.title.is_empty() {
            String::new()
        } else {
            format!(" title=\"{}\"", escaped(&self.title))
        };
        let text = escaped(&self.text);
        let address = match &self.link {
            Link::None if title.is_empty() => return out.push_str(&text),
            Link::None => {
                // Writing to a String cannot fail.
                let _ = write!(out, "<span{title}>{text}</span>");
                return;
            }
            Link::Filter(condition) => request.narrowed(condition).address(),
            Link::Details(condition) => request.detailed(condition.clone()).address(),
        };
        let _ = write!(out, "<a href=\"{}\"{title}>{text}</a>", escaped(&address));
    }
}

/// A line of a table.
pub(super) trait PageLine: Sized + 'static {
    /// The columns of its table.
    const COLUMNS: &'static [PageColumn<Self>];

    /// Its figures.
    fn figures(&self) -> &FlowFigures;
}

/// A column of a table.
pub(super) struct PageColumn<L> {
    /// Its name in an address; empty if lines are not sorted by it.
    pub(super) name: &'static str,
    title: &'static str,
    help: &'static str,
    pub(super) content: Content<L>,
}

/// What stands in a column.
pub(super) enum Content<L> {
    /// A text.
    Text(fn(&L) -> Vec<Part>),
    /// A figure and how it is written.
    Figure(fn(&FlowFigures) -> Option<f64>, fn(f64) -> String),
}

impl<L> PageColumn<L> {
    /// A column of texts.
    pub(super) const fn text(
        name: &'static str,
        title: &'static str,
        help: &'static str,
        of: fn(&L) -> Vec<Part>,
    ) -> Self {
        Self { name, title, help, content: Content::Text(of) }
    }

    /// A column of figures.
    pub(super) const fn figure(
        name: &'static str,
        title: &'static str,
        help: &'static str,
        of: fn(&FlowFigures) -> Option<f64>,
        shown: fn(f64) -> String,
    ) -> Self {
        Self { name, title, help, content: Content::Figure(of, shown) }
    }

    const fn is_of_figures(&self) -> bool {
        matches!(self.content, Content::Figure(..))
    }
}

/// The text of a line in a column of texts, to sort by.
pub(super) fn sort_text<L>(of: fn(&L) -> Vec<Part>, line: &L) -> String {
    of(line).into_iter().map(|part| part.text).collect()
}

/// Writes a table of lines, without the columns in which no line has anything.
pub(super) fn table<L: PageLine>(
    out: &mut String,
    id: &str,
    caption: &str,
    lines: &[L],
    request: &PageRequest,
) -> std::fmt::Result {
    let cells: Vec<Vec<String>> = L::COLUMNS
        .iter()
        .map(|column| lines.iter().map(|line| cell(column, line, request)).collect())
        .collect();
    let shown: Vec<_> = L::COLUMNS
        .iter()
        .zip(&cells)
        .filter(|(_, cells)| cells.iter().any(|cell| !matches!(&**cell, "" | "-")))
        .collect();
    write!(
        out,
        "<div class=\"scroll\" id=\"{id}-scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table id=\"{id}\"><caption>{caption}</caption>\n<thead><tr>"
    )?;
    for (column, _) in &shown {
        head(out, id, column, request)?;
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for number in 0..lines.len() {
        out.push_str("<tr>");
        for (column, cells) in &shown {
            let text = cells.get(number).map_or("", |text| text);
            let kind = match (column.is_of_figures(), text.starts_with("0 ")) {
                (true, true) => "number zero ",
                (true, false) => "number ",
                (false, _) => "",
            };
            let name = if column.name.is_empty() { "all" } else { column.name };
            write!(out, "<td class=\"{kind}{name}\">{}</td>", if text.is_empty() { "-" } else { text })?;
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The head of a column: it leads to the same lines sorted by it, the greatest figure first, and then the other way round.
fn head<L>(out: &mut String, id: &str, column: &PageColumn<L>, request: &PageRequest) -> std::fmt::Result {
    let class = if column.is_of_figures() { " class=\"number\"" } else { "" };
    let (title, help) = (column.title, escaped(column.help));
    if column.name.is_empty() {
        return write!(out, "<th scope=\"col\" title=\"{help}\">{title}</th>");
    }
    let order = request.order.as_ref().filter(|order| order.column == column.name);
    let sorted = match order {
        Some(order) if order.falling => " aria-sort=\"descending\"",
        Some(_) => " aria-sort=\"ascending\"",
        None => "",
    };
    let falling = order.map_or(column.is_of_figures(), |order| !order.falling);
    let address = escaped(&request.sorted(column.name, falling).address());
    write!(
        out,
        "<th scope=\"col\"{class}{sorted} title=\"{help}\"><a id=\"{id}-{}\" href=\"{address}\">{title}</a></th>",
        column.name
    )
}

fn cell<L: PageLine>(column: &PageColumn<L>, line: &L, request: &PageRequest) -> String {
    match column.content {
        Content::Figure(of, shown) => of(line.figures()).map_or_else(|| "-".to_owned(), shown),
        Content::Text(of) => {
            let mut text = String::new();
            for part in of(line) {
                part.write(&mut text, request);
            }
            text
        }
    }
}
