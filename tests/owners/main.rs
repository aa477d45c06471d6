//! The promise that no owner is wrong, against processes of which each connects to a port of its own, each test in
//! a network namespace of its own and one after the other.
#![cfg(feature = "root-tests")]

#[path = "../support/namespace.rs"]
mod namespace;

#[path = "../support/turn.rs"]
mod turn;

#[path = "../binary/exporter.rs"]
#[expect(dead_code, reason = "logs and exit codes are for the tests of the binary")]
mod exporter;

#[path = "../binary/public.rs"]
#[expect(dead_code, reason = "root without capabilities is for the tests of the binary")]
mod public;

#[path = "../exactness/scrapes.rs"]
mod scrapes;

mod actor;
mod cast;
mod cgroups;
mod handing;
mod mounts;
mod names;
mod oracle;
mod passed;
mod ports;
mod renames;
mod restart;
mod rows;
mod selection;
mod sleeper;
mod storms;
mod threads;
mod unprivileged;

use turn::{enter, name, program};
