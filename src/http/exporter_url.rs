//! Where another exporter is, and who asks it, from what users write.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;

/// An exporter, and who asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExporterUrl {
    pub(super) is_tls: bool,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What comes before the paths of the exporter, behind a proxy.
    pub(super) prefix: String,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
}

impl ExporterUrl {
    /// Reads a URL, or what stands behind `http://` in one. Without a user in it, `netrc` may have one for the host.
    pub(super) fn read(text: &str, default_port: u16, netrc: &str) -> Result<Self, String> {
        // A password is not repeated.
        let shown = text.rsplit('@').next().unwrap_or_default();
        let wrong = || format!("found the URL {shown:?}; expected: one such as http://HOST:{default_port}");
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        // A port that is none is no error to the crate.
        let has_port = !authority.as_str().ends_with(authority.host());
        if host.is_empty() || uri.query().is_some() || has_port && authority.port_u16().is_none() {
            return Err(wrong());
        }
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            (decoded(name), decoded(password))
        });
        let user = user.or_else(|| of_netrc(netrc, &host));
        Ok(Self {
            is_tls,
            port: uri.port_u16().unwrap_or(default_port),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            authorization: user
                .map(|(name, password)| format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))),
            host,
        })
    }

    /// The host and the port, as in a URL.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// The file with users of hosts, as curl reads it: `$NETRC`, or `~/.netrc`.
pub(super) fn netrc() -> String {
    let of_home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".netrc"));
    let path = std::env::var_os("NETRC").map(PathBuf::from).or_else(of_home);
    path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
}

/// The user and the password for a host, or else those of `default` (`netrc(5)`).
fn of_netrc(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = text.split_ascii_whitespace();
    let (mut is_here, mut found): (bool, Option<(String, String)>) = (false, None);
    while let Some(word) = words.next() {
        let user = found.get_or_insert_default();
        match word {
            "machine" | "default" => {
                if is_here {
                    break;
                }
                is_here = word == "default" || words.next() == Some(host);
                *user = Default::default();
            }
            "login" if is_here => words.next()?.clone_into(&mut user.0),
            "password" if is_here => words.next()?.clone_into(&mut user.1),
            _ => {}
        }
    }
    found.filter(|_| is_here)
}

/// A part of a URL with its escapes as bytes (RFC 3986, 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape =
            after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETRC: &str = "machine a.example login x password y\nmachine b.example\n  login \u{fc} password z\ndefault login d password e\n";

    fn read(text: &str) -> Result<ExporterUrl, String> {
        ExporterUrl::read(text, 8020, NETRC)
    }

    #[test]
    fn a_url_has_a_scheme_and_a_host_and_perhaps_a_port_and_a_prefix() {
        for (text, is_tls, authority, prefix) in [
            ("http://web1", false, "web1:8020", ""),
            ("https://10.0.0.1:443/", true, "10.0.0.1:443", ""),
            ("http://[::1]:9/a/b/", false, "[::1]:9", "/a/b"),
            ("web1", false, "web1:8020", ""),
            ("web1:8021/a", false, "web1:8021", "/a"),
            ("[::1]:9", false, "[::1]:9", ""),
        ] {
            let url = read(text).expect(text);
            assert_eq!(
                (url.is_tls, url.authority(), url.prefix.as_str()),
                (is_tls, authority.to_owned(), prefix)
            );
        }
        for wrong in [
            "",
            "web1:99999",
            "web1:",
            "web1:x",
            "ftp://web1",
            "http://",
            "http://web1/?x=1",
            "http://user:secret@",
        ] {
            let error = read(wrong).expect_err(wrong);
            assert!(
                error.contains("expected: one such as http://HOST:8020") && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_user_is_that_of_the_url_or_of_netrc() {
        let user = |text| {
            let basic = read(text).expect("a URL").authorization.expect("a user");
            let plain = STANDARD.decode(basic.trim_start_matches("Basic ")).expect("base64");
            String::from_utf8(plain).expect("text")
        };
        assert_eq!(user("http://u:p%40%3a%C3%BC@a.example"), "u:p@:\u{fc}");
        assert_eq!(user("http://u@a.example"), "u:");
        assert_eq!(user("http://a.example"), "x:y");
        assert_eq!(user("http://b.example"), "\u{fc}:z");
        assert_eq!(user("http://c.example"), "d:e");
        assert_eq!(
            ExporterUrl::read("http://c.example", 8020, "machine a login").expect("a URL").authorization,
            None
        );
    }
}
