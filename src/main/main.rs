//! argv to configuration to serving; the only place that prints errors and exits.
//!
//! Exit codes: 0 for success, 1 for what failed at run time, 2 for what was asked wrongly.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use host::{Host, PROC};
use ss_exporter::cli::{Cli, Listen, LogFormat, LogLevel, Task};
use ss_exporter::collect::{Memory, Remembered, collect, standing, watch};
use ss_exporter::collector::Collector;
use ss_exporter::config::{Config, DEFAULT_FILE, worst_cases};
use ss_exporter::estimate::estimate;
use ss_exporter::exposition::Format;
use ss_exporter::hosts::Hosts;
use ss_exporter::plan::Plan;
use ss_exporter::snapshot::Cursor;
use ss_exporter::sockdiag::{Extensions, Netlink, Request, State, StateSet, dump};
use ss_exporter::{health, http};

mod host;

/// The largest configuration file that is read, in bytes.
const LARGEST_CONFIG: u64 = 1024 * 1024;
/// What the runtime, the collection and a few connections need.
const LEAST_FILES: u64 = 32;
/// How long answers in progress may take after a signal to stop.
const GRACE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os(), |name| std::env::var_os(name)) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed standard output is no reason to fail.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            let _ = writeln!(io::stderr(), "prometheus_ss_exporter: {message}");
            ExitCode::from(code)
        }
    }
}

/// Why the program ends with an error.
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn at_run_time(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    fn of_usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(files) = files.filter(|files| *files < LEAST_FILES) {
        return Err(Failure::at_run_time(format!(
            "the limit of open files is {files}, and at least {LEAST_FILES} are needed; raise it (ulimit -n, LimitNOFILE=)"
        )));
    }
    if let Some(path) = &cli.create_config {
        return create_config(path);
    }
    if cli.healthcheck {
        return healthcheck(cli);
    }
    log_to_stderr(cli);
    let (config, source) = load_config(cli)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    if cli.check {
        let worst = worst_cases(&config.views);
        return print(format!("{source}: the configuration is valid\n\n{worst}").as_bytes());
    }
    let plan = Plan::new(config);
    let hosts = Hosts::watch(plan.hosts.clone())
        .map_err(|error| Failure::at_run_time(format!("cannot start resolving host names: {error}")))?;
    let host = Host { hosts };
    match cli.task {
        Some(Task::Estimate { seconds, json }) => print_estimate(&plan, &host, seconds, json),
        None if cli.once => once(&plan, &host),
        None => serve(cli, plan, host, &source),
    }
}

fn log_to_stderr(cli: &Cli) {
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::prelude::*;
    let level = match cli.log_level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    // Libraries speak of their own affairs below warnings.
    let filter = tracing_subscriber::filter::Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("ss_exporter", level)
        .with_target("prometheus_ss_exporter", level);
    let registry = tracing_subscriber::registry().with(filter);
    match cli.log_format {
        LogFormat::Logfmt => {
            let format = tracing_logfmt::builder().with_target(false).layer().with_writer(io::stderr);
            registry.with(format).init();
        }
        LogFormat::Json => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(io::stderr)).init();
        }
    }
}

/// The configuration and where it came from.
fn load_config(cli: &Cli) -> Result<(Config, String), Failure> {
    let candidates = cli.config_candidates();
    if candidates.is_empty() {
        return Ok((Config::built_in(), "built-in default".into()));
    }
    let Some(path) = candidates.iter().find(|path| path.exists()) else {
        let tried: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::of_usage(format!(
            "cannot find the configuration file; tried {}; write one with --create-config FILE",
            tried.join(", ")
        )));
    };
    let name = path.display().to_string();
    let text = read_config(path)
        .map_err(|error| Failure::of_usage(format!("cannot read the configuration file {name}: {error}")))?;
    let config = Config::parse(&name, &text)
        .map_err(|error| Failure::of_usage(format!("the configuration is not valid:\n{error}")))?;
    Ok((config, name))
}

fn read_config(path: &Path) -> io::Result<String> {
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    let length = File::open(path)?.take(LARGEST_CONFIG + 1).read_to_string(&mut text)?;
    if length as u64 > LARGEST_CONFIG {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

fn create_config(path: &PathBuf) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return print(DEFAULT_FILE.as_bytes());
    }
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    written
        .and_then(|mut file| file.write_all(DEFAULT_FILE.as_bytes()))
        .map_err(|error| Failure::at_run_time(format!("cannot write {}: {error}", path.display())))
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => {
            written.map_err(|error| Failure::at_run_time(format!("cannot write to standard output: {error}")))
        }
    }
}

fn once(plan: &Plan, host: &Host) -> Result<(), Failure> {
    warn_of_missing_capabilities(plan);
    wait_for_hosts(plan, host);
    let mut snapshot = collect(plan, host, &mut Memory::of_one(plan));
    snapshot.forget_past();
    let mut cursor = Cursor::default();
    while let Some(chunk) = snapshot.chunk(&mut cursor, Format::Text) {
        print(&chunk)?;
    }
    if snapshot.health.success() { Ok(()) } else { Err(Failure::at_run_time("the collection failed")) }
}

fn print_estimate(plan: &Plan, host: &Host, seconds: u64, json: bool) -> Result<(), Failure> {
    warn_of_missing_capabilities(plan);
    wait_for_hosts(plan, host);
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "listening for {seconds} s ...");
    }
    let estimate = estimate(plan, host, Duration::from_secs(seconds))
        .map_err(|error| Failure::at_run_time(error.to_string()))?;
    let text = if json { format!("{:#}\n", estimate.to_json()) } else { estimate.to_string() };
    print(text.as_bytes())
}

/// A single collection has no second chance to know the addresses of hosts.
fn wait_for_hosts(plan: &Plan, host: &Host) {
    let deadline = Instant::now() + plan.collect.deadline;
    while !plan.hosts.is_empty() && !host.hosts.asked() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn serve(cli: &Cli, plan: Plan, host: Host, source: &str) -> Result<(), Failure> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), config = source, "starting");
    ask_the_kernel()?;
    warn_of_missing_capabilities(&plan);
    let mut memory = Memory::new(&plan);
    let remembered = memory.remembered();
    let (standing_plan, standing_of) = (plan.clone(), remembered.clone());
    let (watched, watching) = (plan.clone(), host.clone());
    let (collector, _thread) = Collector::start(
        plan.collect.deadline,
        move || standing(&standing_plan, &standing_of, Path::new(PROC)),
        move || collect(&plan, &host, &mut memory),
    )
    .map_err(|error| Failure::at_run_time(format!("cannot start the collector's thread: {error}")))?;
    follow(&watched, watching, remembered, &collector);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::at_run_time(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        let mut listeners = Vec::new();
        for listen in cli.listen() {
            listeners.push(bind(listen)?);
        }
        http::serve(listeners, collector.clone(), http::Limits::default(), stopped()).await;
        Ok(())
    })?;
    collector.stop();
    if let Some(held) = collector.held().filter(|held| *held > GRACE) {
        let seconds = held.as_secs();
        tracing::warn!(
            seconds,
            "the kernel is holding a dump; this process ends when the kernel lets go of it"
        );
    }
    tracing::info!("stopped");
    Ok(())
}

/// Has the ends of sockets heard, and makes the first collection: the baseline of all counters.
fn follow(plan: &Plan, host: Host, remembered: Remembered, collector: &Collector) {
    if plan.past.is_empty() {
        return;
    }
    let soon = {
        let (collector, patience) = (collector.clone(), plan.collect.deadline);
        // If too many wait already, there will be a collection anyway.
        move || _ = collector.request(Instant::now() + patience, drop)
    };
    if plan.past.events
        && let Err(error) = watch(plan, host, remembered, soon.clone())
    {
        tracing::warn!(
            %error,
            "cannot hear of closing sockets; what a connection does after its last collection is lost"
        );
    }
    soon();
}

fn bind(listen: Listen) -> Result<tokio::net::TcpListener, Failure> {
    let bound = match listen {
        Listen::Any(port) => http::bind_default(port),
        Listen::At(address) => http::bind(address),
    };
    let listener =
        bound.map_err(|error| Failure::at_run_time(format!("{error} (--port or --web.listen-address)")))?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "listening");
    }
    Ok(listener)
}

/// Resolves when the process is asked to stop.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = async |kind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    let hang_ups = async {
        loop {
            wait(SignalKind::hangup()).await;
            tracing::warn!("SIGHUP changes nothing: start again for another configuration");
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
        () = hang_ups => {}
    }
    tracing::info!("stopping; answers in progress have {} s", GRACE.as_secs());
}

/// A dump of the listeners costs microseconds and tells at once what every scrape would.
fn ask_the_kernel() -> Result<(), Failure> {
    let request =
        Request { states: StateSet::of(&[State::Listen]), extensions: Extensions::NONE, filter: None };
    let asked = Netlink::open()
        .map_err(ss_exporter::sockdiag::DumpError::Open)
        .and_then(|kernel| dump(kernel, &request, Instant::now() + Duration::from_secs(5), |_| {}));
    asked.map(drop).map_err(|error| Failure::at_run_time(error.to_string()))
}

fn warn_of_missing_capabilities(plan: &Plan) {
    if plan.needs_marks() && !health::missing(&[health::MARKS]).is_empty() {
        tracing::warn!(
            missing = health::MARKS.0,
            "the marks of sockets stay unknown, and a selection by mark selects nothing"
        );
    }
    let missing = health::missing(&health::CAPABILITIES);
    if plan.needs_processes && !missing.is_empty() {
        tracing::warn!(
            missing = missing.join(" "),
            "the owners of other users' sockets stay unknown; give both capabilities, or run as root"
        );
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
