//! argv to configuration to a task; the only place that prints errors and exits.
//!
//! Exit codes: 0 for success, 1 for what failed at run time, 2 for an error of usage, 3 for more series than `--max-series`.

#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use failure::Failure;
use ss_exporter::cli::{Cli, Listen, LogFormat, LogLevel, Task};
use ss_exporter::http;
use ss_exporter::plan::Plan;
use ss_exporter::terminal::inert_lines;
use ss_exporter::view::worst_cases;

mod capabilities;
mod configuration;
mod failure;
mod files;
mod host;
mod lifecycle;
mod listen;
mod listing;
mod logging;
mod notify;
mod output;
mod report;
mod service;
mod status;
mod stderr;
mod stop;
mod top;
mod web_config;

/// How long the end of the program waits until its last lines are read.
const LAST_WORDS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::read(arguments.iter().cloned(), |name| std::env::var_os(name)) {
        Ok(cli) => cli,
        Err(error) => {
            report_usage(&error, LogFormat::named_by(&arguments));
            stderr::flush(LAST_WORDS);
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    logging::log_to_stderr(cli.log_level, cli.log_format);
    let code = match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            report_failure(&message, cli.log_format);
            ExitCode::from(code)
        }
    };
    stderr::flush(LAST_WORDS);
    code
}

/// Says why the program ends: in lines for people, or in JSON for the collector of the log.
fn report_failure(message: &str, format: LogFormat) {
    match format {
        LogFormat::Logfmt => {
            stderr::line(format!("prometheus_ss_exporter: {}\n", inert_lines(message)).as_bytes());
        }
        LogFormat::Json => tracing::error!("{message}"),
    }
}

/// Prints what clap says of the arguments, in its colours unless an argument would act on the terminal; errors in JSON
/// if an argument says so.
fn report_usage(error: &clap::Error, format: LogFormat) {
    let plain = error.to_string();
    if error.use_stderr() && format == LogFormat::Json {
        logging::log_to_stderr(LogLevel::Error, format);
        return report_failure(plain.trim_start_matches("error: ").trim_end(), format);
    }
    let inert = inert_lines(&plain);
    // A closed standard output is no reason to fail.
    let _ = if inert == plain { error.print() } else { write!(io::stderr(), "{inert}") };
}

fn run(cli: &Cli) -> Result<(), Failure> {
    files::raise_limit()?;
    if let Some(path) = &cli.create_config {
        return configuration::create(cli, path);
    }
    if cli.healthcheck {
        return healthcheck(cli);
    }
    let loaded = configuration::load(cli)?;
    loaded.warn();
    if cli.check {
        let web = web_config::check(cli)?;
        let web = web.map(|(file, config)| {
            config.warn();
            format!("{}: the web configuration is valid\n", file.display())
        });
        let web = web.unwrap_or_default();
        let configuration::Loaded { config, source, .. } = loaded;
        let worst = worst_cases(&config.views);
        return output::print_text(&format!("{web}{source}: the configuration is valid\n\n{worst}"));
    }
    match &cli.task {
        Some(Task::Estimate { seconds, json, max_series, protocol }) => {
            let config = configuration::only_of(loaded.config, protocol)?;
            report::estimated(&Plan::new(config), *seconds, *json, *max_series)
        }
        Some(Task::Sockets(arguments)) => listing::print(arguments, loaded.config),
        Some(Task::Top(arguments)) => top::show(arguments, loaded.config),
        None if cli.once => report::once(&Plan::new(loaded.config), cli.interval.map(Duration::from_secs)),
        None => service::serve(cli, loaded),
    }
}

/// For a container without a shell: asks `/health` of the exporter with the same settings.
fn healthcheck(cli: &Cli) -> Result<(), Failure> {
    let address = match cli.listen().first() {
        Some(Listen::At(address)) if !address.ip().is_unspecified() => *address,
        Some(Listen::At(address)) => (std::net::Ipv4Addr::LOCALHOST, address.port()).into(),
        Some(Listen::Any(port)) => (std::net::Ipv4Addr::LOCALHOST, *port).into(),
        None => (std::net::Ipv4Addr::LOCALHOST, cli.port).into(),
    };
    http::healthcheck(address, Duration::from_secs(5))
        .map_err(|error| Failure::at_run_time(format!("{address} is not healthy: {error}")))
}
