//! Network namespaces: found, entered, left, and gone when they are deleted.

use std::collections::BTreeSet;
use std::fs::{metadata, read_to_string};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sockdiag::{Events, Extensions, Netlink, Replies, Request, State, StateSet, TCP};
use ss_exporter::attribute::{Namespace, Namespaces, NetnsListing, Sockstat, Which};
use ss_exporter::privileges::{self, Feature};

use super::{Pair, enter};

/// Runs a command that has to succeed.
fn run(line: &str) {
    let mut words = line.split(' ');
    let status = Command::new(words.next().expect("a command")).args(words).status();
    assert!(status.is_ok_and(|status| status.success()), "{line}");
}

/// Makes room for names of the test's own, and two namespaces: `blue` and `red`.
fn colours() {
    run("mount -t tmpfs none /run");
    run("ip netns add blue");
    run("ip netns add red");
    run("ip -n blue link set lo up");
}

fn start(which: Which) -> Namespaces {
    Namespaces::start(PathBuf::from("/proc"), which).expect("a thread")
}

fn find(listing: &NetnsListing, name: &str) -> Namespace {
    let found = listing.namespaces.iter().find(|namespace| namespace.name == name);
    found.unwrap_or_else(|| panic!("{name} in {listing:?}")).clone()
}

fn blue(namespaces: &Namespaces) -> Namespace {
    find(&namespaces.list().expect("a list"), "blue")
}

fn inode(path: &str) -> u64 {
    metadata(path).expect(path).ino()
}

/// A process in a namespace of its own; it ends with its guard.
struct Guest(Child);

impl Guest {
    fn start() -> Self {
        let guest = Self(Command::new("unshare").args(["-n", "sleep", "600"]).spawn().expect("unshare"));
        while inode(&guest.link()) == inode("/proc/self/ns/net") {
            std::thread::yield_now();
        }
        guest
    }

    fn link(&self) -> String {
        format!("/proc/{}/ns/net", self.0.id())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ports(kernel: Netlink) -> Vec<u16> {
    let states = StateSet::of(&[State::Listen]);
    let request = Request::new(&TCP, states, Extensions::INFO);
    let (replies, dumped) = Replies::dump(kernel, &request, Instant::now() + Duration::from_secs(10));
    dumped.expect("a complete dump");
    replies.sockets().map(|socket| socket.local().port()).collect()
}

fn sockstat() -> Sockstat {
    let read = |name| read_to_string(format!("/proc/thread-self/net/{name}")).expect(name);
    Sockstat::read("TCP", &read("sockstat"), &read("sockstat6")).expect("numbers")
}

#[test]
fn a_namespace_is_found_by_its_names_or_its_processes_and_our_own_comes_first() {
    if enter() {
        return;
    }
    colours();
    let (first, second) = (Guest::start(), Guest::start());
    run("touch /run/netns/also /run/netns/plain");
    run("mount --bind /run/netns/blue /run/netns/also");
    run("mkdir -p /run/docker/netns");
    run("touch /run/docker/netns/0a1b /run/docker/netns/another");
    run(&format!("mount --bind {} /run/docker/netns/0a1b", first.link()));
    run("mount --bind /run/netns/red /run/docker/netns/another");

    let all = start(Which::All).list().expect("a list");
    assert_eq!(all.unknown, [""; 0]);
    let own = &all.namespaces[0];
    assert!(own.own && own.inode == inode("/proc/self/ns/net") && own.name == own.inode.to_string());
    assert_eq!(own.pid, Some(std::process::id()));
    let rest: Vec<_> = all.namespaces[1..].iter().map(|namespace| namespace.inode).collect();
    assert!(rest.is_sorted() && !rest.contains(&own.inode));
    let also = find(&all, "also");
    assert_eq!((also.inode, also.pid, also.own), (inode("/run/netns/blue"), None, false));
    assert_eq!(find(&all, "red").file, Some(PathBuf::from("/run/netns/red")));
    assert_eq!(find(&all, "0a1b").pid, Some(first.0.id()));
    let nameless = find(&all, &inode(&second.link()).to_string());
    assert_eq!((nameless.pid, nameless.file), (Some(second.0.id()), None));
    assert!(all.namespaces.iter().all(|namespace| namespace.name != "plain"));

    let alone = start(Which::Own);
    let list = alone.list().expect("a list");
    assert_eq!(list.namespaces, [Namespace { pid: None, ..own.clone() }]);
    assert!(alone.within(&also, || ()).is_err());
    assert!(Namespaces::start(PathBuf::from("/nowhere"), Which::All).expect("a thread").list().is_err());
    let names = ["blue", "nowhere", &nameless.name].map(str::to_owned).to_vec();
    let some = start(Which::Named(names)).list().expect("a list");
    assert_eq!(some.unknown, ["nowhere"]);
    let found: BTreeSet<_> = some.namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
    assert_eq!(found, BTreeSet::from([own.name.as_str(), "blue", &nameless.name]));
}

#[test]
fn our_own_namespace_is_there_without_a_process_table() {
    if enter() {
        return;
    }
    run("mount -t tmpfs none /proc");
    let alone = start(Which::Own);
    let list = alone.list().expect("a list");
    assert_eq!(list.namespaces, [Namespace { name: "unknown".into(), ..Namespace::own() }]);
    assert_eq!(alone.within(&list.namespaces[0], || 7).expect("our own"), 7);
    assert!(Namespaces::start(PathBuf::from("/proc"), Which::All).is_err());
}

#[test]
fn work_is_done_inside_and_what_is_opened_there_sees_that_namespace_after_it_was_left() {
    if enter() {
        return;
    }
    colours();
    let namespaces = start(Which::All);
    let blue = blue(&namespaces);
    let work = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        (listener, sockstat(), Netlink::open().expect("sock_diag"))
    };
    let (listener, numbers, kernel) = namespaces.within(&blue, work).expect("inside");
    assert_eq!(ports(kernel), [listener.local_addr().expect("its address").port()]);
    assert_eq!(numbers, Sockstat { sockets: 1, time_wait: 0 });

    let own = namespaces.list().expect("a list").namespaces.remove(0);
    let us = std::thread::current().id();
    let there = namespaces.within(&own, move || (std::thread::current().id(), sockstat()));
    assert_eq!(there.expect("our own"), (us, Sockstat::default()), "our own is not left");
    assert_eq!(ports(Netlink::open().expect("sock_diag")), [0; 0]);
}

#[test]
fn a_namespace_that_is_deleted_while_it_is_visited_is_gone_and_then_an_error() {
    if enter() {
        return;
    }
    colours();
    let namespaces = start(Which::All);
    let blue = blue(&namespaces);
    for round in 0..20 {
        run("ip netns add green");
        run("ip link add here type veth peer name there netns green");
        let green = find(&namespaces.list().expect("a list"), "green");
        let (visits, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let visitor = {
            let (namespaces, green) = (namespaces.clone(), green.clone());
            let (visits, enough) = (Arc::clone(&visits), Arc::clone(&enough));
            std::thread::spawn(move || {
                while !enough.load(Ordering::Relaxed) {
                    let inside = namespaces.within(&green, || (Netlink::open(), sockstat()));
                    visits.fetch_add(u64::from(inside.is_ok()), Ordering::Relaxed);
                    let _ = namespaces.nsid(&green);
                    namespaces.list().expect("a list");
                }
            })
        };
        while visits.load(Ordering::Relaxed) < 10 {
            std::thread::yield_now();
        }
        run("ip netns del green");
        // Its end of the pair goes with it, and so does ours.
        while read_to_string("/proc/thread-self/net/dev").expect("interfaces").contains("here:") {
            std::thread::yield_now();
        }
        enough.store(true, Ordering::Relaxed);
        visitor.join().expect("the visitor");
        let gone = namespaces.within(&green, || ()).expect_err("no namespace");
        assert_eq!(gone.kind(), ErrorKind::NotFound, "round {round}: {gone}");
        namespaces.within(&blue, || ()).expect("another one");
    }
}

#[test]
fn a_thousand_visits_leave_no_file_and_no_thread_behind() {
    if enter() {
        return;
    }
    colours();
    let namespaces = start(Which::All);
    let blue = blue(&namespaces);
    let count = || {
        let entries = |path| std::fs::read_dir(path).expect(path).count();
        (entries("/proc/self/fd"), entries("/proc/self/task"))
    };
    let visit = || {
        let (kernel, _) = namespaces.within(&blue, || (Netlink::open(), sockstat())).expect("inside");
        kernel.expect("sock_diag");
        assert_eq!(namespaces.nsid(&blue), None);
    };
    visit();
    let before = count();
    (0..1_000).for_each(|_| visit());
    assert_eq!(count(), before);
}

#[test]
fn a_process_that_is_gone_or_is_another_one_is_an_error_and_no_other_namespace() {
    if enter() {
        return;
    }
    let namespaces = start(Which::All);
    let guest = Guest::start();
    let there = find(&namespaces.list().expect("a list"), &inode(&guest.link()).to_string());
    namespaces.within(&there, || ()).expect("inside");
    let reused = Namespace { pid: Some(std::process::id()), ..there.clone() };
    let nowhere = Namespace { pid: None, ..there.clone() };
    drop(guest);
    for gone in [there, reused, nowhere] {
        let error = namespaces.within(&gone, || ()).expect_err("no namespace");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(namespaces.nsid(&gone), None);
    }
}

#[test]
fn a_name_that_is_being_made_or_deleted_is_gone_and_not_forbidden() {
    if enter() {
        return;
    }
    colours();
    // Capabilities are a thread's own, and root's could open any file.
    let limited = std::thread::spawn(|| {
        privileges::keep(&[Feature::Namespaces]).expect("without CAP_DAC_OVERRIDE");
        start(Which::All)
    });
    let namespaces = limited.join().expect("a thread");
    let (blue, red) = (blue(&namespaces), find(&namespaces.list().expect("a list"), "red"));
    let gone = |namespace: &Namespace| {
        let error = namespaces.within(namespace, || ()).expect_err("no namespace");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    };
    // What `ip netns` does, one step after the other: its file has no permission, and then it is no more.
    run("umount /run/netns/blue");
    assert_eq!(metadata("/run/netns/blue").expect("a file").mode() & 0o777, 0);
    gone(&blue);
    let names = namespaces.list().expect("a list").namespaces;
    assert!(names.iter().all(|namespace| namespace.name != "blue"), "{names:?}");
    run("rm /run/netns/blue");
    gone(&blue);
    // The name belongs to another namespace, to something that is none, or leads nowhere.
    run("ip netns add blue");
    gone(&blue);
    run("ip netns del blue");
    run("mount --bind /proc/self/ns/uts /run/netns/red");
    gone(&red);
    run("umount /run/netns/red");
    namespaces.within(&red, || ()).expect("it was only covered");
    let guest = Guest::start();
    run(&format!("ln -s {} /run/netns/linked", guest.link()));
    let linked = find(&namespaces.list().expect("a list"), "linked");
    namespaces.within(&linked, || ()).expect("by the link");
    drop(guest);
    gone(&linked);
    run("mount -t tmpfs none /run/netns");
    gone(&red);
}

#[test]
fn the_thread_keeps_the_capabilities_of_its_start_and_says_which_one_it_lacks() {
    if enter() {
        return;
    }
    colours();
    let guest = Guest::start();
    let able = start(Which::All);
    let list = able.list().expect("a list");
    let (blue, there) = (find(&list, "blue"), find(&list, &inode(&guest.link()).to_string()));
    let error = |namespaces: &Namespaces, namespace| {
        let error = namespaces.within(namespace, || ()).expect_err("a capability is missing");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        error.to_string()
    };
    // Capabilities are a thread's own.
    privileges::keep(&[Feature::Processes]).expect("without CAP_SYS_ADMIN");
    let text = error(&start(Which::All), &blue);
    assert!(text.contains("blue") && text.ends_with("CAP_SYS_ADMIN"), "{text}");
    privileges::keep(&[]).expect("without any");
    let unable = start(Which::All);
    let hidden = unable.list().expect("a list").hidden;
    assert!(hidden > list.hidden, "{hidden}");
    let text = error(&unable, &there);
    assert!(text.contains(&there.name), "{text}");
    able.within(&blue, || ()).expect("the thread still can");
    // Other tests make and delete some meanwhile.
    let again = able.list().expect("a list");
    assert_eq!((find(&again, "blue"), find(&again, &there.name)), (blue, there));
}

#[test]
fn a_namespace_has_the_number_that_it_was_given_and_is_not_given_one() {
    if enter() {
        return;
    }
    colours();
    let namespaces = start(Which::All);
    let (list, blue) = (namespaces.list().expect("a list"), blue(&namespaces));
    assert_eq!((namespaces.nsid(&list.namespaces[0]), namespaces.nsid(&blue)), (None, None));
    assert_eq!(namespaces.nsid(&blue), None, "asking gives none");
    run("ip netns set blue 5");
    assert_eq!(namespaces.nsid(&blue), Some(5));
}

#[test]
fn close_events_have_the_nsid_of_their_namespace_and_those_of_our_own_have_none() {
    if enter() {
        return;
    }
    colours();
    run("ip netns set blue 5");
    let namespaces = start(Which::All);
    let blue = blue(&namespaces);
    let connect = || drop(Pair::at(Ipv4Addr::LOCALHOST));
    let hear = |everywhere, expected: &[Option<i32>]| {
        let mut events = Events::subscribe(&[&TCP], 1 << 20, everywhere).expect("a subscription");
        namespaces.within(&blue, connect).expect("inside");
        connect();
        // A listener and both ends of a connection close in each of them.
        let mut heard = Vec::new();
        while heard.len() < 3 * expected.len() {
            events.wait(None).expect("events");
            assert!(!events.read().expect("events"), "room");
            heard.extend(events.sockets().map(|(namespace, _)| namespace));
        }
        heard.sort_unstable();
        heard.dedup();
        assert_eq!(heard, expected);
    };
    hear(false, &[None]);
    hear(true, &[None, Some(5)]);
    // Nor when it has one.
    run(&format!("ip netns attach self {}", std::process::id()));
    run("ip netns set self 9");
    hear(true, &[None, Some(5)]);
    let own = namespaces.list().expect("a list").namespaces.remove(0);
    assert_eq!(namespaces.nsid(&own), Some(9));
    assert_eq!(own.name, own.inode.to_string(), "its name is that of the start");
    assert_eq!(start(Which::Own).list().expect("a list").namespaces[0].name, "self");
}

/// Whether a thread of this process is in the namespace.
fn has_a_thread_in(inode: u64) -> bool {
    let threads = std::fs::read_dir("/proc/self/task").expect("threads").flatten();
    let namespaces = threads.filter_map(|thread| metadata(thread.path().join("ns/net")).ok());
    namespaces.map(|namespace| namespace.ino()).any(|other| other == inode)
}

#[test]
fn a_thread_that_cannot_come_back_is_replaced_and_stays_in_no_foreign_namespace() {
    if enter() {
        return;
    }
    colours();
    let namespaces = start(Which::All);
    for _ in 0..3 {
        let blue = blue(&namespaces);
        // Without any capability there is no way back.
        namespaces.within(&blue, || privileges::keep(&[]).expect("the right to drop")).expect("the way in");
        let inside = namespaces.within(&blue, || inode("/proc/thread-self/ns/net"));
        assert_eq!(inside.expect("the way in and back"), blue.inode);
        let deadline = Instant::now() + Duration::from_secs(10);
        while has_a_thread_in(blue.inode) {
            assert!(Instant::now() < deadline, "a thread stays inside");
            std::thread::yield_now();
        }
    }
}
