//! The page that shows this host now: complete without a script, which refreshes it and draws its last minutes.
//!
//! Every text in it is escaped here. Refuses to know where the figures come from.

mod columns;
mod detail;
mod flows;
mod format;
mod group;
mod html;
mod overview;
mod request;
mod strip;
mod summary;
mod table;
mod warnings;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::listing::{self, Figures, Layout, Listing, Refusal, Titles, usual};
use crate::problems::HostRates;
use crate::self_metrics::SelfReport;
use format::{count, counted};
use html::escaped;
use request::GROUPINGS;
use summary::{Lines, Summary};

use sockdiag::PROTOCOLS;

pub use request::{GroupBy, PageOrder, PageRequest};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The most lines and listeners that are shown.
const MAX_LINES: usize = 100;

/// What the page says of the exporter itself.
pub struct Exporter {
    /// Where the metrics are.
    pub telemetry_path: String,
    /// The name of the host.
    pub host: String,
    /// What the host has counted since the page before; `None` for the first one.
    pub host_rates: Option<HostRates>,
    /// How the last collection for the metrics went, if there was one.
    pub report: Option<SelfReport>,
}

/// The value of `Content-Security-Policy`: only this style and this script, and nothing from anywhere else (CSP 3).
#[must_use]
pub fn policy() -> String {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = |text: &str| STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            hash(STYLE),
            hash(SCRIPT)
        )
    });
    POLICY.clone()
}

/// The page for a request: what was seen, or why nothing was.
#[must_use]
pub fn page(request: &PageRequest, seen: Result<&Listing, &Refusal>, exporter: &Exporter) -> String {
    let mut out = String::with_capacity(128 * 1024);
    // Writing to a String cannot fail.
    let _ = head(&mut out, request, exporter);
    out.push_str("<main>\n");
    let _ = match seen {
        Ok(listing) if request.details => detail::details(&mut out, listing, request),
        Ok(listing) => body(&mut out, listing, request, exporter),
        Err(refusal) => refused(&mut out, refusal),
    };
    out.push_str("</main>\n");
    let _ = foot(&mut out, exporter);
    out
}

fn head(out: &mut String, request: &PageRequest, exporter: &Exporter) -> std::fmt::Result {
    let (filter, host) = (escaped(&request.filter), escaped(&exporter.host));
    write!(
        out,
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{host}: sockets</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Sockets of {host}</h1>
<div id="tools" hidden>
<label>Find in tables <input id="narrow" type="search" autocomplete="off" spellcheck="false"></label>
<label>Every <select id="every"><option value="1">1 s</option><option value="3" selected>3 s</option><option value="10">10 s</option></select></label>
<button id="pause" type="button">Pause</button>
<span id="status" role="status"></span>
</div>
</header>
<form method="get" action="/">
<label for="filter">Filter</label>
<input id="filter" name="filter" value="{filter}" placeholder="ss syntax: dport = 443 and process = nginx" autocomplete="off" autocapitalize="off" spellcheck="false">
"#
    )?;
    let protocols = |names: &str| request.protocols.iter().map(|one| one.name).eq(names.split(','));
    let asked = request.protocols.iter().map(|protocol| protocol.name).collect::<Vec<_>>().join(",");
    let several = [asked.as_str()].into_iter().filter(|asked| asked.contains(','));
    out.push_str("<select name=\"protocol\" aria-label=\"Protocol\">\n");
    for name in PROTOCOLS.iter().map(|protocol| protocol.name).chain(several) {
        let selected = if protocols(name) { " selected" } else { "" };
        writeln!(out, "<option{selected}>{name}</option>")?;
    }
    out.push_str("</select>\n");
    // The same rows of other sockets.
    let protocols = PageRequest::default().protocols;
    let kept =
        PageRequest { protocols, filter: String::new(), order: None, details: false, ..request.clone() };
    let kept = kept.address();
    for (key, value) in
        form_urlencoded::parse(kept.trim_start_matches("/?").trim_start_matches('/').as_bytes())
    {
        writeln!(out, "<input type=\"hidden\" name=\"{key}\" value=\"{}\">", escaped(&value))?;
    }
    out.push_str("<button>Apply</button>\n</form>\n");
    Ok(())
}

fn foot(out: &mut String, exporter: &Exporter) -> std::fmt::Result {
    let (version, metrics) = (env!("CARGO_PKG_VERSION"), escaped(&exporter.telemetry_path));
    write!(
        out,
        r#"<footer><nav aria-label="Other pages"><ul>
<li><a href="{metrics}">Metrics</a></li>
<li><a href="/api/v1/sockets">JSON</a></li>
<li><a href="/config">Configuration</a></li>
<li><a href="/-/ready">Readiness</a></li>
<li>prometheus_ss_exporter {version}</li>
</ul></nav></footer>
<script>{SCRIPT}</script>
</body>
</html>
"#
    )
}

fn refused(out: &mut String, refusal: &Refusal) -> std::fmt::Result {
    warnings::write_warnings(out, &[refusal.to_string()])?;
    out.push_str("<p><a href=\"/\">All connections</a></p>\n");
    Ok(())
}

fn body(out: &mut String, listing: &Listing, request: &PageRequest, exporter: &Exporter) -> std::fmt::Result {
    let summary = match Summary::of(listing, request, MAX_LINES) {
        Ok(summary) => summary,
        Err(refusal) => return refused(out, &refusal),
    };
    strip::strip(out, listing, exporter)?;
    warnings::warnings(out, listing)?;
    if request.protocols != PageRequest::default().protocols {
        return plain(out, listing, request, exporter);
    }
    overview::totals(out, &summary)?;
    groupings(out, request)?;
    lines(out, &summary, request, exporter)?;
    overview::listeners(out, &summary, request)?;
    out.push_str("<div class=\"columns\">\n");
    overview::states(out, &summary, request)?;
    overview::round_trips(out, &summary)?;
    out.push_str("</div>\n");
    overview::own(out, listing, exporter)
}

/// The sockets of protocols without rates, as the command `sockets` prints them.
fn plain(
    out: &mut String,
    listing: &Listing,
    request: &PageRequest,
    exporter: &Exporter,
) -> std::fmt::Result {
    let rows: Vec<_> = listing.sockets.rows().take(MAX_LINES).collect();
    let all = counted(listing.sockets.len(), "socket");
    let caption = match rows.len() {
        shown if shown < listing.sockets.len() => format!("The first {shown} of {all}"),
        _ => format!("All {all}"),
    };
    let columns = usual(&request.protocols, false);
    writeln!(out, "<section aria-labelledby=\"h-plain\"><h2 id=\"h-plain\">{caption}</h2>")?;
    let layout = Layout { titles: Titles::Plain, figures: Figures::Short, width: None };
    let table = listing::table(&rows, &columns, layout);
    // A line feed is an active character, and no text of a socket has one here.
    let text = table.lines().map(escaped).collect::<Vec<_>>().join("\n");
    writeln!(
        out,
        "<div class=\"scroll\" id=\"plain-scroll\" role=\"region\" aria-label=\"Sockets\" tabindex=\"0\"><pre>{text}</pre></div></section>"
    )?;
    overview::own(out, listing, exporter)
}

/// The choice of what the rows are.
fn groupings(out: &mut String, request: &PageRequest) -> std::fmt::Result {
    out.push_str("<nav class=\"tabs\" aria-label=\"Group by\"><ul>\n");
    for (_, title, group) in GROUPINGS {
        let current = if group == request.group { " aria-current=\"page\"" } else { "" };
        let address = escaped(&request.grouped(group).address());
        writeln!(out, "<li><a href=\"{address}\"{current}>{title}</a></li>")?;
    }
    out.push_str("</ul></nav>\n");
    Ok(())
}

fn lines(
    out: &mut String,
    summary: &Summary,
    request: &PageRequest,
    exporter: &Exporter,
) -> std::fmt::Result {
    let title =
        GROUPINGS.iter().find(|(.., group)| *group == request.group).map_or("", |(_, title, _)| title);
    writeln!(out, "<section aria-labelledby=\"h-lines\"><h2 id=\"h-lines\">{title}</h2>")?;
    if summary.all_lines == 0 {
        nothing(out, request, exporter)?;
        return writeln!(out, "</section>");
    }
    let shown = match &summary.lines {
        Lines::Flows(flows) => flows.len(),
        Lines::Groups(groups) => groups.len(),
    };
    let of_all = match (shown, summary.all_lines) {
        (shown, all) if shown < all => {
            format!("The first {shown} of {}; a filter shows others", count(all as u64))
        }
        (_, all) => format!("All {}", count(all as u64)),
    };
    let order = match &request.order {
        None => "the busiest first",
        Some(_) => "in the order of the marked column",
    };
    let caption = format!("{of_all}, {order}");
    match &summary.lines {
        Lines::Flows(flows) => table::table(out, "flows", &caption, flows, request)?,
        Lines::Groups(groups) => table::table(out, "groups", &caption, groups, request)?,
    }
    writeln!(out, "</section>")
}

/// What stands in place of a table without lines.
fn nothing(out: &mut String, request: &PageRequest, exporter: &Exporter) -> std::fmt::Result {
    if request.filter.is_empty() {
        return writeln!(out, "<p>This host has no connection.</p>");
    }
    let all = exporter.report.as_ref().and_then(|report| usize::try_from(report.dump.sockets).ok());
    let all = all.map(|all| format!(" The last scrape saw {} without the filter.", counted(all, "socket")));
    let address = escaped(&PageRequest { filter: String::new(), ..request.clone() }.address());
    writeln!(
        out,
        "<p>No connection matches the filter.{} <a href=\"{address}\">Show all connections</a></p>",
        all.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests;
