//! A table of lines: what stands in each column, how a column sorts, and where texts lead.

use std::fmt::Write as _;

use hashbrown::HashMap;

use super::flows::FlowFigures;
use super::group::condition;
use super::html::{escape, escaped};
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

    fn write(&self, out: &mut String, addresses: &mut LinkAddresses<'_>) {
        let element = match &self.link {
            Link::None if self.title.is_empty() => return escape(out, &self.text),
            Link::None => {
                out.push_str("<span");
                "span"
            }
            Link::Filter(condition) => {
                out.push_str("<a href=\"");
                out.push_str(addresses.narrowed(condition));
                out.push('"');
                "a"
            }
            Link::Details(condition) => {
                out.push_str("<a href=\"");
                escape(out, &addresses.request.detailed(condition.clone()).address());
                out.push('"');
                "a"
            }
        };
        if !self.title.is_empty() {
            out.push_str(" title=\"");
            escape(out, &self.title);
            out.push('"');
        }
        out.push('>');
        escape(out, &self.text);
        out.push_str("</");
        out.push_str(element);
        out.push('>');
    }
}

/// Addresses of a table's links. Most lines lead to few of them.
struct LinkAddresses<'a> {
    request: &'a PageRequest,
    /// Those of narrower filters by their conditions, escaped.
    narrowed: HashMap<String, String>,
}

impl LinkAddresses<'_> {
    fn narrowed(&mut self, condition: &str) -> &str {
        let request = self.request;
        let address = || escaped(&request.narrowed(condition).address());
        self.narrowed.entry_ref(condition).or_insert_with(address)
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
    let mut addresses = LinkAddresses { request, narrowed: HashMap::new() };
    let cells: Vec<Cells> =
        L::COLUMNS.iter().map(|column| Cells::of(column, lines, &mut addresses)).collect();
    let shown: Vec<_> = L::COLUMNS
        .iter()
        .zip(&cells)
        .filter(|(_, cells)| (0..lines.len()).any(|line| !matches!(cells.get(line), "" | "-")))
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
            let text = cells.get(number);
            out.push_str("<td class=\"");
            out.push_str(match (column.is_of_figures(), text.starts_with("0 ")) {
                (true, true) => "number zero ",
                (true, false) => "number ",
                (false, _) => "",
            });
            out.push_str(if column.name.is_empty() { "all" } else { column.name });
            out.push_str("\">");
            out.push_str(if text.is_empty() { "-" } else { text });
            out.push_str("</td>");
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

/// The cells of a column, one behind the other.
struct Cells {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Cells {
    fn of<L: PageLine>(column: &PageColumn<L>, lines: &[L], addresses: &mut LinkAddresses<'_>) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(lines.len()));
        for line in lines {
            match column.content {
                Content::Figure(of, shown) => match of(line.figures()) {
                    Some(figure) => text.push_str(&shown(figure)),
                    None => text.push('-'),
                },
                Content::Text(of) => of(line).iter().for_each(|part| part.write(&mut text, addresses)),
            }
            ends.push(text.len());
        }
        Self { text, ends }
    }

    /// That of a line.
    fn get(&self, line: usize) -> &str {
        let end = |line: usize| self.ends.get(line).copied();
        let start = line.checked_sub(1).map_or(Some(0), end);
        start.zip(end(line)).and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default()
    }
}
