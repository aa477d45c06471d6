//! What a view `t` of the test's own ports counted, and the configuration with that view.

use std::net::TcpListener;

use testkit::scrape::Scrape;

/// The families of the view, summed over its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub sockets: u64,
    pub opened: u64,
    pub closed: u64,
    pub sent: u64,
    pub received: u64,
}

impl Counted {
    pub fn of(scrape: &Scrape) -> Self {
        Self {
            sockets: scrape.sum("ss_t_sockets"),
            opened: scrape.sum("ss_t_opened_total"),
            closed: scrape.sum("ss_t_closed_total"),
            sent: scrape.sum("ss_t_sent_bytes_total"),
            received: scrape.sum("ss_t_received_bytes_total"),
        }
    }
}

/// A configuration with the view, keyed as most views are.
pub fn view(listeners: &[&TcpListener]) -> String {
    keyed(listeners, "[direction, service_port]", "")
}

/// A configuration with the view, keyed by these labels, with more settings of it.
///
/// Only the test's own ports are selected, so that the scrapes do not count themselves.
pub fn keyed(listeners: &[&TcpListener], by: &str, more: &str) -> String {
    let ports = listeners.iter().map(|listener| listener.local_addr().expect("bound").port());
    let select: Vec<_> = ports.map(|port| format!("sport = :{port} or dport = :{port}")).collect();
    format!(
        "views:
  t:
    by: {by}
    metrics: [sockets, opened_total, closed_total, sent_bytes_total, received_bytes_total, rtt_seconds]
    select: \"{}\"
{more}",
        select.join(" or ")
    )
}
