//! Folders of the kernel's file systems, read without the standard library's allocations, and texts from them.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, RawDir, RawDirEntry, openat};
use rustix::io::Errno;

/// The longest text kept, in bytes; a comm has 15.
pub(super) const LONGEST: usize = 128;

/// Opens a folder for reading.
pub(super) fn open<P: rustix::path::Arg>(parent: impl AsFd, path: P) -> Result<OwnedFd, Errno> {
    openat(parent, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Calls `each` with every name in a folder until it says no.
pub(super) fn each_name(folder: &OwnedFd, mut each: impl FnMut(&CStr) -> bool) -> Result<(), Errno> {
    each_entry(folder, |entry| each(entry.file_name()))
}

/// Calls `each` with every entry of a folder, `.` and `..` among them, until it says no.
pub(super) fn each_entry(
    folder: &OwnedFd,
    mut each: impl FnMut(&RawDirEntry<'_>) -> bool,
) -> Result<(), Errno> {
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if !each(&entry) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The decimal number that a text is.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Makes a name valid UTF-8 of at most 128 bytes, here, where it is born.
pub(super) fn label_text(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}
