//! A collector's state before its first collection, and under another plan.

use std::sync::Arc;

use super::host::Host;
use super::inventory::inventory;
use super::owners::{FirstRead, KnownOwners};
use super::state::{CollectorState, limit};
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::view::View;

impl CollectorState {
    /// Lists the sockets that exist: what they have counted so far is no gain. To be called before close events are
    /// subscribed to. The first read of the process table begins at the same time.
    pub fn take_inventory(&mut self, plan: &Plan, host: &impl Host) {
        // On one core, the sockets would only be listed later.
        let first_read =
            host.has_idle_core().then(|| FirstRead::begin(plan, host.proc(), plan.collect.deadline));
        self.owners = first_read.flatten().map_or(KnownOwners::None, KnownOwners::BeingRead);
        let (inventory, begun) = inventory(plan, host, self);
        self.tracker.lock().take(inventory, begun);
    }

    /// Goes on under another plan with what is the same; `privileges` is what that one needs, and what of it is held.
    ///
    /// The sockets that exist are listed first. To be called before close events are subscribed to.
    pub fn adopt(&mut self, plan: &Arc<Plan>, host: &impl Host, privileges: Privileges) {
        let inventory = inventory(plan, host, self);
        let before = self.tracker.plan();
        let same = |view: &View| {
            before.views.iter().position(|old| before.shows_as(old, view, plan)).filter(|_| !view.aggregates)
        };
        let carried = plan.views.iter().map(|view| {
            let place = same(view);
            let admitted = place.and_then(|place| self.limits.get(place)).cloned();
            let size = place.and_then(|place| self.sizes.get(place)).copied();
            (admitted.unwrap_or_else(|| limit(view)), size.unwrap_or_default())
        });
        (self.limits, self.sizes) = carried.unzip();
        self.logged.keep_limits(|name| {
            plan.views.iter().any(|view| view.name == name && before.views.contains(view))
        });
        match &mut self.owners {
            KnownOwners::Read(attribution) if before.attributes_as(plan) => attribution.adopt(&before, plan),
            owners => *owners = KnownOwners::None,
        }
        // Made before anything is locked: names may have to be looked up.
        let programs = plan.programs(host);
        self.tracker.lock().reload(plan, programs, inventory);
        self.tracker.set_privileges(privileges);
    }
}
