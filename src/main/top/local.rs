//! The sockets of this host, by collections of its own.

use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use sockdiag::Protocol;
use ss_exporter::attribute::Namespaces;
use ss_exporter::bottleneck::MIN_INTERVAL;
use ss_exporter::collection::CollectorState;
use ss_exporter::config::Config;
use ss_exporter::listing::{self, Detail, ListedSockets, Listing, States, Successive};
use ss_exporter::plan::Plan;
use ss_exporter::privileges::Privileges;
use ss_exporter::problems::{Evidence, HostMonitor, problems};
use ss_exporter::select::{Expression, parse};
use ss_exporter::top::{
    Chosen, NotCollected, ObservedId, ObservedListing, ObservedSocket, ObservedSockets, columns_to_collect,
};

use super::collecting::SocketSource;
use crate::failure::Failure;
use crate::host::{LinuxHost, PROC};
use crate::{capabilities, report};

/// Collections take at most one part in so many of a processor, whatever the interval: on a host with 100,000 sockets the
/// view of them must not be the load.
const MAX_SHARE: u32 = 10;

/// The sockets of this host.
pub struct Local {
    config: Config,
    namespaces: Namespaces,
    monitor: HostMonitor,
    /// The processor time of the last collection.
    cost: Duration,
    table: Lists,
    /// Apart from the table, so that neither forgets what the other has sampled.
    details: Lists,
}

/// The listings of what was chosen last, and what they leave for the next.
struct Lists {
    detail: Detail,
    state: CollectorState,
    now: Option<(Chosen, LinuxHost, Successive)>,
}

impl Local {
    /// Prepares to collect, and says what will be missing without capabilities.
    pub fn new(chosen: &Chosen, config: Config) -> Result<(Self, Option<String>), Failure> {
        let planned = |detail: &Detail| {
            plan(chosen, detail, &config).map_err(|error| match error {
                NotCollected::Filter(error) => Failure::of_usage(format!("the filter is not valid: {error}")),
                NotCollected::Source(error) => Failure::at_run_time(error),
            })
        };
        let (detail, in_detail) = (Detail::Columns(columns_to_collect()), Detail::Everything);
        let (plan, plan_in_detail) = (planned(&detail)?, planned(&in_detail)?);
        let features = capabilities::needed(&plan_in_detail, false);
        let privileges = capabilities::raised(&features);
        let namespaces = capabilities::namespaces(&plan_in_detail)?;
        capabilities::keep(&features);
        let note = note(&privileges);
        let table = Lists { detail, state: CollectorState::of_one(&plan, privileges.clone()), now: None };
        let state = CollectorState::of_one(&plan_in_detail, privileges);
        let details = Lists { detail: in_detail, state, now: None };
        Ok((
            Self {
                config,
                namespaces,
                monitor: HostMonitor::default(),
                cost: Duration::ZERO,
                table,
                details,
            },
            note,
        ))
    }
}

/// What is missing without capabilities.
fn note(privileges: &Privileges) -> Option<String> {
    let missing: Vec<_> = privileges.missing().collect();
    let first = missing.first()?;
    let names: Vec<_> =
        missing.iter().filter(|one| one.feature == first.feature).map(|one| one.name).collect();
    Some(format!("Without {}: {}.", names.join(" and "), first.lost))
}

fn plan(chosen: &Chosen, detail: &Detail, config: &Config) -> Result<Plan, NotCollected> {
    let Chosen { protocols, filter } = chosen;
    let selection = if filter.is_empty() {
        Expression::Always
    } else {
        parse(filter, &config.names).map_err(|error| NotCollected::Filter(error.in_context(filter)))?
    };
    let sockets = ListedSockets::of(protocols, States::All, selection);
    if let Some(obstacle) = sockets.obstacle() {
        return Err(NotCollected::Filter(obstacle));
    }
    Ok(listing::plan(sockets, detail, config.names.clone(), config.collect.clone()))
}

impl Lists {
    fn next(
        &mut self,
        chosen: &Chosen,
        config: &Config,
        namespaces: &Namespaces,
    ) -> Result<Listing, NotCollected> {
        let Self { detail, state, now } = self;
        let (_, host, listings) = match now {
            Some(now) if now.0 == *chosen => now,
            _ => {
                let plan = plan(chosen, detail, config)?;
                let host = report::resolved(&plan, namespaces.clone());
                let host = host.map_err(|failure| NotCollected::Source(failure.message))?;
                now.insert((chosen.clone(), host, Successive::new(plan)))
            }
        };
        let listing = listings.next(|plan| listing::list(plan, host, state));
        listing.map_err(|refusal| NotCollected::Source(refusal.to_string()))
    }
}

/// The processor time of all threads: the kernel's part of a collection is in another one.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

impl SocketSource for Local {
    fn sockets(&mut self, chosen: &Chosen, _: &str) -> Result<Box<dyn ObservedSockets + Send>, NotCollected> {
        let pause = self.cost * MAX_SHARE;
        let before = processor_time();
        let listing = self.table.next(chosen, &self.config, &self.namespaces);
        self.cost = processor_time().saturating_sub(before);
        let listing = listing?;
        let host = self.monitor.sample(Path::new(PROC));
        let problems = problems(&Evidence { listing: Some(&listing), host: host.as_ref(), report: None });
        Ok(Box::new(ObservedListing { listing, problems, pause }))
    }

    fn details(
        &mut self,
        protocols: &[&'static Protocol],
        id: &ObservedId,
    ) -> Result<Option<ObservedSocket>, NotCollected> {
        let chosen = Chosen { protocols: protocols.to_vec(), filter: id.filter.clone() };
        Ok(self.details.next(&chosen, &self.config, &self.namespaces)?.socket(&id.cookie))
    }

    fn pause(&self, interval: Duration) -> Duration {
        // The first listing has no rates.
        let is_new = self.table.now.as_ref().is_some_and(|(.., listings)| listings.is_new());
        if is_new { MIN_INTERVAL } else { interval.max(self.cost * MAX_SHARE) }
    }

    fn sends_the_first(&self) -> bool {
        false
    }
}
