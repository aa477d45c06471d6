//! Standard output, whose reader may leave at any time.
//!
//! Refuses to know what is printed.

use std::io::{self, Write as _};

use crate::failure::Failure;

/// Prints all of it.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => {
            written.map_err(|error| Failure::at_run_time(format!("cannot write to standard output: {error}")))
        }
    }
}
