//! Opens and ends loopback connections at a rate, and prints what they did: a load with known totals.
//!
//! `cargo run --release --example churn -- 5000 10` makes 5,000 connections a second for 10 seconds.

use std::io::{self, Write as _};

#[path = "../../tests/exactness/traffic.rs"]
#[expect(dead_code, reason = "resets are for the tests")]
mod traffic;

/// Two keep up with most rates.
const LANES: usize = 2;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1).map_while(|argument| argument.parse::<u32>().ok());
    let (Some(rate), Some(seconds)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: churn CONNECTIONS_PER_SECOND SECONDS"));
    };
    let lanes = traffic::Lanes::open(LANES)?;
    let mut out = io::stdout();
    for listener in lanes.listeners() {
        writeln!(out, "listens on                 {}", listener.local_addr()?)?;
    }
    let truth = lanes.run(0..rate.saturating_mul(seconds), f64::from(rate), &traffic::End::ALL)?;
    writeln!(out, "connections                {}", truth.connections)?;
    writeln!(out, "bytes sent                 {}", truth.sent)?;
    writeln!(out, "bytes received             {}", truth.received)?;
    writeln!(out, "bytes received, forgotten  {}", truth.forgotten)?;
    writeln!(out, "closes without information {}", truth.silent)
}
