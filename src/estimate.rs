//! What a configuration comes to on this host: rows, series and bytes now, and how fast new ones come.
//!
//! The host is looked at, listened to for some time, and looked at again. Refuses to know who asks, and
//! keeps nothing: an exporter that runs counts for itself.

mod advice;
mod census;
mod figures;
mod json;
mod keys;
mod size;
mod table;

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::attribute::Processes;
use crate::collect::{Memory, World, collect};
use crate::exposition::Wanted;
use crate::fold::Sealed;
use crate::plan::Plan;
use crate::sockdiag::{DumpError, Events, Heard, dropped};
use census::Census;

pub use figures::{Ends, Estimate, OfView};
pub use size::Size;

use keys::When;

/// Looks at the host, listens for so long, and looks again.
///
/// # Errors
/// If the kernel does not tell of its sockets.
pub fn estimate(plan: &Plan, world: &impl World, period: Duration) -> Result<Estimate, DumpError> {
    // This comes first: it takes the longest, and the time that counts begins with the subscription.
    let mut snapshot = collect(plan, world, &mut Memory::new(plan));
    let events = Events::subscribe(plan.collect.event_buffer);
    let mut census = Census::new(plan, world);
    let start = Instant::now();
    let sockets = walk(plan, world, &mut census, When::First)?;
    // What one walk of the kernel's tables misses must not look new later.
    walk(plan, world, &mut census, When::First)?;
    let ends = listen(events, &mut census, world, start + period);
    let elapsed = start.elapsed();
    walk(plan, world, &mut census, When::Second)?;

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
        ends,
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
    let processes = if plan.needs_processes {
        // An owner that stays unknown is a row all the same, and the collection has said so.
        Processes::scan(world.proc(), start + plan.collect.deadline / 2).unwrap_or_default()
    } else {
        Processes::default()
    };
    census.listeners(when, deadline)?;
    census.sockets(&processes, when, deadline)
}

/// Notes the ends of sockets until the time has come.
fn listen<W: World>(
    events: io::Result<Events>,
    census: &mut Census<'_, W>,
    world: &W,
    until: Instant,
) -> Ends {
    let heard = events.and_then(|mut events| {
        let mut overrun = false;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match events.wait(Some(left))? {
                Heard::Some => events.sockets().for_each(|socket| census.ended(&socket)),
                Heard::Overrun => overrun = true,
                Heard::Nothing => {}
            }
        }
        let table = std::fs::read_to_string(world.proc().join("net/netlink")).unwrap_or_default();
        Ok(dropped(&table, events.port()).unwrap_or_default().max(u64::from(overrun)))
    });
    match heard {
        Ok(dropped) => Ends::Heard { dropped },
        Err(error) => {
            sleep(until.saturating_duration_since(Instant::now()));
            Ends::Unheard(error.to_string())
        }
    }
}
