//! Captures a dump for tests: its datagrams, and what `ss` prints of the same sockets.
//!
//! `cargo run -p sockdiag --example capture -- NAME` writes `NAME.bin` (each datagram behind its length, 32 bits
//! little-endian) and `NAME.ss` (the text of `ss -tineOH`).

use std::fs::File;
use std::io::{self, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use sockdiag::{Datagram, Extensions, Netlink, Request, State, StateSet, TCP, Transport, dump};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: capture NAME")?;
    let request = Request::new(&TCP, StateSet::of(&[State::Established]), Extensions::INFO);
    let kernel = Tee { kernel: Netlink::open()?, seen: File::create(format!("{name}.bin"))? };
    dump(kernel, &request, Instant::now() + Duration::from_secs(5), (), |(), _| {}).1?;
    let text = Command::new("ss").args(["-tineOH", "state", "established"]).output()?.stdout;
    std::fs::write(format!("{name}.ss"), text)?;
    Ok(())
}

/// A kernel whose replies are kept.
struct Tee {
    kernel: Netlink,
    seen: File,
}

impl Transport for Tee {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.kernel.send(message)
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram> {
        let datagram = self.kernel.receive(buffer, deadline)?;
        if let Some(bytes) = buffer.get(..datagram.length) {
            self.seen.write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())?;
            self.seen.write_all(bytes)?;
        }
        Ok(datagram)
    }
}
