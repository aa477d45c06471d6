//! The queries of `docs/guides/kubernetes.md` against series as kube-state-metrics has them, by `promtool` of the
//! package prometheus.

use std::process::Command;

/// The queries in a page, each a block marked `promql`.
fn queries(page: &str) -> Vec<&str> {
    let blocks = page.split("```promql\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default()).collect()
}

/// A file with one rule for each query, `documented:1` being the first.
fn rules(queries: &[&str]) -> String {
    let rule = |(index, query): (usize, &&str)| {
        let indented = query.trim_end().replace('\n', "\n          ");
        format!("      - record: documented:{}\n        expr: |\n          {indented}\n", index + 1)
    };
    let rules: Vec<String> = queries.iter().enumerate().map(rule).collect();
    format!("groups:\n  - name: documented\n    rules:\n{}", rules.concat())
}

#[test]
fn every_documented_join_names_the_pods_and_containers_that_it_should() {
    let page = std::fs::read_to_string("docs/guides/kubernetes.md").expect("the page");
    let cases = std::fs::read_to_string("tests/fixtures/joins.yml").expect("the series");
    let queries = queries(&page);
    assert!(queries.len() > 1, "the queries were not found");
    for number in 1..=queries.len() {
        assert!(cases.contains(&format!("expr: documented:{number}\n")), "query {number} is not tested");
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("queries.yml"), rules(&queries)).expect("a file");
    std::fs::write(folder.path().join("joins.yml"), cases).expect("a file");
    let run =
        Command::new("promtool").args(["test", "rules", "joins.yml"]).current_dir(folder.path()).output();
    let output = run.expect("promtool; install the package prometheus");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
