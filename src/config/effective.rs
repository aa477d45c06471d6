//! A configuration as a file that says everything, defaults included.

use std::fmt::{self, Display, Write as _};
use std::time::Duration;

use super::{Collect, Config};
use crate::attribute::{ConfiguredNames, Networks, Paths, Which};
use crate::legacy;
use crate::metrics::{Aggregation, Kind};
use crate::properties::Property;
use crate::select::Expression;
use crate::strict_yaml::{self, Node, YamlValue, key, list, quoted};
use crate::view::{Column, Origin, PROTOCOL, ProtocolStates, View};
use sockdiag::State;

impl Config {
    /// The configuration that `text` describes, as a file with every active value.
    #[must_use]
    pub fn effective(&self, text: &str) -> String {
        let mut out = String::new();
        let native: Vec<_> = self.views.iter().filter(|view| view.origin == Origin::Native).collect();
        // Writing to a String cannot fail.
        let _ = write_collect(&mut out, &self.collect);
        let ConfiguredNames { networks, paths } = &*self.names;
        let _ = write_networks(&mut out, networks);
        let _ = write_paths(&mut out, paths);
        if !native.is_empty() {
            out.push_str("views:\n");
        }
        for view in &native {
            let _ = write_view(&mut out, view);
        }
        if native.len() < self.views.len() {
            out.push_str(&legacy_part(text));
        }
        out
    }
}

/// The predecessor's keys of a text, each with all that it says.
fn legacy_part(text: &str) -> String {
    let mut out = "# The predecessor's part of the file.\n".to_owned();
    let Ok(Node { value: YamlValue::Map(pairs), .. }) = Node::read(text) else { return out };
    for (key, node) in pairs {
        if legacy::KEYS.iter().any(|names| names.contains(&key.name.as_str())) {
            // Writing to a String cannot fail.
            let _ = strict_yaml::write(&mut out, 0, &key.name, &node);
        }
    }
    out
}

fn write_collect(out: &mut String, collect: &Collect) -> fmt::Result {
    let Collect { deadline, observe, events, event_buffer, tracked, owners, netns } = collect;
    writeln!(out, "collect:")?;
    writeln!(out, "  deadline: {}", Span(*deadline))?;
    writeln!(out, "  observe: {}", Span(*observe))?;
    writeln!(out, "  events: {events}")?;
    writeln!(out, "  event_buffer: {event_buffer}")?;
    writeln!(out, "  tracked_sockets: {tracked}")?;
    writeln!(out, "  owners: {}", Span(*owners))?;
    match netns {
        Which::Own => writeln!(out, "  netns: own"),
        Which::All => writeln!(out, "  netns: all"),
        Which::Named(names) => writeln!(out, "  netns: [{}]", list(names.iter().map(|name| quoted(name)))),
    }
}

fn write_networks(out: &mut String, networks: &Networks) -> fmt::Result {
    let names = networks.names();
    if !names.is_empty() {
        writeln!(out, "networks:")?;
    }
    for name in names {
        let of_name = networks.named(name).unwrap_or_default();
        writeln!(
            out,
            "  {}: [{}]",
            key(name),
            list(of_name.iter().map(|network| quoted(&network.to_string())))
        )?;
    }
    let lengths = [("ipv4", networks.prefixes().0), ("ipv6", networks.prefixes().1)];
    let lengths: Vec<_> =
        lengths.iter().filter_map(|(family, length)| Some(format!("{family}: {}", (*length)?))).collect();
    if lengths.is_empty() { Ok(()) } else { writeln!(out, "network_prefix: {{{}}}", lengths.join(", ")) }
}

fn write_paths(out: &mut String, paths: &Paths) -> fmt::Result {
    let names = paths.names();
    if !names.is_empty() {
        writeln!(out, "paths:")?;
    }
    for name in names {
        let patterns = paths.named(name).unwrap_or_default().iter().map(|pattern| quoted(pattern));
        writeln!(out, "  {}: [{}]", key(name), list(patterns))?;
    }
    Ok(())
}

fn write_view(out: &mut String, view: &View) -> fmt::Result {
    let View { name, origin: _, protocols, selection, by, columns, limit, ranked_by, aggregates, idle } =
        view;
    writeln!(out, "  {}:", key(name))?;
    let of_default = view.protocols().eq([PROTOCOL]);
    if !of_default {
        writeln!(out, "    protocol: [{}]", list(view.protocols().map(|protocol| protocol.name)))?;
    }
    writeln!(out, "    by: [{}]", list(by.iter().map(|label: &Property| label.name())))?;
    if protocols.len() == 1 || !protocols.iter().all(ProtocolStates::are_connections) {
        let shown = view.states();
        let states = State::ALL.into_iter().filter(|state| shown.contains(*state)).map(State::name);
        writeln!(out, "    state: [{}]", list(states))?;
    }
    if *selection != Expression::Always {
        writeln!(out, "    select: {}", quoted(&selection.to_string()))?;
    }
    writeln!(out, "    metrics: [{}]", list(columns.iter().map(|column| column.metric.name)))?;
    let words =
        columns.iter().filter_map(|column| Some(format!("{}: {}", column.metric.name, word(column)?)));
    let words: Vec<_> = words.collect();
    if !words.is_empty() {
        writeln!(out, "    aggregate: {{{}}}", words.join(", "))?;
    }
    let histograms = columns.iter().filter_map(|column| match &column.aggregation {
        Aggregation::Histogram(bounds) | Aggregation::CurrentHistogram(bounds) => {
            Some((column.metric.name, bounds))
        }
        _ => None,
    });
    let mut histograms = histograms.peekable();
    if histograms.peek().is_some() {
        writeln!(out, "    histograms:")?;
    }
    for (metric, bounds) in histograms {
        writeln!(out, "      {metric}: [{}]", list(bounds.iter()))?;
    }
    match (limit, ranked_by) {
        (Some(limit), Some(metric)) => writeln!(out, "    limit: {{top: {limit}, by: {}}}", metric.name)?,
        (Some(limit), None) => writeln!(out, "    limit: {limit}")?,
        (None, _) => {}
    }
    if *aggregates { writeln!(out, "    idle: {}", Span(*idle)) } else { Ok(()) }
}

/// The word for an aggregate that is not the default.
fn word(column: &Column) -> Option<&'static str> {
    match (&column.aggregation, column.metric.kind) {
        (Aggregation::Sum, Kind::Distribution) => Some("sum"),
        (Aggregation::Mean, _) => Some("mean"),
        (Aggregation::Min, _) => Some("min"),
        (Aggregation::Max, _) => Some("max"),
        (Aggregation::CurrentHistogram(_), _) => Some("current_histogram"),
        (Aggregation::Sum | Aggregation::Latest | Aggregation::Gain | Aggregation::Histogram(_), _) => None,
    }
}

/// A duration in the greatest unit that divides it.
struct Span(Duration);

impl Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
        match units.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(out, "{}{name}", millis / unit),
            None => write!(out, "{millis}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DEFAULT_FILE, default_file_without_legacy};

    /// A file's effective form must mean the same, and be its own effective form.
    fn says_the_same(text: &str) {
        let config = Config::parse("a.yml", text).expect("a configuration");
        let effective = config.effective(text);
        let again =
            Config::parse("effective.yml", &effective).unwrap_or_else(|error| panic!("{error}\n{effective}"));
        let same =
            Config { warnings: Vec::new(), ..config } == Config { warnings: Vec::new(), ..again.clone() };
        assert!(same, "{text}\nmeans something else than\n{effective}");
        assert_eq!(again.effective(&effective), effective);
    }

    #[test]
    fn the_effective_file_means_the_same_as_the_file() {
        says_the_same(DEFAULT_FILE);
        says_the_same(&default_file_without_legacy());
        says_the_same("views: {v: {}, \"null\": {}, \"on\": {}}");
        says_the_same(
            r#"
collect: {deadline: 1m, observe: 90s, events: false, event_buffer: 1MiB, owners: 250ms, netns: ["4026531992", blue]}
networks: {office: [192.0.2.0/24, "2001:db8::/32"], lab: [198.51.100.0/24]}
network_prefix: {ipv4: 24}
paths: {php: [/run/php/*, "@php*"], run: /run/*}
views:
  one:
    by: [process, direction, remote_network]
    metrics: ["*_bytes_total", rtt_seconds, zero_window_sockets, send_queue_bytes]
    aggregate: {zero_window_sockets: mean, send_queue_bytes: max}
    histograms: {rtt_seconds: [0.0005, 0.001, 1]}
    select: 'dst 10.0.0.0/8 and not (dport = 22 or network = office) and process = "a \"b\""'
    limit: 7
    idle: 90m
  largest: {by: [local_address, local_port, remote_address, remote_port], limit: {top: 20, by: sent_bytes_total}}
  fullest: {by: [process], metrics: [send_queue_bytes, rtt_seconds], aggregate: {rtt_seconds: max}, limit: {top: 3, by: rtt_seconds}}
  listeners: {state: listen, by: [local_address, local_port], idle: 7d}
  datagrams: {protocol: udp, by: [local_port], metrics: [sockets, dropped_packets_total]}
  unix: {protocol: unix, by: [path_name], select: not path_name = run}
  streams: {protocol: [unix_stream, unix_seqpacket], by: [path_name], select: not path_name = run}
  mixed: {protocol: [tcp, unix_dgram, packet_raw], by: [protocol], select: "protocol = tcp or uid = 0"}
  both: {protocol: [tcp, udp], by: [protocol, process], metrics: [sockets]}
  open: {protocol: [tcp, udp], state: all, by: [protocol], metrics: [sockets]}
  flows: {by: [local_address, local_port, remote_address, remote_port], select: "state big and dev lo"}
"#,
        );
    }

    #[test]
    fn the_predecessors_part_says_what_the_file_says() {
        let expected =
            "logic:\n  metrics:\n    gauges:\n      active: true\n      rtt:\n        active: true\n";
        let block = "# mine\nlogic:\n  metrics:\n    # why\n    gauges:\n      active: true\n      rtt: {active: true}\n\
                     views:\n  v: {}\n";
        let braces = "{logic: {metrics: {gauges: {active: true, rtt: {active: true}}}}}\n";
        for text in [block, braces] {
            says_the_same(text);
            let config = Config::parse("a.yml", text).expect("a configuration");
            assert!(config.effective(text).ends_with(expected), "{text}");
        }
        says_the_same(
            "{cnfg: {logic: {peering: {}, max_flows: '7'}}, selection: {process: {cmds: ['a\"b', 7]}}}",
        );
    }
}
