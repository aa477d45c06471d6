//! What `ss -tinp` shows, as Prometheus metrics.
//!
//! Start: a configuration file, flags and the environment become a [`config::Config`], which becomes
//! a [`plan::Plan`]. A scrape wakes the [`collector`], whose thread makes one [`collection::collect`]:
//! [`sockdiag`] dumps the sockets that the plan's filter lets through, [`attribute`] finds their
//! owners, [`select`] tests what the kernel could not judge, [`aggregate`] makes rows of them. The result
//! is a [`snapshot::Snapshot`], which [`exposition`] writes and [`http`] sends, chunk by chunk.
//!
//! `ARCHITECTURE.md` has the picture, the words, and which module may use which.

#![forbid(unsafe_code)]
// Not in Cargo.toml, because a test may well stop at an index.
#![warn(clippy::indexing_slicing)]

pub mod aggregate;
pub mod attribute;
pub mod bottleneck;
pub mod cli;
pub mod collection;
pub mod collector;
pub mod config;
mod dense_table;
pub mod estimate;
pub mod exposition;
pub mod facts;
pub mod http;
mod legacy;
pub mod listing;
pub mod metrics;
pub mod page;
mod pattern;
pub mod plan;
pub mod privileges;
pub mod problems;
pub mod properties;
pub mod resolver;
pub mod select;
pub mod self_metrics;
pub mod snapshot;
mod strict_yaml;
pub mod suggest;
pub mod terminal;
pub mod top;
pub mod view;
pub mod web;
pub mod workers;
