//! What the door needs of whoever runs the exporter: its views, its configuration, another one.
//!
//! Refuses to know what a configuration is.

use std::sync::Arc;
use std::time::Duration;

use super::scrapes::Scrapes;
use crate::web::Web;

/// How the exporter is run.
pub trait Operations: Send + Sync + 'static {
    /// The names of the views.
    fn views(&self) -> Vec<String>;

    /// The configuration in force, as text.
    fn configuration(&self) -> String;

    /// Puts the configuration in force that stands in its file now; it may take as long as a collection.
    ///
    /// # Errors
    /// Why the one before stays in force.
    fn reload(&self) -> Result<(), String>;
}

/// What is offered at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether `process_*` is among them.
    pub process_metrics: bool,
    /// Whether anybody may ask for a reload.
    pub lifecycle: bool,
}

impl Default for Offer {
    fn default() -> Self {
        Self { telemetry_path: "/metrics".into(), process_metrics: true, lifecycle: false }
    }
}

/// Something to be done again and again as long as connections are accepted.
pub struct Beat {
    /// The time between two.
    pub every: Duration,
    /// What is done; it must not block.
    pub act: Box<dyn FnMut() + Send>,
}

/// What stands behind the door.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) scrapes: Arc<dyn Scrapes>,
    pub(super) operations: Arc<dyn Operations>,
    pub(super) web: Arc<Web>,
    pub(super) offer: Arc<Offer>,
}
