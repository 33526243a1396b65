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
        ($path, include_str!(concat!("../../templates/", $path, ".j2")))
    };
}

/// Steps a template may take; a merchant's endless loop ends here.
const FUEL: u64 = 100_000;

/// Committed files, so a template that does not parse fails the tests, not a sale.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.add_filter("money", money);
    let all = [
        template!("layout.html"),
        template!("order_placed/subject.txt"),
        template!("order_placed/body.txt"),
        template!("order_placed/body.html"),
        template!("order_cancelled/subject.txt"),
        template!("order_cancelled/body.txt"),
        template!("order_cancelled/body.html"),
        template!("order_refunded/subject.txt"),
        template!("order_refunded/body.txt"),
        template!("order_refunded/body.html"),
        template!("staff_invitation/subject.txt"),
        template!("staff_invitation/body.txt"),
        template!("staff_invitation/body.html"),
        template!("customer_verify_email/subject.txt"),
        template!("customer_verify_email/body.txt"),
        template!("customer_verify_email/body.html"),
        template!("customer_already_registered/subject.txt"),
        template!("customer_already_registered/body.txt"),
        template!("customer_already_registered/body.html"),
        template!("customer_reset_password/subject.txt"),
        template!("customer_reset_password/body.txt"),
        template!("customer_reset_password/body.html"),
        template!("customer_password_changed/subject.txt"),
        template!("customer_password_changed/body.txt"),
        template!("customer_password_changed/body.html"),
        template!("customer_confirm_old_email/subject.txt"),
        template!("customer_confirm_old_email/body.txt"),
        template!("customer_confirm_old_email/body.html"),
        template!("customer_confirm_new_email/subject.txt"),
        template!("customer_confirm_new_email/body.txt"),
        template!("customer_confirm_new_email/body.html"),
        template!("customer_email_changed/subject.txt"),
        template!("customer_email_changed/body.txt"),
        template!("customer_email_changed/body.html"),
        template!("customer_new_device/subject.txt"),
        template!("customer_new_device/body.txt"),
        template!("customer_new_device/body.html"),
    ];
    for (name, text) in all {
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

/// Which mail follows which event.
pub fn template_of(event: &str) -> Option<&'static str> {
    match event {
        "order.placed" => Some("order_placed"),
        "order.cancelled" => Some("order_cancelled"),
        "order.refunded" => Some("order_refunded"),
        _ => None,
    }
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

/// Fills the store's own template, or the committed one of that name.
///
/// # Errors
/// A merchant's template that does not parse, names what is not there, or takes too many steps.
pub fn render(
    name: &str,
    own: Option<&OwnTemplate>,
    store: &str,
    event: &serde_json::Value,
) -> Result<Rendered, Error> {
    let order: Value = serde_json::from_value(event.clone()).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "the event cannot be shown").with_source(error)
    })?;
    // An event about an order says `order`, a letter about an account `account`: the same values under the name that reads well.
    let values = context! { store, account => order.clone(), order };
    let part = |file: &str, own: Option<&String>| match own {
        Some(text) => TEMPLATES.render_named_str(file, text, &values),
        None => TEMPLATES.get_template(&format!("{name}/{file}"))?.render(&values),
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
        let mail = render("order_placed", None, "Tea & Co", &placed()).unwrap();
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
    fn a_subject_is_one_line() {
        let own = OwnTemplate {
            subject: "a\nBcc: x@example.com".into(),
            body_text: "t".into(),
            body_html: "h".into(),
        };
        assert_eq!(
            render("order_placed", Some(&own), "s", &placed()).unwrap().subject,
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
            render("order_placed", Some(&own), "s", &placed()).unwrap_err().kind(),
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
