//! Standard output, whose reader may leave at any time.

use std::io::{self, IsTerminal as _, Write as _};

use ss_exporter::terminal::inert_lines;

use crate::failure::Failure;

/// Prints a text for people. Nothing that it quotes acts on their terminal.
pub fn print_text(text: &str) -> Result<(), Failure> {
    print(inert_lines(text).as_bytes())
}

/// Prints metrics: to the byte for a program that reads them, and so that nothing acts on a terminal.
pub fn print_metrics(exposition: &[u8]) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        return print_text(&String::from_utf8_lossy(exposition));
    }
    print(exposition)
}

/// Prints all of it.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    print_while_read(bytes).map(drop)
}

/// Prints all of it; whether a reader is there for more.
pub fn print_while_read(bytes: &[u8]) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::at_run_time(format!("cannot write to standard output: {error}"))),
    }
}
