//! Sockets that one process hands to another.

use std::net::{Ipv4Addr, TcpStream};

use super::enter;
use super::ports::{self, CLIENTS, FIRST};
use super::rows::{sum, values};
use super::sleeper::Sleeper;
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;

fn exporter() -> Exporter {
    Exporter::configured(&format!("views: {{v: {{by: [process, pid, executable], select: \"{CLIENTS}\"}}}}"))
}

#[test]
fn who_received_a_socket_is_found_in_the_next_scrape_after_its_sender_has_ended() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let exporter = exporter();
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let (mut sender, _) = Actor::connected("sender", FIRST, 5);
    let mut receiver = Actor::new("receiver");
    let holders = |scrapes: &mut Scrapes| values(scrapes.scrape(&exporter), "ss_v_sockets", "process");
    assert_eq!(holders(&mut scrapes), ["sender".to_owned()].into());

    let folder = tempfile::tempdir().expect("a folder");
    let door = folder.path().join("door").display().to_string();
    receiver.does(&format!("await_at {door}"));
    sender.does(&format!("give {door}"));
    // On its way a socket is still its sender's.
    assert_eq!(holders(&mut scrapes), ["sender".to_owned()].into());
    receiver.does("take");
    let both = holders(&mut scrapes);
    assert!(both.iter().all(|names| ["sender", "receiver,sender"].contains(&names.as_str())), "{both:?}");

    sender.ends();
    let scrape = scrapes.scrape(&exporter);
    assert_eq!(sum(scrape, "ss_v_sockets", &[("process", "receiver")]), 5);
    assert_eq!(scrape.sum("ss_v_sockets"), 5);
    assert_eq!((scrape.sum("ss_v_opened_total"), scrape.sum("ss_v_closed_total")), (5, 0));
}

#[test]
fn of_a_parent_and_its_child_only_who_held_the_socket_is_named() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let exporter = exporter();
    let mut scrapes = Scrapes::default();
    // The exporter's own first collection may have begun before there is anything.
    scrapes.scrape(&exporter);
    let comm = std::fs::read_to_string("/proc/self/comm").expect("comm");
    let parent = comm.trim_end();
    let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, FIRST)).expect("connected");

    let shared = connect();
    let _late = Sleeper::new("late", shared.try_clone().expect("a duplicate"));
    // Further processes that hold a socket are found in time.
    let either = |names: &str| names.split(',').all(|name| [parent, "late"].contains(&name));
    let holders = |scrapes: &mut Scrapes| values(scrapes.scrape(&exporter), "ss_v_sockets", "process");
    let names = holders(&mut scrapes);
    assert!(names.len() == 1 && names.iter().all(|names| either(names)), "{names:?}");
    drop(shared);
    let _early = Sleeper::new("early", connect());
    let mut names = holders(&mut scrapes);
    assert!(names.remove("early"), "its parent closed it before anybody looked: {names:?}");
    assert!(names.len() == 1 && names.iter().all(|names| either(names)), "{names:?}");
    let executables = values(scrapes.last(), "ss_v_sockets", "executable");
    assert!(executables.contains("early"), "{executables:?}");
}
