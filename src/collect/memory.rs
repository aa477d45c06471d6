//! What one collection leaves for the next: admitted rows, sizes, the ledger, and what has been logged.
//!
//! Refuses to know sockets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashSet;

use super::attribution::Attribution;
use super::follower::Follower;
use super::homes::Homes;
use super::watch::Hearing;
use crate::config::View;
use crate::fold::{Limit, Seed, Size};
use crate::health::LedgerHealth;
use crate::labels::Names;
use crate::plan::Plan;
use crate::privileges::Privileges;
use crate::sockdiag::Socket;

/// What one collection leaves for the next.
#[derive(Debug)]
pub struct Memory {
    pub(super) limits: Vec<Limit>,
    /// How much the tables held, and how many sockets the ledger did not know.
    pub(super) sizes: Vec<Size>,
    pub(super) strangers: usize,
    pub(super) seed: Seed,
    pub(super) said: Said,
    /// Whether there is but one collection, which needs no baseline.
    pub(super) alone: bool,
    pub(super) remembered: Remembered,
    /// Whose sockets are; `None` until the first collection, and while one is under way.
    pub(super) attribution: Option<Attribution>,
    pub(super) homes: Homes,
}

/// What collections share with the thread that hears of closing sockets.
#[derive(Clone, Debug)]
pub struct Remembered(Arc<(Mutex<Follower>, Mutex<Hearing>, Privileges)>);

impl Remembered {
    fn new(plan: &Plan, privileges: Privileges) -> Self {
        Self(Arc::new((Mutex::new(Follower::new(plan)), Mutex::default(), privileges)))
    }

    // A panic ends the program, so that nobody finds either in pieces.

    #[inline]
    pub(super) fn follower(&self) -> MutexGuard<'_, Follower> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hearing(&self) -> MutexGuard<'_, Hearing> {
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of the end of a socket in the own namespace, with the last that the kernel knew of it.
    pub fn ended(&self, socket: &Socket<'_>, names: Names<'_>) {
        self.follower().ended(None, socket, names, &|_, _| None, &mut |_, _| false);
    }

    /// What was held at the start.
    pub(super) fn privileges(&self) -> Privileges {
        self.0.2.clone()
    }
}

/// What has been logged, so that a scraper's pace is not the log's.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Of each view, that its limit leaves rows out or folds them.
    limited: HashSet<String>,
    /// Whether it was said that the ledger is full.
    full: bool,
    /// Whether it was said that there are namespaces whose closing sockets the kernel does not tell of.
    unobserved: bool,
    /// Why the last collection was not complete.
    trouble: String,
}

impl Said {
    /// Logs a trouble when it begins, changes or ends.
    pub(super) fn trouble(&mut self, now: String) {
        if now == self.trouble {
            return;
        }
        if now.is_empty() {
            tracing::info!("collections are complete again");
        } else {
            tracing::warn!(trouble = now, "a collection is not complete");
        }
        self.trouble = now;
    }

    pub(super) fn left_out(&mut self, view: &View, rows: usize) {
        if rows > 0 && self.limited.insert(view.name.clone()) {
            let limit = view.limit;
            tracing::warn!(
                view = view.name,
                left_out = rows,
                limit,
                "a limit leaves rows out; said once, counted in ss_exporter_rows_left_out"
            );
        }
    }

    pub(super) fn folded(&mut self, view: &View, sockets: u64) {
        if sockets > 0 && self.limited.insert(view.name.clone()) {
            let limit = view.limit;
            tracing::warn!(
                view = view.name,
                limit,
                "a limit folds rows into \"other\"; said once, counted in ss_exporter_sockets_folded_total"
            );
        }
    }

    pub(super) fn unobserved(&mut self, namespaces: usize) {
        if namespaces > 0 && !self.unobserved {
            self.unobserved = true;
            tracing::warn!(
                namespaces,
                "the kernel does not tell of sockets that close in some network namespaces, because they have no number in \
                 this one, or for want of CAP_NET_BROADCAST: what a connection there does after its last collection is lost; \
                 `ip netns set NAME auto` gives one a number; said once, counted in ss_exporter_namespaces_unobserved"
            );
        }
    }

    pub(super) fn full(&mut self, ledger: Option<&LedgerHealth>) {
        let Some(LedgerHealth { most, stats, .. }) = ledger else { return };
        if stats.untracked > 0 && !self.full {
            self.full = true;
            tracing::warn!(
                most,
                untracked = stats.untracked,
                "there are more sockets than collect.tracked_sockets; said once, counted in ss_exporter_sockets_untracked"
            );
        }
    }
}

impl Memory {
    /// The memory before the first collection, of an exporter that was started with these privileges.
    #[must_use]
    pub fn new(plan: &Plan, privileges: Privileges) -> Self {
        let limit = |view: &View| view.limit.map_or_else(Limit::none, Limit::of);
        Self {
            limits: plan.views.iter().map(limit).collect(),
            sizes: vec![Size::default(); plan.views.len()],
            strangers: 0,
            seed: Seed::default(),
            said: Said::default(),
            alone: false,
            remembered: Remembered::new(plan, privileges),
            attribution: None,
            homes: Homes::default(),
        }
    }

    /// The memory of a collection after which there is none.
    #[must_use]
    pub fn of_one(plan: &Plan, privileges: Privileges) -> Self {
        Self { alone: true, ..Self::new(plan, privileges) }
    }

    /// What it shares with others.
    #[must_use]
    pub fn remembered(&self) -> Remembered {
        self.remembered.clone()
    }
}
