//! Every kind of event, with the JSON Schema of its data made from the Rust type, and `docs/EVENTS.md` made from that.

use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use souk_event_bus::Fact;
use souk_kernel::openapi::Words;
use utoipa::openapi::schema::ComponentsBuilder;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder, PathsBuilder};
use utoipa::{Modify as _, ToSchema};

use crate::catalog::{ProductCreated, ProductDeleted, ProductUpdated};
use crate::credit::{CreditIssued, GiftCardLetterWanted};
use crate::customers::{CustomerErased, CustomerRegistered, LetterWanted};
use crate::discounts::{DiscountCreated, DiscountDeleted, DiscountUpdated};
use crate::drafts::{
    DraftOrderCancelled, DraftOrderCompleted, DraftOrderCreated, DraftOrderExpired, DraftOrderInvoiceSent,
    DraftOrderUpdated,
};
use crate::fulfillment::{FulfillmentCancelled, FulfillmentCreated, FulfillmentUpdated};
use crate::groups::{CustomerGroupCreated, CustomerGroupDeleted, CustomerGroupUpdated};
use crate::identities::StaffNewDevice;
use crate::imports::ImportFinished;
use crate::inventory::StockTransferMoved;
use crate::invoices::InvoiceIssued;
use crate::orders::{OrderCancelled, OrderPaid, OrderPartiallyPaid, OrderPlaced, OrderRefunded};
use crate::payments::{DisputeLost, DisputeOpened, DisputeWon};
use crate::staff::StaffInvited;
use crate::subscriptions::{BackInStock, CartAbandoned, DailyDigest, LowOnStock, SubscriptionLetterWanted};
use crate::webhooks::WebhookDisabled;

/// A kind of event that stores state.
pub struct Announced {
    pub kind: &'static str,
    pub version: u16,
    pub aggregate: &'static str,
    pub description: String,
    /// JSON Schema (2020-12) of the data; what it refers to is in its `$defs`.
    pub schema: Value,
}

/// All of them, by name.
pub fn announced() -> &'static [Announced] {
    static ALL: LazyLock<Vec<Announced>> = LazyLock::new(|| {
        let mut all = vec![
            of::<OrderPlaced>(),
            of::<OrderPaid>(),
            of::<OrderPartiallyPaid>(),
            of::<OrderCancelled>(),
            of::<OrderRefunded>(),
            of::<DisputeOpened>(),
            of::<DisputeWon>(),
            of::<DisputeLost>(),
            of::<DraftOrderCreated>(),
            of::<DraftOrderUpdated>(),
            of::<DraftOrderInvoiceSent>(),
            of::<DraftOrderCompleted>(),
            of::<DraftOrderCancelled>(),
            of::<DraftOrderExpired>(),
            of::<InvoiceIssued>(),
            of::<FulfillmentCreated>(),
            of::<FulfillmentUpdated>(),
            of::<FulfillmentCancelled>(),
            of::<ProductCreated>(),
            of::<ProductUpdated>(),
            of::<ProductDeleted>(),
            of::<ImportFinished>(),
            of::<CustomerRegistered>(),
            of::<CustomerErased>(),
            of::<LetterWanted>(),
            of::<StaffInvited>(),
            of::<StaffNewDevice>(),
            of::<CreditIssued>(),
            of::<GiftCardLetterWanted>(),
            of::<DiscountCreated>(),
            of::<DiscountUpdated>(),
            of::<DiscountDeleted>(),
            of::<CustomerGroupCreated>(),
            of::<CustomerGroupUpdated>(),
            of::<CustomerGroupDeleted>(),
            of::<WebhookDisabled>(),
            of::<StockTransferMoved>(),
            of::<LowOnStock>(),
            of::<BackInStock>(),
            of::<SubscriptionLetterWanted>(),
            of::<CartAbandoned>(),
            of::<DailyDigest>(),
        ];
        all.sort_unstable_by_key(|event| event.kind);
        all
    });
    &ALL
}

fn of<F: Fact + ToSchema>() -> Announced {
    let mut components = ComponentsBuilder::new().schema(F::name(), F::schema());
    let mut parts = Vec::new();
    F::schemas(&mut parts);
    components = components.schemas_from_iter(parts);
    let info = InfoBuilder::new().title("events").version("1").build();
    let mut document = OpenApiBuilder::new()
        .info(info)
        .paths(PathsBuilder::new())
        .components(Some(components.build()))
        .build();
    // Words may refer to words.
    Words.modify(&mut document);
    Words.modify(&mut document);
    let mut schemas = serde_json::to_value(&document.components).unwrap_or_default()["schemas"].take();
    let mut schema =
        schemas.as_object_mut().and_then(|all| all.remove(F::name().as_ref())).unwrap_or_default();
    let description = schema["description"].as_str().unwrap_or_default().to_owned();
    // A component's key says nothing about the type; the order is the alphabet's, so that the document is stable.
    let mut definitions: Vec<_> = schemas.as_object().cloned().unwrap_or_default().into_iter().collect();
    definitions.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    if let (Some(schema), false) = (schema.as_object_mut(), definitions.is_empty()) {
        schema.insert("$defs".to_owned(), Value::Object(definitions.into_iter().collect::<Map<_, _>>()));
    }
    let text = schema.to_string().replace("#/components/schemas/", "#/$defs/");
    let mut schema: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_insert(0, "$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        schema.shift_insert(1, "title".to_owned(), format!("{} v{}", F::KIND, F::VERSION).into());
    }
    Announced { kind: F::KIND, version: F::VERSION, aggregate: F::AGGREGATE, description, schema }
}

const HEAD: &str = include_str!("events.head.md");

/// `docs/EVENTS.md`.
pub fn document() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n| Type | Version | Aggregate | Says |\n|---|---|---|---|\n");
    for event in announced() {
        let Announced { kind, version, aggregate, description, .. } = event;
        let says = description.lines().next().unwrap_or_default();
        let says = says.strip_prefix(&format!("`{kind}`: ")).unwrap_or(says);
        // Writing to a text cannot fail.
        let _ =
            writeln!(text, "| [`{kind}`](#{}) | {version} | {aggregate} | {says} |", kind.replace('.', ""));
    }
    for event in announced() {
        let schema = serde_json::to_string_pretty(&event.schema).unwrap_or_default();
        let _ = write!(
            text,
            "\n### {}\n\n{}\n\n<details><summary>JSON Schema of <code>data</code>, version {}</summary>\n\n```json\n{schema}\n```\n\n</details>\n",
            event.kind, event.description, event.version
        );
    }
    text
}
