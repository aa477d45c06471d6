//! ARCHITECTURE.md against the code: layers, paths and names; circles, unique names and sizes.

mod circles;
mod mentions;
mod sizes;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The sources of the crate `sockdiag`.
const SOCKDIAG: &str = "crates/sockdiag/src";

/// The table's rows: a module and the modules that it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string("ARCHITECTURE.md").expect("ARCHITECTURE.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| module ")).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let may_use = cells[2].split(',').map(|name| name.trim().trim_matches('`').to_owned());
            (cells[1].trim_matches('`').to_owned(), may_use.filter(|name| name != "-").collect())
        })
        .collect()
}

/// Every file below a folder, with the top-level module that it belongs to.
fn files(folder: &Path, module: Option<&str>, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let module = module.map_or(stem, str::to_owned);
        if path.is_dir() {
            files(&path, Some(&module), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((module, std::fs::read_to_string(&path).expect("a source file")));
        }
    }
}

/// The files of both crates. Those of `sockdiag` belong to `sockdiag`, except `sockdiag::sys`.
fn all_files() -> Vec<(String, String)> {
    let (mut sources, mut library) = (Vec::new(), Vec::new());
    files(Path::new("src"), None, &mut sources);
    files(Path::new(SOCKDIAG), None, &mut library);
    assert!(sources.len() > 20 && library.len() > 10, "the sources were not found");
    sources.extend(library.into_iter().map(|(module, text)| {
        let module = if module == "sys" { "sockdiag::sys" } else { "sockdiag" };
        let text = text.replace("$crate::", "").replace("crate::sys", "sockdiag::sys");
        (module.to_owned(), text)
    }));
    sources
}

/// The top-level modules that a file names, the parts of a braced list included; `sockdiag::sys` is one of its own.
fn uses(text: &str) -> BTreeSet<String> {
    let text = text.replace("sockdiag::", "crate::sockdiag::");
    let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    text.match_indices("crate::")
        .flat_map(|(at, crate_)| {
            let rest = &text[at + crate_.len()..];
            match rest.strip_prefix('{').and_then(|list| list.split_once("};")) {
                Some((list, _)) => list.split(',').map(|part| name(part.trim())).collect(),
                None if rest.starts_with("sockdiag::sys") => vec!["sockdiag::sys".to_owned()],
                None => vec![name(rest)],
            }
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_module_uses_only_what_the_layer_table_allows() {
    let (table, sources) = (table(), all_files());
    for (module, text) in &sources {
        if module == "lib" || module == "main" {
            continue;
        }
        let allowed = table.get(module).unwrap_or_else(|| panic!("{module} is not in the layer table"));
        for used in uses(text) {
            assert!(
                used == *module || allowed.contains(&used),
                "{module} uses {used}, which the layer table forbids"
            );
        }
    }
    let known: BTreeSet<_> = sources.iter().map(|(module, _)| module.clone()).collect();
    for module in table.keys() {
        assert!(known.contains(module), "the layer table speaks of {module}, which does not exist");
    }
}

#[test]
fn arrows_point_downwards_only() {
    let table = table();
    let order: Vec<_> = std::fs::read_to_string("ARCHITECTURE.md")
        .expect("ARCHITECTURE.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .collect();
    let place = |name: &str| order.iter().position(|one| one == name);
    for (module, allowed) in &table {
        for used in allowed {
            assert!(place(used) < place(module), "{module} stands above {used} and may use it");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut sources = Vec::new();
    for folder in ["src", "crates", "tests", "benches"] {
        files(Path::new(folder), Some(folder), &mut sources);
    }
    for (folder, text) in &sources {
        let first = text.lines().next().unwrap_or_default();
        assert!(text.starts_with("//!"), "a file in {folder} does not open with //!: {first}");
    }
}

#[test]
fn only_one_file_may_have_unsafe_code() {
    let lenient = all_files().into_iter().filter(|(_, text)| text.contains("    unsafe_code,"));
    assert_eq!(lenient.map(|(module, _)| module).collect::<Vec<_>>(), ["sockdiag::sys"]);
    for root in ["src/lib.rs", "src/main/main.rs"] {
        let text = std::fs::read_to_string(root).expect("the root of a crate");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{root}");
    }
}

#[test]
fn tables_of_uses_are_read_as_they_are_written() {
    let text = "use crate::aggregate::{Limit, HashSeed};\nuse crate::{http, self_metrics};\nlet x = crate::plan::Plan::new();";
    assert_eq!(uses(text), ["aggregate", "http", "plan", "self_metrics"].map(str::to_owned).into());
    let text = "use sockdiag::{Field, Socket};\nuse sockdiag::sys::receive;";
    assert_eq!(uses(text), ["sockdiag", "sockdiag::sys"].map(str::to_owned).into());
}
