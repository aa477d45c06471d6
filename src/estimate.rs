//! What a configuration comes to on this host: rows, series and bytes now, and how fast new ones come.
//!
//! The host is looked at, listened to for some time, and looked at again, as often as Prometheus would.
//! Refuses to know who asks, and keeps nothing: an exporter that runs counts for itself.

mod advice;
mod census;
mod figures;
mod hearing;
mod json;
mod keys;
mod size;
mod table;

use std::time::{Duration, Instant};

use crate::collect::{CollectorState, World, collect};
use crate::exposition::FamilyFilter;
use crate::fold::FrozenTable;
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::sockdiag::DumpError;
use census::Census;
use figures::INTERVAL;
use hearing::Hearing;
use keys::When;

pub use figures::{Ends, Estimate, OfView};
pub use size::Size;

/// Looks at the host, listens for so long, and looks again, at the end and as often as Prometheus would.
///
/// The privileges are those that an exporter would show.
///
/// # Errors
/// If the kernel does not tell of its sockets.
pub fn estimate(
    plan: &Plan,
    world: &impl World,
    privileges: Privileges,
    period: Duration,
) -> Result<Estimate, DumpError> {
    // This comes first: it takes the longest, and the time that counts begins with the subscription.
    let mut snapshot = collect(plan, world, &mut CollectorState::new(plan, privileges));
    let mut hearing = Hearing::begin(plan.collect.event_buffer, plan.collect.looks_elsewhere());
    let mut census = Census::new(plan, world);
    let start = Instant::now();
    let sockets = census.look(When::First)?;
    // What one walk of the kernel's tables misses must not look new later.
    census.look(When::First)?;
    let mut elapsed = Duration::ZERO;
    while elapsed < period {
        let next = (elapsed + INTERVAL).min(period);
        hearing.until(start + next, |nsid, socket| census.ended(nsid, socket));
        elapsed = start.elapsed();
        census.look(When::Later)?;
    }

    let views = plan.views.iter().enumerate().map(|(number, view)| {
        let shown = snapshot.tables.get(number).and_then(Option::as_ref).map_or(0, FrozenTable::rows);
        OfView {
            name: view.name.clone(),
            limit: view.limit,
            folds: view.folds,
            idle: view.stays().then_some(view.idle),
            series_per_row: view.series_per_row(),
            shown,
            size: Size::of_view(&snapshot, view),
            keys: census.keys(number),
        }
    });
    let views = views.collect();
    let ends = match (hearing.end(), census.unobserved()) {
        (heard, 0) | (heard @ Ends::Unheard(_), _) => heard,
        (Ends::Heard { .. }, some) => Ends::Unheard(format!("in {some} network namespaces")),
    };
    let total = Size::of(&snapshot, &FamilyFilter::default());
    snapshot.tables.fill_with(|| None);
    Ok(Estimate {
        elapsed,
        sockets,
        connections: census.connections(),
        closed: census.closed,
        without_information: census.without_information,
        ends,
        views,
        own: Size::of(&snapshot, &FamilyFilter::default()),
        total,
        complete: snapshot.report.success(),
    })
}
