//! How the configuration files were read.

use std::time::Duration;

use super::Families;
use crate::exposition::Type;

/// How the files were read that may change while the exporter runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesReport {
    /// How the last attempt to read the configuration went; `None` if it is read only once.
    pub reload: Option<Reload>,
    /// Whether the web configuration could be read when it last changed; `None` if there is none.
    pub web: Option<bool>,
}

/// How the last attempt to read the configuration went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Whether it is in force.
    pub successful: bool,
    /// When the one in force was read, since 1970.
    pub at: Duration,
}

impl FilesReport {
    pub(super) fn write(&self, out: &mut Families<'_>) {
        if let Some(Reload { successful, at }) = self.reload {
            let help = "Whether the last attempt to read the configuration succeeded; if not, the one before is in force.";
            out.one("ss_exporter_config_last_reload_successful", help, Type::Gauge, successful.into());
            let help = "When the configuration in force was read, since the epoch.";
            out.seconds("ss_exporter_config_last_reload_success_timestamp_seconds", help, at);
        }
        if let Some(successful) = self.web {
            let help = "Whether the web configuration, its certificates and keys could be read when they last changed.";
            out.one("ss_exporter_web_config_last_reload_successful", help, Type::Gauge, successful.into());
        }
    }
}
