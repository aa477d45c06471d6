//! The sources of the crates that are shipped, without their tests.

use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its module's path: the crate's folder, then modules.
    pub module: Vec<String>,
    /// Its text without the tests in it.
    pub text: String,
}

impl Source {
    /// The path, for messages and lists.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Every file of both crates but those of tests.
pub fn shipped() -> Vec<Source> {
    let mut sources = Vec::new();
    for root in ["src", "crates/sockdiag/src"] {
        read(Path::new(root), &[root.to_owned()], &mut sources);
    }
    assert!(sources.len() > 150, "the sources were not found");
    sources
}

fn read(folder: &Path, module: &[String], sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let module =
            if stem == "mod" { module.to_vec() } else { [module, std::slice::from_ref(&stem)].concat() };
        if stem == "tests" || stem == "fake" {
            continue;
        }
        if path.is_dir() {
            read(&path, &module, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = without_tests(&std::fs::read_to_string(&path).expect("a source file"));
            sources.push(Source { path, module, text });
        }
    }
}

/// The text up to the module of its unit tests.
fn without_tests(text: &str) -> String {
    let end = ["mod tests {", "pub(crate) mod tests {"].iter().filter_map(|tests| {
        let start = text.find(&format!("\n{tests}"))?;
        text[..start].rfind("#[cfg(test)]")
    });
    text[..end.min().unwrap_or(text.len())].to_owned()
}
