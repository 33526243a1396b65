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
    ("checkoutDraftOrder", "/expected_total/amount_minor", "#draft total"),
    ("checkoutDraftOrder", "/payment/return_url", "=http://localhost:3000/thanks"),
    ("createCheckoutSession", "/success_url", "=http://localhost:3000/thanks"),
    ("storesRemove", "?confirm", "handle"),
    ("accountsVerify", "/token", "verification token"),
    ("accountsCompleteReset", "/token", "reset token"),
    ("membersAccept", "/token", "invitation token"),
    ("sessionsSignIn", "/email", "email"),
    ("sessionsRefresh", "/refresh_token", "refresh token"),
    ("signIn", "/email", "customer email"),
    ("refreshSession", "/refresh_token", "customer refresh token"),
    ("endSession", "{session}", "customer session"),
    ("identitiesBegin", "{provider}", "=google"),
    ("identitiesComeBack", "{provider}", "=google"),
    ("identitiesBegin", "?challenge", "=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("beginSignIn", "?challenge", "=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("staffBeginSignIn", "?challenge", "=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("permissionsExplain", "?actor", "=anyone"),
    ("permissionsExplain", "?action", "=order:view"),
    ("suggestProducts", "?q", "=mug"),
    ("emailTemplatesGet", "{kind}", "=order_placed"),
    ("emailTemplatesGet", "{locale}", "=en"),
    ("emailTemplatesPut", "{kind}", "=order_placed"),
    ("emailTemplatesPut", "{locale}", "=en"),
    ("emailTemplatesDelete", "{kind}", "=order_paid"),
    ("emailTemplatesDelete", "{locale}", "=en"),
    ("emailTemplatesVersions", "{kind}", "=order_placed"),
    ("emailTemplatesVersions", "{locale}", "=en"),
    ("emailTemplatesRestore", "{kind}", "=order_paid"),
    ("emailTemplatesRestore", "{locale}", "=en"),
    ("emailTemplatesPreview", "{kind}", "=order_placed"),
    ("emailTemplatesPreview", "{locale}", "=en"),
    ("emailTemplatesTest", "{kind}", "=order_placed"),
    ("emailTemplatesTest", "{locale}", "=en"),
    ("emailTemplatesRestore", "{version}", "=1"),
    ("emailSuppressionsRemove", "{email}", "=nobody@example.com"),
    ("unsubscribe", "{token}", "=none"),
    ("createImport", "?format", "=csv"),
    ("exportProducts", "?format", "=csv"),
    ("deadLettersGet", "{id}", "=0"),
    ("deadLettersRetry", "{id}", "=0"),
    ("deadLettersDiscard", "{id}", "=0"),
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
            "x-draft-order-secret" => thing("draft order secret"),
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
    if body.media_type == "text/csv" {
        let table = body.example.as_str().expect("an example of a table");
        return call.bytes(&body.media_type, table.as_bytes().to_vec());
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
