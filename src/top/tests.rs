//! The screen, key by key, in a terminal of cells.

mod documentation;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_core::backend::TestBackend;
use ratatui_core::buffer::Cell;
use ratatui_core::terminal::{Frame, Terminal};

use super::{App, Chosen, Collected, NotCollected, ObservedListing, ObservedSockets, Step};
use crate::attribute::ConfiguredNames;
use crate::listing::{Listing, Rate, SocketList};
use crate::problems::{Evidence, Problem, problems};
use crate::properties::Property;
use sockdiag::TCP;

/// A screen of that size, and what is on it.
struct Fixture {
    app: App,
    terminal: Terminal<TestBackend>,
}

impl Fixture {
    fn new(width: u16, height: u16) -> Self {
        let names = ConfiguredNames::default();
        let check = Box::new(move |filter: &str| crate::select::parse(filter, &names).map(drop));
        Self {
            app: App::new(
                "web1".to_owned(),
                Chosen { protocols: vec![&TCP], filter: String::new() },
                Duration::from_secs(2),
                false,
                check,
            ),
            terminal: Terminal::new(TestBackend::new(width, height)).expect("a terminal"),
        }
    }

    /// With the usual sockets.
    fn filled(width: u16, height: u16) -> Self {
        let mut fixture = Self::new(width, height);
        fixture.give(sockets());
        fixture
    }

    fn give(&mut self, listing: Listing) {
        self.give_with(listing, Vec::new());
    }

    fn give_with(&mut self, listing: Listing, problems: Vec<Problem>) {
        let found: Box<dyn ObservedSockets + Send> =
            Box::new(ObservedListing { listing, problems, pause: Duration::ZERO });
        let chosen = self.app.wanted().chosen.clone();
        self.app.take(Collected::Sockets { chosen, found: Ok(found) });
    }

    fn press(&mut self, code: KeyCode) -> Step {
        self.app.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn type_in(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(KeyCode::Char(letter));
        }
    }

    /// The lines of the screen, without blanks at their ends.
    fn lines(&mut self) -> Vec<String> {
        let draw = |frame: &mut Frame<'_>| {
            self.app.draw(frame.buffer_mut());
        };
        self.terminal.draw(draw).expect("a terminal");
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width);
        let lines = buffer.content().chunks(width);
        lines.map(|line| line.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned()).collect()
    }

    fn screen(&mut self) -> String {
        self.lines().join("\n")
    }

    /// The rows of the table.
    fn table(&mut self) -> Vec<String> {
        let mut lines = self.lines();
        lines.pop();
        lines.into_iter().skip(4).take_while(|line| !line.is_empty()).collect()
    }
}

/// A busy connection of nginx, a slow one of a database with hostile names, and a listener.
fn sockets() -> Listing {
    let one = [
        (Property::State, "established"),
        (Property::LocalAddress, "10.0.0.5"),
        (Property::LocalPort, "443"),
        (Property::RemoteAddress, "192.0.2.7"),
        (Property::RemotePort, "51234"),
        (Property::Process, "nginx"),
        (Property::Pid, "71"),
        (Property::Unit, "nginx.service"),
        (Property::Bottleneck, "application"),
    ];
    let other = [
        (Property::State, "close_wait"),
        (Property::LocalAddress, "::1"),
        (Property::LocalPort, "40000"),
        (Property::RemoteAddress, "::1"),
        (Property::RemotePort, "5432"),
        (Property::Process, "a\u{1b}[2J\u{202e}"),
        (Property::Pid, "72"),
        (Property::Bottleneck, "peer_not_reading"),
    ];
    let listener = [
        (Property::State, "listen"),
        (Property::LocalAddress, "0.0.0.0"),
        (Property::LocalPort, "443"),
        (Property::RemoteAddress, "0.0.0.0"),
        (Property::RemotePort, "0"),
        (Property::Process, "nginx"),
        (Property::Pid, "71"),
    ];
    let sockets = SocketList::made(&[
        (&listener, &[("accept_queue_connections", 4), ("accept_queue_limit", 3)]),
        (&other, &[("send_queue_bytes", 3_307_008), ("receive_queue_bytes", 0), ("rtt_seconds", 200_000)]),
        (&one, &[("send_queue_bytes", 0), ("receive_queue_bytes", 0), ("rtt_seconds", 12_000)]),
    ]);
    let rate = |sent, retransmitted| Some(Rate { sent, received: 5.0, retransmitted });
    let rates = vec![None, rate(0.0, 0.0), rate(1_250_000.0, 2_500.0)];
    Listing { sockets, rates, at: UNIX_EPOCH + Duration::from_secs(3_723) }
}

#[test]
fn the_busiest_come_first_and_the_first_lines_sum_up() {
    let mut screen = Fixture::filled(80, 24);
    let lines = screen.lines();
    assert_eq!(lines[0], "web1  all sockets                                        01:02:03 UTC  every 2 s");
    assert_eq!(lines[1], "Sockets 3  1 ESTAB  1 CLOSE-WAIT  1 LISTEN");
    assert_eq!(lines[2], "Send 1.2MB/s  Recv 10B/s  RTT p50 12ms p95 200ms  Retransmitted 0.2%");
    let table = screen.table();
    assert_eq!(table.len(), 3, "{}", table.join("\n"));
    assert!(
        table[0].contains("192.0.2.7:51234") && table[0].contains("1.2M") && table[0].contains("application")
    );
    assert!(table[1].contains("[::1]:5432") && table[1].contains("peer_not_r"), "{}", table[1]);
    assert!(table[2].starts_with("LISTEN"));
    assert!(lines[23].starts_with("F1Help"));
}

#[test]
fn a_wide_screen_has_every_column() {
    let mut screen = Fixture::filled(200, 50);
    let titles = screen.lines()[3].clone();
    for line in super::column::COLUMNS.iter().filter(|line| line.of.0) {
        assert!(titles.contains(line.title), "{} in {titles}", line.title);
    }
    assert!(screen.table()[1].contains("3.3M"));
}

#[test]
fn no_name_acts_on_the_terminal() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut screen = Fixture::filled(width, height);
        let shown = screen.screen();
        assert!(shown.contains("a\u{fffd}[2J\u{fffd}") && !shown.contains('\u{1b}'), "{shown}");
        screen.press(KeyCode::Down);
        screen.press(KeyCode::Enter);
        let shown = screen.screen();
        assert!(shown.contains("a\u{fffd}[2J\u{fffd}") && !shown.contains('\u{1b}'), "{shown}");
    }
}

#[test]
fn any_column_sorts_and_the_order_can_be_inverted() {
    let mut screen = Fixture::filled(80, 24);
    screen.press(KeyCode::F(6));
    assert!(screen.screen().contains("Sort by"));
    screen.type_in("rt");
    screen.type_in("t");
    screen.press(KeyCode::Esc);
    screen.press(KeyCode::Char('s'));
    let words = ["Recv-Q", "Send-Q", "Dir", "Local"];
    assert!(words.iter().all(|word| screen.screen().contains(word)));
    screen.press(KeyCode::Home);
    for _ in 0..4 {
        screen.press(KeyCode::Down);
    }
    screen.press(KeyCode::Enter);
    assert!(screen.lines()[3].contains("Send-Q\u{25bc}"), "{}", screen.lines()[3]);
    assert!(screen.table()[0].contains("3.3M"));
    assert_eq!(screen.app.wanted().sort, "-send_queue_bytes");
    screen.press(KeyCode::Char('I'));
    assert!(screen.lines()[3].contains("Send-Q\u{25b2}") && !screen.table()[0].contains("3.3M"));
    screen.press(KeyCode::Char('>'));
    screen.press(KeyCode::Char('>'));
    assert!(screen.lines()[3].contains("Local\u{25b2}"), "{}", screen.lines()[3]);
}

#[test]
fn a_filter_is_refused_in_place_and_the_old_one_stays() {
    let mut screen = Fixture::filled(80, 24);
    screen.press(KeyCode::Char('/'));
    screen.type_in("dport = 443");
    screen.press(KeyCode::Enter);
    assert_eq!(screen.app.wanted().chosen.filter, "dport = 443");
    screen.give(sockets());
    screen.press(KeyCode::F(4));
    screen.type_in(" and dprt = 1");
    screen.press(KeyCode::Enter);
    let lines = screen.lines();
    assert_eq!(lines[21], "Filter: dport = 443 and dprt = 1");
    assert_eq!(lines[22].find('^'), Some("Filter: dport = 443 and ".len()));
    assert!(lines[23].contains("dprt"), "{}", lines[23]);
    screen.press(KeyCode::Esc);
    assert_eq!(screen.app.wanted().chosen.filter, "dport = 443");
    assert!(screen.lines()[0].contains("dport = 443"));
}

#[test]
fn a_filter_that_the_source_refuses_is_given_back_to_the_editor() {
    let mut screen = Fixture::filled(80, 24);
    screen.press(KeyCode::Char('/'));
    screen.type_in("network = office");
    screen.app.check = Box::new(|_| Ok(()));
    screen.press(KeyCode::Enter);
    let chosen = screen.app.wanted().chosen.clone();
    let found = Err(NotCollected::Filter("there is no network \"office\"".to_owned()));
    screen.app.take(Collected::Sockets { chosen, found });
    assert!(screen.app.wanted().chosen.filter.is_empty());
    let shown = screen.screen();
    assert!(shown.contains("Filter: network = office") && shown.contains("there is no network"), "{shown}");
}

#[test]
fn groups_have_sums_and_open_into_their_sockets() {
    let mut screen = Fixture::filled(80, 24);
    screen.press(KeyCode::Char('g'));
    screen.press(KeyCode::Down);
    screen.press(KeyCode::Enter);
    let table = screen.table();
    assert!(screen.lines()[3].starts_with("Process"), "{}", screen.lines()[3]);
    assert_eq!(table.len(), 2, "{}", table.join("\n"));
    assert!(
        table[0].starts_with("nginx ") && table[0].contains(" 2 ") && table[0].contains("1.2M"),
        "{}",
        table[0]
    );
    assert!(table[1].contains("200ms") && table[1].contains("3.3M"), "{}", table[1]);
    screen.press(KeyCode::Enter);
    assert_eq!(screen.app.wanted().chosen.filter, "process = nginx");
    assert!(screen.lines()[3].starts_with("State"));
    screen.press(KeyCode::Esc);
    assert_eq!(screen.app.wanted().chosen.filter, "");
    assert!(screen.lines()[3].starts_with("Process"));
}

#[test]
fn details_explain_the_bottleneck_and_stay_when_the_socket_is_closed() {
    let mut screen = Fixture::filled(80, 40);
    screen.press(KeyCode::Down);
    screen.press(KeyCode::Enter);
    let id = screen.app.wanted().details.clone().expect("details");
    assert_eq!(id.filter, "src = [::1]:40000 and dst = [::1]:5432 and state all");
    let shown = screen.screen();
    let bottleneck = crate::bottleneck::Bottleneck::PeerNotReading;
    assert!(shown.contains(bottleneck.meaning()) && shown.contains(bottleneck.advice()), "{shown}");
    assert!(shown.contains("3307008 (3.3MB)") && shown.contains("200ms"), "{shown}");
    screen.app.take(Collected::Details { id, found: Ok(None) });
    let shown = screen.screen();
    assert!(shown.contains("The socket is closed.") && shown.contains("200ms"), "{shown}");
    screen.press(KeyCode::Esc);
    assert!(screen.app.wanted().details.is_none() && screen.lines()[3].starts_with("State"));
}

#[test]
fn a_paused_table_stays_and_one_whose_source_fails_stays_with_the_reason() {
    let mut screen = Fixture::filled(80, 24);
    screen.press(KeyCode::Char('p'));
    let other = |at: SystemTime| Listing { sockets: SocketList::made(&[]), rates: Vec::new(), at };
    screen.give(other(UNIX_EPOCH));
    assert!(screen.lines()[0].ends_with("PAUSED") && screen.table().len() == 3);
    screen.press(KeyCode::Char(' '));
    let found = Err(NotCollected::Source("The kernel has been holding a dump for 7 s.".to_owned()));
    screen.app.take(Collected::Sockets { chosen: screen.app.wanted().chosen.clone(), found });
    assert!(screen.lines()[23].contains("holding a dump") && screen.table().len() == 3);
    screen.give(other(UNIX_EPOCH));
    assert!(screen.lines()[23].starts_with("F1Help"));
    assert!(screen.screen().contains("There are no sockets."));
}

#[test]
fn the_cursor_stays_in_the_table_and_in_sight_at_any_size() {
    let labels: Vec<String> = (0..1000).map(|port| port.to_string()).collect();
    let texts: Vec<_> = labels.iter().map(|port| [(Property::LocalPort, port.as_str())]).collect();
    let made: Vec<_> = texts.iter().map(|texts| (&texts[..], &[("sent_bytes_total", 1)][..])).collect();
    let many = || Listing { sockets: SocketList::made(&made), rates: vec![None; 1000], at: UNIX_EPOCH };
    let mut screen = Fixture::new(80, 24);
    screen.press(KeyCode::End);
    screen.give(many());
    let _ = screen.lines();
    screen.press(KeyCode::End);
    assert!(screen.table().last().is_some_and(|row| row.contains(":999")), "{}", screen.screen());
    screen.press(KeyCode::PageUp);
    assert_eq!(screen.app.cursor.row, 999 - 19);
    screen.terminal.backend_mut().resize(100, 12);
    let _ = screen.lines();
    let cursor = screen.app.cursor;
    assert!((cursor.first..cursor.first + cursor.height).contains(&cursor.row), "{cursor:?}");
    screen.press(KeyCode::Home);
    screen.press(KeyCode::Up);
    assert_eq!(screen.app.cursor.row, 0);
    screen.terminal.backend_mut().resize(40, 5);
    assert!(screen.screen().contains("The terminal has 40 x 5 cells"), "{}", screen.screen());
    screen.terminal.backend_mut().resize(1, 1);
    assert_eq!(screen.screen(), "T");
}

#[test]
fn keys_end_it_only_where_no_text_is_typed() {
    let mut screen = Fixture::filled(80, 24);
    screen.press(KeyCode::Char('/'));
    assert_eq!(screen.press(KeyCode::Char('q')), Step::Continue);
    let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    assert_eq!(screen.app.key(control('c')), Step::Quit);
    assert_eq!(screen.app.key(control('z')), Step::Suspend);
    screen.press(KeyCode::Esc);
    screen.press(KeyCode::Char('h'));
    assert!(screen.screen().contains("invert the order"));
    assert_eq!(screen.press(KeyCode::Char('q')), Step::Continue);
    assert_eq!(screen.press(KeyCode::Char('q')), Step::Quit);
    assert_eq!(screen.press(KeyCode::F(10)), Step::Quit);
}

#[test]
fn problems_stand_above_the_table_and_lead_to_their_sockets() {
    let mut screen = Fixture::new(80, 24);
    let listing = sockets();
    let found = problems(&Evidence { listing: Some(&listing), host: None, report: None });
    let full = found.iter().position(|problem| problem.filter.is_some()).expect("a full accept queue");
    let filter = found.iter().find_map(|problem| problem.filter.clone()).expect("a filter").1;
    screen.give_with(listing, found.clone());
    let lines = screen.lines();
    assert!(lines[3].starts_with(&format!("! {}", found[0].title)), "{}", lines[3]);
    screen.press(KeyCode::Char('!'));
    let shown = screen.screen();
    assert!(shown.contains("Problems") && shown.contains(&found[0].title), "{shown}");
    for _ in 0..full {
        screen.press(KeyCode::Down);
    }
    screen.press(KeyCode::Enter);
    assert_eq!(screen.app.wanted().chosen.filter, filter);
    screen.press(KeyCode::Esc);
    assert_eq!(screen.app.wanted().chosen.filter, "");
}
