//! A sound request for every operation: its example, with ids that exist.

use serde_json::Value;
use souk_proofs::document::{id_prefix, prefix_of};
use souk_proofs::{Business, Call, Operation, Place};

/// What a part of an operation's request must be, where the first thing of its kind does not do. `{name}` is a part of the path, `?name`
/// one of the query, `/pointer` one of the body, a bare name a header; `=text` stands for itself, `#thing` for a thing that is a number.
const PARTS: &[(&str, &str, &str)] = &[
    ("captureOrder", "{id}", "ord:authorized"),
    ("markOrderPaid", "{id}", "ord:unpaid"),
    ("createCart", "/discount_codes/0", "code"),
    ("enterCartDiscountCode", "/code", "code"),
    ("enterCartGiftCard", "/code", "gift card"),
    ("getStoreCredit", "{id}", "store credit"),
    ("lookUpOrder", "?number", "order number"),
    ("lookUpOrder", "?secret", "order secret"),
    ("checkout", "/expected_total/amount_minor", "#total"),
    ("checkout", "/payment/return_url", "=http://localhost:3000/thanks"),
    ("createCheckoutSession", "/success_url", "=http://localhost:3000/thanks"),
    ("stores_remove", "?confirm", "handle"),
    ("accounts_verify", "/token", "verification token"),
    ("accounts_complete_reset", "/token", "reset token"),
    ("members_accept", "/token", "invitation token"),
    ("sessions_sign_in", "/email", "email"),
    ("sessions_refresh", "/refresh_token", "refresh token"),
    ("signIn", "/email", "customer email"),
    ("refreshSession", "/refresh_token", "customer refresh token"),
    ("endSession", "{session}", "customer session"),
    ("identities_begin", "{provider}", "=google"),
    ("identities_come_back", "{provider}", "=google"),
    ("identities_begin", "?challenge", "=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("beginSignIn", "?challenge", "=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("staff_begin_sign_in", "?challenge", "=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("permissions_explain", "?actor", "=anyone"),
    ("permissions_explain", "?action", "=order:view"),
    ("suggestProducts", "?q", "=mug"),
    ("email_templates_get", "{kind}", "=order_placed"),
    ("email_templates_get", "{locale}", "=en"),
    ("email_templates_put", "{kind}", "=order_placed"),
    ("email_templates_put", "{locale}", "=en"),
    ("email_templates_delete", "{kind}", "=order_paid"),
    ("email_templates_delete", "{locale}", "=en"),
    ("email_templates_versions", "{kind}", "=order_placed"),
    ("email_templates_versions", "{locale}", "=en"),
    ("email_templates_restore", "{kind}", "=order_paid"),
    ("email_templates_restore", "{locale}", "=en"),
    ("email_templates_preview", "{kind}", "=order_placed"),
    ("email_templates_preview", "{locale}", "=en"),
    ("email_templates_test", "{kind}", "=order_placed"),
    ("email_templates_test", "{locale}", "=en"),
    ("email_templates_restore", "{version}", "=1"),
    ("email_suppressions_remove", "{email}", "=nobody@example.com"),
    ("unsubscribe", "{token}", "=none"),
    ("dead_letters_get", "{id}", "=0"),
    ("dead_letters_retry", "{id}", "=0"),
    ("dead_letters_discard", "{id}", "=0"),
];

/// Parts of paths that take an id or a readable handle, so that their schema says neither.
const NAMES: &[(&str, &str)] = &[("product", "prd"), ("collection", "col"), ("category", "cat")];

/// The request for an operation at a business.
pub fn sound(operation: &Operation, at: &Business) -> Call {
    let special = |part: &str| {
        PARTS.iter().find(|(id, known, _)| *id == operation.id && *known == part).map(|(_, _, thing)| *thing)
    };
    let thing = |name: &str| -> String {
        if let Some(text) = name.strip_prefix('=') {
            return text.to_owned();
        }
        let found = at.things.get(name.trim_start_matches('#'));
        // A kind of thing that nobody has put into the business yet: who may is then told that it is not there.
        let absent = || {
            assert!(name.len() <= 4, "{operation} needs a `{name}`: see tests/stage/business.rs");
            format!("{name}_01h455vb4pex5vsknk084sn02q")
        };
        found.cloned().unwrap_or_else(absent)
    };
    let mut path = operation.path.clone();
    for parameter in operation.of(Place::Path) {
        let slot = format!("{{{}}}", parameter.name);
        let readable = || NAMES.iter().find(|(name, _)| *name == parameter.name).map(|(_, prefix)| *prefix);
        let name = special(&slot)
            .or_else(|| id_prefix(&parameter.schema))
            .or_else(readable)
            .unwrap_or(&parameter.name);
        path = path.replace(&slot, &thing(name));
    }
    let mut query = Vec::new();
    for parameter in operation.of(Place::Query) {
        if let Some(name) = special(&format!("?{}", parameter.name)) {
            query.push(format!("{}={}", parameter.name, thing(name)));
        } else if parameter.required {
            let prefix = id_prefix(&parameter.schema).unwrap_or(&parameter.name);
            query.push(format!("{}={}", parameter.name, thing(prefix)));
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let mut call = Call::new(&operation.method, path);
    for parameter in operation.of(Place::Header) {
        let value = match parameter.name.to_ascii_lowercase().as_str() {
            "if-match" => "*".to_owned(),
            "idempotency-key" => uuid::Uuid::now_v7().to_string(),
            "x-cart-secret" => thing("cart secret"),
            "x-order-secret" => thing("order secret"),
            other => match special(other) {
                Some(name) => thing(name),
                None => continue,
            },
        };
        call = call.header(&parameter.name, value);
    }
    let Some(body) = &operation.body else { return call };
    if body.media_type == "application/x-www-form-urlencoded" {
        return call.bytes(&body.media_type, form(&body.example).into_bytes());
    }
    if body.media_type != "application/json" || body.schema["type"] == "array" {
        return call.bytes(&body.media_type, souk_proofs::business::PICTURE.to_vec());
    }
    let mut example = body.example.clone();
    let mut places = Vec::new();
    strings(&example, String::new(), &mut places);
    for (pointer, text) in places {
        let name =
            special(&pointer).or_else(|| prefix_of(&text).filter(|prefix| at.things.contains_key(*prefix)));
        if let (Some(name), Some(place)) = (name, example.pointer_mut(&pointer)) {
            *place = Value::from(thing(name));
        }
    }
    for (_, pointer, name) in
        PARTS.iter().filter(|(id, _, name)| *id == operation.id && name.starts_with('#'))
    {
        if let Some(place) = example.pointer_mut(pointer) {
            *place = thing(name).parse::<i64>().map(Value::from).expect("a number");
        }
    }
    call.json(&example)
}

/// An example as a form.
fn form(example: &Value) -> String {
    let fields = example.as_object().into_iter().flatten();
    let pair = |(name, value): (&String, &Value)| {
        format!("{name}={}", value.as_str().unwrap_or_default().replace(':', "%3A"))
    };
    fields.map(pair).collect::<Vec<_>>().join("&")
}

/// Every text in a body, and where it is.
pub fn strings(value: &Value, at: String, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((at, text.clone())),
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                strings(item, format!("{at}/{number}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                strings(field, format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}
