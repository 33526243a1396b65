//! Headers that every API reply carries unless its handler set its own.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
};

/// A year. Not of the hosts below, which may be somebody else's.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// An API reply loads nothing and is framed by nobody; a page sets its own policy.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const DEFAULTS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, API_POLICY),
    (header::CACHE_CONTROL, "no-store"),
];

/// `from_fn(security_headers)`: nosniff, referrer policy, no framing, an empty content policy, and `no-store`. What
/// the handler has set stays.
pub async fn security_headers<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(req).await?;
    apply(response.headers_mut());
    Ok(response)
}

pub(crate) fn apply(headers: &mut HeaderMap) {
    for (name, value) in DEFAULTS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// How people reach a plane, as far as it can know: it speaks plain HTTP itself.
#[derive(Clone, Copy, Debug)]
pub struct Transport {
    /// Its own address begins with `https`.
    pub https: bool,
    /// Proxies of ours in front: with one, its `X-Forwarded-Proto` is believed.
    pub trusted_proxies: usize,
}

/// `from_fn(move |req, next| strict_transport(transport, req, next))`: browsers that came by HTTPS do not come by plain HTTP again. Said
/// nowhere else, because it would lock people out of what has no HTTPS.
pub async fn strict_transport<B: MessageBody + 'static>(
    transport: Transport,
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let secure = transport.https || (transport.trusted_proxies > 0 && came_by_https(req.headers()));
    let mut response = next.call(req).await?;
    if secure {
        let value = HeaderValue::from_static(STRICT_TRANSPORT);
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    Ok(response)
}

/// What the nearest proxy says: the last word of the last line.
fn came_by_https(headers: &HeaderMap) -> bool {
    let said = headers.get_all("x-forwarded-proto").last().and_then(|line| line.to_str().ok());
    said.and_then(|line| line.rsplit(',').next())
        .is_some_and(|word| word.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, HttpResponse, middleware::from_fn, web};

    use super::*;

    #[actix_web::test]
    async fn https_is_insisted_on_where_it_is_spoken() {
        let cases: [(bool, usize, &[&str], bool); 8] = [
            (true, 0, &[], true),
            (true, 1, &["http"], true),
            (false, 0, &[], false),
            // Nobody of ours said so.
            (false, 0, &["https"], false),
            (false, 1, &[], false),
            (false, 1, &["https"], true),
            (false, 1, &["https, HTTPS"], true),
            (false, 1, &["https", "http"], false),
        ];
        for (https, trusted_proxies, said, secure) in cases {
            let transport = Transport { https, trusted_proxies };
            let app = App::new()
                .route("/", web::get().to(async || HttpResponse::Ok().finish()))
                .wrap(from_fn(move |req, next| strict_transport(transport, req, next)));
            let app = init_service(app).await;
            let request = said
                .iter()
                .fold(TestRequest::default(), |request, word| {
                    request.append_header(("x-forwarded-proto", *word))
                })
                .to_request();
            let answer = call_service(&app, request).await;
            let told = answer.headers().get(header::STRICT_TRANSPORT_SECURITY);
            let told = told.map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(told.as_deref(), secure.then_some("max-age=31536000"), "{transport:?} {said:?}");
        }
    }
}
