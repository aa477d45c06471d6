//! The configuration file: found, read, or written for the first time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use ss_exporter::cli::Cli;
use ss_exporter::config::{Config, DEFAULT_FILE};

use crate::failure::Failure;
use crate::output::print;

/// The largest configuration file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A configuration that was read.
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// All that it says, as text.
    pub effective: String,
    /// Where it came from.
    pub source: String,
}

impl Loaded {
    /// Logs what is odd and harmless.
    pub fn warn(&self) {
        for warning in &self.config.warnings {
            tracing::warn!("{warning}");
        }
    }
}

/// The configuration that the arguments name, or the built-in one.
pub fn load(cli: &Cli) -> Result<Loaded, Failure> {
    let candidates = cli.config_candidates();
    if candidates.is_empty() {
        let config = Config::built_in();
        let effective = config.effective(DEFAULT_FILE);
        return Ok(Loaded { config, effective, source: "built-in default".into() });
    }
    let Some(path) = candidates.iter().find(|path| path.exists()) else {
        let tried: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::of_usage(format!(
            "cannot find the configuration file; tried {}; write one with --create-config FILE",
            tried.join(", ")
        )));
    };
    let name = path.display().to_string();
    let text = read(path)
        .map_err(|error| Failure::of_usage(format!("cannot read the configuration file {name}: {error}")))?;
    let config = Config::parse(&name, &text)
        .map_err(|error| Failure::of_usage(format!("the configuration is not valid:\n{error}")))?;
    let effective = config.effective(&text);
    Ok(Loaded { config, effective, source: name })
}

fn read(path: &Path) -> io::Result<String> {
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    let length = File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if length as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// Writes the default configuration to a new file, or to standard output for `-`.
pub fn create(path: &Path) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return print(DEFAULT_FILE.as_bytes());
    }
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    written
        .and_then(|mut file| file.write_all(DEFAULT_FILE.as_bytes()))
        .map_err(|error| Failure::at_run_time(format!("cannot write {}: {error}", path.display())))
}
