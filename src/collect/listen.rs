//! A dump of the listeners alone: it costs microseconds, and directions depend on it.
//!
//! Refuses to know what a listener is used for.

use std::time::Instant;

use super::World;
use super::memory::Remembered;
use crate::labels::Names;
use crate::plan::Plan;
use crate::sockdiag::{DumpError, Extensions, Request, Socket, State, StateSet, dump};

/// Notes which listeners there are now, if anybody needs to know.
pub(super) fn learn(
    plan: &Plan,
    world: &impl World,
    remembered: &Remembered,
    deadline: Instant,
) -> Result<(), DumpError> {
    if !plan.past.listeners {
        return Ok(());
    }
    let states = StateSet::of(&[State::Listen]);
    // With it a listener shows which counters its connections will have.
    let request = Request { states, extensions: Extensions::INFO, filter: None };
    let kernel = world.open().map_err(DumpError::Open)?;
    let note = |socket: &Socket<'_>| {
        let names = Names { networks: &plan.networks, interface: &|_| None };
        remembered.follower().listener(socket, names);
    };
    dump(kernel, &request, deadline, note)?;
    let range = std::fs::read_to_string(world.proc().join("sys/net/ipv4/ip_local_port_range"));
    remembered.follower().forget_listeners(&range.unwrap_or_default());
    Ok(())
}
