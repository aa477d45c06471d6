//! The sockets of a running exporter, from its API.

use std::time::Duration;

use hyper::StatusCode;
use ss_exporter::cli::{DEFAULT_PORT, TopArguments};
use ss_exporter::http::Client;
use ss_exporter::terminal::inert_lines;
use ss_exporter::top::{Chosen, Fetched, NotCollected, ObservedId, ObservedSocket, ObservedSockets, query};

use sockdiag::Protocol;

use super::collecting::SocketSource;
use crate::failure::Failure;

/// The path of the sockets.
const API: &str = "/api/v1/sockets";
/// How long an answer may take: the exporter collects for it, the first time twice.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A running exporter.
pub struct Remote(Client);

impl Remote {
    /// The exporter at a URL.
    pub fn new(url: &str, arguments: &TopArguments) -> Result<Self, Failure> {
        let authorities = arguments.ca_file.as_deref();
        Client::new(url, DEFAULT_PORT, authorities, arguments.insecure, TIMEOUT)
            .map(Self)
            .map_err(|error| Failure::of_usage(format!("--url: {error}")))
    }

    /// Its host and port.
    pub fn authority(&self) -> String {
        self.0.authority()
    }

    fn fetch(&self, protocols: &[&Protocol], filter: &str, sort: &str) -> Result<Fetched, NotCollected> {
        let (status, body) =
            self.0.get(&format!("{API}?{}", query(protocols, filter, sort))).map_err(NotCollected::Source)?;
        let said = || inert_lines(String::from_utf8_lossy(&body).lines().next().unwrap_or_default());
        match status {
            StatusCode::OK => Fetched::read(&body).map_err(NotCollected::Source),
            StatusCode::BAD_REQUEST => Err(NotCollected::Filter(said())),
            StatusCode::UNAUTHORIZED => Err(NotCollected::Source(format!(
                "{} asks for a user and a password: write them into ~/.netrc, or into the URL before the host",
                self.authority()
            ))),
            // Its text names the flag that allows it.
            StatusCode::FORBIDDEN => Err(NotCollected::Source(format!("403: {}", said()))),
            StatusCode::NOT_FOUND => Err(NotCollected::Source(format!(
                "found no {} at {}; expected: the URL of an exporter of version 4 or later, without a path such as /metrics",
                self.0.path(API),
                self.authority()
            ))),
            status => Err(NotCollected::Source(format!("{}: {}", status.as_u16(), said()))),
        }
    }
}

impl SocketSource for Remote {
    fn sockets(
        &mut self,
        chosen: &Chosen,
        sort: &str,
    ) -> Result<Box<dyn ObservedSockets + Send>, NotCollected> {
        Ok(Box::new(self.fetch(&chosen.protocols, &chosen.filter, sort)?))
    }

    fn details(
        &mut self,
        protocols: &[&'static Protocol],
        id: &ObservedId,
    ) -> Result<Option<ObservedSocket>, NotCollected> {
        Ok(self.fetch(protocols, &id.filter, "")?.socket(&id.cookie))
    }

    fn pause(&self, interval: Duration) -> Duration {
        interval
    }

    fn sends_the_first(&self) -> bool {
        true
    }
}
