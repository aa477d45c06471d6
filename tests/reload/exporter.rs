//! An exporter that is scraped and reloaded.

use std::sync::Arc;

use sockdiag::{State, TCP};
use ss_exporter::attribute::{ConfiguredNames, Users};
use ss_exporter::collection::{CollectorState, collect};
use ss_exporter::config::Config;
use ss_exporter::exposition::Format;
use ss_exporter::facts::Names;
use ss_exporter::plan::Plan;
use ss_exporter::privileges::Privileges;

use testkit::host::{FakeHost, exposition};

use super::sockets::Sock;

/// An exporter and its host.
pub struct Exporter {
    pub host: FakeHost,
    plan: Arc<Plan>,
    state: CollectorState,
}

fn plan(config: &str) -> Arc<Plan> {
    Arc::new(Plan::new(Config::parse("reload.yml", config).expect("a valid configuration")))
}

impl Exporter {
    /// Starts it.
    pub fn new(host: FakeHost, config: &str) -> Self {
        Self::of(host, plan(config))
    }

    /// Starts it with a plan.
    pub fn of(host: FakeHost, plan: Arc<Plan>) -> Self {
        let state = CollectorState::new(&plan, Privileges::default());
        Self { host, plan, state }
    }

    /// Lists the sockets that exist, as at the start.
    pub fn take_inventory(&mut self) {
        self.state.take_inventory(&self.plan, &self.host);
    }

    /// Goes on under another configuration.
    pub fn reload(&mut self, config: &str) {
        self.plan = plan(config);
        self.state.adopt(&self.plan, &self.host, Privileges::default());
    }

    pub fn scrape(&mut self) -> Answer {
        Answer(exposition(&collect(&self.plan, &self.host, &mut self.state), Format::Text))
    }

    /// The kernel reports that a socket of the own namespace has closed.
    pub fn close(&self, sock: &Sock) {
        self.close_event(&Sock { state: State::Close, ..sock.clone() });
    }

    /// The kernel reports that a socket was destroyed in the state that it has.
    pub fn close_event(&self, sock: &Sock) {
        let reply = sock.reply();
        let (configured, users) = (ConfiguredNames::default(), Users::default());
        let names = Names { configured: &configured, interface: &|_| None, users: Some(&users) };
        self.state.tracker().on_close(&TCP.parse(reply.bytes()).expect("a socket"), names);
    }
}

/// The text of a scrape.
pub struct Answer(String);

impl Answer {
    #[track_caller]
    pub fn has(&self, line: &str) {
        assert!(self.0.lines().any(|shown| shown == line), "no {line} in\n{}", self.0);
    }

    #[track_caller]
    pub fn lacks(&self, beginning: &str) {
        assert!(!self.0.lines().any(|shown| shown.starts_with(beginning)), "{beginning} in\n{}", self.0);
    }

    /// The sum of a family over its rows.
    pub fn total(&self, family: &str) -> u64 {
        let of_family =
            |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with([' ', '{']));
        let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok());
        self.0.lines().filter(of_family).map(|line| value(line).expect("a whole number")).sum()
    }
}
