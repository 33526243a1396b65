//! The catalogue: complete, documented, and old forms stay readable.

mod http;
mod letters;
mod stream;

use serde_json::json;
use souk_event_bus::Fact;

use super::model::catalogue::{announced, document};
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
use crate::testing::forms::complaint;
use crate::webhooks::WebhookDisabled;

#[test]
fn the_committed_document_is_what_the_types_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/EVENTS.md");
    let (committed, right) = (std::fs::read_to_string(path).unwrap_or_default(), document());
    if committed != right {
        let beside = std::env::temp_dir().join("EVENTS.md");
        std::fs::write(&beside, right).unwrap();
        panic!(
            "run: cargo run -p souk-tenant-runtime -- events > docs/EVENTS.md (or copy {})",
            beside.display()
        );
    }
}

/// What version 1 looked like on the day it was first written. Never change one: add the next version beside it.
const GOLDEN: &[(&str, u16, &str)] = &[
    ("order.placed", 1, include_str!("../../../golden/order.placed.v1.json")),
    ("order.paid", 1, include_str!("../../../golden/order.paid.v1.json")),
    ("order.partially_paid", 1, include_str!("../../../golden/order.partially_paid.v1.json")),
    ("order.cancelled", 1, include_str!("../../../golden/order.cancelled.v1.json")),
    ("order.refunded", 1, include_str!("../../../golden/order.refunded.v1.json")),
    ("dispute.opened", 1, include_str!("../../../golden/dispute.opened.v1.json")),
    ("dispute.won", 1, include_str!("../../../golden/dispute.won.v1.json")),
    ("dispute.lost", 1, include_str!("../../../golden/dispute.lost.v1.json")),
    ("draft_order.created", 1, include_str!("../../../golden/draft_order.created.v1.json")),
    ("draft_order.updated", 1, include_str!("../../../golden/draft_order.updated.v1.json")),
    ("draft_order.invoice_sent", 1, include_str!("../../../golden/draft_order.invoice_sent.v1.json")),
    ("draft_order.completed", 1, include_str!("../../../golden/draft_order.completed.v1.json")),
    ("draft_order.cancelled", 1, include_str!("../../../golden/draft_order.cancelled.v1.json")),
    ("draft_order.expired", 1, include_str!("../../../golden/draft_order.expired.v1.json")),
    ("fulfillment.created", 1, include_str!("../../../golden/fulfillment.created.v1.json")),
    ("fulfillment.updated", 1, include_str!("../../../golden/fulfillment.updated.v1.json")),
    ("fulfillment.cancelled", 1, include_str!("../../../golden/fulfillment.cancelled.v1.json")),
    ("product.created", 1, include_str!("../../../golden/product.created.v1.json")),
    ("product.updated", 1, include_str!("../../../golden/product.updated.v1.json")),
    ("import.finished", 1, include_str!("../../../golden/import.finished.v1.json")),
    ("invoice.issued", 1, include_str!("../../../golden/invoice.issued.v1.json")),
    ("product.deleted", 1, include_str!("../../../golden/product.deleted.v1.json")),
    ("customer.registered", 1, include_str!("../../../golden/customer.registered.v1.json")),
    ("customer.erased", 1, include_str!("../../../golden/customer.erased.v1.json")),
    ("customer.letter_wanted", 1, include_str!("../../../golden/customer.letter_wanted.v1.json")),
    ("staff.invited", 1, include_str!("../../../golden/staff.invited.v1.json")),
    ("staff.new_device", 1, include_str!("../../../golden/staff.new_device.v1.json")),
    ("credit.issued", 1, include_str!("../../../golden/credit.issued.v1.json")),
    ("credit.letter_wanted", 1, include_str!("../../../golden/credit.letter_wanted.v1.json")),
    ("discount.created", 1, include_str!("../../../golden/discount.created.v1.json")),
    ("discount.updated", 1, include_str!("../../../golden/discount.updated.v1.json")),
    ("discount.deleted", 1, include_str!("../../../golden/discount.deleted.v1.json")),
    ("customer_group.created", 1, include_str!("../../../golden/customer_group.created.v1.json")),
    ("customer_group.updated", 1, include_str!("../../../golden/customer_group.updated.v1.json")),
    ("customer_group.deleted", 1, include_str!("../../../golden/customer_group.deleted.v1.json")),
    ("webhook_endpoint.disabled", 1, include_str!("../../../golden/webhook_endpoint.disabled.v1.json")),
    ("stock_transfer.moved", 1, include_str!("../../../golden/stock_transfer.moved.v1.json")),
    ("variant.low_on_stock", 1, include_str!("../../../golden/variant.low_on_stock.v1.json")),
    ("variant.back_in_stock", 1, include_str!("../../../golden/variant.back_in_stock.v1.json")),
    ("subscription.letter_wanted", 1, include_str!("../../../golden/subscription.letter_wanted.v1.json")),
    ("cart.abandoned", 1, include_str!("../../../golden/cart.abandoned.v1.json")),
    ("store.day_told", 1, include_str!("../../../golden/store.day_told.v1.json")),
];

fn read<F: Fact + serde::de::DeserializeOwned>(text: &str) -> serde_json::Value {
    let fact: F = serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", F::KIND));
    serde_json::to_value(fact).unwrap()
}

#[test]
fn golden_payloads_of_every_version_stay_readable() {
    for event in announced() {
        for version in 1..=event.version {
            assert!(
                GOLDEN.iter().any(|(kind, of, _)| *kind == event.kind && *of == version),
                "{} v{version} has no golden payload: add golden/{0}.v{version}.json",
                event.kind
            );
        }
    }
    for (kind, _, text) in GOLDEN {
        let again = match *kind {
            "order.placed" => read::<OrderPlaced>(text),
            "order.paid" => read::<OrderPaid>(text),
            "order.partially_paid" => read::<OrderPartiallyPaid>(text),
            "order.cancelled" => read::<OrderCancelled>(text),
            "order.refunded" => read::<OrderRefunded>(text),
            "dispute.opened" => read::<DisputeOpened>(text),
            "dispute.won" => read::<DisputeWon>(text),
            "dispute.lost" => read::<DisputeLost>(text),
            "draft_order.created" => read::<DraftOrderCreated>(text),
            "draft_order.updated" => read::<DraftOrderUpdated>(text),
            "draft_order.invoice_sent" => read::<DraftOrderInvoiceSent>(text),
            "draft_order.completed" => read::<DraftOrderCompleted>(text),
            "draft_order.cancelled" => read::<DraftOrderCancelled>(text),
            "draft_order.expired" => read::<DraftOrderExpired>(text),
            "invoice.issued" => read::<InvoiceIssued>(text),
            "fulfillment.created" => read::<FulfillmentCreated>(text),
            "fulfillment.updated" => read::<FulfillmentUpdated>(text),
            "fulfillment.cancelled" => read::<FulfillmentCancelled>(text),
            "import.finished" => read::<ImportFinished>(text),
            "product.created" => read::<ProductCreated>(text),
            "product.updated" => read::<ProductUpdated>(text),
            "product.deleted" => read::<ProductDeleted>(text),
            "customer.registered" => read::<CustomerRegistered>(text),
            "customer.erased" => read::<CustomerErased>(text),
            "customer.letter_wanted" => read::<LetterWanted>(text),
            "staff.invited" => read::<StaffInvited>(text),
            "staff.new_device" => read::<StaffNewDevice>(text),
            "credit.issued" => read::<CreditIssued>(text),
            "credit.letter_wanted" => read::<GiftCardLetterWanted>(text),
            "discount.created" => read::<DiscountCreated>(text),
            "discount.updated" => read::<DiscountUpdated>(text),
            "discount.deleted" => read::<DiscountDeleted>(text),
            "customer_group.created" => read::<CustomerGroupCreated>(text),
            "customer_group.updated" => read::<CustomerGroupUpdated>(text),
            "customer_group.deleted" => read::<CustomerGroupDeleted>(text),
            "webhook_endpoint.disabled" => read::<WebhookDisabled>(text),
            "stock_transfer.moved" => read::<StockTransferMoved>(text),
            "variant.low_on_stock" => read::<LowOnStock>(text),
            "variant.back_in_stock" => read::<BackInStock>(text),
            "subscription.letter_wanted" => read::<SubscriptionLetterWanted>(text),
            "cart.abandoned" => read::<CartAbandoned>(text),
            "store.day_told" => read::<DailyDigest>(text),
            other => panic!("nobody reads {other}"),
        };
        let golden: serde_json::Value = serde_json::from_str(text).unwrap();
        for (field, value) in golden.as_object().unwrap() {
            assert_eq!(&again[field], value, "{kind}: {field} means the same as ever");
        }
    }
}

#[test]
fn golden_payloads_have_the_form_that_is_announced() {
    for (kind, version, text) in GOLDEN {
        let data: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(complaint(kind, *version, &data), None);
    }
}

#[test]
fn a_payload_of_another_form_is_complained_of() {
    let placed = GOLDEN.iter().find(|(kind, ..)| *kind == "order.placed").unwrap().2;
    let data: serde_json::Value = serde_json::from_str(placed).unwrap();
    let of = |pointer: &str, value: serde_json::Value| {
        let mut other = data.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        complaint("order.placed", 1, &other)
    };
    assert_eq!(of("/billing_address", json!(null)), None);
    let wrong = [
        ("/order_id", json!("cus_01h455vb4pex5vsknk084sn02q")),
        ("/placed_at", json!("yesterday")),
        ("/total/amount_minor", json!(30.88)),
        ("/lines/0/quantity", json!("two")),
        ("/lines/0/total", json!(null)),
    ];
    for (pointer, value) in wrong {
        let found = of(pointer, value).unwrap_or_else(|| panic!("{pointer} may be anything"));
        assert!(found.contains(&format!("at '{pointer}'")), "{found}");
    }
    assert_eq!(complaint("order.eaten", 1, &data).unwrap(), "order.eaten is not announced");
    let newer = "order.placed is announced in version 1, not in 2";
    assert_eq!(complaint("order.placed", 2, &data).unwrap(), newer);

    // Of every kind: no field may be missing that there has to be, and none may be a truth value that is none, or the other way round.
    for (kind, version, text) in GOLDEN {
        let event = announced().iter().find(|event| event.kind == *kind).unwrap();
        if event.version != *version {
            continue;
        }
        let data: serde_json::Value = serde_json::from_str(text).unwrap();
        for (field, value) in data.as_object().unwrap() {
            let mut other = data.clone();
            other[field] = if value.is_boolean() { json!("true") } else { json!(true) };
            assert!(complaint(kind, *version, &other).is_some(), "{kind}: {field} may be anything");
        }
        for field in event.schema["required"].as_array().unwrap() {
            let mut other = data.clone();
            other.as_object_mut().unwrap().remove(field.as_str().unwrap());
            assert!(complaint(kind, *version, &other).is_some(), "{kind}: {field} may be missing");
        }
    }
}

#[test]
fn every_kind_says_what_it_means_and_refers_to_nothing_outside() {
    for event in announced() {
        assert!(!event.description.is_empty(), "{} needs a doc comment", event.kind);
        assert!(event.schema["properties"].is_object(), "{}", event.schema);
        let text = event.schema.to_string();
        for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let name = reference.strip_prefix("#/$defs/").expect(reference);
            assert!(event.schema["$defs"][name].is_object(), "{} lacks {name}", event.kind);
        }
    }
}

/// Kinds as they stand in the rooms' `events.rs`: `"order.placed"`.
fn stated() -> Vec<String> {
    let mut found = Vec::new();
    let rooms = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    for room in rooms {
        let Ok(text) = std::fs::read_to_string(room.unwrap().path().join("events.rs")) else { continue };
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|letter| letter == '_' || letter.is_ascii_lowercase())
        };
        let quoted = text.split('"').skip(1).step_by(2);
        found.extend(
            quoted
                .filter(|text| text.split_once('.').is_some_and(|(one, two)| is_word(one) && is_word(two)))
                .map(str::to_owned),
        );
    }
    found
}

#[test]
fn whatever_a_room_states_is_in_the_catalogue() {
    let stated = stated();
    assert!(stated.len() >= 11, "{stated:?}");
    for kind in stated {
        assert!(
            announced().iter().any(|event| event.kind == kind),
            "{kind} is stated but not announced: add it to feed/model/catalogue.rs and a golden payload"
        );
    }
}
