//! What is wrong, before anything else.

use std::fmt::Write as _;

use super::Exporter;
use super::format::counted;
use super::html::escaped;
use super::request::PageRequest;
use crate::listing::{Listing, protocols};
use crate::problems::{Evidence, Problem, problems};

/// The most problems that are shown at once.
const MAX_SHOWN: usize = 6;

/// Writes the problems that a listing, the host and the exporter show; a quiet line if there is none.
pub(super) fn strip(out: &mut String, listing: &Listing, exporter: &Exporter) -> std::fmt::Result {
    let evidence = Evidence {
        listing: Some(listing),
        host: exporter.host_rates.as_ref(),
        report: exporter.report.as_ref(),
    };
    let found = problems(&evidence);
    out.push_str("<section aria-label=\"Problems\">\n");
    if found.is_empty() {
        let all = counted(listing.sockets.len(), "socket");
        writeln!(out, "<p class=\"quiet\">No problem found in {all}.</p>")?;
    }
    let (first, others) = found.split_at(found.len().min(MAX_SHOWN));
    list(out, first)?;
    if !others.is_empty() {
        writeln!(out, "<details id=\"more\"><summary>{} more</summary>", others.len())?;
        list(out, others)?;
        out.push_str("</details>\n");
    }
    writeln!(out, "</section>")
}

/// Writes problems, each with a link to the sockets that show it.
fn list(out: &mut String, problems: &[Problem]) -> std::fmt::Result {
    if problems.is_empty() {
        return Ok(());
    }
    out.push_str("<ul class=\"problems\">\n");
    for problem in problems {
        let (severity, title) = (problem.rule.severity.name(), escaped(&problem.title));
        let title = match &problem.filter {
            Some((protocol, filter)) => {
                let protocols = protocols([*protocol]).unwrap_or_default();
                let request = PageRequest { protocols, filter: filter.clone(), ..PageRequest::default() };
                format!("<a href=\"{}\">{title}</a>", escaped(&request.address()))
            }
            None => title,
        };
        let detail = escaped(&problem.detail);
        writeln!(out, "<li class=\"{severity}\">{title}. <span>{detail}</span></li>")?;
    }
    out.push_str("</ul>\n");
    Ok(())
}
