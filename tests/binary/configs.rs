//! Every example configuration of both generations, run as its users ran it.

use super::enter;
use testkit::exporter::Exporter;

#[test]
fn every_example_of_both_generations_starts_and_shows_what_it_switches_on() {
    if enter() {
        return;
    }
    let mut files: Vec<_> = std::fs::read_dir("tests/configs")
        .expect("the examples")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    assert!(files.len() > 20, "the examples were not found");
    for file in files {
        let path = file.to_str().expect("a path");
        let exporter = Exporter::start(&["--config", path]);
        let metrics = exporter.metrics();
        let config = std::fs::read_to_string(&file).expect("the file");
        let config = ss_exporter::config::Config::parse(path, &config).expect("a valid file");
        for column in config.views.iter().flat_map(|view| &view.columns) {
            assert!(metrics.contains(&format!("# TYPE {} ", column.name)), "{} of {path}", column.name);
        }
        let shown =
            |name: &str| config.views.iter().flat_map(|v| &v.columns).any(|column| column.name == name);
        for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().expect("a name");
            let own = name.starts_with("ss_exporter_") || name.starts_with("process_");
            let meta = config.legacy_meta && name.starts_with("collector_");
            assert!(own || meta || shown(name), "{path} did not ask for {name}");
        }
        assert!(metrics.contains("ss_exporter_collection_success{stage=\"dump\"} 1"), "{path}: {metrics}");
    }
}
