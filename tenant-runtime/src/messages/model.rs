//! What a mail says, and when it is tried again.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};
use minijinja::{Environment, Error, ErrorKind, Value, context};
use serde::Serialize;
use souk_kernel::{Currency, MessageId, Money};
use utoipa::ToSchema;

use crate::schema::{email_messages, email_templates};

macro_rules! template {
    ($path:literal) => {
        &[($path, include_str!(concat!("../../templates/", $path, ".j2")))]
            as &[(&'static str, &'static str)]
    };
}

/// A mail is a subject and two bodies.
macro_rules! mail {
    ($name:literal) => {
        &[
            (
                concat!($name, "/subject.txt"),
                include_str!(concat!("../../templates/", $name, "/subject.txt.j2")),
            ),
            (concat!($name, "/body.txt"), include_str!(concat!("../../templates/", $name, "/body.txt.j2"))),
            (concat!($name, "/body.html"), include_str!(concat!("../../templates/", $name, "/body.html.j2"))),
        ] as &[(&'static str, &'static str)]
    };
}

/// Languages that mails are written in beside English.
const LANGUAGES: [&str; 1] = ["de"];

/// Steps a template may take; a merchant's endless loop ends here.
const FUEL: u64 = 100_000;

/// Committed files, so a template that does not parse fails the tests, not a sale.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.add_filter("money", money);
    environment.add_filter("betrag", betrag);
    let all = [
        template!("layout.html"),
        mail!("order_placed"),
        mail!("order_paid"),
        mail!("order_cancelled"),
        mail!("order_refunded"),
        mail!("webhook_disabled"),
        mail!("staff_invitation"),
        mail!("customer_verify_email"),
        mail!("customer_already_registered"),
        mail!("customer_reset_password"),
        mail!("customer_password_changed"),
        mail!("customer_confirm_old_email"),
        mail!("customer_confirm_new_email"),
        mail!("customer_email_changed"),
        mail!("customer_new_device"),
        mail!("customer_identity_linked"),
        mail!("customer_identity_unlinked"),
        template!("de/layout.html"),
        mail!("de/order_placed"),
        mail!("de/order_paid"),
        mail!("de/order_cancelled"),
        mail!("de/order_refunded"),
        mail!("de/webhook_disabled"),
        mail!("de/staff_invitation"),
        mail!("de/customer_verify_email"),
        mail!("de/customer_already_registered"),
        mail!("de/customer_reset_password"),
        mail!("de/customer_password_changed"),
        mail!("de/customer_confirm_old_email"),
        mail!("de/customer_confirm_new_email"),
        mail!("de/customer_email_changed"),
        mail!("de/customer_new_device"),
        mail!("de/customer_identity_linked"),
        mail!("de/customer_identity_unlinked"),
    ];
    for (name, text) in all.into_iter().flatten() {
        if let Err(error) = environment.add_template(name, text) {
            tracing::error!(%error, name, "a committed template does not parse");
        }
    }
    environment
});

/// `{"amount_minor": 1299, "currency": "EUR"}` → `12.99 EUR`.
fn money(value: &Value) -> Result<String, Error> {
    let unreadable = || Error::new(ErrorKind::InvalidOperation, "money needs amount_minor and currency");
    let minor = value.get_attr("amount_minor")?.as_i64().ok_or_else(unreadable)?;
    let currency = value.get_attr("currency")?;
    let currency: Currency = currency.as_str().and_then(|code| code.parse().ok()).ok_or_else(unreadable)?;
    Ok(format!("{} {currency}", Money::new(minor, currency).decimal_string()))
}

/// The same as Germans write it: `12,99 EUR`.
fn betrag(value: &Value) -> Result<String, Error> {
    money(value).map(|text| text.replace('.', ","))
}

/// Which mail follows which event.
pub fn template_of(event: &str) -> Option<&'static str> {
    match event {
        "order.placed" => Some("order_placed"),
        "order.paid" => Some("order_paid"),
        "order.cancelled" => Some("order_cancelled"),
        "order.refunded" => Some("order_refunded"),
        "webhook_endpoint.disabled" => Some("webhook_disabled"),
        _ => None,
    }
}

/// Whether the event deserves its mail: who pays while ordering is told by the order's own mail.
pub fn is_worth_a_mail(kind: &str, payload: &serde_json::Value) -> bool {
    kind != "order.paid" || payload["payment_provider"] == "manual"
}

/// A store's own words in place of the committed ones.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = email_templates)]
pub struct OwnTemplate {
    pub subject: String,
    pub body_text: String,
    pub body_html: String,
}

/// A mail as it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Fills the store's own template, or the committed one of that name in the locale's language, else in English. The event's data is there
/// as `order` and as `event`.
///
/// # Errors
/// A merchant's template that does not parse, names what is not there, or takes too many steps.
pub fn render(
    name: &str,
    own: Option<&OwnTemplate>,
    locale: &str,
    store: &str,
    event: &serde_json::Value,
) -> Result<Rendered, Error> {
    let language = locale.split(['-', '_']).next().unwrap_or_default();
    let folder = LANGUAGES.into_iter().find(|known| *known == language);
    let folder = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
    let event: Value = serde_json::from_value(event.clone()).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "the event cannot be shown").with_source(error)
    })?;
    // What happened is `event`; an event about an order says `order` too, a letter about an account `account`.
    let values = context! { store, order => event.clone(), account => event.clone(), event };
    let part = |file: &str, own: Option<&String>| match own {
        Some(text) => TEMPLATES.render_named_str(file, text, &values),
        None => TEMPLATES.get_template(&format!("{folder}{name}/{file}"))?.render(&values),
    };
    Ok(Rendered {
        // One line, whatever a product is called: a header ends where its line ends.
        subject: part("subject.txt", own.map(|own| &own.subject))?
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        text: part("body.txt", own.map(|own| &own.body_text))?,
        html: part("body.html", own.map(|own| &own.body_html))?,
    })
}

/// A mail that is to be sent.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = email_messages)]
pub struct Message {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    pub body_text: String,
    pub body_html: String,
    pub message_id: String,
    pub attempts: i32,
}

/// A mail in the log.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = email_messages)]
pub struct MessageView {
    pub id: MessageId,
    #[schema(example = "order_placed")]
    pub template: String,
    pub recipient: String,
    pub subject: String,
    /// `queued`, `sent`, `captured` (there is no mail server) or `failed`.
    #[schema(example = "sent")]
    pub state: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

/// After how long a mail that could not be sent is tried again; `None`: given up after about a day.
pub fn retry_after(attempts: i32) -> Option<TimeDelta> {
    match attempts {
        ..=0 => Some(TimeDelta::seconds(1)),
        1..=15 => Some(TimeDelta::seconds((1_i64 << attempts).min(7200))),
        16.. => None,
    }
}

#[cfg(test)]
mod rules {
    use super::*;
    use serde_json::json;

    fn placed() -> serde_json::Value {
        json!({
            "name": "#1001", "financial_status": "paid", "prices_include_tax": true, "shipping_title": "Standard",
            "lines": [{ "title": "<b>Mug</b>", "variant_title": "Blue", "quantity": 2, "total": { "amount_minor": 2598, "currency": "EUR" } }],
            "subtotal": { "amount_minor": 2598, "currency": "EUR" }, "shipping": { "amount_minor": 490, "currency": "EUR" },
            "tax": { "amount_minor": 493, "currency": "EUR" }, "total": { "amount_minor": 3088, "currency": "EUR" },
        })
    }

    #[test]
    fn an_order_as_a_mail() {
        let mail = render("order_placed", None, "en", "Tea & Co", &placed()).unwrap();
        assert_eq!(mail.subject, "Tea & Co: your order #1001");
        assert!(mail.text.contains("2 x <b>Mug</b> (Blue)   25.98 EUR"), "{}", mail.text);
        assert!(mail.text.contains("Total   30.88 EUR"));
        assert!(
            mail.html.contains("&lt;b&gt;Mug&lt;&#x2f;b&gt;") && !mail.html.contains("<b>Mug"),
            "{}",
            mail.html
        );
    }

    #[test]
    fn germans_read_german() {
        let mail = render("order_placed", None, "de-DE", "Tee & Co", &placed()).unwrap();
        assert_eq!(mail.subject, "Tee & Co: Ihre Bestellung #1001");
        assert!(mail.text.contains("2 x <b>Mug</b> (Blue)   25,98 EUR"), "{}", mail.text);
        assert!(mail.html.contains("lang=\"de\"") && mail.html.contains("Gesamt"), "{}", mail.html);
        assert_eq!(
            render("order_placed", None, "pt", "s", &placed()).unwrap().subject,
            "s: your order #1001"
        );
    }

    #[test]
    fn every_mail_is_there_in_every_language_and_fills() {
        let data = json!({
            "name": "#1001", "amount": { "amount_minor": 1, "currency": "EUR" }, "reason": "inventory",
            "refund": { "amount_minor": 1, "currency": "EUR" }, "url": "https://a.example/<x>", "endpoint_id": "whe_1",
        });
        for locale in ["en", "de"] {
            for name in ["order_paid", "order_cancelled", "order_refunded", "webhook_disabled"] {
                let mail = render(name, None, locale, "s", &data).unwrap();
                assert!(!mail.subject.is_empty() && !mail.text.contains("{{"), "{name} {locale}");
                assert!(!mail.html.contains("<x>"), "{name} {locale}: {}", mail.html);
            }
        }
    }

    #[test]
    fn paying_at_once_is_one_mail() {
        assert!(!is_worth_a_mail("order.paid", &json!({ "payment_provider": "test" })));
        assert!(is_worth_a_mail("order.paid", &json!({ "payment_provider": "manual" })));
        assert!(is_worth_a_mail("order.placed", &json!({})));
    }

    #[test]
    fn a_subject_is_one_line() {
        let own = OwnTemplate {
            subject: "a\nBcc: x@example.com".into(),
            body_text: "t".into(),
            body_html: "h".into(),
        };
        assert_eq!(
            render("order_placed", Some(&own), "en", "s", &placed()).unwrap().subject,
            "a Bcc: x@example.com"
        );
    }

    #[test]
    fn an_endless_template_ends() {
        let own = OwnTemplate {
            subject: "{% for a in range(1000) %}{% for b in range(1000) %}{{ b }}{% endfor %}{% endfor %}"
                .into(),
            body_text: String::new(),
            body_html: String::new(),
        };
        assert_eq!(
            render("order_placed", Some(&own), "en", "s", &placed()).unwrap_err().kind(),
            ErrorKind::OutOfFuel
        );
    }

    #[test]
    fn patience() {
        assert_eq!(retry_after(1), Some(TimeDelta::seconds(2)));
        assert_eq!(retry_after(15), Some(TimeDelta::hours(2)));
        assert_eq!(retry_after(16), None);
    }
}
