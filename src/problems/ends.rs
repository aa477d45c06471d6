//! Addresses, ports and numbers in words.

use std::fmt::Display;

/// Whether a port is within a range, both ends included.
pub(super) fn is_within((first, last): (u16, u16), port: &str) -> bool {
    port.parse::<u16>().is_ok_and(|port| (first..=last).contains(&port))
}

/// An address and a port as filters read them.
pub(super) fn endpoint(address: &str, port: &str) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// A number of things: "1 socket", "2 sockets".
pub(super) fn counted(number: impl Display, thing: &str) -> String {
    let number = number.to_string();
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
