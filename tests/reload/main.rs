//! Reloads of an exporter whose kernel is of the tests' choice: what another plan takes over from the one before.

mod effective;
mod exporter;
mod fuzz;
mod namespaces;
mod owners;
mod protocols;
mod random;
mod records;
mod sockets;
mod truth;
mod views;
