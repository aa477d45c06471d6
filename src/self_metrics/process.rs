//! The `process_*` metrics that every Prometheus client library exposes, from `/proc/self`.

use std::fs;
use std::sync::OnceLock;

/// The state of this process; `None` is what `/proc` does not show.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessReport {
    /// User and system CPU time, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Virtual memory, in bytes.
    pub virtual_bytes: Option<f64>,
    /// Resident memory, in bytes.
    pub resident_bytes: Option<f64>,
    /// Unix time of the start, in seconds.
    pub start_time_seconds: Option<f64>,
    /// Open file descriptors.
    pub open_fds: Option<f64>,
    /// Max open file descriptors.
    pub max_fds: Option<f64>,
}

impl ProcessReport {
    /// Reads the state now.
    pub(crate) fn read() -> Self {
        let stat = Stat::read();
        let field = |number| stat.as_ref().and_then(|stat| stat.field(number));
        let ticks = float(rustix::param::clock_ticks_per_second());
        Self {
            cpu_seconds: field(UTIME).zip(field(STIME)).map(|(user, system)| (user + system) / ticks),
            virtual_bytes: field(VSIZE),
            resident_bytes: field(RSS).map(|pages| pages * float(rustix::param::page_size() as u64)),
            start_time_seconds: field(STARTTIME)
                .zip(boot_time())
                .map(|(since_boot, boot)| boot + since_boot / ticks),
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|fds| float(fds.count() as u64)),
            max_fds: rustix::process::getrlimit(rustix::process::Resource::Nofile).current.map(float),
        }
    }
}

// Fields of /proc/PID/stat as proc(5) numbers them.
const UTIME: usize = 14;
const STIME: usize = 15;
const STARTTIME: usize = 22;
const VSIZE: usize = 23;
const RSS: usize = 24;

struct Stat(String);

impl Stat {
    fn read() -> Option<Self> {
        // The comm is in parentheses and may itself hold any byte, parentheses too.
        let bytes = fs::read("/proc/self/stat").ok()?;
        let behind_comm = bytes.rsplit(|byte| *byte == b')').next()?;
        Some(Self(String::from_utf8_lossy(behind_comm).into_owned()))
    }

    fn field(&self, number: usize) -> Option<f64> {
        const FIRST_BEHIND_COMM: usize = 3;
        self.0.split_ascii_whitespace().nth(number - FIRST_BEHIND_COMM)?.parse().ok()
    }
}

/// The time of the last boot in seconds since the Unix epoch; it does not change.
fn boot_time() -> Option<f64> {
    static BOOT: OnceLock<Option<f64>> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
    })
}

#[expect(clippy::cast_precision_loss, reason = "sizes and limits are below 2^53")]
const fn float(integer: u64) -> f64 {
    integer as f64
}
