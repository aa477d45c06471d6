//! Listeners that come, share a port and go, by hand.

use super::*;
use crate::attribute::Process;

fn at(text: &str) -> End {
    on(text, None)
}

fn on(text: &str, interface: Option<u32>) -> End {
    End { address: text.parse().expect("an address"), interface }
}

/// The direction where the kernel does not report it, of a connection from a port that is no client's.
fn by_listeners(listeners: &Listeners, local: End) -> Direction {
    listeners.direction(None, local, "192.0.2.1:9".parse().expect("an address"))
}

#[test]
fn what_the_kernel_reports_is_the_direction_whatever_listens() {
    let mut listeners = Listeners::default();
    listeners.note(at("0.0.0.0:80"), ListenerOwner::default(), Instant::now());
    for local in ["10.0.0.1:80", "10.0.0.1:81", "10.0.0.1:40000"] {
        for remote in ["10.0.0.2:80", "10.0.0.2:40000"] {
            let direction = |initiated| {
                listeners.direction(Some(initiated), at(local), remote.parse().expect("an address"))
            };
            assert_eq!(direction(true), Direction::Outbound, "{local} {remote}");
            assert_eq!(direction(false), Direction::Inbound, "{local} {remote}");
        }
    }
}

#[test]
fn where_the_kernel_does_not_report_it_a_listener_for_the_local_end_makes_it_inbound() {
    let mut listeners = Listeners::default();
    let now = Instant::now();
    for address in ["0.0.0.0:80", "[::]:443", "10.0.0.1:22", "[2001:db8::1]:25"] {
        listeners.note(at(address), ListenerOwner::default(), now);
    }
    for (local, inbound) in [
        ("10.0.0.9:80", true),
        ("[2001:db8::9]:80", false),
        ("10.0.0.9:443", true),
        ("[2001:db8::9]:443", true),
        ("10.0.0.1:22", true),
        ("10.0.0.2:22", false),
        ("[2001:db8::1]:25", true),
        ("10.0.0.1:25", false),
        ("10.0.0.1:40000", false),
    ] {
        let expected = if inbound { Direction::Inbound } else { Direction::Outbound };
        assert_eq!(by_listeners(&listeners, at(local)), expected, "{local}");
    }
}

#[test]
fn without_a_listener_a_connection_came_from_the_end_with_a_clients_port() {
    let mut listeners = Listeners::default();
    listeners.note(at("0.0.0.0:40000"), ListenerOwner::default(), Instant::now());
    listeners.note_range("30000 50000\n");
    for (local, remote, inbound) in [
        ("10.0.0.1:443", "10.0.0.2:35000", true),
        ("10.0.0.1:35000", "10.0.0.2:443", false),
        ("10.0.0.1:35000", "10.0.0.2:45000", false),
        ("10.0.0.1:40000", "10.0.0.2:45000", true),
        ("10.0.0.1:443", "10.0.0.2:55000", false),
    ] {
        let expected = if inbound { Direction::Inbound } else { Direction::Outbound };
        let direction = listeners.direction(None, at(local), remote.parse().expect("an address"));
        assert_eq!(direction, expected, "{local} {remote}");
    }
    listeners.note_range("nonsense");
    assert_eq!(listeners.ephemeral, 30_000..=50_000);
}

#[test]
fn a_listener_that_stopped_a_moment_ago_still_claims_its_connections() {
    let mut listeners = Listeners::default();
    let start = Instant::now();
    listeners.note(at("0.0.0.0:80"), ListenerOwner::default(), start);
    listeners.note(at("10.0.0.1:80"), ListenerOwner::default(), start + LINGER);
    listeners.forget(start + LINGER / 2);
    assert_eq!(by_listeners(&listeners, at("10.0.0.2:80")), Direction::Inbound);
    listeners.forget(start + LINGER);
    assert_eq!(by_listeners(&listeners, at("10.0.0.2:80")), Direction::Outbound);
    assert_eq!(by_listeners(&listeners, at("10.0.0.1:80")), Direction::Inbound);
    listeners.forget(start + 3 * LINGER);
    assert_eq!(by_listeners(&listeners, at("10.0.0.1:80")), Direction::Outbound);
}

fn owner(pid: u32, name: &str) -> Arc<Owner> {
    Arc::new(Owner::of(vec![Process::new(pid, name.to_owned(), format!("{name}.bin"))]))
}

fn claim(cookie: u64, owner: Option<&Arc<Owner>>) -> ListenerOwner {
    ListenerOwner { cookie, owner: owner.cloned(), cgroup: None }
}

/// The pids and names of whom a connection to `10.0.0.1:80` with that interface belongs to.
fn claimed(listeners: &mut Listeners, interface: Option<u32>) -> Option<(String, String)> {
    let owner = listeners.claim(on("10.0.0.1:80", interface)).0?;
    Some((owner.pids().to_owned(), owner.names().to_owned()))
}

fn named(pids: &str, name: &str) -> (String, String) {
    (pids.to_owned(), name.to_owned())
}

#[test]
fn a_connection_that_no_dump_showed_belongs_to_whom_all_its_listeners_belong_to() {
    let (one, two, start) = (owner(1, "nginx"), owner(2, "nginx"), Instant::now());
    let mut listeners = Listeners::default();
    listeners.note(at("0.0.0.0:80"), claim(7, Some(&one)), start);
    assert_eq!(claimed(&mut listeners, None), Some(named("1", "nginx")));
    // A collection without owners forgets none.
    listeners.note(at("0.0.0.0:80"), claim(7, None), start + LINGER / 4);
    assert_eq!(claimed(&mut listeners, None), Some(named("1", "nginx")));
    listeners.note(at("0.0.0.0:80"), claim(8, Some(&one)), start + LINGER / 4);
    assert_eq!(claimed(&mut listeners, None), Some(named("1", "nginx")));
    listeners.note(at("0.0.0.0:80"), claim(9, Some(&two)), start + LINGER / 4);
    assert_eq!(claimed(&mut listeners, None), Some(named("", "nginx")), "either may have accepted it");
    listeners.note(at("0.0.0.0:80"), claim(9, None), start + LINGER / 2);
    assert_eq!(claimed(&mut listeners, None), Some(named("2", "nginx")), "the others are gone");
    listeners.note(at("0.0.0.0:80"), claim(10, None), start + LINGER);
    assert_eq!(claimed(&mut listeners, None), None, "the owner of the new one is unknown");
    listeners.note(at("0.0.0.0:80"), claim(10, Some(&two)), start + LINGER);
    assert_eq!(claimed(&mut listeners, None), Some(named("2", "nginx")));
    listeners.note(at("0.0.0.0:80"), claim(10, Some(&Arc::default())), start + LINGER);
    assert_eq!(claimed(&mut listeners, None), None, "its owner holds it no longer");
}

#[test]
fn listeners_of_other_names_agree_in_nothing() {
    let (old, new) = (owner(1, "httpd"), owner(2, "nginx"));
    let mut listeners = Listeners::default();
    listeners.note(at("0.0.0.0:80"), claim(1, Some(&old)), Instant::now());
    listeners.note(at("10.0.0.1:80"), claim(2, Some(&new)), Instant::now());
    assert_eq!(
        claimed(&mut listeners, None),
        Some(named("2", "nginx")),
        "the one on the address itself accepts"
    );
    let now = Instant::now();
    listeners.note(at("10.0.0.1:80"), claim(2, Some(&new)), now);
    listeners.note(at("10.0.0.1:80"), claim(3, Some(&old)), now);
    assert_eq!(claimed(&mut listeners, None), None);
}

#[test]
fn of_listeners_on_two_interfaces_the_one_with_the_interface_of_the_end_accepted_it() {
    let owners = ["a", "b", "c"].map(|name| owner(1, name));
    let mut listeners = Listeners::default();
    let now = Instant::now();
    for (interface, owner) in [Some(1), Some(2), None].into_iter().zip(&owners) {
        listeners.note(on("0.0.0.0:80", interface), claim(1, Some(owner)), now);
    }
    for (interface, name) in [(Some(1), "a"), (Some(2), "b"), (None, "c"), (Some(3), "c")] {
        assert_eq!(claimed(&mut listeners, interface), Some(named("1", name)), "{interface:?}");
    }
    let mut bound = Listeners::default();
    bound.note(on("0.0.0.0:80", Some(1)), claim(1, Some(&owners[0])), now);
    assert_eq!(claimed(&mut bound, None), None, "it accepts on its interface alone");
}

#[test]
fn listeners_in_two_cgroups_of_one_unit_agree_in_the_unit() {
    let cgroup = |path| Some(Arc::new(Cgroup::of_path(path)));
    let mut listeners = Listeners::default();
    let now = Instant::now();
    for (cookie, path) in [(1, "/system.slice/web.service/a"), (2, "/system.slice/web.service/b")] {
        listeners.note(at("0.0.0.0:80"), ListenerOwner { cookie, owner: None, cgroup: cgroup(path) }, now);
    }
    let both = listeners.claim(at("10.0.0.1:80")).1.expect("a cgroup");
    assert_eq!((both.unit(), both.slice()), (Some("web.service"), Some("system.slice")));
    assert_eq!((both.path(), both.container_id()), ("unknown", None));
    assert!(both.is_below("/system.slice/web.service") && !both.is_below("/system.slice/web.service/a"));
    assert!(!both.is("/system.slice/web.service"));
    let other = ListenerOwner { cookie: 3, owner: None, cgroup: cgroup("/system.slice/other.service") };
    listeners.note(at("0.0.0.0:80"), other, now);
    let all = listeners.claim(at("10.0.0.1:80")).1.expect("a cgroup");
    assert_eq!((all.unit(), all.slice()), (Some("unknown"), Some("system.slice")));
}
