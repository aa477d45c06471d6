//! What is missing on the page, and why.

use std::fmt::Write as _;

use super::format::{count, counted};
use super::html::escaped;
use crate::listing::Listing;
use crate::self_metrics::OwnerShortage;

/// What is missing because a stage of the page's collection was not complete.
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

/// Writes what is missing, if anything is.
pub(super) fn warnings(out: &mut String, listing: &Listing) -> std::fmt::Result {
    let sockets = &listing.sockets;
    let mut warnings: Vec<String> =
        sockets.incomplete().map(|stage| incomplete(stage, sockets.owner_shortage()).to_owned()).collect();
    let left_out = sockets.left_out();
    if left_out > 0 {
        warnings.push(format!(
            "{} of {} are not shown, because of the page's memory limit; the table by state counts them. \
             Use a filter to see them.",
            count(left_out as u64),
            counted(left_out + sockets.len(), "socket")
        ));
    }
    write_warnings(out, &warnings)
}

/// Writes a list of warnings.
pub(super) fn write_warnings(out: &mut String, warnings: &[String]) -> std::fmt::Result {
    if warnings.is_empty() {
        return Ok(());
    }
    out.push_str("<ul class=\"warnings\">\n");
    for warning in warnings {
        writeln!(out, "<li>{}</li>", escaped(warning))?;
    }
    out.push_str("</ul>\n");
    Ok(())
}
