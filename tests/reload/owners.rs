//! The owners of sockets that no process holds any more.

use super::exporter::Exporter;
use sockdiag::State;
use testkit::host::FakeHost;

use super::sockets::{Changes as _, Sock, sock};

/// A socket that its process closed, and that still sends.
fn orphan(bytes: u64) -> Sock {
    Sock { state: State::FinWait1, inode: 0, ..sock(1, 80, bytes) }
}

fn keeps_its_owner(view: &str, row: &str) {
    let before = format!("views:\n  p: {view}\n");
    let host = FakeHost::new(&["own"]);
    let alive = sock(1, 80, 1000);
    host.give_to_nginx(alive.inode);
    host.set("own", &[alive]);
    let mut exporter = Exporter::new(host, &before);
    exporter.scrape();
    exporter.host.take_from_nginx();
    exporter.host.set("own", &[orphan(1100)]);
    exporter.scrape();
    // A view that asks for cgroups, too.
    exporter.reload(&format!("{before}  g: {{by: [unit], metrics: [sockets, sent_bytes_total]}}\n"));
    for bytes in [1200, 1300] {
        exporter.host.set("own", &[orphan(bytes)]);
        exporter.scrape().has(&format!("{row} {}", bytes - 1000));
    }
}

#[test]
fn a_socket_without_a_process_stays_in_the_row_of_its_owner_through_a_reload() {
    keeps_its_owner(
        "{by: [process], metrics: [sockets, sent_bytes_total]}",
        "ss_p_sent_bytes_total{process=\"nginx\"}",
    );
}

#[test]
fn a_socket_without_a_process_stays_selected_by_its_owner_through_a_reload() {
    keeps_its_owner(
        "{select: 'process = nginx', metrics: [sockets, sent_bytes_total]}",
        "ss_p_sent_bytes_total",
    );
}
