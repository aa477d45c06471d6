//! The configuration file: found, read, or written for the first time.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use sockdiag::{State, kernel};
use ss_exporter::cli::Cli;
use ss_exporter::config::{Config, DEFAULT_FILE, default_file_without_legacy};
use ss_exporter::listing::protocols;

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
        let mut bound = self.config.views.iter().filter(|view| view.states().contains(State::BoundInactive));
        if let Some(view) = bound.next().filter(|_| !kernel::is_at_least(6, 8)) {
            tracing::warn!(view = view.name, "Linux before 6.8 does not report the state bound_inactive");
        }
    }
}

/// The configuration that the arguments name, or the built-in one.
pub fn load(cli: &Cli) -> Result<Loaded, Failure> {
    let candidates = cli.config_candidates();
    if candidates.is_empty() {
        return parsed("built-in default".into(), &default_file(cli));
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
    let loaded = parsed(name, &text)?;
    if cli.no_legacy && loaded.config.shows_legacy() {
        return Err(Failure::of_usage(format!(
            "found --no-legacy with {}, which has logic:; expected: --no-legacy without a file; \
             to leave the tcp_* metrics out, write `legacy: false` in the file",
            loaded.source
        )));
    }
    Ok(loaded)
}

fn parsed(source: String, text: &str) -> Result<Loaded, Failure> {
    let config = Config::parse(&source, text)
        .map_err(|error| Failure::of_usage(format!("the configuration is not valid:\n{error}")))?;
    let effective = config.effective(text);
    Ok(Loaded { config, effective, source })
}

/// The built-in default that the arguments ask for.
fn default_file(cli: &Cli) -> Cow<'static, str> {
    if cli.no_legacy { default_file_without_legacy().into() } else { DEFAULT_FILE.into() }
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
pub fn create(cli: &Cli, path: &Path) -> Result<(), Failure> {
    let text = default_file(cli);
    if path.as_os_str() == "-" {
        return print(text.as_bytes());
    }
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    written
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::at_run_time(format!("cannot write {}: {error}", path.display())))
}

/// The same configuration with only the views of these protocols; with all without any.
pub fn only_of(mut config: Config, words: &[String]) -> Result<Config, Failure> {
    let named = protocols(words.iter().map(String::as_str));
    let named = named.map_err(|error| Failure::of_usage(error.to_string()))?;
    if !named.is_empty() {
        config.views.retain(|view| view.protocols().any(|protocol| named.contains(&protocol)));
        if config.views.is_empty() {
            return Err(Failure::of_usage(format!("no view shows sockets of {}", words.join(", "))));
        }
    }
    Ok(config)
}
