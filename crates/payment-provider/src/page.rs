//! The hosted page: where a shopper approves or declines, as with 3-D Secure.

use crate::payment::{Payment, Status};
use souk_kernel::{Currency, Money};

/// The page for a payment: two buttons while it is undecided, the result afterwards.
#[must_use]
pub fn hosted_page(payment: &Payment) -> String {
    let amount = payment.currency.parse::<Currency>().map_or_else(
        |_| format!("{} {}", payment.amount_minor, payment.currency),
        |currency| {
            format!("{} {}", Money::new(payment.amount_minor, currency).decimal_string(), payment.currency)
        },
    );
    let main = match payment.status {
        Status::RequiresAction => {
            "<p>No real money moves: this is a test.</p>\
             <form method=\"post\"><button name=\"decision\" value=\"approve\">Approve</button> \
             <button name=\"decision\" value=\"decline\">Decline</button></form>"
        }
        Status::Failed => "<p>This payment was declined.</p>",
        Status::Authorized | Status::Captured | Status::Voided => "<p>This payment was approved.</p>",
    };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Test payment</title><style>body{{font:1.1rem/1.5 system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}}\
         button{{font:inherit;padding:.6rem 1.2rem}}</style><h1>Pay {}</h1><p>Reference {}</p>{main}</html>",
        escaped(&amount),
        escaped(&payment.reference),
    )
}

/// Where the shopper goes next: the caller's page with the payment's id, never with the outcome, which anybody
/// could forge in an address.
#[must_use]
pub fn return_address(payment: &Payment) -> Option<String> {
    let mut url: reqwest::Url = payment.return_url.as_deref()?.parse().ok()?;
    url.query_pairs_mut().append_pair("payment", &payment.id);
    Some(url.into())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
