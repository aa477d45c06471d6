//! Certificates, keys and files, made when they are needed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

/// A folder with what the configurations of the tests name.
pub struct Fixtures(tempfile::TempDir);

/// A certificate and its key, in PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Pair {
    /// Of a server on this host.
    pub fn of_server() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    /// In one line each, as a YAML string has it.
    pub fn quoted(&self) -> (String, String) {
        (format!("{:?}", self.certificate), format!("{:?}", self.key))
    }
}

impl Fixtures {
    /// `server.pem` and `server.key`, `other.key`, `ca.pem`; `loose.key`, which every user can read; `half.pem`,
    /// `empty.pem`, `folder/`.
    pub fn new() -> Self {
        let fixtures = Self(tempfile::tempdir().expect("a folder"));
        let pair = Pair::of_server();
        fixtures.write("server.pem", &pair.certificate);
        fixtures.write("server.key", &pair.key);
        fixtures.write("other.key", &Pair::of_server().key);
        fixtures.write("ca.pem", &authority());
        fixtures.write("loose.key", &pair.key);
        fixtures.allow("loose.key", 0o644);
        fixtures.write("half.pem", &pair.certificate[..pair.certificate.len() / 2]);
        fixtures.write("empty.pem", "");
        fs::create_dir(fixtures.path("folder")).expect("a folder");
        fixtures
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file that only its owner can read.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("room");
        self.allow(name, 0o600);
    }

    pub fn allow(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("a file of ours");
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// The certificate of an authority, in PEM.
fn authority() -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").pem()
}
