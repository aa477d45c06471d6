//! What hides the owners of sockets from this process although it has the capabilities: mount options, namespaces, security modules.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The initial namespaces (`PROC_PID_INIT_INO`, `PROC_USER_INIT_INO` of `linux/proc_ns.h`).
const INITIAL: [(&str, &str); 2] = [("pid", "pid:[4026531836]"), ("user", "user:[4026531837]")];
/// The longest fact that is quoted, in characters.
const MOST: usize = 120;

/// What can hide owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// `AppArmor`, `SELinux`, Landlock and the like.
    SecurityModule,
    /// Capabilities hold only in a user namespace below the host's.
    UserNamespace,
    /// `hidepid=` of /proc, which `ProtectProc=` of systemd sets.
    Hidepid,
    /// Processes outside of a PID namespace are not in its /proc.
    PidNamespace,
    /// A cgroup namespace, or a mount of a part of the hierarchy.
    Cgroups,
}

impl Restriction {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SecurityModule, Self::UserNamespace, Self::Hidepid, Self::PidNamespace, Self::Cgroups];

    /// The word for it in metrics.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::SecurityModule => "security_module",
            Self::UserNamespace => "user_namespace",
            Self::Hidepid => "hidepid",
            Self::PidNamespace => "pid_namespace",
            Self::Cgroups => "cgroups",
        }
    }

    /// What is so, for people.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::SecurityModule => "processes cannot be inspected although the capabilities are there",
            Self::UserNamespace => "the capabilities hold only in this user namespace",
            Self::Hidepid => "processes are hidden in /proc",
            Self::PidNamespace => "sockets belong to processes outside this PID namespace",
            Self::Cgroups => "cgroups of the host are not visible",
        }
    }
}

/// The namespaces of this process, which it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// It is in a PID namespace below the initial one.
    pub pid: bool,
    /// It is in a user namespace below the initial one.
    pub user: bool,
}

impl Confinement {
    /// That of this process, by the links below its own /proc; what cannot be read counts as the initial one.
    pub(crate) fn read(proc: &Path) -> Self {
        let below = |(name, initial): (&str, &str)| {
            let link = fs::read_link(proc.join("self/ns").join(name));
            link.is_ok_and(|link| link != Path::new(initial))
        };
        let [pid, user] = INITIAL.map(below);
        Self { pid, user }
    }
}

/// By which mount options /proc hides processes; `None` if it does not: process 1 always exists.
#[must_use]
pub fn hidden_by(proc: &Path) -> Option<String> {
    let first = fs::symlink_metadata(proc.join("1"));
    if !first.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return None;
    }
    let mounts = fs::read(proc.join("self/mountinfo")).unwrap_or_default();
    Some(options(&String::from_utf8_lossy(&mounts), proc).unwrap_or_else(|| "not a whole /proc".to_owned()))
}

/// The options of the topmost mount of procfs there that say which processes are visible (`proc(5)`).
fn options(mountinfo: &str, point: &Path) -> Option<String> {
    let of = |line: &str| {
        let (mount, file_system) = line.split_once(" - ")?;
        let options = file_system.strip_prefix("proc ")?.split(' ').nth(1)?;
        let here = mount.split(' ').nth(4).is_some_and(|place| Path::new(place) == point);
        let hides = |option: &&str| option.starts_with("hidepid=") || option.starts_with("gid=");
        here.then(|| options.split(',').filter(hides).collect::<Vec<_>>().join(","))
    };
    mountinfo.lines().filter_map(of).next_back().filter(|options| !options.is_empty())
}

/// The confinement of this process by a security module, such as `docker-default (enforce)`; `None` without one.
#[must_use]
pub fn profile(proc: &Path) -> Option<String> {
    let read = |name: &str| fs::read(proc.join("self/attr").join(name)).ok();
    let bytes = read("apparmor/current").or_else(|| read("current"))?;
    let text = String::from_utf8_lossy(&bytes);
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(MOST).collect();
    let text = text.trim();
    (!matches!(text, "" | "unconfined" | "kernel")).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_namespace_is_initial_by_its_number() {
        let proc = tempfile::tempdir().expect("a folder");
        assert_eq!(Confinement::read(proc.path()), Confinement { pid: false, user: false });
        fs::create_dir_all(proc.path().join("self/ns")).expect("a folder");
        symlink("pid:[4026532711]", proc.path().join("self/ns/pid")).expect("a link");
        symlink("user:[4026531837]", proc.path().join("self/ns/user")).expect("a link");
        assert_eq!(Confinement::read(proc.path()), Confinement { pid: true, user: false });
    }

    #[test]
    fn the_options_are_those_of_the_topmost_procfs_at_the_place() {
        let text = "22 1 0:21 / /proc rw,nosuid - proc proc rw\n\
            90 22 0:40 / /proc/sys rw - tmpfs tmpfs rw\n\
            91 22 0:41 / /proc rw,nosuid shared:3 - proc proc rw,gid=4,hidepid=invisible,subset=pid\n\
            92 22 0:42 / /mnt rw - proc proc rw,hidepid=noaccess\nbroken\n";
        assert_eq!(options(text, Path::new("/proc")).as_deref(), Some("gid=4,hidepid=invisible"));
        assert_eq!(options(text, Path::new("/mnt")).as_deref(), Some("hidepid=noaccess"));
        assert_eq!(options(text, Path::new("/proc/sys")), None);
        assert_eq!(options("22 1 0:21 / /proc rw - proc proc rw\n", Path::new("/proc")), None);
    }

    #[test]
    fn processes_are_hidden_where_the_first_is_not_there() {
        let proc = tempfile::tempdir().expect("a folder");
        assert_eq!(hidden_by(proc.path()).as_deref(), Some("not a whole /proc"));
        fs::create_dir(proc.path().join("1")).expect("a folder");
        assert_eq!(hidden_by(proc.path()), None);
    }

    #[test]
    fn a_profile_is_quoted_without_control_characters_and_unconfined_is_none() {
        let proc = tempfile::tempdir().expect("a folder");
        let (old, new) =
            (proc.path().join("self/attr/current"), proc.path().join("self/attr/apparmor/current"));
        fs::create_dir_all(new.parent().expect("a folder")).expect("a folder");
        assert_eq!(profile(proc.path()), None);
        for (text, said) in [
            ("docker-default (enforce)\n", Some("docker-default (enforce)")),
            ("system_u:system_r:container_t:s0:c1,c2\0", Some("system_u:system_r:container_t:s0:c1,c2")),
            ("unconfined\n", None),
            ("a\u{1b}[31m\n", Some("a[31m")),
        ] {
            fs::write(&old, text).expect("room");
            assert_eq!(profile(proc.path()).as_deref(), said, "{text}");
        }
        fs::write(&new, "other (complain)\n").expect("room");
        assert_eq!(profile(proc.path()).as_deref(), Some("other (complain)"));
    }
}
