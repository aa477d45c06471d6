//! Whether the file that says who may come in could be read, the last time it was.
//!
//! One a process, like what `/proc/self` tells. Refuses to know what is in the file.

use std::sync::atomic::{AtomicU8, Ordering};

use super::Families;
use crate::exposition::Type;

const NEVER: u8 = 2;

static LAST: AtomicU8 = AtomicU8::new(NEVER);

/// Notes whether the web configuration could be read.
pub fn web_config_was_read(success: bool) {
    LAST.store(success.into(), Ordering::Relaxed);
}

/// Writes how the last reading went; nothing if there is no such file.
pub(super) fn write(out: &mut Families<'_>) {
    let last = LAST.load(Ordering::Relaxed);
    if last != NEVER {
        let help =
            "Whether the web configuration, its certificates and keys could be read when they last changed.";
        out.one("ss_exporter_web_config_last_reload_successful", help, Type::Gauge, last.into());
    }
}
