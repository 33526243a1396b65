//! `OpenAPI` schemas of the words in this crate (feature `openapi`).
//!
//! utoipa collects the schemas of bodies but not those of parameters; add [`Words`] to the modifiers of a document,
//! and every reference to a word of the kernel has its schema.

use std::borrow::Cow;

use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{OpenApi, RefOr, Schema};
use utoipa::{Modify, PartialSchema, ToSchema};

use crate::email::Email;
use crate::handle::Handle;
use crate::host_label::HostLabel;
use crate::id::{Id, Kind};
use crate::money::{Money, Ppm, Rounding};
use crate::text::{LongText, Text};
use crate::{Country, Currency, Limits, Quantity};

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn integer(description: &str, least: u32, most: u32, example: u32) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(f64::from(least)))
        .maximum(Some(f64::from(most)))
        .description(Some(description))
        .examples([example])
        .build()
}

/// One named schema for one type.
macro_rules! schema {
    ($type:ty, $name:literal, $object:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($object))
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

fn currency() -> Object {
    text("An active currency of ISO 4217.").pattern(Some("^[A-Z]{3}$")).examples(["EUR"]).build()
}

schema!(Currency, "Currency", currency());
fn limits() -> Object {
    let count = |description: &str, example: u32| {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(0.0))
            .description(Some(description))
            .examples([example])
    };
    let Limits { products, staff, media_mb, requests_per_second, concurrent_transactions } =
        Limits::default();
    ObjectBuilder::new()
        .description(Some("What one store may use; kept by the runtimes."))
        .property("products", count("Products, whatever their status.", products))
        .required("products")
        .property("staff", count("People who work there, owners among them.", staff))
        .required("staff")
        .property("media_mb", count("Megabytes that its pictures may have together.", media_mb))
        .required("media_mb")
        .property(
            "requests_per_second",
            count(
                "Requests of all its callers together, over a minute, to one process.",
                requests_per_second,
            ),
        )
        .required("requests_per_second")
        .property(
            "concurrent_transactions",
            count(
                "Transactions that are open or wait for a connection, in one process.",
                concurrent_transactions,
            ),
        )
        .required("concurrent_transactions")
        .build()
}

schema!(Limits, "Limits", limits());
schema!(
    Country,
    "Country",
    text("A country of ISO 3166-1, in two letters.").pattern(Some("^[A-Z]{2}$")).examples(["DE"]).build()
);
schema!(
    Money,
    "Money",
    ObjectBuilder::new()
        .description(Some(
            "An amount in the currency's smallest unit: 1234 with EUR is 12.34 €, with JPY 1234 ¥."
        ))
        .property(
            "amount_minor",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        )
        .property("currency", currency())
        .required("amount_minor")
        .required("currency")
        .examples([serde_json::json!({"amount_minor": 1234, "currency": "EUR"})])
        .build()
);
schema!(
    Rounding,
    "Rounding",
    text("What happens to exactly half a unit: away from zero, to the even neighbour, or towards zero.")
        .enum_values(Some(["half_up", "half_even", "half_down"]))
        .build()
);
schema!(Ppm, "Ppm", integer("Parts per million: 190000 is 19 %.", 0, Ppm::MAX, 190_000));
schema!(Quantity, "Quantity", integer("A number of pieces.", Quantity::MIN, Quantity::MAX, 1));
schema!(
    Email,
    "Email",
    text("An e-mail address.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .max_length(Some(Email::MAX))
        .examples(["ada@example.com"])
        .build()
);
schema!(
    Handle,
    "Handle",
    text("The readable part of an address: lower-case letters, digits and inner hyphens.")
        .pattern(Some("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))
        .min_length(Some(1))
        .max_length(Some(Handle::MAX))
        .examples(["enamel-mug"])
        .build()
);
schema!(
    HostLabel,
    "HostLabel",
    text("The name of a store in its host: lower-case letters, digits and inner hyphens; some names are reserved.")
        .pattern(Some("^[a-z0-9][a-z0-9-]*[a-z0-9]$"))
        .min_length(Some(HostLabel::MIN))
        .max_length(Some(HostLabel::MAX))
        .examples(["mugs-of-bern"])
        .build()
);

impl<K: Kind> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::Object(
            text(&format!("The id of one {}. Opaque.", K::NAME))
                .pattern(Some(format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", K::PREFIX)))
                .examples([format!("{}_01h455vb4pex5vsknk084sn02q", K::PREFIX)])
                .build(),
        ))
    }
}

impl<K: Kind> ToSchema for Id<K> {
    /// `order line` → `OrderLineId`.
    fn name() -> Cow<'static, str> {
        let words = K::NAME.split(' ').map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        });
        Cow::Owned(words.chain(["Id".to_owned()]).collect())
    }
}

fn line(most: usize) -> RefOr<Schema> {
    RefOr::T(Schema::Object(
        text("One line of text.")
            .min_length(Some(1))
            .max_length(Some(most))
            .examples(["Mugs of Bern"])
            .build(),
    ))
}

fn lines(most: usize) -> RefOr<Schema> {
    RefOr::T(Schema::Object(text("Text of any number of lines.").max_length(Some(most)).build()))
}

impl<const MAX: usize> PartialSchema for Text<MAX> {
    fn schema() -> RefOr<Schema> {
        line(MAX)
    }
}

impl<const MAX: usize> ToSchema for Text<MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Text{MAX}"))
    }
}

impl<const MAX: usize> PartialSchema for LongText<MAX> {
    fn schema() -> RefOr<Schema> {
        lines(MAX)
    }
}

impl<const MAX: usize> ToSchema for LongText<MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("LongText{MAX}"))
    }
}

/// Adds the schemas of this crate's words that a document refers to and does not have: `modifiers(&Words)` (imported: utoipa takes no path) in
/// `#[openapi(…)]`, or `Words.modify(&mut document)` once all paths are in it. Idempotent.
#[derive(Debug, Clone, Copy)]
pub struct Words;

impl Modify for Words {
    fn modify(&self, document: &mut OpenApi) {
        const REFERENCE: &str = "\"#/components/schemas/";
        // A document that cannot be written has no readers who would miss a schema.
        let text = serde_json::to_string(&*document).unwrap_or_default();
        let schemas = &mut document.components.get_or_insert_default().schemas;
        for name in text.split(REFERENCE).skip(1).filter_map(|rest| rest.split('"').next()) {
            if !schemas.contains_key(name)
                && let Some(schema) = word(name)
            {
                schemas.insert(name.to_owned(), schema);
            }
        }
    }
}

/// The schema of the word that has this name.
fn word(name: &str) -> Option<RefOr<Schema>> {
    fn named<T: ToSchema>(name: &str) -> Option<RefOr<Schema>> {
        (T::name() == name).then(T::schema)
    }
    let limit = |kind: &str| name.strip_prefix(kind).and_then(|most| most.parse().ok());
    named::<Currency>(name)
        .or_else(|| named::<Country>(name))
        .or_else(|| named::<Money>(name))
        .or_else(|| named::<Rounding>(name))
        .or_else(|| named::<Ppm>(name))
        .or_else(|| named::<Quantity>(name))
        .or_else(|| named::<Email>(name))
        .or_else(|| named::<Handle>(name))
        .or_else(|| named::<HostLabel>(name))
        .or_else(|| crate::id::schema_named(name))
        .or_else(|| limit("Text").map(line))
        .or_else(|| limit("LongText").map(lines))
}
