//! The words of the kernel stand in the derives of diesel and utoipa as they are, without attributes.
#![cfg(all(feature = "diesel", feature = "openapi"))]

use diesel::pg::Pg;
use diesel::prelude::*;
use souk_kernel::openapi::Words;
use souk_kernel::{
    Country, Currency, Email, Handle, HostLabel, LongText, Money, OrderLineId, Ppm, ProductId, Quantity,
    Rounding, Text,
};
use utoipa::{IntoParams, OpenApi, ToSchema};

diesel::table! {
    words (id) {
        id -> Uuid,
        parent -> Nullable<Uuid>,
        currency -> Text,
        country -> Nullable<Text>,
        email -> Text,
        handle -> Text,
        host -> Text,
        title -> Text,
        note -> Text,
        rounding -> Text,
        quantity -> Integer,
        rate -> Integer,
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = words, check_for_backend(Pg))]
struct Row {
    id: ProductId,
    parent: Option<OrderLineId>,
    currency: Currency,
    country: Option<Country>,
    email: Email,
    handle: Handle,
    host: HostLabel,
    title: Text<80>,
    note: LongText<1000>,
    rounding: Rounding,
    quantity: Quantity,
    rate: Ppm,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
#[expect(dead_code, reason = "only its derive is under test")]
struct Raw {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: ProductId,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Uuid>)]
    parent: Option<OrderLineId>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    currency: Currency,
    #[diesel(sql_type = diesel::sql_types::Text)]
    title: Text<80>,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    quantity: Quantity,
}

fn row() -> Row {
    Row {
        id: "prd_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
        parent: None,
        currency: Currency::EUR,
        country: Some(Country::DE),
        email: "ada@example.com".parse().unwrap(),
        handle: Handle::slug_of("Enamel Mug"),
        host: "mugs".parse().unwrap(),
        title: "Enamel Mug".parse().unwrap(),
        note: "".parse().unwrap(),
        rounding: Rounding::HalfUp,
        quantity: Quantity::ONE,
        rate: Ppm::WHOLE,
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "binds are under test, nothing is sent")]
fn words_are_columns() {
    let row = row();
    let insert = diesel::insert_into(words::table).values(&row);
    assert!(diesel::debug_query::<Pg, _>(&insert).to_string().starts_with("INSERT INTO \"words\""));
    let update = diesel::update(&row).set(&row);
    assert!(diesel::debug_query::<Pg, _>(&update).to_string().starts_with("UPDATE \"words\""));
    let find = words::table
        .filter(
            words::id
                .eq(row.id)
                .and(words::currency.eq(Currency::EUR))
                .and(words::quantity.gt(Quantity::ONE)),
        )
        .filter(
            words::id
                .eq_any(vec![row.id])
                .and(words::handle.eq(&row.handle))
                .and(words::parent.eq(row.parent)),
        )
        .select(Row::as_select());
    assert!(diesel::debug_query::<Pg, _>(&find).to_string().contains("\"words\".\"id\" = ANY("));
    // Ids and codes can be bound to raw statements, also as arrays.
    let raw = diesel::sql_query("SELECT")
        .bind::<diesel::sql_types::Uuid, _>(row.id)
        .bind::<diesel::sql_types::Array<diesel::sql_types::Uuid>, _>(vec![row.id])
        .bind::<diesel::sql_types::Nullable<diesel::sql_types::Text>, _>(row.country);
    assert!(diesel::debug_query::<Pg, _>(&raw).to_string().starts_with("SELECT"));
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its derive is under test")]
struct View {
    id: ProductId,
    parent: Option<OrderLineId>,
    price: Money,
    was: Option<Money>,
    country: Country,
    title: Text<80>,
    note: Option<LongText<1000>>,
    email: Email,
    quantities: Vec<Quantity>,
    rate: Ppm,
    rounding: Rounding,
    host: HostLabel,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its derive is under test")]
struct Wish {
    currency: Option<Currency>,
    handle: Handle,
    title: Option<Text<70>>,
    near: Option<souk_kernel::StockMovementId>,
}

/// Show one.
#[utoipa::path(get, path = "/words/{id}", params(("id" = ProductId, Path), Wish), responses((status = 200, body = View)))]
#[expect(dead_code, reason = "only its macro is under test")]
fn show() {}

#[derive(OpenApi)]
#[openapi(paths(show), modifiers(&Words))]
struct Api;

#[test]
fn words_have_schemas() {
    let api = serde_json::to_value(Api::openapi()).unwrap();
    let schemas = api["components"]["schemas"].as_object().unwrap();
    assert_eq!(schemas["ProductId"]["pattern"], "^prd_[0-7][0-9a-hjkmnp-tv-z]{25}$");
    assert_eq!(schemas["Money"]["properties"]["amount_minor"]["format"], "int64");
    assert_eq!(schemas["Text80"]["maxLength"], 80);
    assert_eq!(schemas["Quantity"]["maximum"], 999_999);
    // Every reference has its schema.
    let text = api.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is missing in {text}");
    }
}

#[test]
fn ids_are_path_segments() {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};
    let segment: StrDeserializer<'_, Error> = "prd_01h455vb4pex5vsknk084sn02q".into_deserializer();
    let id: ProductId = serde::Deserialize::deserialize(segment).unwrap();
    assert_eq!(id, row().id);
}
