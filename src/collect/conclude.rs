//! What was found, as tables that a snapshot can show, and what there is to say of them.
//!
//! Refuses to know how it was found.

use std::sync::Arc;

use super::folding::Folded;
use super::follower::Follower;
use super::memory::{Memory, Remembered};
use super::time_wait;
use super::walk::Walked;
use crate::fold::{Amounts, Sealed};
use crate::health::{Health, LedgerHealth, ViewHealth};
use crate::plan::Plan;

/// What became of a dump.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    /// The kernel has told of all sockets.
    pub(super) complete: bool,
    /// It is also known which of them are wanted.
    pub(super) usable: bool,
}

/// Seals the tables of all views: without flows and amounts if the dump is of no use.
pub(super) fn conclude(
    plan: &Plan,
    memory: &mut Memory,
    walked: Walked,
    ending: Ending,
    health: &mut Health,
) -> Vec<Option<Sealed>> {
    let Walked { folded, time_wait, dumped, missed, .. } = walked;
    let Folded { tables, selected, mut found, .. } = folded;
    let mut follower = memory.remembered.follower();
    if let Some(number) = time_wait {
        time_wait::add(&mut follower, &mut found, number);
    }
    let heard = memory.remembered.hearing().is_done();
    follower.end(ending.complete, heard, &dumped, &missed);
    memory.strangers = found.seen.len();
    let mut folded = found.amounts.into_iter().zip(found.selected).zip(found.in_other).enumerate();
    let made = tables.into_iter().zip(selected).zip(memory.limits.iter_mut().zip(&mut memory.sizes));
    let mut sealed = Vec::with_capacity(plan.views.len());
    for (view, ((table, selected), (admitted, size))) in plan.views.iter().zip(made) {
        let (name, limit) = (view.name.clone(), view.limit);
        let mut of_view =
            ViewHealth { name, selected, rows: 0, left_out: None, in_other: None, folded: None, limit };
        let table = if let Some(table) = table {
            let (table, next) = table.seal(&follower.ends.of(view));
            if ending.usable {
                *admitted = next;
                *size = table.size();
                memory.said.left_out(view, table.left_out);
            }
            of_view.left_out = Some(table.left_out);
            Some(table).filter(|_| ending.usable)
        } else {
            folded.next().and_then(|(number, ((amounts, selected), in_other))| {
                let folded = follower.folded(number);
                memory.said.folded(view, folded.max(in_other));
                of_view.selected = selected;
                of_view.in_other = Some(in_other);
                of_view.folded = view.stays().then_some(folded);
                seal(&follower, number, Some(amounts).filter(|_| ending.usable))
            })
        };
        of_view.rows = table.as_ref().map_or(0, Sealed::rows);
        health.views.extend(ending.usable.then_some(of_view));
        sealed.push(table);
    }
    if ending.usable {
        follower.settled();
    }
    sealed
}

/// The table of a folded view, with its amounts if there are any.
fn seal(follower: &Follower, number: usize, amounts: Option<Amounts>) -> Option<Sealed> {
    let table = follower.ledger.tables.get(number)?;
    Some(table.seal(amounts, |feed| follower.ledger.knows(feed)))
}

/// What is followed, and the tables of all its views as they are without a dump: only what stays of the folded ones.
pub(super) fn standing(remembered: &Remembered) -> (Arc<Plan>, Vec<Option<Sealed>>) {
    let follower = remembered.follower();
    let plan = follower.plan();
    let mut folded = 0..;
    let table = |view: &crate::config::View| {
        let number = view.folds.then(|| folded.next()).flatten()?;
        seal(&follower, number, None)
    };
    let tables = plan.views.iter().map(table).collect();
    (plan, tables)
}

/// What there is to say of the ledger; nothing where there is no need of one.
pub(super) fn ledger_health(plan: &Plan, remembered: &Remembered) -> Option<LedgerHealth> {
    if plan.past.worth.is_empty() {
        return None;
    }
    let mut hearing = remembered.hearing();
    let (dropped, subscribed) = (hearing.dropped(), hearing.is_subscribed());
    let hearing = hearing.clone();
    // Whoever holds both locks has taken the follower's first.
    let follower = remembered.follower();
    let (tracked, most) = follower.ledger.tracked();
    Some(LedgerHealth {
        events: plan.past.events.then_some(subscribed),
        heard: hearing.heard,
        elsewhere: hearing.elsewhere,
        dropped,
        buffer: hearing.granted,
        resyncs: hearing.resyncs,
        tracked,
        most,
        without_information: follower.without_information,
        baseline: follower.has_baseline(),
        stats: follower.ledger.stats,
    })
}
