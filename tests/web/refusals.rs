//! The configurations of the table that are refused.

use super::cases::{HASH, case, tls};
use super::fixtures::Pair;
use super::table::{Case, Outcome, Toolkit};

/// All of them; the files that they name are those of the fixtures.
pub fn refusals() -> Vec<Case> {
    [bad_tls(), bad_clients(), bad_words(), bad_rest()].into_iter().flatten().collect()
}

fn bad_tls() -> Vec<Case> {
    use Outcome::Refused;
    use Toolkit::{Laxer, Older, Same};
    let (certificate, key) = Pair::of_server().quoted();
    let inline = format!("tls_server_config:\n  cert: {certificate}\n  key: {key}\n");
    let of = |text: &str| format!("tls_server_config: {{{text}}}");
    vec![
        case(
            "no key",
            of("cert_file: server.pem"),
            Refused(&["tls_server_config: ", "key_file or key"]),
            Same,
        ),
        case("no certificate", of("key_file: server.key"), Refused(&["cert_file or cert"]), Same),
        case(
            "a version of no TLS",
            of("min_version: TLS13"),
            Refused(&["cert_file or cert", "key_file or key"]),
            Laxer,
        ),
        case(
            "clients of no TLS",
            of("client_auth_type: RequireAnyClientCert"),
            Refused(&["cert_file or cert"]),
            Same,
        ),
        case(
            "a path without letters",
            of("cert_file: '', key_file: server.key"),
            Refused(&["without cert_file or cert"]),
            Same,
        ),
        case(
            "a certificate that is not there",
            of("cert_file: none.pem, key_file: server.key"),
            Refused(&["cert_file: cannot read", "none.pem"]),
            Same,
        ),
        case(
            "a key that is not there",
            of("cert_file: server.pem, key_file: none.key"),
            Refused(&["key_file: cannot read", "none.key"]),
            Same,
        ),
        case(
            "a folder",
            of("cert_file: folder, key_file: server.key"),
            Refused(&["not a regular file"]),
            Same,
        ),
        case(
            "another's key",
            of("cert_file: server.pem, key_file: other.key"),
            Refused(&["do not belong together"]),
            Same,
        ),
        case(
            "half a certificate",
            of("cert_file: half.pem, key_file: server.key"),
            Refused(&["cert_file: found what is no PEM"]),
            Same,
        ),
        case(
            "an empty certificate",
            of("cert_file: empty.pem, key_file: server.key"),
            Refused(&["found no certificate"]),
            Same,
        ),
        case(
            "a certificate for a key",
            of("cert_file: server.pem, key_file: server.pem"),
            Refused(&["found no private key"]),
            Same,
        ),
        case(
            "a key for everybody",
            of("cert_file: server.pem, key_file: loose.key"),
            Refused(&["others can read (mode 644)", "chmod 600"]),
            Laxer,
        ),
        Case {
            mode: 0o644,
            ..case(
                "a key in a file for everybody",
                inline,
                Refused(&["key: ", "others can read", "chmod 600"]),
                Older,
            )
        },
        Case {
            mode: 0o666,
            ..case(
                "a file that everybody can write",
                "",
                Refused(&["written by every user", "chmod o-w"]),
                Laxer,
            )
        },
    ]
}

fn bad_clients() -> Vec<Case> {
    use Outcome::Refused;
    use Toolkit::{Laxer, Older, Same};
    vec![
        tls(
            "an authority for nothing",
            "client_ca_file: ca.pem",
            Refused(&["client_ca_file: ", "without a client_auth_type"]),
            Same,
        ),
        tls(
            "an authority for nobody",
            "client_auth_type: NoClientCert, client_ca_file: ca.pem",
            Refused(&["without a client_auth_type"]),
            Same,
        ),
        tls(
            "a misspelled type",
            "client_auth_type: RequireAndVerifyClientCerts",
            Refused(&["did you mean \"RequireAndVerifyClientCert\""]),
            Same,
        ),
        tls(
            "no authority",
            "client_auth_type: RequireAndVerifyClientCert",
            Refused(&["without client_ca_file or client_ca", "every public"]),
            Laxer,
        ),
        tls(
            "an authority that is not there",
            "client_auth_type: RequireAndVerifyClientCert, client_ca_file: none.pem",
            Refused(&["client_ca_file: cannot read"]),
            Same,
        ),
        tls(
            "an empty authority",
            "client_auth_type: RequireAndVerifyClientCert, client_ca_file: empty.pem",
            Refused(&["client_ca_file: found no certificate"]),
            Laxer,
        ),
        tls(
            "names for nothing",
            "client_allowed_sans: [a]",
            Refused(&["client_allowed_sans: ", "requires a certificate"]),
            Older,
        ),
        tls(
            "names of who may have none",
            "client_auth_type: RequestClientCert, client_allowed_sans: [a]",
            Refused(&["requires a certificate"]),
            Older,
        ),
        tls(
            "names that are no list",
            "client_auth_type: RequireAnyClientCert, client_allowed_sans: a",
            Refused(&["a list of names"]),
            Older,
        ),
    ]
}

fn bad_words() -> Vec<Case> {
    use Outcome::Refused;
    use Toolkit::{Laxer, Same};
    vec![
        tls(
            "TLS 1.1",
            "max_version: TLS11",
            Refused(&["max_version: found \"TLS11\"", "expected: TLS12, TLS13"]),
            Laxer,
        ),
        tls(
            "a version that there is not",
            "min_version: TLS14",
            Refused(&["\"TLS14\"", "did you mean"]),
            Same,
        ),
        tls(
            "versions in the wrong order",
            "min_version: TLS13, max_version: TLS12",
            Refused(&["below min_version"]),
            Laxer,
        ),
        tls(
            "no suite of TLS 1.2",
            "max_version: TLS12, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]",
            Refused(&["cipher_suites: found no suite", "max_version"]),
            Laxer,
        ),
        tls("RC4", "cipher_suites: [TLS_ECDHE_RSA_WITH_RC4_128_SHA]", Refused(&["weak"]), Same),
        tls("3DES", "cipher_suites: [TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA]", Refused(&["weak"]), Same),
        tls(
            "a suite that there is not",
            "cipher_suites: [TLS_AES_129_GCM_SHA256]",
            Refused(&["did you mean \"TLS_AES_128_GCM_SHA256\""]),
            Same,
        ),
        tls(
            "no suite for the version",
            "max_version: TLS12, cipher_suites: [TLS_AES_128_GCM_SHA256]",
            Refused(&["cipher_suites: found no suite"]),
            Laxer,
        ),
        tls(
            "P-521",
            "curve_preferences: [CurveP521]",
            Refused(&["curve_preferences: found no curve", "X25519"]),
            Laxer,
        ),
        tls("a curve that there is not", "curve_preferences: [CurveP257]", Refused(&["did you mean"]), Same),
        tls("a flag that is none", "prefer_server_cipher_suites: maybe", Refused(&["true or false"]), Same),
        tls(
            "a key that there is not",
            "cert_fle: a",
            Refused(&["unknown key", "did you mean \"cert_file\""]),
            Same,
        ),
    ]
}

fn bad_rest() -> Vec<Case> {
    use Outcome::Refused;
    use Toolkit::{Laxer, Older, Same};
    let costly = HASH.replace("$04$", "$19$");
    let cheap = HASH.replace("$04$", "$03$");
    vec![
        case(
            "a section that there is not",
            "tls_config: {}",
            Refused(&[":1:1: tls_config: ", "tls_server_config"]),
            Same,
        ),
        case("a list", "- a\n", Refused(&["a map with the keys"]), Same),
        case("no YAML", "tls_server_config: [\n", Refused(&["invalid YAML"]), Same),
        case("a key twice", "rate_limit: {}\nrate_limit: {}\n", Refused(&[":2:1", "once"]), Older),
        case(
            "a flag with letters",
            "http_server_config: {http2: sometimes}",
            Refused(&["http2", "true or false"]),
            Same,
        ),
        case(
            "another header",
            "http_server_config: {headers: {Server: x}}",
            Refused(&["Server: found an unknown key"]),
            Same,
        ),
        case(
            "another frame option",
            "http_server_config: {headers: {X-Frame-Options: never}}",
            Refused(&["deny, sameorigin"]),
            Same,
        ),
        case(
            "another type option",
            "http_server_config: {headers: {X-Content-Type-Options: sniff}}",
            Refused(&["nosniff"]),
            Same,
        ),
        case(
            "a header of two lines",
            "http_server_config: {headers: {X-XSS-Protection: \"a\\nb\"}}",
            Refused(&["one line"]),
            Laxer,
        ),
        case(
            "a password",
            "basic_auth_users: {alice: secret}",
            Refused(&["basic_auth_users.alice: found what is no bcrypt hash"]),
            Same,
        ),
        case(
            "a costly hash",
            format!("basic_auth_users: {{alice: {costly}}}"),
            Refused(&["cost 19", "4 to 18"]),
            Laxer,
        ),
        case("a cheap hash", format!("basic_auth_users: {{alice: {cheap}}}"), Refused(&["cost 3"]), Same),
        case(
            "half a hash",
            format!("basic_auth_users: {{alice: {}}}", &HASH[..40]),
            Refused(&["no bcrypt hash"]),
            Same,
        ),
        case(
            "no user",
            "basic_auth_users: {}",
            Refused(&["found no users", "every client would be admitted"]),
            Laxer,
        ),
        case("no users", "basic_auth_users:\n", Refused(&["found no users"]), Laxer),
        case("a list of users", "basic_auth_users: [alice]", Refused(&["found no map"]), Same),
        case(
            "a user twice",
            format!("basic_auth_users: {{alice: {HASH}, alice: {HASH}}}"),
            Refused(&["once"]),
            Same,
        ),
        case(
            "an interval without a unit",
            "rate_limit: {interval: 5, burst: 1}",
            Refused(&["interval: found 5", "500ms"]),
            Older,
        ),
        case(
            "an interval backwards",
            "rate_limit: {interval: -1s, burst: 1}",
            Refused(&["interval: found \"-1s\""]),
            Older,
        ),
        case("a burst of words", "rate_limit: {interval: 1s, burst: many}", Refused(&["an integer"]), Older),
    ]
}
