//! Which name the configuration gives to the path of a unix socket.

use crate::pattern;

/// The paths that a configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Each name with its patterns, in the order of the file: the first that fits a path names it.
    named: Vec<(String, Vec<String>)>,
}

impl Paths {
    /// No path has a name.
    pub const NONE: Self = Self { named: Vec::new() };

    /// Names with their patterns.
    pub(crate) const fn new(named: Vec<(String, Vec<String>)>) -> Self {
        Self { named }
    }

    /// The patterns of that name; `None` if no path has it.
    pub(crate) fn named(&self, name: &str) -> Option<&[String]> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, patterns)| patterns.as_slice())
    }

    /// The names, in the order of the file.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.named.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The name of a path; `None` if no pattern fits it.
    pub(crate) fn name_of(&self, path: &[u8]) -> Option<&str> {
        let fits = |patterns: &[String]| patterns.iter().any(|one| pattern::fits(one.as_bytes(), path));
        self.named.iter().find(|(_, patterns)| fits(patterns)).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_with_a_pattern_that_fits_is_the_name_of_a_path() {
        let named = |name: &str, patterns: &[&str]| {
            (name.to_owned(), patterns.iter().map(|pattern| (*pattern).to_owned()).collect())
        };
        let php = named("php", &["/run/php/*", "@php-?"]);
        let paths = Paths::new(vec![php, named("run", &["/run/*"])]);
        for (path, name) in [
            ("/run/php/www.sock", Some("php")),
            ("@php-7", Some("php")),
            ("/run/docker.sock", Some("run")),
            ("/tmp/a", None),
            ("", None),
        ] {
            assert_eq!(paths.name_of(path.as_bytes()), name, "{path}");
        }
        assert_eq!(paths.names(), ["php", "run"]);
        assert_eq!((paths.named("run").map(<[_]>::len), paths.named("attic")), (Some(1), None));
    }
}
