//! No circle between the files of a room.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{Source, shipped};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules that a file names, from `crate` on: `super::a::B`, `super::{a::B, c::D}`, `crate::a::b::C`.
fn named(source: &Source) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in source.text.replace('\n', " ").split(';') {
        for (at, _) in line.match_indices("super::").chain(line.match_indices("crate::")) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':') {
                continue;
            }
            let mut rest = &line[at..];
            let mut module = source.module.clone();
            if let Some(other) = rest.strip_prefix("crate::") {
                (module, rest) = (vec![source.module[0].clone()], other);
            }
            while let Some(other) = rest.strip_prefix("super::") {
                module.pop();
                rest = other;
            }
            let parts: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => list.split(',').collect(),
                None => vec![rest],
            };
            found.extend(parts.into_iter().map(|part| {
                let names = part
                    .trim()
                    .split("::")
                    .map(|name| name.chars().take_while(|letter| is_of_name(*letter)).collect::<String>());
                module.iter().cloned().chain(names.filter(|name| !name.is_empty())).collect()
            }));
        }
    }
    found
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

/// For each room, which of its files names which.
fn rooms(sources: &[Source]) -> BTreeMap<Vec<String>, Graph> {
    let modules: BTreeSet<_> = sources.iter().map(|source| source.module.clone()).collect();
    let mut rooms: BTreeMap<Vec<String>, Graph> = BTreeMap::new();
    for source in sources {
        for named in named(source) {
            let shared = source.module.iter().zip(&named).take_while(|(one, other)| one == other).count();
            let (room, from, to) = (&source.module[..shared], source.module.get(shared), named.get(shared));
            let (Some(from), Some(to)) = (from, to) else { continue };
            if modules.contains(&[room, std::slice::from_ref(to)].concat()) {
                rooms.entry(room.to_vec()).or_default().entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    rooms
}

/// A way from a file back to itself.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    fn walk<'g>(graph: &'g Graph, at: &'g str, way: &mut Vec<&'g str>, done: &mut BTreeSet<&'g str>) -> bool {
        if let Some(start) = way.iter().position(|one| *one == at) {
            way.drain(..start);
            return true;
        }
        if !done.insert(at) {
            return false;
        }
        way.push(at);
        if graph.get(at).into_iter().flatten().any(|next| walk(graph, next, way, done)) {
            return true;
        }
        way.pop();
        false
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| {
        let mut way = Vec::new();
        walk(graph, start, &mut way, &mut done).then(|| way.into_iter().map(str::to_owned).collect())
    })
}

#[test]
fn no_files_of_a_room_use_each_other_in_a_circle() {
    let circles: Vec<_> = rooms(&shipped())
        .iter()
        .filter_map(|(room, graph)| Some(format!("{}: {}", room.join("::"), circle(graph)?.join(" -> "))))
        .collect();
    assert!(circles.is_empty(), "circles between files:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let source = |module: &[&str], text: &str| Source {
        path: "x.rs".into(),
        module: module.iter().map(|name| (*name).to_owned()).collect(),
        text: text.to_owned(),
    };
    let sources = [
        source(&["src", "http", "a"], "use super::{b::B, c::C};\n"),
        source(&["src", "http", "b"], "fn f() { super::c::g() }\n"),
        source(&["src", "http", "c"], "use crate::http::a::A;\n"),
    ];
    let graph = &rooms(&sources)[&["src".to_owned(), "http".to_owned()][..]];
    assert_eq!(circle(graph), Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
}
