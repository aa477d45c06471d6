//! ARCHITECTURE.md against the tree: what it mentions exists.

use std::collections::BTreeSet;
use std::path::Path;

use super::all_files;

/// What stands between backticks, with a braced list written out.
fn mentions(text: &str) -> Vec<String> {
    let plain = |text: &&str| text.chars().all(|c| c.is_alphanumeric() || "_./-{},:".contains(c));
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(plain);
    quoted
        .flat_map(|text| {
            match text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
                Some((before, (list, after))) => {
                    list.split(',').map(|part| format!("{before}{part}{after}")).collect()
                }
                None => vec![text.to_owned()],
            }
        })
        .collect()
}

fn is_path(mention: &str) -> bool {
    !mention.starts_with('/')
        && (mention.contains('/') || [".rs", ".md"].iter().any(|ending| mention.ends_with(ending)))
}

/// The words of the sources of both crates.
fn words() -> BTreeSet<String> {
    let texts = all_files().into_iter().map(|(_, text)| text);
    let split = |text: String| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect::<Vec<_>>()
    };
    texts.flat_map(split).collect()
}

#[test]
fn every_path_and_every_name_that_the_page_mentions_exists() {
    let text = std::fs::read_to_string("ARCHITECTURE.md").expect("ARCHITECTURE.md");
    let (mentions, words) = (mentions(&text), words());
    let (paths, names): (Vec<_>, Vec<_>) = mentions.iter().partition(|mention| is_path(mention));
    let names: Vec<_> = names.into_iter().filter(|name| name.contains("::")).collect();
    assert!(paths.len() > 30 && names.len() > 5, "{paths:?} {names:?}");
    for path in paths {
        let exists = |folder: &str| {
            Path::new(folder).join(path).exists() || Path::new(folder).join(format!("{path}.rs")).exists()
        };
        assert!(exists("") || exists("src"), "{path} does not exist, neither here nor in src");
    }
    for name in names {
        let missing = name.split("::").find(|part| !words.contains(*part));
        assert!(missing.is_none(), "{name}: there is no {missing:?} in the sources");
    }
}

#[test]
fn a_braced_list_is_written_out_and_a_command_is_no_path() {
    let text = "a `src/{a,b}.rs`, a `view::View` and `cargo test --test x/y`, `/api/v1`";
    assert_eq!(mentions(text), ["src/a.rs", "src/b.rs", "view::View", "/api/v1"]);
    assert!(is_path("src/a.rs") && !is_path("/api/v1") && !is_path("view::View"));
}
