//! Addresses and ports in words.

/// Whether a port is within a range, both ends included.
pub(super) fn is_within((first, last): (u16, u16), port: &str) -> bool {
    port.parse::<u16>().is_ok_and(|port| (first..=last).contains(&port))
}

/// An address and a port as filters read them.
pub(super) fn endpoint(address: &str, port: &str) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}
