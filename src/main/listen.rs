//! Where to listen: the addresses of the arguments, or the sockets that systemd hands over.

use listenfd::ListenFd;
use ss_exporter::cli::{Cli, Listen};
use ss_exporter::http;
use tokio::net::TcpListener;

use crate::failure::Failure;

/// The sockets that the arguments ask for, bound. To be called inside the runtime.
pub fn listeners(cli: &Cli) -> Result<Vec<TcpListener>, Failure> {
    if cli.systemd_socket { inherited() } else { cli.listen().into_iter().map(bind).collect() }
}

/// Lets clients connect.
pub fn listen(listeners: &[TcpListener]) -> Result<(), Failure> {
    listeners.iter().try_for_each(http::listen).map_err(|error| unusable(&error))
}

fn bind(listen: Listen) -> Result<TcpListener, Failure> {
    let bound = match listen {
        Listen::Any(port) => http::bind_default(port),
        Listen::At(address) => http::bind(address),
    };
    bound.map_err(|error| unusable(&error))
}

fn unusable(error: &http::BindError) -> Failure {
    Failure::at_run_time(format!("{error} (--port or --web.listen-address)"))
}

/// The sockets of socket activation (`sd_listen_fds(3)`).
fn inherited() -> Result<Vec<TcpListener>, Failure> {
    let mut handed = ListenFd::from_env();
    if handed.len() == 0 {
        return Err(Failure::at_run_time(
            "no socket activation file descriptors found (--web.systemd-socket): start it by a socket unit",
        ));
    }
    let wrong = |number: usize, error: &dyn std::fmt::Display| {
        Failure::at_run_time(format!(
            "socket {number} of those that systemd handed over cannot be used: {error}"
        ))
    };
    (0..handed.len())
        .map(|number| {
            let socket = handed.take_tcp_listener(number).map_err(|error| wrong(number, &error))?;
            let socket = socket.ok_or_else(|| wrong(number, &"it was taken already"))?;
            let listener = socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket));
            listener.map_err(|error| wrong(number, &error))
        })
        .collect()
}
