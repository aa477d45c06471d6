//! The upper bounds of histograms that the configuration does not name, by what they observe.
//!
//! Each in the metric's base unit, ascending.

/// Round-trip times: from one rack to a satellite, and beyond.
pub(super) const TIMES: &[f64] =
    &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Timeouts: the kernel keeps the RTO between 200 ms and 120 s by default.
pub(super) const TIMEOUTS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 2.0, 5.0, 30.0, 120.0];
/// Ages: from busy to forgotten.
pub(super) const AGES: &[f64] =
    &[0.001, 0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];
/// Sizes of segments and packets: the common ones of links and tunnels, headers and options taken off.
pub(super) const SIZES: &[f64] = &[
    536.0, 1000.0, 1220.0, 1280.0, 1360.0, 1400.0, 1440.0, 1448.0, 1460.0, 1500.0, 4096.0, 9000.0, 65_536.0,
];
/// Windows, queues and memory in bytes, a factor of four apart.
pub(super) const BYTES: &[f64] = &[
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
];
/// Rates in bytes per second: from a modem to the fastest of cards.
pub(super) const RATES: &[f64] = &[1e3, 1e4, 1e5, 5e5, 1e6, 5e6, 1e7, 5e7, 1e8, 5e8, 1e9, 1e10, 1e11];
/// Numbers of segments, connections and sockets; 3 and 10 are where the kernel begins.
pub(super) const COUNTS: &[f64] =
    &[1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 20_000.0];
/// Shifts of the advertised window: at most 14 (RFC 7323, section 2.3).
pub(super) const SHIFTS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0];
/// Gains of BBR: it drains at 0.35, cruises at 1, probes at 1.25 and starts at 2.89.
pub(super) const GAINS: &[f64] = &[0.35, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 2.5, 2.9];
/// Shares of a whole.
pub(super) const SHARES: &[f64] = &[0.001, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0];
