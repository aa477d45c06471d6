//! ss(8) as another witness of who holds which socket.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::enter;
use super::ports::{self, FIRST};
use super::rows::rows;
use testkit::actor::Actor;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;

/// Both ends of the connections to the actors' ports, for either.
const FILTER: &str = "( sport >= 20000 and sport < 20005 ) or ( dport >= 20000 and dport < 20005 )";

/// Local and remote end, and the ids and names of the holders.
type Owners = BTreeMap<[String; 2], (BTreeSet<u32>, BTreeSet<String>)>;

#[test]
fn the_owners_of_five_hundred_connections_are_those_of_ss() {
    if enter() {
        return;
    }
    let listeners = ports::open(5);
    let config = format!(
        "views:
  v:
    by: [local_address, local_port, remote_address, remote_port, pid, process]
    select: \"{FILTER}\"
    state: [established]
    limit: 2000
"
    );
    let early = Exporter::configured(&config);
    shown(&early);
    let names = ["one", "two", "three", "four", "five"];
    let mut held = Vec::new();
    let mut actors = Vec::new();
    for ((name, listener), port) in names.into_iter().zip(&listeners).zip(FIRST..) {
        actors.push(Actor::connected(name, port, 100).0);
        held.extend(ports::accept(listener, 100));
    }
    let forked: Vec<u32> = ["zwei", "drei"]
        .into_iter()
        .zip(&mut actors[1..])
        .map(|(name, actor)| actor.does(&format!("share {name}")).parse().expect("an id"))
        .collect();

    let exposed = exposed();
    let shared = exposed.values().filter(|(pids, _)| pids.iter().any(|pid| forked.contains(pid))).count();
    assert_eq!((exposed.len(), shared), (2 * held.len(), 200), "{exposed:?}");
    // One that is asked for new sockets looks no further than to their first owner.
    let early = shown(&early);
    assert!(early.keys().eq(exposed.keys()));
    for (flow, (pids, names)) in &early {
        assert!(!pids.is_empty() && pids.is_subset(&exposed[flow].0), "{flow:?} of {pids:?}");
        assert!(!names.is_empty() && names.is_subset(&exposed[flow].1), "{flow:?} of {names:?}");
    }
    let late = shown(&Exporter::configured_at(8021, &config));
    for (flow, owners) in &exposed {
        assert_eq!(late.get(flow), Some(owners), "{flow:?}");
    }
    assert_eq!(late.len(), exposed.len());
}

fn shown(exporter: &Exporter) -> Owners {
    let rows = rows(Scrapes::default().scrape(exporter), "ss_v_sent_bytes_total").into_iter();
    rows.map(|(labels, _)| {
        let end =
            |which| format!("{}:{}", labels[&format!("{which}_address")], labels[&format!("{which}_port")]);
        let pids = labels["pid"].split(',').filter_map(|pid| pid.parse().ok()).collect();
        (["local", "remote"].map(end), (pids, labels["process"].split(',').map(str::to_owned).collect()))
    })
    .collect()
}

/// What `ss -tnpH` prints: two columns of queues, both ends, and `users:(("NAME",pid=PID,fd=FD),...)`.
fn exposed() -> Owners {
    let output = Command::new("ss").args(["-tnpHO", "state", "established"]).arg(FILTER).output();
    let text = String::from_utf8(output.expect("ss of the package iproute2").stdout).expect("text");
    text.lines()
        .map(|line| {
            let [_, _, local, remote, users] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let users = users.split("(\"").skip(1).map(|user| {
                let (name, rest) = user.split_once("\",pid=").expect("a name and an id");
                let pid = rest.split(',').next().and_then(|pid| pid.parse::<u32>().ok()).expect("an id");
                (pid, name.to_owned())
            });
            ([local.to_owned(), remote.to_owned()], users.unzip())
        })
        .collect()
}
