//! Programs of other projects: those of the Debian root that [`ROOT`] names, else those of this machine.

use std::path::PathBuf;
use std::process::Command;

/// The variable that names a folder with another Debian, whose programs are newer than this machine's.
/// docs/dev/cost.md has the command that makes it.
const ROOT: &str = "PEERS";
/// The packages that the benchmark compares with, and a program of each.
const PROGRAMS: [(&str, &str); 3] =
    [("iproute2", SS), ("Prometheus", PROMETHEUS), ("node_exporter", NODE_EXPORTER)];

pub const SS: &str = "ss";
pub const PROMETHEUS: &str = "prometheus";
pub const NODE_EXPORTER: &str = "prometheus-node-exporter";

/// Prints which versions are compared, and where they come from.
pub fn introduce() {
    let versions: Vec<_> = PROGRAMS.iter().map(|(name, program)| titled(name, program)).collect();
    let origin = root().map_or_else(
        || format!("of this machine; `{ROOT}` can name a folder with newer ones"),
        |root| format!("of {}", root.display()),
    );
    println!("Compared with {}, {origin}.", versions.join(", "));
}

/// A name and the version of the program.
pub fn titled(name: &str, program: &str) -> String {
    format!("{name} {}", version(program).as_deref().unwrap_or("(not installed)"))
}

/// The version that a program prints, if it is installed.
pub fn version(program: &str) -> Option<String> {
    let output = command(program).arg("--version").output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // "ss utility, iproute2-7.2.0" has a digit in its name.
    let numbers = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    numbers.into_iter().find(|number| number.contains('.')).map(str::to_owned)
}

/// A program, without arguments.
pub fn command(program: &str) -> Command {
    let Some(root) = root() else { return Command::new(program) };
    let libraries = root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    // That C library may be newer than this machine's: it loads the program itself, in the same process.
    let loader = std::fs::read_dir(&libraries)
        .expect("a Debian root")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux")))
        .expect("the loader of a Debian root");
    let mut command = Command::new(loader);
    command.arg("--library-path").arg(&libraries).arg(root.join("usr/bin").join(program));
    command
}

fn root() -> Option<PathBuf> {
    std::env::var_os(ROOT).map(PathBuf::from)
}
