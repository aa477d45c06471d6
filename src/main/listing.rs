//! The sockets of this host, printed once, as a table or as JSON.

use std::io::{self, IsTerminal as _};

use sockdiag::{PROTOCOLS, Protocol};
use ss_exporter::bottleneck::MIN_INTERVAL;
use ss_exporter::cli::{IpFamily, SocketsArguments};
use ss_exporter::collection::{CollectorState, collect};
use ss_exporter::config::Config;
use ss_exporter::listing::{
    self, Detail, EXTENDED, ListedSockets, ListingColumn, MEMORY, Row, SocketList, States, TIMER, Titles,
};
use ss_exporter::select::{Expression, parse};
use ss_exporter::terminal::inert_json;
use ss_exporter::view::PROTOCOL;

use crate::failure::Failure;
use crate::output::print as printed;
use crate::report::prepared;
use crate::stderr;

/// Prints the sockets that the arguments ask for.
pub fn print(arguments: &SocketsArguments, config: Config) -> Result<(), Failure> {
    let selection = selection(arguments, &config)?;
    let protocols = protocols(arguments, &selection)?;
    let states = match (arguments.which.all, arguments.which.listening) {
        (true, _) => States::All,
        (_, true) => States::Listening,
        _ => States::Connections,
    };
    let sockets = ListedSockets::of(&protocols, states, selection);
    if let Some(obstacle) = sockets.obstacle() {
        return Err(Failure::of_usage(format!("the filter is not valid: {obstacle}")));
    }
    let columns = columns(arguments, &protocols)?;
    let detail = if arguments.json { Detail::Everything } else { Detail::Columns(columns.clone()) };
    let plan = listing::plan(sockets, &detail, config.names, config.collect);
    let (host, privileges) = prepared(&plan, false)?;
    let mut state = CollectorState::of_one(&plan, privileges);
    if plan.compares_samples() && states != States::Listening {
        // What limits a connection is known after two samples.
        drop(collect(&plan, &host, &mut state));
        std::thread::sleep(MIN_INTERVAL);
    }
    let snapshot = collect(&plan, &host, &mut state);
    if !snapshot.report.success() && snapshot.tables.iter().all(Option::is_none) {
        return Err(Failure::at_run_time("the sockets could not be listed"));
    }
    let list = SocketList::of(snapshot);
    if list.is_empty() {
        say_nothing_matches(arguments);
    }
    if arguments.json {
        return print_json(list.rows());
    }
    let rows: Vec<_> = list.rows().collect();
    let in_colour =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let titles = match (arguments.no_header, in_colour) {
        (true, _) => Titles::None,
        (_, true) => Titles::Bold,
        _ => Titles::Plain,
    };
    printed(listing::table(&rows, &columns, titles).as_bytes())
}

fn selection(arguments: &SocketsArguments, config: &Config) -> Result<Expression, Failure> {
    let filter = arguments.filter.join(" ");
    let family = arguments.which.family().map(|family| match family {
        IpFamily::V4 => "src inet:*",
        IpFamily::V6 => "src inet6:*",
    });
    let read = |text: &str| {
        parse(text, &config.names).map_err(|error| {
            Failure::of_usage(format!("the filter is not valid: {}", error.in_context(text)))
        })
    };
    let filter = if filter.trim().is_empty() { Expression::Always } else { read(&filter)? };
    Ok(family.map(read).transpose()?.map_or(filter.clone(), |family| family.and(filter)))
}

/// The protocols of the flags; without one TCP, or the first that can answer the filter.
fn protocols(
    arguments: &SocketsArguments,
    selection: &Expression,
) -> Result<Vec<&'static Protocol>, Failure> {
    let named = listing::protocols(arguments.protocols.names());
    let named = named.map_err(|error| Failure::of_usage(error.to_string()))?;
    if !named.is_empty() {
        return Ok(named);
    }
    let answers = |protocol: &&&Protocol| selection.obstacle(protocol).is_none();
    Ok(vec![PROTOCOLS.iter().find(answers).copied().unwrap_or(PROTOCOL)])
}

/// The columns of the flags, each once.
fn columns(arguments: &SocketsArguments, protocols: &[&Protocol]) -> Result<Vec<ListingColumn>, Failure> {
    let mut columns = Vec::new();
    if arguments.columns.is_empty() {
        columns.extend(listing::usual(protocols, arguments.which.listening));
    }
    let flags = [(arguments.extended, EXTENDED), (arguments.memory, MEMORY), (arguments.options, TIMER)];
    let added = flags.into_iter().filter(|(is_set, _)| *is_set).flat_map(|(_, names)| names.iter().copied());
    for name in arguments.columns.iter().map(String::as_str).chain(added) {
        let column = ListingColumn::named(name).map_err(|error| Failure::of_usage(error.to_string()))?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(columns)
}

/// Says that the table is empty because nothing matches.
fn say_nothing_matches(arguments: &SocketsArguments) {
    let hint = if arguments.which.all { "" } else { "; -a lists the sockets in every state" };
    stderr::line(format!("no socket matches{hint}\n").as_bytes());
}

/// One object with a list, a socket a line.
fn print_json(rows: impl Iterator<Item = Row>) -> Result<(), Failure> {
    let mut out = String::from("{\"sockets\": [");
    for (number, row) in rows.enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        out.push_str(&inert_json(&row.to_json().to_string()));
        // A host may have a hundred thousand.
        if out.len() > 1 << 16 {
            printed(out.as_bytes())?;
            out.clear();
        }
    }
    out.push_str("\n]}\n");
    printed(out.as_bytes())
}
