//! The owners of sockets that the kernel no longer tells of.

use super::exporter::Exporter;
use super::world::{Fake, Sock, sock};

const FIN_WAIT1: u8 = 4;

/// A socket that its process closed, and that still sends.
fn orphan(bytes: u64) -> Sock {
    Sock { state: FIN_WAIT1, inode: 0, ..sock(1, 80, bytes) }
}

fn keeps_its_owner(view: &str, row: &str) {
    let before = format!("views:\n  p: {view}\n");
    let world = Fake::new(&["own"]);
    let alive = sock(1, 80, 1000);
    world.give_to_nginx(alive.inode);
    world.set("own", &[alive]);
    let mut exporter = Exporter::new(world, &before);
    exporter.scrape();
    exporter.world.take_from_nginx();
    exporter.world.set("own", &[orphan(1100)]);
    exporter.scrape();
    // A view that asks for cgroups, too.
    exporter.reload(&format!("{before}  g: {{by: [unit], metrics: [sockets, sent_bytes_total]}}\n"));
    for bytes in [1200, 1300] {
        exporter.world.set("own", &[orphan(bytes)]);
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
