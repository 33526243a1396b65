//! Pages of one file: their script and style stand in them, and nothing else may run.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::json::Digest;

/// A page with its Content-Security-Policy: the text inside its only `<script>` and `<style>` runs, requests go to its own host.
#[derive(Debug)]
pub struct OwnPage {
    html: &'static str,
    policy: String,
}

impl OwnPage {
    /// Reckons the policy of this page. `more` is added to it: `img-src data:;`, or nothing.
    #[must_use]
    pub fn new(html: &'static str, more: &str) -> Self {
        let hash = |element: &str| {
            let inside = html
                .split_once(&format!("<{element}>"))
                .and_then(|(_, rest)| rest.split_once(&format!("</{element}>")));
            STANDARD.encode(Digest::of(inside.map_or("", |(text, _)| text).as_bytes()).as_bytes())
        };
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; {more}base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            hash("script"),
            hash("style"),
        );
        Self { html, policy }
    }

    /// The page as it is written.
    #[must_use]
    pub const fn html(&self) -> &'static str {
        self.html
    }

    /// 200 with the policy, still without a body.
    #[must_use]
    pub fn begin(&self) -> HttpResponseBuilder {
        let mut reply = HttpResponse::Ok();
        reply
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, self.policy.as_str()));
        reply
    }

    /// The page for whoever follows a link with a secret in its fragment: kept by no cache, named to nobody.
    #[must_use]
    pub fn of_a_link(&self) -> HttpResponse {
        self.begin()
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(self.html)
    }
}
