//! Cgroups of real sockets, in the hierarchy of cgroup v2 of this host; needs root, who may change it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use sockdiag::{Extensions, Request, StateSet, TCP};
use ss_exporter::attribute::{Cgroup, Cgroups};

use super::{Pair, dump_now, enter};

/// Where cgroup v2 is mounted here: alone, or beside v1.
fn mounted() -> PathBuf {
    let places = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(PathBuf::from);
    let found = places.into_iter().find(|place| place.join("cgroup.controllers").exists());
    found.expect("cgroup v2 below /sys/fs/cgroup")
}

/// A cgroup of the test's own, gone at its end however it ends.
struct Place {
    path: String,
    home: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let text = std::fs::read_to_string("/proc/self/cgroup").expect("this process's cgroups");
        let home = text.lines().find_map(|line| line.strip_prefix("0::/")).expect("a cgroup of v2");
        let path = format!("/ss-exporter-test-{}/{name}.service", std::process::id());
        let place = Self { path, home: mounted().join(home) };
        std::fs::create_dir_all(place.folder()).expect("the right to make cgroups");
        place
    }

    fn folder(&self) -> PathBuf {
        mounted().join(self.path.trim_start_matches('/'))
    }

    /// Does something while this process is in the cgroup.
    fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        move_to(&self.folder());
        let result = act();
        move_to(&self.home);
        result
    }

    fn remove(&self) -> std::io::Result<()> {
        let folder = self.folder();
        std::fs::remove_dir(&folder)?;
        std::fs::remove_dir(folder.parent().expect("a folder below the root"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.folder().exists() {
            move_to(&self.home);
            self.remove().expect("the end of the test's cgroup");
        }
    }
}

/// Moves this process, which runs one test and nothing else.
fn move_to(cgroup: &Path) {
    let pid = std::process::id().to_string();
    std::fs::write(cgroup.join("cgroup.procs"), pid).expect("the right to move into a cgroup");
}

/// The id of the cgroup of the socket with these ends.
fn id(local: SocketAddr, remote: SocketAddr) -> u64 {
    let request = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
    let mut id = None;
    dump_now(&request, |socket| {
        if (socket.local(), socket.remote()) == (local, remote) {
            id = socket.cgroup();
        }
    });
    id.expect("a socket with a cgroup, as of Linux 5.8")
}

fn id_of(stream: &TcpStream) -> u64 {
    id(stream.local_addr().expect("bound"), stream.peer_addr().expect("connected"))
}

fn path(cgroups: &mut Cgroups, id: u64) -> Option<String> {
    cgroups.get(id).map(|cgroup| cgroup.path().to_owned())
}

#[test]
fn a_socket_leads_to_the_cgroup_that_it_was_made_in_for_as_long_as_it_lives() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("its address");
    let place = Place::new("client");
    let pair = place.within(|| Pair::through(&listener, address));
    let mut cgroups = Cgroups::mounted();
    assert!(cgroups.is_mounted());
    cgroups.begin();
    let made_in = id_of(&pair.client);
    assert_eq!(cgroups.id(&place.path), Some(made_in));
    let cgroup = cgroups.get(made_in).expect("a known cgroup");
    assert_eq!(cgroup, &Cgroup::of_path(&place.path));
    assert_eq!(cgroup.unit(), Some("client.service"));

    place.remove().expect("the end of a cgroup that no process is in");
    assert_eq!(id_of(&pair.client), made_in, "the socket stays where it was made");
    cgroups.begin();
    assert_eq!(cgroups.get(u64::MAX), None, "an unknown id causes a walk");
    assert_eq!(path(&mut cgroups, made_in).as_deref(), Some(place.path.as_str()));
    let mut late = Cgroups::mounted();
    late.begin();
    assert_eq!(path(&mut late, made_in), None, "nobody knows the name any more");
}

#[test]
fn an_accepted_connection_is_in_the_cgroup_of_its_listener_whichever_process_accepts_it() {
    if enter() {
        return;
    }
    let place = Place::new("listener");
    let listener = place.within(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener"));
    let address = listener.local_addr().expect("its address");
    let pair = Pair::through(&listener, address);
    let mut cgroups = Cgroups::mounted();
    cgroups.begin();
    assert_eq!(path(&mut cgroups, id_of(&pair.server)).as_deref(), Some(place.path.as_str()));
    let text = std::fs::read_to_string("/proc/self/cgroup").expect("this process's cgroups");
    let home = text.lines().find_map(|line| line.strip_prefix("0::")).expect("a cgroup of v2");
    assert_eq!(path(&mut cgroups, id_of(&pair.client)).as_deref(), Some(home));
    let unconnected = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    assert_eq!(path(&mut cgroups, id(address, unconnected)).as_deref(), Some(place.path.as_str()));
}

/// Mounts cgroup v2 as a container has it, then the host's as a container may be given it, and hides all others.
const AS_A_CONTAINER: &str = "set -e
mkdir \"$1/own\" \"$1/host\"
mount -t cgroup2 none \"$1/own\"
mount --bind \"$2\" \"$1/host\"
umount -l \"$2\"
exec \"$3\" --exact \"$4\" --nocapture";

#[test]
fn in_a_cgroup_namespace_the_hosts_mount_is_preferred_and_shows_the_hosts_paths() {
    const INSIDE: &str = "SS_EXPORTER_TEST_CGROUP";
    if let Ok(path) = std::env::var(INSIDE) {
        let mut cgroups = Cgroups::mounted();
        cgroups.begin();
        let id = cgroups.id(&path).expect("the cgroup by its path on the host");
        assert_eq!(self::path(&mut cgroups, id), Some(path));
        return;
    }
    if enter() {
        return;
    }
    let place = Place::new("namespace");
    let folder = tempfile::tempdir().expect("a folder");
    let name = std::thread::current().name().expect("the test's name").to_owned();
    let mut command = Command::new("unshare");
    command.args(["--cgroup", "--mount", "--", "sh", "-c", AS_A_CONTAINER, "sh"]);
    command.args([folder.path(), &mounted(), &std::env::current_exe().expect("this program")]).arg(name);
    let status = place.within(|| command.env(INSIDE, &place.path).status());
    assert!(status.expect("unshare of the package util-linux").success(), "failed in its cgroup namespace");
}
