//! Which kernel this is.

use std::sync::OnceLock;

/// Whether the kernel is of that release or a later one. One whose release cannot be read is not.
#[must_use]
pub fn is_at_least(major: u32, minor: u32) -> bool {
    static RELEASE: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    let release = RELEASE.get_or_init(|| read(rustix::system::uname().release().to_str().ok()?));
    release.is_some_and(|release| release >= (major, minor))
}

/// The first two numbers of a release such as `6.12.9-amd64`.
fn read(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_by_its_first_two_numbers() {
        assert_eq!(read("6.12.9-amd64"), Some((6, 12)));
        assert_eq!(read("5.9"), Some((5, 9)));
        assert_eq!(read("5.10-rc1"), Some((5, 10)));
        assert_eq!(read("unknown"), None);
        assert!(is_at_least(2, 6) && !is_at_least(u32::MAX, 0));
    }
}
