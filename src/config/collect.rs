//! `collect:`, how to collect.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Collect, duration, size};
use crate::attribute::Which;
use crate::strict_yaml::{Entry, Name};

const DEADLINE: Name = &["deadline"];
const OBSERVE: Name = &["observe"];
const EVENTS: Name = &["events"];
const EVENT_BUFFER: Name = &["event_buffer"];
const TRACKED_SOCKETS: Name = &["tracked_sockets"];
const OWNERS: Name = &["owners"];
const NETNS: Name = &["netns"];

const DEADLINES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);
const OWNER_TIMES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(30);
const PERIODS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
const BUFFERS: RangeInclusive<usize> = 64 << 10..=1 << 30;
const TRACKED: RangeInclusive<usize> = 1..=100_000_000;

/// The settings of a section; what it does not set stays as it is by default.
pub(super) fn read(collect: &Entry<'_>) -> Collect {
    let section = collect.section(&[DEADLINE, OBSERVE, EVENTS, EVENT_BUFFER, TRACKED_SOCKETS, OWNERS, NETNS]);
    let get = |name| section.filled(name);
    let deadline = |entry: &_| {
        duration::read(entry, &DEADLINES, "a duration from 100ms to 60s, such as 500ms, 5s or 1m")
    };
    let observe =
        |entry: &_| duration::read(entry, &PERIODS, "a duration from 1s to 1h, such as 15s, 1m30s or 5m");
    let buffer = |entry: &_| size::read(entry, &BUFFERS, "a size from 64KiB to 1GiB, such as 65536 or 32MiB");
    let owners = |entry: &_| {
        duration::read(entry, &OWNER_TIMES, "a duration from 10ms to 30s, such as 100ms, 1s or 10s")
    };
    let tracked = |entry: &Entry<'_>| entry.within(&TRACKED, "a number of sockets from 1 to 100000000");
    let unsaid = Collect::DEFAULT;
    Collect {
        deadline: get(DEADLINE).and_then(deadline).unwrap_or(unsaid.deadline),
        observe: get(OBSERVE).and_then(observe).unwrap_or(unsaid.observe),
        events: get(EVENTS).and_then(Entry::flag).unwrap_or(unsaid.events),
        event_buffer: get(EVENT_BUFFER).and_then(buffer).unwrap_or(unsaid.event_buffer),
        tracked: get(TRACKED_SOCKETS).and_then(tracked).unwrap_or(unsaid.tracked),
        owners: get(OWNERS).and_then(owners).unwrap_or(unsaid.owners),
        netns: get(NETNS).and_then(netns).unwrap_or(unsaid.netns),
    }
}

/// Which network namespaces to collect.
fn netns(entry: &Entry<'_>) -> Option<Which> {
    const ALLOWED: &str =
        "own, all, or a list of names as `ip netns` prints them, or of inodes, such as [blue, green]";
    if entry.is_list() {
        let names: Vec<_> = entry.list(ALLOWED)?.iter().filter_map(|name| name.text(ALLOWED)).collect();
        if names.is_empty() || names.iter().any(|name| name == "all" || name == "own") {
            entry.refuse(ALLOWED);
        }
        return Some(Which::Named(names));
    }
    let word = entry.text(ALLOWED)?;
    match word.as_str() {
        "own" => Some(Which::Own),
        "all" => Some(Which::All),
        _ => {
            entry.unknown_word(&word, ALLOWED, ["own", "all"].into_iter());
            None
        }
    }
}
