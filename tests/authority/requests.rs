//! A sound request for every operation: its example, with ids that exist.

use serde_json::Value;
use souk_kernel::Clock;
use souk_payment_provider::webhook::WebhookSecret;
use souk_proofs::document::{id_prefix, prefix_of};
use souk_proofs::platform::WEBHOOK_SECRET;
use souk_proofs::{Business, Call, Operation, Place};

/// What a part of an operation's request must be, where the first thing of its kind does not do. `{name}` is a part of the path, `?name`
/// one of the query, `/pointer` one of the body, put there where the example leaves it out, a bare name a header; `=text` stands for itself,
/// `+json` too, `#thing` for a thing that is a number.
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
    ("setPaymentCredentials", "{provider}", "=stripe"),
    ("removePaymentCredentials", "{provider}", "=stripe"),
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
    ("getAddressRules", "{country}", "=US"),
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
    ("emailTemplatesRestore", "{version}", "template version"),
    ("emailSuppressionsRemove", "{email}", "suppressed email"),
    ("unsubscribe", "{token}", "=none"),
    ("createImport", "?format", "=csv"),
    ("exportProducts", "?format", "=csv"),
    ("deadLettersGet", "{id}", "dead letter"),
    ("deadLettersRetry", "{id}", "dead letter"),
    ("deadLettersDiscard", "{id}", "dead letter"),
    ("deadLettersRetryAll", "/consumer", "=webhooks"),
    ("grantsGrantsWithdraw", "{grant}", "gnt:theirs"),
    ("identitiesUnlink", "{identity}", "idn:owner"),
    ("oauthToken", "/client_secret", "app secret"),
    ("quote", "/discount_codes/0", "code"),
    ("listPrices", "?variants", "var"),
    ("deleteCustomerGroup", "{group}", "cgr:spare"),
    ("createPriceList", "/customer_groups", "+[\"cgr_01h455vb4pex5vsknk084sn02q\"]"),
    ("createDiscount", "/customer_groups", "+[\"cgr_01h455vb4pex5vsknk084sn02q\"]"),
    ("countInventory", "/lines/0/item", "iit:gone"),
    ("countInventory", "/lines/0/seen", "#none left"),
    ("createStockTransfer", "/destination", "loc:other"),
    ("receiveStockTransfer", "{id}", "stt:sent"),
    ("refundOrder", "/lines", r#"+[{"line": "", "quantity": 1}]"#),
    ("refundOrder", "/lines/0/line", "oln:paid"),
    ("previewRefund", "/lines", r#"+[{"line": "", "quantity": 1}]"#),
    ("previewRefund", "/lines/0/line", "oln:paid"),
    ("retryRefund", "{id}", "ord:cancelled"),
    ("getPolicy", "{policy}", "=refund"),
    ("putPolicy", "{policy}", "=refund"),
    ("deletePolicy", "{policy}", "=refund"),
    ("listPolicyVersions", "{policy}", "=refund"),
    ("shopPolicy", "{policy}", "=refund"),
    ("setPriceListPrices", "{id}", "pls:fixed"),
    ("putMarket", "{id}", "mkt:other"),
    ("deleteMarket", "{id}", "mkt:other"),
    ("createTaxRegion", "/code", "=ML"),
    ("createTaxRegion", "/postal_ranges/0/from", "=52000"),
    ("createTaxRegion", "/postal_ranges/0/to", "=52999"),
    ("createTaxRegion", "/postal_ranges/1/from", "=51000"),
    ("createTaxRegion", "/postal_ranges/1/to", "=51999"),
    ("replaceTaxRegion", "{id}", "txr:spare"),
    ("deleteTaxRegion", "{id}", "txr:spare"),
    ("putTaxClass", "{code}", "=books"),
    ("deleteTaxClass", "{code}", "=spare"),
    ("waitForStock", "/variant", "var:gone"),
    ("confirmSubscription", "/token", "subscription token"),
    ("verifyCustomer", "/token", "customer verification token"),
    ("confirmEmailChange", "/token", "customer email token"),
    ("completePasswordReset", "/token", "customer reset token"),
    ("rolesMake", "/name", "=packer"),
    ("rolesEdit", "{id}", "rol:spare"),
    ("rolesEdit", "/name", "=picker"),
    ("rolesRemove", "{id}", "rol:spare"),
    ("staffInvite", "/role", "=viewer"),
    ("staffRevokeInvitation", "{id}", "inv:staff"),
    ("staffAccept", "/token", "staff invitation token"),
    ("staffEdit", "{id}", "stf:spare"),
    ("staffEdit", "/role", "=support"),
    ("staffRemove", "{id}", "stf:spare"),
    ("putStorefront", "/account_url", "=https://shop.example/account"),
    ("mailSettingsConfirmSender", "/token", "sender token"),
    ("messagesGet", "{id}", "msg:theirs"),
    ("messagesResend", "{id}", "msg:theirs"),
    ("webhookDeliveriesGet", "{id}", "whd:theirs"),
    ("webhookDeliveriesList", "{id}", "whe:theirs"),
    ("webhookDeliveriesResend", "{id}", "whd:awake"),
    ("webhookEndpointsCreate", "/url", "=https://erp.example/hook"),
    ("webhookEndpointsDelete", "{id}", "whe:theirs"),
    ("webhookEndpointsEdit", "{id}", "whe:theirs"),
    ("webhookEndpointsEdit", "/types/0", "=order.placed"),
    ("webhookEndpointsEdit", "/url", "=https://erp.example/hook"),
    ("webhookEndpointsGet", "{id}", "whe:theirs"),
    ("webhookEndpointsRotateSecret", "{id}", "whe:theirs"),
    ("webhookEndpointsResend", "{id}", "whe:awake"),
    ("webhookEndpointsResend", "/event", "evt:awake"),
    ("webhookEndpointsTest", "{id}", "whe:awake"),
];

const FORM: &str = "application/x-www-form-urlencoded";
/// What mail services tell is signed with a secret of the store's.
const REPORT: &str = "mailReport";

/// Parts of paths that take an id or a readable handle, so that their schema says neither.
const NAMES: &[(&str, &str)] =
    &[("product", "prd"), ("collection", "col"), ("category", "cat"), ("page", "pag"), ("menu", "mnu")];

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
    if body.media_type == "text/csv" {
        let table = body.example.as_str().expect("an example of a table");
        return call.bytes(&body.media_type, table.as_bytes().to_vec());
    }
    let has_fields = body.media_type == FORM || body.media_type == "application/json";
    if !has_fields || body.schema["type"] == "array" {
        return call.bytes(&body.media_type, souk_proofs::business::PICTURE.to_vec());
    }
    let mut example = body.example.clone();
    let of_the_body = |(id, part, _): &&(&str, &str, &str)| *id == operation.id && part.starts_with('/');
    for (_, pointer, name) in PARTS.iter().filter(of_the_body) {
        if example.pointer(pointer).is_none() {
            let left_out = name.strip_prefix('+').map(|json| serde_json::from_str(json).expect("JSON"));
            let (parent, field) = pointer.rsplit_once('/').unwrap_or_default();
            let place = example.pointer_mut(parent).expect("a place for what is left out");
            place[field] = left_out.unwrap_or_else(|| Value::from(thing(name)));
        }
    }
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
    if body.media_type == FORM {
        return call.bytes(FORM, form(&example).into_bytes());
    }
    let call = call.json(&example);
    if operation.id == REPORT { signed(call) } else { call }
}

/// Signed as Standard Webhooks say, now: good for five minutes.
fn signed(call: Call) -> Call {
    let secret: WebhookSecret = WEBHOOK_SECRET.parse().expect("a secret");
    let (id, now) = (uuid::Uuid::now_v7().to_string(), Clock::system().now().timestamp());
    let body = String::from_utf8_lossy(call.body.as_deref().unwrap_or_default()).into_owned();
    let signature = secret.sign(&id, now, &body);
    call.header("webhook-id", id)
        .header("webhook-timestamp", now.to_string())
        .header("webhook-signature", signature)
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
