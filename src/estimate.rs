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

use crate::attribute::Processes;
use crate::collect::{Memory, World, collect};
use crate::exposition::Wanted;
use crate::fold::Sealed;
use crate::plan::Plan;
use crate::sockdiag::DumpError;
use census::Census;
use figures::INTERVAL;
use hearing::Hearing;
use keys::When;

pub use figures::{Ends, Estimate, OfView};
pub use size::Size;

/// Looks at the host, listens for so long, and looks again, at the end and as often as Prometheus would.
///
/// # Errors
/// If the kernel does not tell of its sockets.
pub fn estimate(plan: &Plan, world: &impl World, period: Duration) -> Result<Estimate, DumpError> {
    // This comes first: it takes the longest, and the time that counts begins with the subscription.
    let mut snapshot = collect(plan, world, &mut Memory::new(plan));
    let mut hearing = Hearing::begin(plan.collect.event_buffer);
    let mut census = Census::new(plan, world);
    let start = Instant::now();
    let sockets = walk(plan, world, &mut census, When::First)?;
    // What one walk of the kernel's tables misses must not look new later.
    walk(plan, world, &mut census, When::First)?;
    let mut elapsed = Duration::ZERO;
    while elapsed < period {
        let next = (elapsed + INTERVAL).min(period);
        hearing.until(start + next, |socket| census.ended(socket));
        elapsed = start.elapsed();
        walk(plan, world, &mut census, When::Later)?;
    }

    let views = plan.views.iter().enumerate().map(|(number, view)| {
        let shown = snapshot.tables.get(number).and_then(Option::as_ref).map_or(0, Sealed::rows);
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
    let total = Size::of(&snapshot, &Wanted::default());
    snapshot.tables.fill_with(|| None);
    Ok(Estimate {
        elapsed,
        sockets,
        connections: census.connections(),
        closed: census.closed,
        without_information: census.without_information,
        ends: hearing.end(world.proc()),
        views,
        own: Size::of(&snapshot, &Wanted::default()),
        total,
        complete: snapshot.health.success(),
    })
}

/// Notes all sockets there are now, and says how many.
fn walk<W: World>(plan: &Plan, world: &W, census: &mut Census<'_, W>, when: When) -> Result<u64, DumpError> {
    let start = Instant::now();
    let deadline = start + plan.collect.deadline;
    let mut processes = Processes::new(world.proc().to_owned(), false);
    if plan.needs_processes {
        // An owner that stays unknown is a row all the same, and the collection has said so.
        let _ = processes.begin(start, start + plan.collect.deadline / 2);
    }
    census.listeners(when, deadline)?;
    census.sockets(&mut processes, when, deadline)
}
