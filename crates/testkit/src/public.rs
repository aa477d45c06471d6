//! The program under test where every user can run it, with any capabilities.

use std::process::Command;

use crate::exporter::{Exporter, path, without_environment};

/// The program and a configuration in a folder that every user may read, unlike the folder of the build.
pub struct Public(tempfile::TempDir);

impl Public {
    /// Copies the program and writes the configuration.
    pub fn new(config: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
            .expect("a folder for all");
        std::fs::copy(path(), folder.path().join("exporter")).expect("a copy");
        std::fs::write(folder.path().join("config.yml"), config).expect("a file");
        Self(folder)
    }

    /// The program with `arguments`, run by `setpriv(1)` with the arguments `user`.
    pub fn command(&self, user: &[String], arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        without_environment(&mut command);
        command.current_dir("/").args(user).arg("--").arg(self.0.path().join("exporter")).args(arguments);
        command.arg("--config").arg(self.0.path().join("config.yml"));
        command
    }

    /// Starts it and waits until it listens on port 8020.
    pub fn start(&self, user: &[String]) -> Exporter {
        Exporter::spawn(&mut self.command(user, &[]))
    }
}

/// The list of these capabilities and no other, as `setpriv(1)` takes it.
fn list(held: &[&str]) -> String {
    let names = held.iter().map(|name| format!(",+{}", name.trim_start_matches("CAP_").to_lowercase()));
    names.fold("-all".to_owned(), |list, name| list + &name)
}

/// Root with these capabilities only.
pub fn root(held: &[&str]) -> Vec<String> {
    vec![format!("--bounding-set={}", list(held)), "--inh-caps=-all".into()]
}

/// The user `nobody` (65534) with these capabilities.
pub fn unprivileged(held: &[&str]) -> Vec<String> {
    let ids = ["--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned);
    let capabilities = [format!("--inh-caps={}", list(held)), format!("--ambient-caps={}", list(held))];
    ids.into_iter().chain(capabilities).collect()
}
