//! The page of captured mails, for development: mounted only where no SMTP server is set.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use minijinja::context;
use souk_access::{ControlPermit, Refusal};
use souk_api::Problem;

use super::{permissions, queries};
use crate::problems;

const PAGE: &str = include_str!("../../templates/captured.html.j2");

/// `/dev/mail`: never mounted when mails really leave.
pub fn captured_routes(config: &mut web::ServiceConfig) {
    config.service(captured);
}

#[get("/dev/mail")]
async fn captured(permit: ControlPermit<permissions::Capture>) -> Result<HttpResponse, Problem> {
    let mails = permit
        .read("messages.captured", async |tx| Ok::<_, Refusal>(queries::list_captured(tx, 100).await?))
        .await?;
    let mails: Vec<_> = mails
        .into_iter()
        .map(|mail| {
            let text = with_links(&mail.text_body.unwrap_or_default());
            context! { to => mail.recipient, subject => mail.subject, at => mail.created_at.to_rfc3339(), text }
        })
        .collect();
    let mut environment = minijinja::Environment::new();
    environment.add_template("captured.html", PAGE).map_err(problems::internal)?;
    let page = environment.get_template("captured.html").and_then(|page| page.render(context! { mails }));
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(page.map_err(problems::internal)?))
}

/// A mail's text as HTML: escaped, and its addresses can be followed.
fn with_links(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let address = escaped.starts_with("http://") || escaped.starts_with("https://");
        if address { format!("<a href=\"{escaped}\">{escaped}</a>") } else { escaped }
    });
    lines.collect::<Vec<_>>().join("\n")
}
