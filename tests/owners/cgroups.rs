//! Cgroups of the test's own in the hierarchy of cgroup v2 of this host.

use std::path::PathBuf;

use testkit::actor::Actor;

/// Where cgroup v2 is mounted: alone, or beside v1.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/// A folder of cgroups, gone at its end; who was moved into it must have ended.
pub struct Folder {
    pub path: String,
    mount: PathBuf,
    made: Vec<PathBuf>,
}

impl Folder {
    pub fn new() -> Self {
        let mut mounts = MOUNTS.into_iter().map(PathBuf::from);
        let mount = mounts.find(|mount| mount.join("cgroup.controllers").exists());
        let path = format!("/ss-exporter-owners-{}", std::process::id());
        let mut folder =
            Self { path, mount: mount.expect("cgroup v2 below /sys/fs/cgroup"), made: Vec::new() };
        folder.make("");
        folder
    }

    /// Makes a cgroup below and returns its path.
    pub fn make(&mut self, name: &str) -> String {
        let path = format!("{}/{name}", self.path);
        let place = self.mount.join(path.trim_matches('/'));
        std::fs::create_dir(&place).expect("the right to make cgroups");
        self.made.push(place);
        path
    }

    /// Moves an actor to a cgroup; what it connects from now on is of that one.
    pub fn moves(&self, actor: &mut Actor, path: &str) {
        let place = self.mount.join(path.trim_matches('/'));
        actor.does(&format!("cgroup {}", place.display()));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for place in self.made.iter().rev() {
            let removed = std::fs::remove_dir(place);
            assert!(removed.is_ok() || std::thread::panicking(), "{}: {removed:?}", place.display());
        }
    }
}
