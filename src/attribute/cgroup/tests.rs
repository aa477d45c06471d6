//! Paths of every runtime, and any other text.

use proptest::prelude::*;

use super::*;

/// Paths and what they tell, one a line.
const PATHS: &str = include_str!("../../../tests/fixtures/cgroups.txt");

#[test]
fn the_path_of_every_runtime_has_its_unit_slice_container_and_pod() {
    let lines = PATHS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut tested = 0;
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        let [path, expected @ ..] = words.as_slice() else { panic!("no path: {line}") };
        let cgroup = Cgroup::of_path(path);
        let told = [cgroup.unit(), cgroup.slice(), cgroup.container_id(), cgroup.pod_uid()];
        assert_eq!(told.map(|text| text.unwrap_or("-")).as_slice(), expected, "{path}");
        tested += 1;
    }
    assert!(tested > 50, "{tested}");
}

#[test]
fn a_path_that_fits_is_shown_whole_and_a_longer_one_from_a_name_on() {
    let name = |length: usize| "n".repeat(length);
    for (path, shown) in [
        (String::new(), "/".to_owned()),
        ("a/b/".to_owned(), "/a/b".to_owned()),
        (format!("/{}/{}", name(63), name(63)), format!("/{}/{}", name(63), name(63))),
        (format!("/a/{}/{}", name(63), name(64)), format!("{}/{}", name(63), name(64))),
        (format!("/a/{}/{}", name(64), name(64)), name(64)),
        (format!("/a/{}", name(128)), name(128)),
        (format!("/a/{}", name(129)), name(128)),
        (format!("/a/{}", "é".repeat(65)), "é".repeat(64)),
        (format!("/a/{}x", "é".repeat(64)), format!("{}x", "é".repeat(63))),
    ] {
        assert_eq!(Cgroup::of_path(&path).path(), shown, "{path}");
    }
}

#[test]
fn steps_out_of_a_namespace_are_no_part_of_a_path() {
    for (path, shown) in [("/../../a", "/a"), ("/..", "/"), ("/..a/b", "/..a/b"), ("//../a", "/a")] {
        assert_eq!(Cgroup::of_path(path).path(), shown, "{path}");
    }
}

#[test]
fn a_cgroup_is_below_itself_and_its_ancestors_and_no_other() {
    let long = format!("/{}/{}", "a".repeat(100), "b".repeat(100));
    for (path, above, below) in [
        ("/a/b", "/a/b", true),
        ("/a/b", "/a", true),
        ("/a/b", "a/", true),
        ("/a/b", "/", true),
        ("/", "/", true),
        ("/ab", "/a", false),
        ("/a", "/a/b", false),
        ("/", "/a", false),
        (&long, &format!("/{}", "a".repeat(100)), true),
    ] {
        assert_eq!(Cgroup::of_path(path).is_below(above), below, "{path} below {above}");
    }
}

#[test]
fn of_the_cgroups_of_a_process_the_most_telling_hierarchy_counts() {
    for (text, path) in [
        ("0::/system.slice/a.service\n", Some("/system.slice/a.service")),
        ("1:name=systemd:/init.scope\n0::/other\n", Some("/init.scope")),
        ("9:pids:/p\n8:memory:/m\n7:cpu,cpuacct:/c\n1:name=systemd:/s\n0::/u\n", Some("/s")),
        ("9:pids:/p\n8:memory:/m\n7:cpu,cpuacct:/c\n1:name=systemd:/\n0::/u\n", Some("/u")),
        ("9:pids:/p\n8:memory:/m\n7:cpu,cpuacct:/c\n1:name=systemd:/\n0::/\n", Some("/m")),
        ("9:pids:/p\n8:memory:/\n7:cpu,cpuacct:/c\n", Some("/p")),
        ("8:memory:/\n7:cpu,cpuacct:/c\n5:cpuset:/s", Some("/c")),
        ("7:cpuacct,cpu:/c\n", Some("/c")),
        ("8:memory:/\n5:cpuset:/s\n0::/\n", Some("/s")),
        ("8:memory:/\n1:name=systemd:/\n0::/u\n", Some("/u")),
        ("8:memory:/\n1:name=systemd:/\n", Some("/")),
        ("0::/a:b\n", Some("/a:b")),
        ("0::/../other\n", Some("/other")),
        ("0::/ended (deleted)\n", Some("/ended")),
        ("nonsense\n3:\n", None),
        ("", None),
    ] {
        assert_eq!(Cgroup::of_process(text).as_ref().map(Cgroup::path), path, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_path_whose_labels_fit(
        text in prop_oneof![
            any::<String>(),
            "(/|(docker|crio|libpod|kubepods|pod)?[-:_.]?|[0-9a-f]{60,66}|\\.(scope|slice|service)|é){0,12}",
        ]
    ) {
        let cgroup = Cgroup::of_path(&text);
        for label in [Some(cgroup.path()), cgroup.unit(), cgroup.slice()].into_iter().flatten() {
            prop_assert!(label.len() <= LONGEST && !label.is_empty(), "{label}");
        }
        if let Some(id) = cgroup.container_id() {
            prop_assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        }
        if let Some(uid) = cgroup.pod_uid() {
            prop_assert!([32, 36].contains(&uid.len()), "{uid}");
        }
        let _ = Cgroup::of_process(&text);
    }
}
