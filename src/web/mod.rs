//! Which clients are admitted, and how: the file of `--web.config.file`, in the schema of Prometheus's exporter-toolkit.
//!
//! Strict, all errors at once. Refuses to know connections, requests and what is answered.

use std::path::Path;
use std::sync::Arc;

use hyper::header::HeaderMap;
use rustls::ServerConfig;

use self::files::{Care, Files, Stamps};
use crate::strict_yaml::{Entry, Findings, Name, Node, Position, Unreadable};

mod authorities;
mod certificate;
mod client;
mod files;
mod guard;
mod headers;
mod names;
mod rate;
mod secret;
mod tls;
mod trust;
mod users;
mod watched;

pub use self::guard::{Crowded, Verdict};
pub use self::rate::RequestRate;
pub use self::trust::client_tls;
pub use self::users::WebUsers;
pub use self::watched::{StartError, Web};
pub use crate::strict_yaml::Error;

const TLS_SERVER_CONFIG: Name = &["tls_server_config"];
const HTTP_SERVER_CONFIG: Name = &["http_server_config"];
const BASIC_AUTH_USERS: Name = &["basic_auth_users"];
const RATE_LIMIT: Name = &["rate_limit"];
const HTTP2: Name = &["http2"];
const HEADERS: Name = &["headers"];

/// What one reading of the file came to.
#[derive(Clone, Debug, Default)]
pub struct WebConfig {
    /// How TLS is spoken; `None` for plain HTTP.
    pub tls: Option<Arc<ServerConfig>>,
    /// What is added to every answer.
    pub headers: HeaderMap,
    /// Who may come in.
    pub users: WebUsers,
    /// How many requests are answered; `None` for all.
    pub rate: Option<RequestRate>,
    /// What works otherwise than the file says, one line each.
    pub warnings: Vec<String>,
}

impl WebConfig {
    /// Reads a file and those that it names.
    ///
    /// # Errors
    /// Names every error, its position, what was found and what is expected.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::load_stamped(path).0
    }

    /// The same, with what the files were like.
    fn load_stamped(path: &Path) -> (Result<Self, Error>, Stamps) {
        let files = Files::beside(path);
        let name = path.file_name().map_or(path, Path::new);
        let text = files.read(name, Care::Trusted).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| format!("{} is no UTF-8", path.display()))
        });
        let read = match text {
            Ok(text) => Self::read_text(path, &text, &files),
            Err(error) => refused(path, Position::START, &error),
        };
        (read, files.stamps())
    }

    /// Logs what works otherwise than the file says.
    pub fn warn(&self) {
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
    }

    /// Reads a text as if it stood in that file.
    ///
    /// # Errors
    /// As [`WebConfig::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        Self::read_text(path, text, &Files::beside(path))
    }

    fn read_text(path: &Path, text: &str, files: &Files) -> Result<Self, Error> {
        match Node::read(text) {
            Ok(node) => {
                let name = path.display().to_string();
                let findings = Findings::of(&name);
                let config = Self::read(&Entry::root(&node, &findings), files, path);
                findings.settle().map(|warnings| Self { warnings, ..config })
            }
            Err(Unreadable { position, reason }) => {
                refused(path, position, &format!("found invalid YAML: {reason}; expected: one YAML map"))
            }
        }
    }

    fn read(root: &Entry<'_>, files: &Files, path: &Path) -> Self {
        let file = root.section(&[TLS_SERVER_CONFIG, HTTP_SERVER_CONFIG, BASIC_AUTH_USERS, RATE_LIMIT]);
        // First, because it makes a server only if nothing was wrong so far.
        let tls = file.filled(TLS_SERVER_CONFIG).and_then(|entry| tls::read(entry, files, path));
        let http = file.filled(HTTP_SERVER_CONFIG).map(|entry| entry.section(&[HTTP2, HEADERS]));
        let http = http.as_ref();
        // This server speaks HTTP/1.1 whatever this says.
        _ = http.and_then(|http| http.filled(HTTP2)).and_then(Entry::flag);
        Self {
            tls,
            headers: http.and_then(|http| http.filled(HEADERS)).map(headers::read).unwrap_or_default(),
            users: file.get(BASIC_AUTH_USERS).map(users::read).unwrap_or_default(),
            rate: file.filled(RATE_LIMIT).and_then(rate::read),
            warnings: Vec::new(),
        }
    }
}

fn refused(path: &Path, position: Position, what: &str) -> Result<WebConfig, Error> {
    let name = path.display().to_string();
    let findings = Findings::of(&name);
    findings.error(position, "", what);
    findings.settle().map(|_| WebConfig::default())
}
