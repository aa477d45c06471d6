//! The names of users, from a file such as `/etc/passwd` (`passwd(5)`).
//!
//! Name services are never asked, because an answer may take as long as a network does.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use hashbrown::HashMap;

use super::dir::{label_text, number};

/// How much of the file is read, in bytes.
const MOST: u64 = 1 << 20;

/// The names of users by their ids, as the file has them.
#[derive(Clone, Debug)]
pub struct Users {
    file: PathBuf,
    version: Option<Version>,
    names: Arc<HashMap<u32, String>>,
}

/// What changes when the file does: time of change in seconds and nanoseconds, size, inode.
type Version = (i64, i64, u64, u64);

impl Default for Users {
    /// Those of the host, none of them read yet.
    fn default() -> Self {
        Self::of("/etc/passwd".into())
    }
}

impl Users {
    /// The users in that file, none of them read yet.
    #[must_use]
    pub fn of(file: PathBuf) -> Self {
        Self { file, version: None, names: Arc::default() }
    }

    /// A collection begins: the file is read again if it has changed. One that cannot be read has no names.
    pub fn begin(&mut self) {
        let now = std::fs::metadata(&self.file).ok().map(|found| version(&found));
        if now.is_none() || now != self.version {
            // What was true of the file that is read, should another have taken its place by now.
            (self.version, self.names) =
                self.read().map_or_else(|_| Default::default(), |(version, names)| (Some(version), names));
        }
    }

    /// The name of the user with that id, at most 128 bytes; `None` if the file has none.
    pub(crate) fn name(&self, uid: u32) -> Option<&str> {
        self.names.get(&uid).map(String::as_str)
    }

    /// The id of the user of that name; `None` if the file has none.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<u32> {
        self.names.iter().find(|(_, known)| *known == name).map(|(uid, _)| *uid)
    }

    fn read(&self) -> io::Result<(Version, Arc<HashMap<u32, String>>)> {
        let file = File::open(&self.file)?;
        let version = version(&file.metadata()?);
        let mut text = Vec::new();
        file.take(MOST).read_to_end(&mut text)?;
        let mut names = HashMap::new();
        for (uid, name) in text.split(|byte| *byte == b'\n').filter_map(entry) {
            // Of two names for one id the first counts, as for getpwuid(3).
            names.entry(uid).or_insert(name);
        }
        Ok((version, Arc::new(names)))
    }
}

fn version(file: &Metadata) -> Version {
    (file.mtime(), file.mtime_nsec(), file.size(), file.ino())
}

/// The id and name in a line `NAME:PASSWORD:UID:...`.
fn entry(line: &[u8]) -> Option<(u32, String)> {
    let mut words = line.split(|byte| *byte == b':');
    let name = words.next().filter(|name| !name.is_empty())?;
    Some((number(words.nth(1)?)?, label_text(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_first_name_that_the_file_gives_to_the_id() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("passwd");
        let text = b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n\n# note\n:x:7:7::/:\nlonely\nx:y\n\
            minus:x:-1:1::/:\nhuge:x:4294967296:1::/:\n\xff\xfe:x:8:8::/:\nlast:x:4294967295:1";
        std::fs::write(&file, text).expect("a file");
        let mut users = Users::of(file);
        assert_eq!(users.name(0), None, "before the first collection");
        users.begin();
        assert_eq!(users.name(0), Some("root"));
        assert_eq!(users.name(7), None);
        assert_eq!(users.name(8), Some("\u{fffd}\u{fffd}"));
        assert_eq!(users.name(u32::MAX), Some("last"));
        assert_eq!(users.names.len(), 3);
        assert_eq!((users.id("last"), users.id("toor")), (Some(u32::MAX), None));
    }

    #[test]
    fn the_file_is_read_again_when_it_has_changed_and_not_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("passwd");
        std::fs::write(&file, "ann:x:1:1::/:\n").expect("a file");
        let mut users = Users::of(file.clone());
        users.begin();
        Arc::make_mut(&mut users.names).insert(2, "only in memory".to_owned());
        users.begin();
        assert_eq!((users.name(1), users.name(2)), (Some("ann"), Some("only in memory")));

        let other = folder.path().join("passwd-");
        std::fs::write(&other, "bob:x:1:1::/:\n").expect("a file");
        std::fs::rename(other, &file).expect("a replacement");
        users.begin();
        assert_eq!((users.name(1), users.name(2)), (Some("bob"), None));

        std::fs::remove_file(file).expect("its end");
        users.begin();
        assert_eq!(users.name(1), None);
    }

    #[test]
    fn no_more_than_a_mebibyte_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("passwd");
        let filler = "#".repeat(usize::try_from(MOST).expect("small"));
        std::fs::write(&file, format!("ann:x:1:1::/:\n{filler}\nbob:x:2:2::/:\n")).expect("a file");
        let mut users = Users::of(file);
        users.begin();
        assert_eq!((users.name(1), users.name(2)), (Some("ann"), None));
    }
}
