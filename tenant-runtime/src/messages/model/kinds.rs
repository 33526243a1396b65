//! The mails there are: whom each goes to, when, and what its template may name.

use serde_json::{Value, json};

/// What the suppression list is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What somebody must have, or asked for a moment ago.
    Transactional,
    /// What somebody may end with one click.
    Marketing,
}

impl Purpose {
    /// As in the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Marketing => "marketing",
        }
    }
}

/// One mail.
#[derive(Clone, Copy, Debug)]
pub struct MailKind {
    pub name: &'static str,
    /// `customer` or `staff`.
    pub audience: &'static str,
    pub purpose: Purpose,
    /// When it is sent.
    pub about: &'static str,
}

macro_rules! kinds {
    ($($name:literal $audience:literal $purpose:ident $about:literal;)*) => {
        /// All of them, in the order in which people are shown them.
        pub const KINDS: &[MailKind] = &[$(
            MailKind { name: $name, audience: $audience, purpose: Purpose::$purpose, about: $about },
        )*];

        /// The committed texts of all languages: file name and content.
        pub const COMMITTED: &[(&str, &str)] = &[
            ("layout.html", include_str!("../../../templates/layout.html.j2")),
            $(
                (concat!($name, "/subject.txt"), include_str!(concat!("../../../templates/", $name, "/subject.txt.j2"))),
                (concat!($name, "/body.txt"), include_str!(concat!("../../../templates/", $name, "/body.txt.j2"))),
                (concat!($name, "/body.html"), include_str!(concat!("../../../templates/", $name, "/body.html.j2"))),
                (concat!("de/", $name, "/subject.txt"), include_str!(concat!("../../../templates/de/", $name, "/subject.txt.j2"))),
                (concat!("de/", $name, "/body.txt"), include_str!(concat!("../../../templates/de/", $name, "/body.txt.j2"))),
                (concat!("de/", $name, "/body.html"), include_str!(concat!("../../../templates/de/", $name, "/body.html.j2"))),
            )*
        ];
    };
}

kinds! {
    "order_placed" "customer" Transactional "An order was placed.";
    "order_paid" "customer" Transactional "The money for an order that waited for it has arrived.";
    "order_cancelled" "customer" Transactional "An order was cancelled.";
    "order_refunded" "customer" Transactional "Money of an order went back.";
    "order_shipped" "customer" Transactional "Something of an order left the house, with how to follow it.";
    "order_news" "customer" Transactional "Something happened to an order that this address follows.";
    "draft_order_invoice" "customer" Transactional "Staff put an order together for somebody; the mail has the link to pay it.";
    "gift_card" "customer" Transactional "A gift card was made for somebody; the mail has its code.";
    "abandoned_cart" "customer" Marketing "A cart was left lying, and its owner wanted to be reminded. Once per cart.";
    "back_in_stock" "customer" Marketing "Something that somebody waits for can be bought again.";
    "subscription_confirm" "customer" Transactional "Somebody wants to be told something; the mail has the link that confirms it.";
    "customer_verify_email" "customer" Transactional "An account was made; the mail has the link that confirms its address.";
    "customer_already_registered" "customer" Transactional "Somebody registered with an address that has an account.";
    "customer_reset_password" "customer" Transactional "Somebody forgot a password; the mail has the link that sets a new one.";
    "customer_password_changed" "customer" Transactional "A password was changed.";
    "customer_confirm_old_email" "customer" Transactional "An account is to get another address; the old one is asked.";
    "customer_confirm_new_email" "customer" Transactional "An account is to get another address; the new one is asked.";
    "customer_email_changed" "customer" Transactional "An account has another address.";
    "customer_new_device" "customer" Transactional "An account was used from an unknown device.";
    "customer_identity_linked" "customer" Transactional "An account can be signed in to with an identity elsewhere.";
    "customer_identity_unlinked" "customer" Transactional "An identity elsewhere was taken off an account.";
    "staff_invitation" "staff" Transactional "Somebody is invited to work in the store.";
    "staff_new_device" "staff" Transactional "A colleague signed in by the store's provider with an unknown device.";
    "sender_confirm" "staff" Transactional "Mails are to come from this address; the mail has the link that allows it.";
    "low_stock" "staff" Transactional "Something is about to sell out.";
    "dispute_opened" "staff" Transactional "A bank takes the money of an order back, or asks about it.";
    "daily_digest" "staff" Transactional "What yesterday sold, every morning.";
    "webhook_disabled" "staff" Transactional "A webhook endpoint failed for three days or said that it is gone.";
}

/// The kind of this name.
pub fn kind_of(name: &str) -> Option<&'static MailKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Languages that mails are written in.
pub const LANGUAGES: [&str; 2] = ["en", "de"];

/// The language of a locale, if mails are written in it; else English.
pub fn language_of(locale: &str) -> &'static str {
    let language = locale.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES.into_iter().find(|known| *known == language).unwrap_or("en")
}

/// Whether mails are written in a locale's language.
pub fn is_spoken(locale: &str) -> bool {
    locale.split(['-', '_']).next().is_some_and(|language| LANGUAGES.contains(&language))
}

/// What the templates of a kind may name, filled with made-up facts. Everything that may be there is.
pub fn sample(kind: &str) -> Value {
    let money = |minor: i64| json!({ "amount_minor": minor, "currency": "EUR" });
    let lines = json!([
        { "title": "Enamel mug", "variant_title": "Blue", "sku": "MUG-BLUE", "quantity": 2,
          "unit_price": money(1299), "total": money(2598) },
        { "title": "Green tea", "variant_title": "", "sku": null, "quantity": 1,
          "unit_price": money(690), "total": money(690) },
    ]);
    let address = json!({
        "first_name": "Ada", "last_name": "Lovelace", "company": null, "address1": "Lindenweg 1", "address2": null,
        "city": "Berlin", "province": null, "postal_code": "10117", "country": "DE", "phone": null,
    });
    let order = json!({ "order_id": "ord_01h455vb4pex5vsknk084sn02q", "number": 1001, "name": "#1001", "email": "ada@example.com" });
    let more = match kind {
        "order_placed" => json!({
            "lines": lines, "subtotal": money(3288), "discount": money(329), "shipping": money(490),
            "shipping_title": "Standard", "tax": money(551), "total": money(3449), "prices_include_tax": true,
            "shipping_address": address, "billing_address": address, "financial_status": "pending",
            "payment_provider": "manual", "placed_at": "2026-11-24T10:15:30Z",
        }),
        "order_paid" => {
            json!({ "amount": money(3449), "payment_provider": "manual", "paid_at": "2026-11-24T10:15:30Z" })
        }
        "order_cancelled" => json!({
            "reason": "inventory", "lines": lines, "total": money(3449), "refund": money(3449),
            "cancelled_at": "2026-11-24T10:15:30Z",
        }),
        "order_refunded" => json!({
            "refund_id": "rfd_01h455vb4pex5vsknk084sn02q", "amount": money(1000), "refunded": money(1000),
            "refunded_at": "2026-11-24T10:15:30Z",
        }),
        "order_shipped" => json!({
            "fulfillment_id": "ful_01h455vb4pex5vsknk084sn02q", "fulfillment_name": "#1001-F1",
            "lines": [{ "title": "Enamel mug", "variant_title": "Blue", "sku": "MUG-BLUE", "quantity": 2 }],
            "tracking_company": "DHL", "tracking_number": "00340434161094042557",
            "tracking_url": "https://www.dhl.de/track?piececode=00340434161094042557",
            "fulfillment_status": "partially_fulfilled", "notify": true, "shipped_at": "2026-11-25T14:02:11Z",
        }),
        "order_news" => {
            json!({ "news": "order.paid", "unsubscribe_link": "https://shop.example/account/unsubscribe#secret" })
        }
        "draft_order_invoice" => {
            return json!({
                "draft_order_id": "dft_01h455vb4pex5vsknk084sn02q", "name": "#D12", "lines": lines, "subtotal": money(3288),
                "discount": money(329), "shipping": money(490), "shipping_title": "Standard", "tax": money(551),
                "prices_include_tax": true, "total": money(3449), "message": "As we agreed on the telephone.",
                "valid_until": "2026-12-24",
                "link": "https://shop.example/draft-orders/dft_01h455vb4pex5vsknk084sn02q#secret",
            });
        }
        "gift_card" => {
            return json!({
                "code": "GIFT-8XQ2-M4TZ-V7KD", "amount": money(5000), "message": "Happy birthday, Grace!",
                "expires_at": "2029-11-24",
            });
        }
        "abandoned_cart" => {
            return json!({
                "lines": [{ "title": "Enamel mug", "variant_title": "Blue", "sku": "MUG-BLUE", "quantity": 2 }], "link": "https://shop.example/cart/crt_01h455vb4pex5vsknk084sn02q#secret",
                "unsubscribe_link": "https://shop.example/account/unsubscribe#secret",
            });
        }
        "back_in_stock" => {
            return json!({
                "title": "Enamel mug", "variant_title": "Blue", "sku": "MUG-BLUE", "handle": "enamel-mug",
                "link": "https://shop.example/products/enamel-mug",
                "unsubscribe_link": "https://shop.example/account/unsubscribe#secret",
            });
        }
        "subscription_confirm" => {
            return json!({
                "topic": "back_in_stock", "title": "Enamel mug", "variant_title": "Blue", "order_name": "#1001",
                "link": "https://shop.example/account/confirm-subscription#secret",
            });
        }
        "low_stock" => {
            return json!({
                "variant_id": "var_01h455vb4pex5vsknk084sn02q", "title": "Enamel mug", "variant_title": "Blue",
                "sku": "MUG-BLUE", "available": 3, "threshold": 5,
            });
        }
        "dispute_opened" => {
            return json!({
                "dispute_id": "dsp_01h455vb4pex5vsknk084sn02q", "order_id": "ord_01h455vb4pex5vsknk084sn02q", "name": "#1001",
                "provider": "stripe", "reference": "dp_1Souk4242", "amount": money(3288), "reason": "fraudulent",
                "inquiry": false, "evidence_due_at": "2026-12-08T23:59:59Z", "opened_at": "2026-11-24T10:15:30Z",
            });
        }
        "daily_digest" => {
            return json!({
                "date": "2026-11-23", "orders": 12, "sales": [money(41_388)], "refunds": [money(1000)],
                "best": [{ "title": "Enamel mug", "variant_title": "Blue", "quantity": 9 }],
                "waiting": 2,
            });
        }
        "webhook_disabled" => {
            return json!({
                "endpoint_id": "whe_01h455vb4pex5vsknk084sn02q", "url": "https://erp.example/hooks",
                "reason": "it answered 410 Gone", "email": "owner@shop.example",
            });
        }
        "staff_invitation" => {
            return json!({
                "email": "grace@example.com", "role": "manager", "link": "https://console.example/join-store#secret",
            });
        }
        "staff_new_device" => {
            return json!({
                "name": "Grace Hopper", "email": "grace@example.com", "device": "Mozilla/5.0 (X11; Linux x86_64)",
                "network": "203.0.113.7",
            });
        }
        "sender_confirm" => {
            return json!({
                "email": "hello@shop.example", "link": "https://shop.example/confirm-sender#secret",
            });
        }
        _ => {
            return json!({
                "name": "Ada Lovelace", "email": "ada@example.com", "link": "https://shop.example/account/page#secret",
                "device": "Mozilla/5.0 (X11; Linux x86_64)", "network": "203.0.113.7", "provider": "Example ID",
            });
        }
    };
    joined(order, more)
}

/// Parts of a sample that are not always there. A template that needs one of them must ask first.
pub fn optional(kind: &str) -> &'static [&'static str] {
    match kind {
        "order_placed" => {
            &["discount", "shipping_title", "shipping_address", "billing_address", "payment_provider"]
        }
        "order_cancelled" => &["refund"],
        "order_shipped" => &["tracking_company", "tracking_number", "tracking_url"],
        "gift_card" => &["message", "expires_at"],
        "draft_order_invoice" => &["discount", "shipping", "shipping_title", "message", "valid_until"],
        "back_in_stock" | "low_stock" => &["sku"],
        "dispute_opened" => &["evidence_due_at"],
        _ => &[],
    }
}

/// One object of two; the second's members win.
pub fn joined(mut first: Value, second: Value) -> Value {
    if let (Value::Object(all), Value::Object(more)) = (&mut first, second) {
        all.extend(more);
    }
    first
}
