//! An exporter that is scraped and reloaded.
//!
//! Refuses to know what its answers should be.

use std::sync::Arc;

use ss_exporter::attribute::{Networks, Users};
use ss_exporter::collect::{CollectorState, collect};
use ss_exporter::config::Config;
use ss_exporter::exposition::Format;
use ss_exporter::facts::Names;
use ss_exporter::plan::Plan;
use ss_exporter::privileges::Privileges;
use ss_exporter::snapshot::Cursor;
use ss_exporter::sockdiag::Socket;

use super::world::{Fake, Sock};

const CLOSED: u8 = 7;

/// An exporter and its world.
pub struct Exporter {
    pub world: Fake,
    plan: Arc<Plan>,
    state: CollectorState,
}

fn plan(config: &str) -> Arc<Plan> {
    Arc::new(Plan::new(Config::parse("reload.yml", config).expect("a valid configuration")))
}

impl Exporter {
    /// Starts it.
    pub fn new(world: Fake, config: &str) -> Self {
        let plan = plan(config);
        let state = CollectorState::new(&plan, Privileges::default());
        Self { world, plan, state }
    }

    /// Lists the sockets that exist, as at the start.
    pub fn take_inventory(&mut self) {
        self.state.take_inventory(&self.plan, &self.world);
    }

    /// Goes on under another configuration.
    pub fn reload(&mut self, config: &str) {
        self.plan = plan(config);
        self.state.adopt(&self.plan, &self.world, Privileges::default());
    }

    pub fn scrape(&mut self) -> Answer {
        let snapshot = collect(&self.plan, &self.world, &mut self.state);
        let mut cursor = Cursor::default();
        let chunks = std::iter::from_fn(|| snapshot.chunk(&mut cursor, Format::Text));
        Answer(String::from_utf8(chunks.flatten().collect()).expect("UTF-8"))
    }

    /// Hears from the kernel that a socket of the own namespace ended.
    pub fn hear_end(&self, sock: &Sock) {
        self.hear(&Sock { state: CLOSED, ..sock.clone() });
    }

    /// Hears a close event of a socket in the state that it has.
    pub fn hear(&self, sock: &Sock) {
        let bytes = sock.payload();
        let (networks, users) = (Networks::default(), Users::default());
        let names = Names { networks: &networks, interface: &|_| None, users: Some(&users) };
        self.state.tracker().ended(&Socket::parse(&bytes).expect("a socket"), names);
    }
}

/// The text of a scrape.
pub struct Answer(String);

impl Answer {
    #[track_caller]
    pub fn has(&self, line: &str) {
        assert!(self.0.lines().any(|shown| shown == line), "no {line} in\n{}", self.0);
    }

    /// The sum of a family over its rows.
    pub fn total(&self, family: &str) -> u64 {
        let of_family =
            |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with([' ', '{']));
        let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok());
        self.0.lines().filter(of_family).map(|line| value(line).expect("a whole number")).sum()
    }
}
