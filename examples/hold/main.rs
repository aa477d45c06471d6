//! Holds loopback connections, spread over processes, until its standard input ends.
//!
//! `cargo run --release --example hold -- 10000` holds 10,000 connections: 20,000 sockets.

use std::io::{Read as _, Write as _};

mod load;

fn main() -> std::io::Result<()> {
    if load::is_child() {
        return load::hold();
    }
    let connections = std::env::args().nth(1).and_then(|number| number.parse().ok());
    let Some(connections) = connections else {
        return Err(std::io::Error::other("usage: hold CONNECTIONS"));
    };
    let load = load::Load::start(connections)?;
    writeln!(std::io::stdout(), "holding {connections} connections; end the input to let go of them")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(load);
    Ok(())
}
