//! `/` for clients on other hosts: links, and how to see the page that shows the sockets.

use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::body::Payload;
use super::hostname::{host, is_address};
use super::reply::text;

const STYLE: &str = "body { color-scheme: light dark; font: 1rem/1.5 sans-serif; margin: 2rem auto; max-width: 42rem; padding: 0 1rem } pre { overflow-x: auto; padding: .5rem; border: 1px solid }";

/// Answers with the page of links. The paths have no character that would need escaping: `Cli` sees to that.
pub(super) fn landing_page(metrics: &str, head: &Parts) -> Response<Payload> {
    let (version, (host, port)) = (env!("CARGO_PKG_VERSION"), asked(head).unwrap_or(("HOST", "8020")));
    let html = format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>prometheus_ss_exporter</title>
<style>{STYLE}</style>
</head>
<body>
<h1>prometheus_ss_exporter</h1>
<p>Version {version}. What <code>ss</code> shows about this host's sockets, for Prometheus.</p>
<ul>
<li><a href="{metrics}">Metrics</a></li>
<li><a href="/config">Configuration</a></li>
<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li>
</ul>
<h2>The live page</h2>
<p>This address shows problems, connections and listeners to clients on the host itself. Sockets disclose who talks to
whom, so clients on other hosts do not see them. There are two ways to see them from here:</p>
<ul>
<li><p>Forward a port over SSH, and open <code>localhost:{port}</code> in place of this address:</p>
<pre>ssh -L {port}:localhost:{port} {host}</pre></li>
<li><p>Start the exporter with <code>--web.enable-sockets-api</code>. Every client that may read the metrics then sees the
sockets. Set passwords and TLS first, with <code>--web.config.file</code>.</p></li>
</ul>
</body>
</html>
"#
    );
    let mut response = text(StatusCode::OK, html);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// The host and the port that the client asks for, if it names both; without any character that would need escaping.
fn asked(head: &Parts) -> Option<(&str, &str)> {
    let named = head.headers.get(HOST)?.to_str().ok()?;
    let host = host(named)?;
    let port = named.strip_prefix(host)?.strip_prefix(':').filter(|port| !port.is_empty())?;
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'))
    };
    let is_safe = is_name(host) || (is_address(host) && !host.contains('%'));
    is_safe.then(|| (host.trim_start_matches('[').trim_end_matches(']'), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_for(named: &str) -> (String, String) {
        let request = hyper::Request::builder().header(HOST, named).body(()).expect("a request");
        let page = landing_page("/ss/metrics", &request.into_parts().0);
        let Payload::Whole(html) = page.body() else { panic!("a page is known in full") };
        let policy = page.headers().get(CONTENT_SECURITY_POLICY).expect("a policy").to_str().expect("text");
        (String::from_utf8(html.to_vec()).expect("text"), policy.to_owned())
    }

    #[test]
    fn who_may_not_see_the_sockets_gets_links_and_the_ways_to_see_them() {
        let (html, policy) = page_for("shop-1.example:8021");
        for part in [
            r#"<a href="/ss/metrics">"#,
            env!("CARGO_PKG_VERSION"),
            "ssh -L 8021:localhost:8021 shop-1.example<",
            "--web.enable-sockets-api",
            "--web.config.file",
        ] {
            assert!(html.contains(part), "no {part} in {html}");
        }
        assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'");
    }

    #[test]
    fn the_command_names_the_host_as_the_client_does_unless_that_could_be_markup_or_a_flag() {
        for (named, command) in [
            ("192.0.2.1:8020", "ssh -L 8020:localhost:8020 192.0.2.1<"),
            ("[2001:db8::1]:9000", "ssh -L 9000:localhost:9000 2001:db8::1<"),
            ("shop", "ssh -L 8020:localhost:8020 HOST<"),
            ("-oProxyCommand=x:80", "ssh -L 8020:localhost:8020 HOST<"),
            ("<b>:80", "ssh -L 8020:localhost:8020 HOST<"),
            ("[::1%<b>]:80", "ssh -L 8020:localhost:8020 HOST<"),
        ] {
            let (html, _) = page_for(named);
            assert!(html.contains(command) && !html.contains("<b>"), "{named}: {html}");
        }
    }
}
