//! The program as its users run it, each test in a network namespace of its own.

mod arguments;
mod configs;
#[cfg(feature = "root-tests")]
mod dropping;
mod estimate;
mod hostile;
mod hosts;
mod live;
mod managed;
mod paused;
#[cfg(feature = "root-tests")]
mod privileges;
mod protocols;
mod reloading;
#[cfg(feature = "root-tests")]
mod restricted;
mod scrapes;
mod serving;
mod sockets;
#[cfg(feature = "root-tests")]
mod starved;
mod stopping;
mod terminal;

use std::process::Output;

use testkit::exporter::program;
use testkit::netns::enter;

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
