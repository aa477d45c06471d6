//! The files of a web configuration: their permissions are checked, and a change of them is noticed.

use std::cell::RefCell;
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;
/// A file that was younger than this when it was read may change again without looking changed.
const SETTLED: Duration = Duration::from_secs(2);

/// Who else may do what with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// Nothing in it is secret.
    Public,
    /// No other user may write it.
    Trusted,
    /// No other user may read it.
    Private,
}

/// The folder that relative paths begin at, and what was read so far.
pub(super) struct Files {
    folder: PathBuf,
    stamps: RefCell<Stamps>,
}

/// What the files were like when they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Looked>);

/// A file as it was; what was not there or not read has no stamp or digest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Looked {
    path: PathBuf,
    stamp: Option<Stamp>,
    digest: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    size: u64,
    inode: (u64, u64),
    mode: u32,
    settled: bool,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        let age = file.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        Some(Self {
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
            size: file.size(),
            inode: (file.dev(), file.ino()),
            mode: file.mode(),
            settled: age.is_some_and(|age| age >= SETTLED),
        })
    }
}

impl Stamps {
    /// Whether a file is not what it was, or may have changed without a trace since.
    pub(super) fn stale(&self) -> bool {
        self.0.iter().any(|Looked { path, stamp, .. }| {
            stamp.as_ref().is_some_and(|stamp| !stamp.settled) || Stamp::of(path) != *stamp
        })
    }

    /// Whether another reading found the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        let what = |looked: &Looked| {
            (looked.path.clone(), looked.stamp.as_ref().map(|stamp| stamp.mode), looked.digest.clone())
        };
        self.0.iter().map(what).eq(other.0.iter().map(what))
    }
}

impl Files {
    /// Of a configuration in that file.
    pub(super) fn beside(file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        Self { folder, stamps: RefCell::default() }
    }

    /// A file's bytes, or a sentence why not.
    pub(super) fn read(&self, path: &Path, care: Care) -> Result<Vec<u8>, String> {
        let path = self.folder.join(path);
        // Before it is read: what changes meanwhile looks changed.
        let stamp = Stamp::of(&path);
        let read = read(&path, care);
        let digest = read.as_ref().ok().map(|bytes| digest(&SHA256, bytes).as_ref().to_vec());
        self.stamps.borrow_mut().0.push(Looked { path, stamp, digest });
        read
    }

    /// Whether the file is as private as that, or a sentence why not.
    pub(super) fn guarded(&self, path: &Path, care: Care) -> Result<(), String> {
        let path = self.folder.join(path);
        let file = fs::metadata(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        guarded(&path, &file, care)
    }

    pub(super) fn stamps(self) -> Stamps {
        self.stamps.into_inner()
    }
}

fn read(path: &Path, care: Care) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let file = fs::metadata(path).map_err(cannot)?;
    // Opening a pipe would wait for its writer.
    if !file.is_file() {
        return Err(format!("{} is not a regular file", path.display()));
    }
    guarded(path, &file, care)?;
    let mut bytes = Vec::new();
    let opened = fs::File::open(path).map_err(cannot)?;
    opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("{} is larger than 1 MiB", path.display()));
    }
    Ok(bytes)
}

fn guarded(path: &Path, file: &Metadata, care: Care) -> Result<(), String> {
    let (mode, path) = (file.mode(), path.display());
    match care {
        Care::Trusted if mode & 0o002 != 0 => Err(format!(
            "{path} can be written by every user (mode {:03o}), who could admit themselves; run: chmod o-w {path}",
            mode & 0o777
        )),
        Care::Private if mode & 0o007 != 0 || (mode & 0o070 != 0 && !group_is_ours(file)) => Err(format!(
            "{path} holds a private key that others can read (mode {:03o}); run: chmod 600 {path}",
            mode & 0o777
        )),
        _ => Ok(()),
    }
}

/// Whether a file of root's is shared with us by its group: that is how systemd (whose access list shows as the rights
/// of the group root) and Kubernetes hand secrets over.
fn group_is_ours(file: &Metadata) -> bool {
    let is_own = |group: u32| {
        rustix::process::getegid().as_raw() == group
            || rustix::process::getgroups().is_ok_and(|groups| groups.iter().any(|own| own.as_raw() == group))
    };
    file.uid() == 0 && (file.gid() == 0 || is_own(file.gid()))
}
