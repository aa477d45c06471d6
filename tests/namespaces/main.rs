//! Many network namespaces, seen by the program as its users run it. Needs root.
//!
//! Each test has a namespace of processes of its own, so that `netns: all` finds what the test has made and
//! nothing of the host, and they run one after the other.

mod counted;
mod deleted;
mod directions;
mod early;
mod exposed;
mod held;
mod labels;
mod readiness;
mod selection;
mod threads;
mod unix;

use testkit::netns::enter_with_processes as enter;
