//! The program where any user can run it, with any capabilities.
//!
//! Refuses to know what is promised of it.

use std::process::Command;

use super::exporter::Exporter;

/// The program and a configuration where everybody may read them, which the build's folder is not.
pub struct Public(tempfile::TempDir);

impl Public {
    pub fn new(config: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
            .expect("a folder for all");
        std::fs::copy(env!("CARGO_BIN_EXE_prometheus_ss_exporter"), folder.path().join("exporter"))
            .expect("a copy");
        std::fs::write(folder.path().join("config.yml"), config).expect("a file");
        Self(folder)
    }

    /// The program with these arguments, run by setpriv(1) of util-linux with those.
    pub fn command(&self, user: &[String], arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        for variable in ["PORT", "CONFIG_FILE", "LOG_LEVEL"] {
            command.env_remove(variable);
        }
        command.current_dir("/").args(user).arg("--").arg(self.0.path().join("exporter")).args(arguments);
        command.arg("--config").arg(self.0.path().join("config.yml"));
        command
    }

    pub fn start(&self, user: &[String]) -> Exporter {
        Exporter::spawn(&mut self.command(user, &[]))
    }
}

/// setpriv's list of these capabilities and no other.
fn list(held: &[&str]) -> String {
    let names = held.iter().map(|name| format!(",+{}", name.trim_start_matches("CAP_").to_lowercase()));
    names.fold("-all".to_owned(), |list, name| list + &name)
}

/// Root with no capabilities but these.
pub fn root(held: &[&str]) -> Vec<String> {
    vec![format!("--bounding-set={}", list(held)), "--inh-caps=-all".into()]
}

/// Nobody, to whom root's processes are another user's, with these.
pub fn nobody(held: &[&str]) -> Vec<String> {
    let ids = ["--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned);
    let capabilities = [format!("--inh-caps={}", list(held)), format!("--ambient-caps={}", list(held))];
    ids.into_iter().chain(capabilities).collect()
}
