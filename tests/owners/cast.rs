//! Processes that differ in everything that a selection may ask for, and connect to one port.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpStream};

use super::cgroups::Folder;
use super::ports::FIRST;
use super::sleeper::Sleeper;
use testkit::actor::Actor;

/// The container that one of them is in.
pub const CONTAINER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Processes that differ in everything that a selection may ask for, and their local ports.
pub struct Cast {
    pub actors: Vec<Actor>,
    pub sleeper: Sleeper,
    ports: [Vec<u16>; 5],
    /// Last, because it can only go when they have ended.
    pub folder: Folder,
    pub web: String,
}

impl Cast {
    pub fn new() -> Self {
        let mut folder = Folder::new();
        let web = folder.make("web.service");
        let below = folder.make("web.service/worker");
        let docker = folder.make(&format!("docker-{CONTAINER}.scope"));
        let mut actors = ["alpha", "beta", "gamma", "delta"].map(Actor::new);
        let [alpha, beta, gamma, delta] = &mut actors;
        folder.moves(alpha, &web);
        folder.moves(beta, &below);
        folder.moves(gamma, &docker);
        delta.does("user 65534");
        let [alpha, beta, gamma, delta] = [alpha, beta, gamma, delta].map(|actor| actor.connects(FIRST, 4));
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, FIRST)).expect("connected");
        let epsilon = vec![connection.local_addr().expect("bound").port()];
        let sleeper = Sleeper::new("epsilon", connection);
        Self { actors: actors.into(), sleeper, ports: [alpha, beta, gamma, delta, epsilon], folder, web }
    }

    /// The local ports of these of them.
    pub fn ports(&self, of: &[usize]) -> BTreeSet<u16> {
        of.iter().flat_map(|number| self.ports[*number].clone()).collect()
    }
}
