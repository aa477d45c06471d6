//! `top`: the screen in a terminal, from the first key to the last.

mod collecting;
mod local;
mod remote;
mod screen;

use std::io::{self, IsTerminal as _};
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event};
use rustix::process::Signal;
use ss_exporter::attribute::ConfiguredNames;
use ss_exporter::cli::TopArguments;
use ss_exporter::config::Config;
use ss_exporter::listing::protocols;
use ss_exporter::select::{SelectionError, parse};
use ss_exporter::top::{App, Chosen, Collected, Demand, Step};
use ss_exporter::view::PROTOCOL;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::failure::Failure;
use collecting::SocketSource;
use screen::Screen;

/// What the screen reacts to.
enum Incoming {
    Terminal(io::Result<Event>),
    Collected(Collected),
}

/// How many of them may wait.
const WAITING: usize = 64;

/// Shows sockets on the terminal until a key or a signal ends it.
pub fn show(arguments: &TopArguments, config: Config) -> Result<(), Failure> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::of_usage(
            "found a standard input or output that is no terminal; expected: one. For other programs there is the command sockets, or sockets --json",
        ));
    }
    let term = std::env::var("TERM").unwrap_or_default();
    if term.is_empty() || term == "dumb" {
        return Err(Failure::of_usage(format!(
            "found TERM={term:?}; expected: a terminal whose cursor can be moved. The command sockets needs none"
        )));
    }
    let filter = arguments.filter.join(" ").trim().to_owned();
    let protocols =
        protocols(arguments.protocols.names()).map_err(|error| Failure::of_usage(error.to_string()))?;
    let protocols = if protocols.is_empty() { vec![PROTOCOL] } else { protocols };
    let chosen = Chosen { protocols, filter };
    let interval = Duration::from_secs(arguments.interval);
    let (check, source, host, note): (Check, Box<dyn SocketSource>, _, _) = if let Some(url) = &arguments.url
    {
        let remote = remote::Remote::new(url, arguments)?;
        let host = remote.authority();
        // The other host knows its networks, and judges its filters.
        (Box::new(|_: &str| Ok(())), Box::new(remote), host, None)
    } else {
        let names = std::sync::Arc::clone(&config.names);
        let check = move |filter: &str| checked(filter, &names);
        let (local, note) = local::Local::new(&chosen, config)?;
        (Box::new(check), Box::new(local), hostname(), note)
    };
    let mut app = App::new(host, chosen, interval, in_colour(&term), check);
    if let Some(note) = note {
        app.say(note);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::at_run_time(format!("cannot wait for signals: {error}")))?;
    runtime
        .block_on(run(app, source, interval))
        .map_err(|error| Failure::at_run_time(format!("cannot use the terminal: {error}")))
}

type Check = Box<dyn Fn(&str) -> Result<(), SelectionError>>;

fn checked(filter: &str, names: &ConfiguredNames) -> Result<(), SelectionError> {
    parse(filter, names).map(drop)
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Terminals that are known for having no colours have none, and users may want none (no-color.org).
fn in_colour(term: &str) -> bool {
    let without = term.starts_with("vt") || term.ends_with("-m") || term.ends_with("-mono");
    !without && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

async fn run(mut app: App, source: Box<dyn SocketSource>, interval: Duration) -> io::Result<()> {
    let (sender, mut incoming) = channel(WAITING);
    let requests = collecting::start(source, app.wanted().clone(), interval, sender.clone())?;
    let mut signals = Signals::listen()?;
    let mut screen = Screen::enter()?;
    // It waits for keys until the process ends.
    thread::Builder::new().name("keys".into()).spawn(move || read_keys(&sender))?;
    let mut asked: Demand = app.wanted().clone();
    loop {
        screen.draw(&mut app)?;
        let step = tokio::select! {
            first = incoming.recv() => take_all(&mut app, first, &mut incoming)?,
            step = signals.next() => step,
        };
        match step {
            Next::Draw => {}
            Next::Again => screen.again()?,
            Next::Suspend => {
                screen.leave()?;
                // The shell learns that the process has stopped, and may continue it later.
                rustix::process::kill_process(rustix::process::getpid(), Signal::STOP)?;
                screen.again()?;
            }
            Next::End => return screen.leave(),
        }
        if *app.wanted() != asked {
            asked = app.wanted().clone();
            if requests.send(asked.clone()).is_err() {
                return Err(io::Error::other("the thread that collects has ended"));
            }
        }
    }
}

/// What follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Draw,
    /// Takes the terminal again: something else may have written to it.
    Again,
    Suspend,
    End,
}

/// Takes what has come in, all of it before the screen is drawn again.
fn take_all(app: &mut App, first: Option<Incoming>, incoming: &mut Receiver<Incoming>) -> io::Result<Next> {
    let mut next = first;
    while let Some(one) = next {
        match one {
            Incoming::Collected(answer) => app.take(answer),
            Incoming::Terminal(event) => {
                if let Event::Key(key) = event? {
                    match app.key(key) {
                        Step::Continue => {}
                        Step::Suspend => return Ok(Next::Suspend),
                        Step::Quit => return Ok(Next::End),
                    }
                }
            }
        }
        next = incoming.try_recv().ok();
    }
    Ok(Next::Draw)
}

fn read_keys(sender: &Sender<Incoming>) {
    loop {
        let event = event::read();
        let has_failed = event.is_err();
        if sender.blocking_send(Incoming::Terminal(event)).is_err() || has_failed {
            return;
        }
    }
}

/// The signals that a program on a terminal gets.
struct Signals([(tokio::signal::unix::Signal, Next); 5]);

impl Signals {
    fn listen() -> io::Result<Self> {
        let on = |kind, next| Ok::<_, io::Error>((signal(kind)?, next));
        Ok(Self([
            on(SignalKind::terminate(), Next::End)?,
            on(SignalKind::hangup(), Next::End)?,
            on(SignalKind::interrupt(), Next::End)?,
            on(SignalKind::from_raw(Signal::TSTP.as_raw()), Next::Suspend)?,
            on(SignalKind::from_raw(Signal::CONT.as_raw()), Next::Again)?,
        ]))
    }

    /// What the next signal asks for.
    async fn next(&mut self) -> Next {
        std::future::poll_fn(|context| {
            for (signal, next) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*next);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}
