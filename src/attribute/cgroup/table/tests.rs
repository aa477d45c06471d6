//! A folder that stands for cgroup v2, and what is learned of it when.

use std::os::unix::fs::DirEntryExt as _;
use std::path::Path;

use super::*;

/// An id that no folder has.
const NEVER: u64 = u64::MAX;

/// Folders with those paths.
fn tree(paths: &[&str]) -> (tempfile::TempDir, Cgroups) {
    let root = tempfile::tempdir().expect("a folder");
    for path in paths {
        std::fs::create_dir_all(root.path().join(path)).expect("a folder");
    }
    let mut cgroups = Cgroups::at(root.path().to_owned());
    cgroups.begin();
    (root, cgroups)
}

/// The id of a folder, as a walk sees it.
fn id(root: &tempfile::TempDir, path: &str) -> u64 {
    let path = root.path().join(path);
    let parent = path.parent().and_then(Path::to_str).expect("a parent").to_owned();
    let mut entries = std::fs::read_dir(parent).expect("a folder").flatten();
    entries.find(|entry| entry.path() == path).expect("it is there").ino()
}

fn path(cgroups: &mut Cgroups, id: u64) -> Option<String> {
    cgroups.get(id).map(|cgroup| cgroup.path().to_owned())
}

#[test]
fn a_cgroup_is_found_by_the_inode_of_its_folder_wherever_it_is() {
    let (root, mut cgroups) = tree(&["a/b/c", "d"]);
    std::fs::write(root.path().join("a/cgroup.procs"), "").expect("a file");
    for expected in ["a", "a/b", "a/b/c", "d"] {
        assert_eq!(path(&mut cgroups, id(&root, expected)), Some(format!("/{expected}")));
    }
    assert_eq!(path(&mut cgroups, id(&root, "a/cgroup.procs")), None, "a file is no cgroup");
    let top = cgroups.id("/").expect("the root");
    assert_eq!(path(&mut cgroups, top).as_deref(), Some("/"));
    assert_eq!(path(&mut cgroups, NEVER), None);
}

#[test]
fn a_path_has_the_id_by_which_its_cgroup_is_found() {
    let (_root, mut cgroups) = tree(&["a/b"]);
    let id = cgroups.id("/a/b").expect("an id");
    assert_eq!(path(&mut cgroups, id).as_deref(), Some("/a/b"));
    assert_eq!(cgroups.id("a/b"), Some(id));
    assert_eq!(cgroups.id("/a/c"), None);
}

#[test]
fn a_mount_of_a_part_shows_the_paths_of_the_whole() {
    let (root, _) = tree(&["b"]);
    let mount = Mount { point: root.path().to_owned(), root: "/a".to_owned() };
    let mut cgroups = Cgroups { mount: Some(mount), ..Cgroups::default() };
    cgroups.begin();
    assert_eq!(path(&mut cgroups, id(&root, "b")).as_deref(), Some("/a/b"));
    assert_eq!(cgroups.id("/a/b"), Some(id(&root, "b")));
    assert_eq!(cgroups.id("/b"), None);
}

#[test]
fn where_cgroup_v2_is_not_mounted_nothing_is_known() {
    let mut cgroups = Cgroups::default();
    cgroups.begin();
    assert!(!cgroups.is_mounted());
    assert_eq!(cgroups.get(1), None);
    assert_eq!(cgroups.id("/"), None);
    assert!(cgroups.known.is_empty());
}

#[test]
fn a_cgroup_made_after_the_walk_of_a_collection_waits_for_the_next() {
    let (root, mut cgroups) = tree(&["a"]);
    assert_eq!(path(&mut cgroups, id(&root, "a")).as_deref(), Some("/a"));
    std::fs::create_dir(root.path().join("late")).expect("a folder");
    let late = id(&root, "late");
    assert_eq!(path(&mut cgroups, late), None, "one walk a collection");
    cgroups.begin();
    assert_eq!(path(&mut cgroups, late).as_deref(), Some("/late"));
}

#[test]
fn ids_that_a_later_walk_did_not_find_cost_no_walk_again() {
    let (root, mut cgroups) = tree(&[]);
    let gone = [NEVER, NEVER - 1, NEVER - 2];
    for _ in 0..2 {
        for id in gone {
            assert_eq!(cgroups.get(id), None);
        }
        cgroups.begin();
    }
    // The first was sought at once, the others in the second collection.
    for id in gone {
        assert_eq!(cgroups.get(id), None);
    }
    std::fs::create_dir(root.path().join("new")).expect("a folder");
    assert_eq!(path(&mut cgroups, id(&root, "new")).as_deref(), Some("/new"), "the walk was still to be had");
}

#[test]
fn a_deleted_cgroup_keeps_its_name_while_it_is_asked_for_and_is_then_forgotten() {
    let (root, mut cgroups) = tree(&["a"]);
    let a = id(&root, "a");
    assert_eq!(path(&mut cgroups, a).as_deref(), Some("/a"));
    std::fs::remove_dir(root.path().join("a")).expect("its end");
    for round in 0..10 {
        cgroups.begin();
        // Each is unknown, and causes a walk.
        assert_eq!(cgroups.get(NEVER - round), None);
        assert_eq!(path(&mut cgroups, a).as_deref(), Some("/a"));
    }
    for _ in 0..=REMEMBERED {
        assert!(cgroups.known.contains_key(&a));
        assert!(cgroups.known.contains_key(&(NEVER - 9)));
        cgroups.begin();
    }
    assert!(!cgroups.known.contains_key(&a));
    assert!(!cgroups.known.contains_key(&(NEVER - 9)));
    assert_eq!(cgroups.known.len(), 1, "the root exists");
}

#[test]
fn what_exists_is_known_until_a_walk_says_otherwise() {
    let (root, mut cgroups) = tree(&["quiet"]);
    let quiet = id(&root, "quiet");
    assert_eq!(cgroups.get(NEVER), None);
    for _ in 0..10 {
        cgroups.begin();
    }
    assert!(cgroups.known.contains_key(&quiet), "a walk found it");
    std::fs::remove_dir(root.path().join("quiet")).expect("its end");
    assert_eq!(cgroups.get(NEVER - 1), None);
    cgroups.begin();
    assert!(!cgroups.known.contains_key(&quiet), "nobody asked for it while it was there");
}

#[test]
fn a_walk_that_could_not_go_everywhere_proves_nothing() {
    let (root, mut cgroups) = tree(&[]);
    std::fs::remove_dir(root.path()).expect("its end");
    assert_eq!(cgroups.get(NEVER), None);
    std::fs::create_dir(root.path()).expect("a folder");
    std::fs::create_dir(root.path().join("a")).expect("a folder");
    cgroups.begin();
    // Were the first taken as gone, it would leave the walk to the second.
    assert_eq!(cgroups.get(NEVER), None);
    assert!(cgroups.known.contains_key(&id(&root, "a")));
}

#[test]
fn a_walk_goes_no_deeper_than_it_should() {
    let path_of = |depth: usize| vec!["d"; depth].join("/");
    let (root, mut cgroups) = tree(&[&path_of(DEEPEST + 1)]);
    let deepest = id(&root, &path_of(DEEPEST));
    assert!(cgroups.get(deepest).is_some());
    assert_eq!(cgroups.get(id(&root, &path_of(DEEPEST + 1))), None);
}
