//! `collect:`, how to collect.
//!
//! Refuses to know what there is to collect.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::entry::{Entry, Name};
use super::{Collect, duration, size};

const DEADLINE: Name = &["deadline"];
const OBSERVE: Name = &["observe"];
const EVENTS: Name = &["events"];
const EVENT_BUFFER: Name = &["event_buffer"];
const TRACKED_SOCKETS: Name = &["tracked_sockets"];

const DEADLINES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);
const PERIODS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
const BUFFERS: RangeInclusive<usize> = 64 << 10..=1 << 30;
const TRACKED: RangeInclusive<usize> = 1..=100_000_000;

/// The settings of a section; what it does not set stays as it is by default.
pub(super) fn read(collect: &Entry<'_>) -> Collect {
    let section = collect.section(&[DEADLINE, OBSERVE, EVENTS, EVENT_BUFFER, TRACKED_SOCKETS]);
    let get = |name| section.filled(name);
    let deadline = |entry: &_| {
        duration::read(entry, &DEADLINES, "a duration from 100ms to 60s, such as 500ms, 5s or 1m")
    };
    let observe =
        |entry: &_| duration::read(entry, &PERIODS, "a duration from 1s to 1h, such as 15s, 1m30s or 5m");
    let buffer = |entry: &_| size::read(entry, &BUFFERS, "a size from 64KiB to 1GiB, such as 65536 or 32MiB");
    let tracked = |entry: &Entry<'_>| entry.within(&TRACKED, "a number of sockets from 1 to 100000000");
    let unsaid = Collect::DEFAULT;
    Collect {
        deadline: get(DEADLINE).and_then(deadline).unwrap_or(unsaid.deadline),
        observe: get(OBSERVE).and_then(observe).unwrap_or(unsaid.observe),
        events: get(EVENTS).and_then(Entry::flag).unwrap_or(unsaid.events),
        event_buffer: get(EVENT_BUFFER).and_then(buffer).unwrap_or(unsaid.event_buffer),
        tracked: get(TRACKED_SOCKETS).and_then(tracked).unwrap_or(unsaid.tracked),
    }
}
