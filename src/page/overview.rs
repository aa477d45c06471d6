//! Totals, states, round-trip times, listeners and the exporter itself: what stands around the table of connections.

use std::fmt::Write as _;

use super::Exporter;
use super::format::{bytes, count, milliseconds, per_second, percent, time_of_day};
use super::group::condition;
use super::html::escaped;
use super::request::PageRequest;
use super::summary::{BOUNDS, Summary};
use crate::listing::{Listing, ListingColumn, Number, Row};
use crate::properties::Property;

/// Writes the totals. A script adds their last minutes.
pub(super) fn totals(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let (rate, sockets) = summary.total;
    let high = summary.quantiles.map(|(_, high)| high);
    let ratio = rate.retransmission_ratio();
    #[expect(clippy::cast_precision_loss, reason = "a table has fewer than 2^52 sockets")]
    let connections = sockets as f64;
    let totals = [
        (
            "Sent",
            "Payload bytes that all connections sent per second",
            Some(rate.sent),
            per_second as fn(f64) -> String,
        ),
        (
            "Received",
            "Payload bytes that all connections received per second",
            Some(rate.received),
            per_second,
        ),
        (
            "Connections",
            "Number of connections. One within this host counts at both ends",
            Some(connections),
            |value| format!("{value:.0}"),
        ),
        ("RTT p95", "95 % of the connections have at most this round-trip time", high, milliseconds),
        (
            "Retransmitted",
            "Share of retransmissions in the payload bytes sent since the previous refresh",
            ratio,
            percent,
        ),
    ];
    out.push_str("<dl class=\"totals\">\n");
    for (name, help, value, shown) in totals {
        let data = value.map(|value| format!(" data-value=\"{value}\"")).unwrap_or_default();
        let text = value.map_or_else(|| "-".to_owned(), shown);
        writeln!(out, "<div title=\"{help}\"><dt>{name}</dt><dd{data}>{text}</dd></div>")?;
    }
    out.push_str("</dl>\n");
    Ok(())
}

/// Writes the number of sockets in each state.
pub(super) fn states(out: &mut String, summary: &Summary, request: &PageRequest) -> std::fmt::Result {
    let all = summary.states.iter().map(|(_, count)| *count).sum::<u64>();
    if all == 0 {
        return Ok(());
    }
    out.push_str("<section aria-labelledby=\"h-states\"><h2 id=\"h-states\">By state</h2>\n<table>\n<thead><tr><th scope=\"col\">State</th><th scope=\"col\" class=\"number\">Sockets</th><th scope=\"col\">Share</th></tr></thead>\n<tbody>\n");
    for (state, number) in summary.states.iter().filter(|(_, count)| *count > 0) {
        let address = escaped(&request.narrowed(&format!("state {state}")).address());
        writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"{address}\">{state}</a></th><td class=\"number\">{}</td><td><svg width=\"120\" height=\"10\" role=\"img\" aria-label=\"{number} of {all}\"><rect width=\"{}\" height=\"10\"/></svg></td></tr>",
            count(*number),
            (number * 120).div_ceil(all)
        )?;
    }
    out.push_str("</tbody></table></section>\n");
    Ok(())
}

/// Writes the distribution of round-trip times.
pub(super) fn round_trips(out: &mut String, summary: &Summary) -> std::fmt::Result {
    const HEIGHT: usize = 90;
    const STEP: usize = 30;
    out.push_str("<section aria-labelledby=\"h-rtt\"><h2 id=\"h-rtt\">Round-trip times</h2>\n");
    let Some((median, high)) = summary.quantiles else {
        out.push_str("<p>No connection has a round-trip time.</p></section>\n");
        return Ok(());
    };
    let (median, high) = (milliseconds(median), milliseconds(high));
    let most = summary.rtt.iter().copied().max().unwrap_or_default().max(1);
    writeln!(
        out,
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Connections by round-trip time: p50 {median}, p95 {high}\">",
        STEP * summary.rtt.len(),
        HEIGHT + 30
    )?;
    for (number, count) in summary.rtt.iter().enumerate() {
        let height = (count * HEIGHT).div_ceil(most);
        let bound =
            BOUNDS.get(number).map_or_else(|| "more".to_owned(), |bound| (bound * 1000.0).to_string());
        let (x, y) = (number * STEP, HEIGHT + 14 - height);
        let shown = if *count > 0 { count.to_string() } else { String::new() };
        writeln!(
            out,
            "<g><title>up to {bound} ms: {count}</title><rect x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\"/><text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{shown}</text><text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{bound}</text></g>",
            x + 2,
            STEP - 4,
            y - 3,
            HEIGHT + 26,
            middle = x + STEP / 2,
        )?;
    }
    writeln!(
        out,
        "</svg>\n<p>Connections by RTT in ms, upper bound of each bar. p50 {median}, p95 {high}.</p></section>"
    )
}

/// Writes the listeners and how full their queues are.
pub(super) fn listeners(out: &mut String, summary: &Summary, request: &PageRequest) -> std::fmt::Result {
    out.push_str("<section aria-labelledby=\"h-listeners\"><h2 id=\"h-listeners\">Listeners</h2>\n");
    if summary.listeners.is_empty() {
        out.push_str("<p>No listener matches.</p></section>\n");
        return Ok(());
    }
    let caption = "Connections that wait to be accepted, the fullest queues first";
    write!(
        out,
        "<div class=\"scroll\" id=\"listeners-scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table id=\"listeners\"><caption>{caption}</caption>\n<thead><tr>"
    )?;
    for (title, help) in [
        ("Local", "Local address and port"),
        ("Process", "The process that listens, and its id"),
        ("Unit", "The systemd unit of the process"),
        ("Waiting", "Connections in the accept queue"),
        ("Backlog", "Limit of the accept queue; the kernel accepts one more"),
        ("Fill", "Waiting connections as a share of the backlog"),
        ("Refused", "SYNs and handshakes that it has refused since it listens"),
    ] {
        let class = if matches!(title, "Waiting" | "Backlog" | "Fill" | "Refused") {
            " class=\"number\""
        } else {
            ""
        };
        write!(out, "<th scope=\"col\"{class} title=\"{help}\">{title}</th>")?;
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &summary.listeners {
        listener(out, row, request)?;
    }
    out.push_str("</tbody></table></div></section>\n");
    Ok(())
}

fn listener(out: &mut String, row: &Row, request: &PageRequest) -> std::fmt::Result {
    let number = |name: &str| row.value(name).map_or(0.0, Number::real);
    let (waiting, most) = (number("accept_queue_connections"), number("accept_queue_limit"));
    let fill = if most > 0.0 { waiting / most } else { f64::from(u8::from(waiting > 0.0)) };
    let linked = |text: String, property: Property| match condition(property, row.label(property)) {
        Some(condition) => {
            format!("<a href=\"{}\">{}</a>", escaped(&request.narrowed(&condition).address()), escaped(&text))
        }
        None => escaped(&text),
    };
    writeln!(
        out,
        "<tr><td class=\"local\">{}</td><td class=\"process\">{}</td><td class=\"unit\">{}</td><td class=\"number waiting\">{waiting}</td><td class=\"number backlog\">{most}</td><td class=\"number fill\">{:.0} % <meter min=\"0\" max=\"1\" optimum=\"0\" low=\"0.5\" high=\"0.8\" value=\"{:.3}\" aria-label=\"Fill\"></meter></td><td class=\"number refused\">{}</td></tr>",
        escaped(&ListingColumn::Local.text(row)),
        linked(ListingColumn::Process.text(row), Property::Process),
        linked(ListingColumn::Label(Property::Unit).text(row), Property::Unit),
        fill * 100.0,
        fill.min(1.0),
        ListingColumn::Drops.text(row)
    )
}

/// Writes the exporter's own figures in a line.
pub(super) fn own(out: &mut String, listing: &Listing, exporter: &Exporter) -> std::fmt::Result {
    let mut parts = vec![format!("Updated {}", time_of_day(listing.at))];
    if let Some(report) = &exporter.report {
        let time = report.stages.iter().map(|stage| stage.duration.as_secs_f64()).sum();
        parts.push(format!("Last scrape: {} sockets in {}", count(report.dump.sockets), milliseconds(time)));
        parts.push(format!("{} collections", count(report.collector.collections)));
        if let Some(tracker) = &report.tracker {
            let dropped = tracker.dropped.map(|dropped| format!(", {} dropped", count(dropped)));
            parts.push(format!("{} close events{}", count(tracker.received), dropped.unwrap_or_default()));
        }
        parts.extend(report.process.cpu_seconds.map(|seconds| format!("CPU time {seconds:.2} s")));
        parts.extend(report.process.resident_bytes.map(|resident| format!("memory {}", bytes(resident))));
    }
    writeln!(out, "<p id=\"own\">Exporter: {}</p>", escaped(&parts.join(" \u{b7} ")))
}
