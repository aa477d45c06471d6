//! The sockets of this host, printed once, as a table or as JSON.

use std::io::{self, IsTerminal as _};
use std::thread::sleep;
use std::time::Duration;

use rustix::termios::tcgetwinsize;
use sockdiag::{PROTOCOLS, Protocol};
use ss_exporter::bottleneck::MIN_INTERVAL;
use ss_exporter::cli::{IpFamily, SocketsArguments};
use ss_exporter::collection::CollectorState;
use ss_exporter::config::Config;
use ss_exporter::listing::{
    self, Detail, EXTENDED, Figures, Layout, ListedSockets, ListingColumn, MEMORY, Order, Row, SocketList,
    States, TIMER, Titles, UnknownColumn,
};
use ss_exporter::properties::Property;
use ss_exporter::select::{Expression, parse};
use ss_exporter::terminal::inert_json;
use ss_exporter::view::PROTOCOL;

use crate::failure::Failure;
use crate::output::{print as printed, print_while_read};
use crate::report::prepared;
use crate::stderr;

/// Clears a terminal and moves its cursor to the first place (ECMA-48, 8.3.39 and 8.3.57).
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";
/// The width of a terminal that does not say it.
const WIDTH: usize = 80;

/// Prints the sockets that the arguments ask for, once or again and again.
pub fn print(arguments: &SocketsArguments, config: Config) -> Result<(), Failure> {
    let selection = selection(arguments, &config)?;
    let protocols = protocols(arguments, &selection)?;
    let states = match (arguments.which.all, arguments.which.listening) {
        (true, _) => States::All,
        (_, true) => States::Listening,
        _ => States::Usual,
    };
    let sockets = ListedSockets::of(&protocols, states, selection);
    if let Some(obstacle) = sockets.obstacle() {
        return Err(Failure::of_usage(format!("the filter is not valid: {obstacle}")));
    }
    let form = Form::of(arguments, &protocols)?;
    let plan = listing::plan(sockets, &form.detail(), config.names, config.collect);
    let (host, privileges) = prepared(&plan, false)?;
    let mut state = CollectorState::of_one(&plan, privileges);
    if plan.compares_samples() && states != States::Listening {
        // What limits a connection is known after two samples.
        drop(SocketList::collect(&plan, &host, &mut state, 0));
        sleep(MIN_INTERVAL);
    }
    loop {
        let sockets = SocketList::collect(&plan, &host, &mut state, usize::MAX);
        if !sockets.is_complete() && sockets.has_failed() {
            return Err(Failure::at_run_time("the sockets could not be listed"));
        }
        let is_read = form.print(&sockets)?;
        let Some(seconds) = arguments.watch.filter(|_| is_read) else { return Ok(()) };
        sleep(Duration::from_secs(seconds));
    }
}

/// In which form sockets are printed.
struct Form<'a> {
    arguments: &'a SocketsArguments,
    columns: Vec<ListingColumn>,
    order: Option<Order>,
    group: Option<Property>,
}

impl<'a> Form<'a> {
    fn of(arguments: &'a SocketsArguments, protocols: &[&Protocol]) -> Result<Self, Failure> {
        let wrong = |error: UnknownColumn| Failure::of_usage(error.to_string());
        let table = &arguments.table;
        let order = table.sort.as_deref().map(Order::named).transpose().map_err(wrong)?;
        let group = table.group_by.as_deref().map(listing::label).transpose().map_err(wrong)?;
        let mut columns = match group {
            Some(label) => listing::columns_of_groups(label, protocols),
            None if table.columns.is_empty() => listing::usual(protocols, arguments.which.listening),
            None => Vec::new(),
        };
        let flags = [(arguments.extended, EXTENDED), (arguments.memory, MEMORY), (arguments.options, TIMER)];
        let added =
            flags.into_iter().filter(|(is_set, _)| *is_set).flat_map(|(_, names)| names.iter().copied());
        for name in table.columns.iter().map(String::as_str).chain(added) {
            let column = ListingColumn::named(name).map_err(wrong)?;
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        Ok(Self { arguments, columns, order, group })
    }

    /// What has to be known of each socket.
    fn detail(&self) -> Detail {
        if self.arguments.json {
            return Detail::Everything;
        }
        let sorted = self.order.map(|order| order.column);
        Detail::Columns(self.columns.iter().copied().chain(sorted).collect())
    }

    /// Prints a list; whether a reader is there for more.
    fn print(&self, list: &SocketList) -> Result<bool, Failure> {
        let (table, watches) = (&self.arguments.table, self.arguments.watch.is_some());
        if list.is_empty() && !watches {
            say_nothing_matches(self.arguments);
        }
        let limit = table.limit.unwrap_or(usize::MAX);
        if self.arguments.json && self.order.is_none() {
            return print_json(list.rows().take(limit));
        }
        let mut rows: Vec<_> = list.rows().collect();
        if let Some(label) = self.group {
            rows = listing::grouped(&rows, label);
        }
        if let Some(order) = self.order {
            order.sort(&mut rows);
        }
        rows.truncate(limit);
        if self.arguments.json {
            return print_json(rows.into_iter());
        }
        let before = match (watches, io::stdout().is_terminal()) {
            (true, true) => CLEAR,
            _ => "",
        };
        let after = if watches && before.is_empty() { "\n" } else { "" };
        let text = listing::table(&rows, &self.columns, self.layout());
        print_while_read(format!("{before}{text}{after}").as_bytes())
    }

    fn layout(&self) -> Layout {
        let table = &self.arguments.table;
        let is_terminal = io::stdout().is_terminal();
        let in_colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let titles = match (table.no_header, in_colour) {
            (true, _) => Titles::None,
            (_, true) => Titles::Bold,
            _ => Titles::Plain,
        };
        // Who asks for columns gets them.
        let Self { arguments: SocketsArguments { extended, memory, options, .. }, .. } = self;
        let asks = !table.columns.is_empty() || *extended || *memory || *options;
        let width = (is_terminal && !asks).then(|| {
            let columns = tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
            if columns == 0 { WIDTH } else { columns }
        });
        Layout { titles, figures: if table.human { Figures::Short } else { Figures::Exact }, width }
    }
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

/// Says that the table is empty because nothing matches.
fn say_nothing_matches(arguments: &SocketsArguments) {
    let hint = if arguments.which.all { "" } else { "; -a lists the sockets in every state" };
    stderr::line(format!("no socket matches{hint}\n").as_bytes());
}

/// One object with a list, a socket a line.
///
/// Says whether a reader is there for more.
fn print_json(rows: impl Iterator<Item = Row>) -> Result<bool, Failure> {
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
    print_while_read(out.as_bytes())
}
