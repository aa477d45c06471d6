//! Records of sockets that the views of another plan do not want, or for which there was no room.

use std::time::Duration;

use super::exporter::Exporter;
use sockdiag::State;
use testkit::host::FakeHost;

use super::sockets::{Changes as _, Sock, sock};

const NARROW: &str = "  n: {select: 'sport = 80', metrics: [sockets, received_bytes_total, opened_total]}\n";
const WIDE: &str = "  w: {metrics: [sockets, received_bytes_total, closed_total]}\n";
const AMOUNTS: &str = "  s: {by: [state], metrics: [sockets]}\n";
const LIMIT: &str = "collect: {tracked_sockets: 10}\n";

/// As many as there is room for, of which the narrow view wants one.
fn ten() -> Vec<Sock> {
    (1..=9).map(|cookie| sock(cookie, 443, 5)).chain([sock(10, 80, 5)]).collect()
}

/// Scrapes until a socket that is in no dump counts as closed.
fn scrape_for_seconds(exporter: &mut Exporter) {
    for _ in 0..4 {
        exporter.scrape();
        std::thread::sleep(Duration::from_millis(1100));
    }
}

#[test]
fn sockets_that_no_view_wants_and_no_dump_has_leave_room_for_others() {
    let host = FakeHost::new(&["own"]);
    host.set("own", &ten());
    let mut exporter = Exporter::new(host, &format!("{LIMIT}views:\n{NARROW}{WIDE}"));
    exporter.scrape();
    exporter.scrape();
    exporter.reload(&format!("{LIMIT}views:\n{NARROW}"));
    // The kernel is asked for this port only.
    exporter.host.set("own", &[sock(10, 80, 5)]);
    scrape_for_seconds(&mut exporter);
    exporter.host.set("own", &[sock(10, 80, 5), sock(11, 80, 700)]);
    let answer = exporter.scrape();
    answer.has("ss_n_received_bytes_total 700");
    answer.has("ss_n_opened_total 1");
}

#[test]
fn sockets_that_no_view_follows_and_a_dump_still_has_leave_room_for_others() {
    let host = FakeHost::new(&["own"]);
    let mut all = ten();
    host.set("own", &all);
    let mut exporter = Exporter::new(host, &format!("{LIMIT}views:\n{NARROW}{WIDE}"));
    exporter.scrape();
    exporter.scrape();
    exporter.reload(&format!("{LIMIT}views:\n{NARROW}{AMOUNTS}"));
    exporter.scrape();
    all.push(sock(11, 80, 700));
    exporter.host.set("own", &all);
    let answer = exporter.scrape();
    answer.has("ss_n_received_bytes_total 700");
    answer.has("ss_n_opened_total 1");
    answer.has("ss_s_sockets{state=\"established\"} 11");
}

#[test]
fn a_socket_that_no_view_wanted_for_a_while_closes_in_the_view_that_wants_it_again() {
    let all = [sock(1, 443, 5), sock(10, 80, 5)];
    let both = format!("views:\n{NARROW}{WIDE}");
    let host = FakeHost::new(&["own"]);
    host.set("own", &all);
    let mut exporter = Exporter::new(host, &both);
    exporter.scrape();
    exporter.scrape();
    exporter.reload(&format!("views:\n{NARROW}"));
    exporter.host.set("own", &all[1..]);
    scrape_for_seconds(&mut exporter);
    exporter.reload(&both);
    exporter.host.set("own", &all);
    exporter.scrape();
    let answer = exporter.scrape();
    answer.has("ss_w_sockets 2");
    answer.has("ss_w_closed_total 0");
    exporter.close(&all[0]);
    exporter.host.set("own", &all[1..]);
    let answer = exporter.scrape();
    answer.has("ss_w_sockets 1");
    answer.has("ss_w_closed_total 1");
}

#[test]
fn a_socket_for_which_a_reload_makes_room_does_not_look_new() {
    let of = |room| format!("collect: {{tracked_sockets: {room}}}\nviews:\n{WIDE}");
    let host = FakeHost::new(&["own"]);
    host.set("own", &[sock(1, 80, 1000), sock(2, 80, 1_000_000_000)]);
    let mut exporter = Exporter::new(host, &of(1));
    exporter.scrape();
    exporter.scrape();
    exporter.reload(&of(1000));
    let answer = exporter.scrape();
    answer.has("ss_w_sockets 2");
    answer.has("ss_w_received_bytes_total 0");
    exporter.host.set("own", &[sock(1, 80, 1000), sock(2, 80, 1_000_000_700)]);
    exporter.scrape().has("ss_w_received_bytes_total 700");
}

#[test]
fn the_second_of_two_sockets_that_one_handshake_made_ends_no_connection() {
    let host = FakeHost::new(&["own"]);
    let mut exporter = Exporter::new(host, &format!("views:\n{WIDE}"));
    exporter.take_inventory();
    let dropped = |cookie| Sock { state: State::SynRecv, segments: 1, ..sock(cookie, 443, 0) };
    // Both have the cookie of the request. Nothing is known of the first, then it is open.
    exporter.close_event(&dropped(1));
    exporter.host.set("own", &[sock(1, 443, 300)]);
    exporter.scrape().has("ss_w_received_bytes_total 300");
    exporter.close_event(&dropped(1));
    exporter.host.set("own", &[sock(1, 443, 500)]);
    let answer = exporter.scrape();
    answer.has("ss_w_received_bytes_total 500");
    answer.has("ss_w_closed_total 0");
    exporter.close(&sock(1, 443, 700));
    exporter.host.set("own", &[]);
    let answer = exporter.scrape();
    answer.has("ss_w_received_bytes_total 700");
    answer.has("ss_w_closed_total 1");
}
