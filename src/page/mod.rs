//! The page that shows this host now: complete without a script, which only sorts, narrows and refreshes.
//!
//! Every text in it is escaped here. Refuses to know where the figures come from.

mod format;
mod html;
mod summary;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

use crate::bottleneck::Bottleneck;
use crate::listing::{Listing, ListingColumn, Number, Rate, Refusal, Row};
use crate::properties::Property;
use crate::self_metrics::{OwnerShortage, SelfReport};
use format::{bytes, milliseconds, time_of_day};
use html::escaped;
use summary::{BOUNDS, Summary};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The most connections and listeners that are shown.
const MAX_ROWS: usize = 200;

/// What the page says of the exporter itself.
pub struct Exporter {
    /// Where the metrics are.
    pub telemetry_path: String,
    /// How the last collection for the metrics went, if there was one.
    pub report: Option<SelfReport>,
}

/// The value of `Content-Security-Policy`: only this style and this script, and nothing from anywhere else (CSP 3).
#[must_use]
pub fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// The page for a filter: what was seen, or why nothing was.
#[must_use]
pub fn page(filter: &str, seen: Result<&Listing, &Refusal>, exporter: &Exporter) -> String {
    let mut out = String::with_capacity(64 * 1024);
    // Writing to a String cannot fail.
    let _ = head(&mut out, filter, exporter);
    out.push_str("<main>\n");
    let _ = match seen {
        Ok(listing) => body(&mut out, listing, exporter),
        Err(refusal) => {
            writeln!(out, "<ul class=\"warnings\"><li>{}</li></ul>", escaped(&refusal.to_string()))
        }
    };
    let _ = write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

fn head(out: &mut String, filter: &str, exporter: &Exporter) -> std::fmt::Result {
    let (version, filter, metrics) =
        (env!("CARGO_PKG_VERSION"), escaped(filter), escaped(&exporter.telemetry_path));
    write!(
        out,
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sockets of this host</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Sockets of this host</h1>
<nav aria-label="Other pages"><ul>
<li><a href="{metrics}">Metrics</a></li>
<li><a href="/api/v1/sockets">JSON</a></li>
<li><a href="/config">Configuration</a></li>
<li><a href="/-/ready">Readiness</a></li>
<li class="dim">prometheus_ss_exporter {version}</li>
</ul></nav>
</header>
<form method="get" action="/">
<label for="filter">Filter (<code>ss</code> syntax)</label>
<input id="filter" name="filter" value="{filter}" placeholder="dport = :443 and process = nginx" autocomplete="off" spellcheck="false">
<button class="act">Apply</button>
</form>
<div id="tools" hidden>
<label for="narrow">Find in tables</label>
<input id="narrow" type="search" autocomplete="off" spellcheck="false">
<button class="act" id="pause" type="button">Pause</button>
<span id="status" role="status"></span>
</div>
"#
    )
}

fn body(out: &mut String, listing: &Listing, exporter: &Exporter) -> std::fmt::Result {
    let summary = Summary::of(listing, MAX_ROWS);
    warnings(out, listing, exporter)?;
    out.push_str("<div class=\"columns\">\n");
    states(out, &summary)?;
    round_trips(out, &summary)?;
    own(out, listing, exporter)?;
    out.push_str("</div>\n");
    connections(out, &summary)?;
    listeners(out, &summary)
}

/// What is missing on the page because a stage of its collection was not complete.
fn incomplete(stage: &str, owners: Option<OwnerShortage>) -> &'static str {
    match (stage, owners) {
        ("processes", Some(OwnerShortage::Time)) => {
            "All sockets are shown. Some owners are missing: the search for them reached its time limit, collect.owners."
        }
        ("processes", Some(OwnerShortage::Hidden)) => {
            "All sockets are shown. Some owners are missing: their processes are hidden from the exporter."
        }
        ("processes", _) => {
            "All sockets are shown. Some owners are missing: not all processes could be inspected."
        }
        ("namespaces", _) => "Some sockets are missing: a network namespace could not be read.",
        _ => "Some sockets are missing: the kernel did not report all of them in time.",
    }
}

fn warnings(out: &mut String, listing: &Listing, exporter: &Exporter) -> std::fmt::Result {
    let mut warnings = Vec::new();
    warnings.extend(
        listing
            .sockets
            .incomplete()
            .map(|stage| incomplete(stage, listing.sockets.owner_shortage()).to_owned()),
    );
    let left_out = listing.sockets.left_out();
    if left_out > 0 {
        warnings.push(format!(
            "{left_out} of {} sockets are not shown, because of the page's memory limit; the table by state counts them. \
             Use a filter to see them.",
            left_out + listing.sockets.len()
        ));
    }
    if let Some(report) = &exporter.report {
        let failed = report.stages.iter().filter(|stage| !stage.success);
        warnings.extend(failed.map(|stage| format!("The last collection was not complete: {}.", stage.name)));
        warnings.extend(
            report
                .privileges
                .missing()
                .map(|missing| format!("{} is missing: {}.", missing.name, missing.lost)),
        );
        let left_out =
            report.views.iter().filter_map(|view| Some((view, view.left_out.filter(|rows| *rows > 0)?)));
        warnings.extend(left_out.map(|(view, rows)| {
            format!("The limit of the view {} leaves {rows} rows out of the metrics.", view.name)
        }));
        let dropped = report.tracker.as_ref().and_then(|ledger| ledger.dropped).unwrap_or_default();
        if dropped > 0 {
            warnings.push(format!("The kernel has dropped {dropped} close events: counters miss data."));
        }
        if report.files.reload.is_some_and(|reload| !reload.successful) {
            warnings.push(
                "The last reload of the configuration failed. The previous configuration is active."
                    .to_owned(),
            );
        }
    }
    if warnings.is_empty() {
        return Ok(());
    }
    out.push_str("<ul class=\"warnings\">\n");
    for warning in warnings {
        writeln!(out, "<li>{}</li>", escaped(&warning))?;
    }
    out.push_str("</ul>\n");
    Ok(())
}

fn states(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let all = summary.states.iter().map(|(_, count)| *count).sum::<u64>().max(1);
    out.push_str("<section aria-labelledby=\"h-states\"><h2 id=\"h-states\">By state</h2>\n<table>\n<thead><tr><th scope=\"col\">State</th><th scope=\"col\" class=\"number\">Sockets</th><th scope=\"col\">Share</th></tr></thead>\n<tbody>\n");
    for (state, count) in summary.states.iter().filter(|(_, count)| *count > 0) {
        writeln!(
            out,
            "<tr><th scope=\"row\">{state}</th><td class=\"number\">{count}</td><td><svg width=\"120\" height=\"10\" role=\"img\" aria-label=\"{count} of {all}\"><rect width=\"{}\" height=\"10\"/></svg></td></tr>",
            (count * 120).div_ceil(all)
        )?;
    }
    out.push_str("</tbody></table></section>\n");
    Ok(())
}

fn round_trips(out: &mut String, summary: &Summary) -> std::fmt::Result {
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
        HEIGHT + 16
    )?;
    for (number, count) in summary.rtt.iter().enumerate() {
        let height = (count * HEIGHT).div_ceil(most);
        let bound = BOUNDS.get(number).map_or_else(|| "more".to_owned(), |bound| milliseconds(*bound));
        let x = number * STEP;
        writeln!(
            out,
            "<g><title>up to {bound}: {count}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text></g>",
            x + 2,
            HEIGHT - height,
            STEP - 4,
            x + STEP / 2,
            HEIGHT + 12,
            bound.trim_end_matches(" ms")
        )?;
    }
    writeln!(
        out,
        "</svg>\n<p>Connections by RTT in ms, upper bound of each bar. p50 {median}, p95 {high}.</p></section>"
    )
}

fn own(out: &mut String, listing: &Listing, exporter: &Exporter) -> std::fmt::Result {
    out.push_str("<section aria-labelledby=\"h-own\"><h2 id=\"h-own\">The exporter</h2>\n<table>\n<tbody>\n");
    let mut line = |name: &str, value: String| {
        writeln!(out, "<tr><th scope=\"row\">{name}</th><td class=\"number\">{}</td></tr>", escaped(&value))
    };
    line("Updated", time_of_day(listing.at))?;
    if let Some(report) = &exporter.report {
        line("Collections so far", report.collector.collections.to_string())?;
        for stage in &report.stages {
            let time = milliseconds(stage.duration.as_secs_f64());
            line(&format!("Last collection: {}", escaped(&stage.name)), time)?;
        }
        line("Sockets in the last collection", report.dump.sockets.to_string())?;
        if let Some(ledger) = &report.tracker {
            line("Close events", ledger.received.to_string())?;
            if let Some(dropped) = ledger.dropped {
                line("Close events dropped", dropped.to_string())?;
            }
        }
        if let Some(seconds) = report.process.cpu_seconds {
            line("CPU time so far", format!("{seconds:.2} s"))?;
        }
        if let Some(bytes) = report.process.resident_bytes {
            line("Memory", format!("{:.1} MiB", bytes / 1_048_576.0))?;
        }
    }
    out.push_str("</tbody></table></section>\n");
    Ok(())
}

/// A cell with a number to sort by.
fn cell(value: Option<f64>, text: &str) -> String {
    let sorted = value.map(|value| format!(" data-value=\"{value}\"")).unwrap_or_default();
    format!("<td class=\"number\"{sorted}>{}</td>", escaped(text))
}

fn table_head<'a>(
    out: &mut String,
    id: &str,
    caption: &str,
    titles: impl IntoIterator<Item = (&'a str, bool)>,
) -> std::fmt::Result {
    write!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table class=\"sortable\" id=\"{id}\"><caption>{caption}</caption>\n<thead><tr>"
    )?;
    for (title, number) in titles {
        let class = if number { " class=\"number\"" } else { "" };
        write!(out, "<th scope=\"col\"{class}>{title}</th>")?;
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    Ok(())
}

/// What stands in a column of the connections.
enum Cell {
    Text(ListingColumn),
    BytesPerSecond(fn(Rate) -> f64),
    Time(&'static str),
    Count(&'static str),
    Bottleneck,
}

/// The columns of the connections.
const CONNECTIONS: [(&str, Cell); 13] = [
    ("Local", Cell::Text(ListingColumn::Local)),
    ("Remote", Cell::Text(ListingColumn::Remote)),
    ("Process", Cell::Text(ListingColumn::Process)),
    ("Unit", Cell::Text(ListingColumn::Label(Property::Unit))),
    ("State", Cell::Text(ListingColumn::Label(Property::State))),
    ("Bottleneck", Cell::Bottleneck),
    ("Sent/s", Cell::BytesPerSecond(|rate| rate.sent)),
    ("Received/s", Cell::BytesPerSecond(|rate| rate.received)),
    ("RTT", Cell::Time("rtt_seconds")),
    ("Min RTT", Cell::Time("min_rtt_seconds")),
    ("Retransmitted", Cell::Count("retransmitted_segments_total")),
    ("Recv-Q", Cell::Count("receive_queue_bytes")),
    ("Send-Q", Cell::Count("send_queue_bytes")),
];

impl Cell {
    fn of(&self, row: &Row, rate: Option<Rate>) -> String {
        let shown = |value: Option<f64>, text: fn(f64) -> String| {
            cell(value, &value.map_or_else(|| "-".to_owned(), text))
        };
        let metric = |name| row.value(name).map(Number::real);
        match self {
            Self::Text(column) => format!("<td>{}</td>", escaped(&column.text(row))),
            Self::BytesPerSecond(of) => shown(rate.map(of), bytes),
            Self::Time(name) => shown(metric(name), milliseconds),
            Self::Bottleneck => {
                let name = row.label(Property::Bottleneck);
                let title = Bottleneck::named(name).map_or_else(String::new, |bottleneck| {
                    format!(" title=\"{} {}\"", bottleneck.meaning(), bottleneck.advice())
                });
                format!("<td{title}>{}</td>", escaped(name))
            }
            Self::Count(name) => shown(metric(name), |value| value.to_string()),
        }
    }
}

fn connections(out: &mut String, summary: &Summary) -> std::fmt::Result {
    out.push_str("<section aria-labelledby=\"h-flows\"><h2 id=\"h-flows\">Connections</h2>\n");
    let caption = format!(
        "The {} busiest of {} connections, by bytes per second in both directions",
        summary.connections.len(),
        summary.all_connections
    );
    let titles =
        CONNECTIONS.iter().map(|(title, cell)| (*title, !matches!(cell, Cell::Text(_) | Cell::Bottleneck)));
    table_head(out, "flows", &caption, titles)?;
    for (row, rate) in &summary.connections {
        out.push_str("<tr>");
        for (_, cell) in CONNECTIONS {
            out.push_str(&cell.of(row, *rate));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div></section>\n");
    Ok(())
}

fn listeners(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let titles = [
        ("Local", false),
        ("Process", false),
        ("Unit", false),
        ("Waiting", true),
        ("Backlog", true),
        ("Fill", true),
    ];
    out.push_str("<section aria-labelledby=\"h-listeners\"><h2 id=\"h-listeners\">Listeners</h2>\n");
    table_head(out, "listeners", "Connections that wait to be accepted, the fullest queues first", titles)?;
    for row in &summary.listeners {
        let number = |row: &Row, name: &str| row.value(name).map_or(0.0, Number::real);
        let (waiting, most) = (number(row, "accept_queue_connections"), number(row, "accept_queue_limit"));
        let fill = if most > 0.0 { waiting / most } else { f64::from(u8::from(waiting > 0.0)) };
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td>{}{}<td class=\"number\" data-value=\"{fill}\">{:.0} % <meter min=\"0\" max=\"1\" optimum=\"0\" low=\"0.5\" high=\"0.8\" value=\"{:.3}\" aria-label=\"Fill\"></meter></td></tr>",
            escaped(&ListingColumn::Local.text(row)),
            escaped(&ListingColumn::Process.text(row)),
            escaped(&ListingColumn::Label(Property::Unit).text(row)),
            cell(Some(waiting), &waiting.to_string()),
            cell(Some(most), &most.to_string()),
            fill * 100.0,
            fill.min(1.0)
        )?;
    }
    out.push_str("</tbody></table></div></section>\n");
    Ok(())
}

#[cfg(test)]
mod tests;
