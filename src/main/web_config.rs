//! The file of `--web.config.file`: read at the start, or checked.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use ss_exporter::cli::Cli;
use ss_exporter::collection::SharedTracker;
use ss_exporter::web::{Web, WebConfig};
use tokio::net::TcpListener;

use crate::failure::Failure;

/// What is enforced on these listeners; says where the metrics and the page are.
pub fn open(cli: &Cli, listeners: &[TcpListener], tracker: SharedTracker) -> Result<Arc<Web>, Failure> {
    let web = match file(cli) {
        None => Web::default(),
        Some(path) => Web::open(path, move |successful| tracker.web_config_was_read(successful))
            .map_err(|error| not_valid(&error))?,
    };
    let speaks_tls = web.current().tls.is_some();
    let clients = if cli.enable_sockets_api { "all" } else { "of this host" };
    for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
        let url = url(address, speaks_tls);
        tracing::info!(%address, metrics = format_args!("{url}{}", cli.telemetry_path), "listening");
        tracing::info!(page = format_args!("{url}/"), clients, "the page shows the sockets");
        if speaks_tls {
            tracing::info!(%address, "TLS is enabled");
        }
    }
    Ok(Arc::new(web))
}

/// Where a client on this host finds what listens at an address.
fn url(address: SocketAddr, speaks_tls: bool) -> String {
    let scheme = if speaks_tls { "https" } else { "http" };
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// The file and what it says, if there is one; it could be enforced.
pub fn check(cli: &Cli) -> Result<Option<(&Path, WebConfig)>, Failure> {
    let Some(path) = file(cli) else { return Ok(None) };
    // From here on, keys and passwords are in the memory of this process.
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "a crash may write keys and passwords to a core file");
    }
    let config = WebConfig::load(path).map_err(|error| not_valid(&error))?;
    Ok(Some((path, config)))
}

fn not_valid(error: &dyn std::fmt::Display) -> Failure {
    Failure::of_usage(format!("the web configuration is not valid:\n{error}"))
}

/// The file; as in the toolkit, an empty name means no file.
fn file(cli: &Cli) -> Option<&Path> {
    cli.web_config.as_deref().filter(|path| !path.as_os_str().is_empty())
}
