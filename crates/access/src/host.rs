//! Which store a request is for: the Host header and nothing else.
//!
//! `X-Forwarded-*`, tenant headers, cookies and parameters are not read, so they cannot choose a store.

use actix_web::HttpRequest;
use actix_web::http::header;
use souk_api::Problem;

use crate::error::BAD_HOST;

/// The host name of a request: lower case, without port. A request that names two different hosts names none.
pub(crate) fn host_of(req: &HttpRequest) -> Result<String, Problem> {
    let mut values = req.headers().get_all(header::HOST);
    let sent = values.next().map(|value| value.to_str().unwrap_or(""));
    if values.next().is_some() {
        return Err(Problem::new(&BAD_HOST));
    }
    // Absolute-form targets and HTTP/2 carry the host in the target as well.
    let target = req.uri().authority().map(|authority| authority.as_str());
    let name = match (sent.map(host_name), target.map(host_name)) {
        (Some(Some(sent)), Some(Some(target))) if sent == target => Some(sent),
        (Some(name), None) | (None, Some(name)) => name,
        _ => None,
    };
    name.ok_or_else(|| Problem::new(&BAD_HOST))
}

/// A DNS name without its port, lower case; `None` for anything a store's host is never: an address literal in brackets, user
/// information, a final dot, an underscore, non-ASCII text, an empty or overlong label.
fn host_name(text: &str) -> Option<String> {
    let name = match text.rsplit_once(':') {
        Some((name, port)) => {
            port.parse::<u16>().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))?;
            name
        }
        None => text,
    };
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.len() <= 253 && name.split('.').all(label_fits)).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn of(hosts: &[&str], uri: &str) -> Option<String> {
        let mut request = TestRequest::with_uri(uri);
        for host in hosts {
            request = request.append_header(("host", *host));
        }
        host_of(&request.to_http_request()).ok()
    }

    #[test]
    fn one_plain_name_is_read() {
        for (sent, name) in [
            ("acme.localhost", "acme.localhost"),
            ("ACME.LocalHost:8081", "acme.localhost"),
            ("xn--caf-dma.example", "xn--caf-dma.example"),
            ("127.0.0.1:8081", "127.0.0.1"),
        ] {
            assert_eq!(of(&[sent], "/").as_deref(), Some(name));
        }
        assert_eq!(
            of(&["acme.localhost:8081"], "http://ACME.localhost:8081/x").as_deref(),
            Some("acme.localhost")
        );
    }

    #[test]
    fn everything_else_names_no_store() {
        for bad in [
            "",
            ".",
            "acme.localhost.",
            "acme..localhost",
            ".acme",
            "a_b.localhost",
            "[::1]",
            "[::1]:80",
            "acme:",
            "acme:x",
            "acme:99999",
            "acme:80:80",
            "user@acme",
            "acme/evil",
            "acme localhost",
            "-acme.localhost",
            "café.localhost",
            "acme.localhost, evil.localhost",
            "acme.localhost:+80",
            &"a".repeat(64),
            &"a.".repeat(140),
        ] {
            assert_eq!(of(&[bad], "/"), None, "{bad:?}");
        }
        assert_eq!(of(&[], "/"), None);
        assert_eq!(of(&["a.localhost", "b.localhost"], "/"), None);
        assert_eq!(of(&["a.localhost", "a.localhost"], "/"), None);
        assert_eq!(of(&["a.localhost"], "http://b.localhost/"), None);
    }

    #[test]
    fn forwarded_headers_are_not_read() {
        let request = TestRequest::get()
            .append_header(("host", "a.localhost"))
            .append_header(("x-forwarded-host", "b.localhost"))
            .append_header(("forwarded", "host=b.localhost"))
            .append_header(("x-tenant-id", "b"))
            .uri("/?tenant=b");
        assert_eq!(host_of(&request.to_http_request()).unwrap(), "a.localhost");
    }
}
