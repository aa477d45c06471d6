//! The promise that no owner is wrong, against processes of which each connects to its own port. Each test runs in its
//! own network namespace, one after the other.
#![cfg(feature = "root-tests")]

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

use testkit::netns::{enter_in_turn as enter, test_name as name};
