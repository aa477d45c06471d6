//! All that is known of a few sockets, and what limits each.

use std::fmt::Write as _;

use super::format::{counted, per_second, percent, quantity};
use super::html::escaped;
use super::request::PageRequest;
use crate::bottleneck::Bottleneck;
use crate::listing::{Listing, ListingColumn, Rate, Row};
use crate::metrics::{Kind, Metric};
use crate::properties::Property;

/// The most sockets that are shown in full.
const MAX_SOCKETS: usize = 10;

/// Writes the sockets of a listing.
pub(super) fn details(out: &mut String, listing: &Listing, request: &PageRequest) -> std::fmt::Result {
    let back = PageRequest { details: false, ..request.clone() };
    let all = listing.sockets.len();
    writeln!(
        out,
        "<nav aria-label=\"Back\"><a href=\"/\">All connections</a> \u{b7} <a href=\"{}\">{} in the table</a></nav>",
        escaped(&back.address()),
        if all == 1 { "This socket" } else { "These sockets" }
    )?;
    if all == 0 {
        out.push_str("<p>No socket matches: the connection has closed.</p>\n");
    }
    if all > MAX_SOCKETS {
        writeln!(out, "<p>The first {MAX_SOCKETS} of {}.</p>", counted(all, "socket"))?;
    }
    for index in 0..all.min(MAX_SOCKETS) {
        if let Some(row) = listing.sockets.row(index) {
            socket(out, &row, listing.rates.get(index).copied().flatten())?;
        }
    }
    Ok(())
}

fn socket(out: &mut String, row: &Row, rate: Option<Rate>) -> std::fmt::Result {
    let ends = format!("{} \u{2192} {}", ListingColumn::Local.text(row), ListingColumn::Remote.text(row));
    writeln!(out, "<section class=\"socket\"><h2>{}</h2>", escaped(&ends))?;
    if let Some(bottleneck) = Bottleneck::named(row.label(Property::Bottleneck)) {
        writeln!(
            out,
            "<p class=\"verdict\"><strong>{}</strong>: {} {}</p>",
            bottleneck.name(),
            bottleneck.meaning(),
            bottleneck.advice()
        )?;
    }
    out.push_str("<div class=\"columns\">\n");
    let labels = row.labels().filter(|(_, text)| !text.is_empty());
    fields(
        out,
        "Socket and owner",
        labels.map(|(label, text)| (label.name(), text.to_owned(), label.line().help)),
    )?;
    if let Some(rate) = rate {
        let share = rate.retransmission_ratio().map(percent);
        let rates = [
            ("sent", per_second(rate.sent), "Payload bytes per second, retransmissions excluded."),
            ("received", per_second(rate.received), "Payload bytes per second."),
            (
                "retransmitted",
                share.unwrap_or_else(|| "-".to_owned()),
                "Share of retransmissions in the payload bytes sent.",
            ),
        ];
        fields(out, "Since the previous refresh", rates.into_iter())?;
    }
    let of = |kinds: fn(&Metric) -> bool| {
        let values = row.values().filter(move |(metric, _)| kinds(metric));
        values.map(|(metric, value)| (metric.name, quantity(value, metric.unit), metric.help))
    };
    fields(out, "Now", of(|metric| metric.kind != Kind::Counter))?;
    fields(out, "Since the connection began", of(|metric| metric.kind == Kind::Counter))?;
    out.push_str("</div></section>\n");
    Ok(())
}

/// Writes names, values and meanings.
fn fields(
    out: &mut String,
    title: &str,
    fields: impl Iterator<Item = (&'static str, String, &'static str)>,
) -> std::fmt::Result {
    let mut fields = fields.peekable();
    if fields.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "<table class=\"fields\"><caption>{title}</caption>\n<tbody>")?;
    for (name, value, help) in fields {
        writeln!(
            out,
            "<tr title=\"{}\"><th scope=\"row\">{name}</th><td>{}</td></tr>",
            escaped(&plain(help)),
            escaped(&value)
        )?;
    }
    out.push_str("</tbody></table>\n");
    Ok(())
}

/// A text without the marks and the links of the documents.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, target)) = rest.split_once("](") {
        plain.push_str(before);
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain.replace(['`', '['], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_text_has_no_marks_of_the_documents() {
        assert_eq!(plain("What [limits](../a.md) `x`, by [it](b)."), "What limits x, by it.");
        let marked = Property::listable().map(|property| plain(property.line().help));
        assert!(marked.into_iter().all(|help| !help.contains("](") && !help.contains('`')));
    }
}
