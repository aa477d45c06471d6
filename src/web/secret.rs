//! Bytes that no log and no message shows.

use std::fmt;

/// A secret; what prints it prints that it is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Keeps a secret.
    pub(crate) fn new(secret: T) -> Self {
        Self(secret)
    }

    /// Shows it to code that has to compare it.
    pub(super) fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "<secret>");
        assert_eq!(format!("{:?}", Some(vec![secret])), "Some([<secret>])");
    }
}
