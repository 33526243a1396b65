//! The catalogue: complete, documented, and old forms stay readable.

use souk_event_bus::Fact;

use super::model::catalogue::{announced, document};
use crate::catalog::{ProductCreated, ProductDeleted, ProductUpdated};
use crate::customers::{CustomerErased, CustomerRegistered, LetterWanted};
use crate::orders::{OrderCancelled, OrderPaid, OrderPlaced, OrderRefunded};
use crate::staff::StaffInvited;

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
    ("order.placed", 1, include_str!("../../golden/order.placed.v1.json")),
    ("order.paid", 1, include_str!("../../golden/order.paid.v1.json")),
    ("order.cancelled", 1, include_str!("../../golden/order.cancelled.v1.json")),
    ("order.refunded", 1, include_str!("../../golden/order.refunded.v1.json")),
    ("product.created", 1, include_str!("../../golden/product.created.v1.json")),
    ("product.updated", 1, include_str!("../../golden/product.updated.v1.json")),
    ("product.deleted", 1, include_str!("../../golden/product.deleted.v1.json")),
    ("customer.registered", 1, include_str!("../../golden/customer.registered.v1.json")),
    ("customer.erased", 1, include_str!("../../golden/customer.erased.v1.json")),
    ("customer.letter_wanted", 1, include_str!("../../golden/customer.letter_wanted.v1.json")),
    ("staff.invited", 1, include_str!("../../golden/staff.invited.v1.json")),
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
            "order.cancelled" => read::<OrderCancelled>(text),
            "order.refunded" => read::<OrderRefunded>(text),
            "product.created" => read::<ProductCreated>(text),
            "product.updated" => read::<ProductUpdated>(text),
            "product.deleted" => read::<ProductDeleted>(text),
            "customer.registered" => read::<CustomerRegistered>(text),
            "customer.erased" => read::<CustomerErased>(text),
            "customer.letter_wanted" => read::<LetterWanted>(text),
            "staff.invited" => read::<StaffInvited>(text),
            other => panic!("nobody reads {other}"),
        };
        let golden: serde_json::Value = serde_json::from_str(text).unwrap();
        for (field, value) in golden.as_object().unwrap() {
            assert_eq!(&again[field], value, "{kind}: {field} means the same as ever");
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
