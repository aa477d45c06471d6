//! `--web.config.file`: what is accepted and refused, and the real program behind TLS and passwords.

mod cases;
mod fixtures;
mod flood;
mod handshakes;
#[cfg(feature = "promtool-tests")]
mod promtool;
mod refusals;
mod rotation;
mod secrets;
mod service;
mod table;
