//! `paths:`, names of the paths of unix sockets.

use super::networks::check_name;
use crate::attribute::Paths;
use crate::pattern;
use crate::strict_yaml::Entry;

/// What the label says of rows over the limit, and of what is not known.
const TAKEN: [&str; 2] = ["other", "unknown"];
const EXPECTED: &str = "a pattern that begins with /, @ or *, such as /run/php/*";

/// The paths that a file names.
pub(super) fn read(paths: Option<&Entry<'_>>) -> Paths {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut named = Vec::new();
    for (name, patterns) in paths.iter().flat_map(|entry| entry.named("a map of patterns by their names")) {
        check_name(name, &patterns, &TAKEN);
        if patterns.is_null() {
            patterns.refuse(EXPECTED);
        }
        let mut of_name = Vec::new();
        for item in patterns.items() {
            let Some(pattern) = item.text(EXPECTED) else { continue };
            if !pattern.starts_with(['/', '@', '*']) {
                item.error(&format!("found \"{}\"; expected: {EXPECTED}", crate::terminal::shown(&pattern)));
            } else if let Some((earlier, first)) = all.iter().find(|(earlier, _)| covers(earlier, &pattern)) {
                item.error(&format!(
                    "found {pattern}, all of which is {first} by {earlier} already; expected: the narrower pattern first, and each once"
                ));
            }
            all.push((pattern.clone(), name.to_owned()));
            of_name.push(pattern);
        }
        named.push((name.to_owned(), of_name));
    }
    Paths::new(named)
}

/// Whether the earlier pattern certainly fits all that the later one fits: its `*` does, its `?` would have to fit a `*`.
fn covers(earlier: &str, later: &str) -> bool {
    earlier == later || !earlier.contains('?') && pattern::fits(earlier.as_bytes(), later.as_bytes())
}
