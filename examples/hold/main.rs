//! Holds loopback connections, spread over processes, until its standard input ends.
//!
//! `cargo run --release --example hold -- 10000` holds 10,000 connections: 20,000 sockets. Each line of input, a
//! number, replaces one of so many connections: `100` a hundredth of them.

use std::io::Write as _;

mod load;

fn main() -> std::io::Result<()> {
    if load::is_child() {
        return load::hold();
    }
    let connections = std::env::args().nth(1).and_then(|number| number.parse().ok());
    let Some(connections) = connections else {
        return Err(std::io::Error::other("usage: hold CONNECTIONS"));
    };
    let mut load = load::Load::start(connections)?;
    let mut out = std::io::stdout();
    let rare = format!("one in a hundred to port {} in {}", load::RARE_PORT, load::RARE_NETWORK);
    writeln!(out, "holding {connections} connections, {rare}; end the input to let go of them")?;
    for line in std::io::stdin().lines() {
        let one_of: std::num::NonZeroUsize = line?.trim().parse().map_err(std::io::Error::other)?;
        load.replace(one_of.get())?;
        writeln!(out, "replaced one of {one_of} connections")?;
    }
    Ok(())
}
