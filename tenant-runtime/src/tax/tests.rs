//! Tax rates over HTTP.

use serde_json::{Value, json};

use crate::testing::TestShop;

const PATH: &str = "/admin/v1/tax-rates";

fn rates(answer: &crate::testing::Answer) -> Vec<(String, i64, bool)> {
    let rate = |rate: &Value| {
        let name = rate["name"].as_str().unwrap().to_owned();
        (name, rate["rate_ppm"].as_i64().unwrap(), rate["valid_to"].is_null())
    };
    answer.data().iter().map(rate).collect()
}

#[actix_web::test]
async fn a_new_rate_ends_the_one_before_and_carts_pay_it_at_once() {
    let shop = TestShop::open(None).await;
    let seeded =
        shop.owner_call("GET", "/admin/v1/tax-rates?country=DE&in_force=true").send().await.expect(200);
    assert_eq!(
        (seeded.data().len(), seeded.data()[0]["rate_ppm"].as_i64(), seeded.cost),
        (1, Some(190_000), (1, 1))
    );
    shop.clock.advance(std::time::Duration::from_secs(1));
    let body = json!({ "country": "DE", "name": "MwSt", "rate_ppm": 200_000 });
    let made = shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    assert_eq!(
        (&made.json["reason"], &made.json["province"], &made.json["valid_to"]),
        (&json!("standard_rated"), &json!(null), &json!(null))
    );
    let all = shop.owner_call("GET", "/admin/v1/tax-rates?country=DE").send().await.expect(200);
    assert_eq!(
        rates(&all).iter().map(|rate| (rate.1, rate.2)).collect::<Vec<_>>(),
        [(200_000, true), (190_000, false)]
    );
    assert_eq!(all.data()[1]["valid_to"], made.json["valid_from"]);
    // A province adds to its country.
    let body = json!({ "country": "DE", "province": "BY", "name": "Bier", "rate_ppm": 10_000 });
    shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    // Ended: what is sold from now on does not pay it.
    let id = made.text("/id");
    shop.owner_call("DELETE", &format!("{PATH}/{id}")).send().await.expect(204);
    shop.owner_call("DELETE", &format!("{PATH}/{id}")).send().await.refused(404, "not_found");
    let left =
        shop.owner_call("GET", "/admin/v1/tax-rates?country=DE&in_force=true").send().await.expect(200);
    assert_eq!(rates(&left), [("Bier".to_owned(), 10_000, true)]);
}

#[actix_web::test]
async fn a_rate_begins_when_it_says() {
    let shop = TestShop::open(None).await;
    let from = (shop.clock.now() + chrono::TimeDelta::days(30)).to_rfc3339();
    let body = json!({ "country": "FR", "name": "TVA", "rate_ppm": 210_000, "valid_from": from });
    shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    let in_force = async || {
        let answer =
            shop.owner_call("GET", "/admin/v1/tax-rates?country=FR&in_force=true").send().await.expect(200);
        rates(&answer).iter().map(|rate| rate.1).collect::<Vec<_>>()
    };
    let before = in_force().await;
    assert!(!before.contains(&210_000));
    shop.clock.advance(std::time::Duration::from_secs(31 * 86_400));
    assert_eq!(in_force().await, [210_000]);
}

#[actix_web::test]
async fn a_rate_that_contradicts_itself_changes_nothing() {
    let shop = TestShop::open(None).await;
    let before = shop.digest().await;
    for (pointer, body) in [
        ("/rate_ppm", json!({ "country": "DE", "name": "x", "rate_ppm": 1_000_001 })),
        ("/rate_ppm", json!({ "country": "DE", "name": "x", "rate_ppm": -1 })),
        ("/rate_ppm", json!({ "country": "DE", "name": "x", "rate_ppm": 1, "reason": "export" })),
        ("/country", json!({ "country": "DEU", "name": "x", "rate_ppm": 1 })),
        ("/name", json!({ "country": "DE", "rate_ppm": 1 })),
        ("/reason", json!({ "country": "DE", "name": "x", "rate_ppm": 1, "reason": "because" })),
        (
            "/valid_from",
            json!({ "country": "DE", "name": "x", "rate_ppm": 1, "valid_from": "2001-01-01T00:00:00Z" }),
        ),
    ] {
        shop.owner_call("POST", PATH)
            .json(&body)
            .send()
            .await
            .refused(422, "validation_failed")
            .about(pointer);
    }
    let extra = json!({ "country": "DE", "name": "x", "rate_ppm": 1, "rate": 19 });
    shop.owner_call("POST", PATH).json(&extra).send().await.refused(422, "unknown_field").about("/rate");
    shop.owner_call("GET", "/admin/v1/tax-rates?land=DE").send().await.refused(422, "unknown_field");
    shop.owner_call("DELETE", "/admin/v1/tax-rates/trt_01h455vb4pex5vsknk084sn02q")
        .send()
        .await
        .refused(404, "not_found");
    shop.call("GET", PATH).send().await.refused(401, "unauthenticated");
    shop.call("POST", PATH).json(&extra).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
}

async fn previewed(shop: &TestShop, ask: Value) -> crate::testing::Answer {
    shop.owner_call("POST", "/admin/v1/tax/preview").json(&ask).send().await.expect(200)
}

/// Jurisdiction, rate, net and tax of each line.
fn owed(lines: &Value) -> Vec<(String, i64, i64, i64)> {
    let line = |line: &Value| {
        let number = |pointer: &str| line.pointer(pointer).and_then(Value::as_i64).unwrap();
        let jurisdiction = line["jurisdiction"].as_str().unwrap().to_owned();
        (jurisdiction, number("/rate_ppm"), number("/taxable/amount_minor"), number("/amount/amount_minor"))
    };
    lines.as_array().unwrap().iter().map(line).collect()
}

#[actix_web::test]
async fn books_and_their_delivery_have_their_own_rate() {
    let shop = TestShop::open(None).await;
    let class = shop.owner_call("PUT", "/admin/v1/tax-classes/Books").json(&json!({ "name": "Books" }));
    let class = class.send().await.expect(200);
    assert_eq!((&class.json["code"], &class.json["variants"]), (&json!("books"), &json!(0)));
    let body = json!({ "country": "DE", "name": "VAT", "rate_ppm": 70_000, "class": "books" });
    let made = shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    assert_eq!((&made.json["reason"], &made.json["component"]), (&json!("reduced_rated"), &json!("main")));
    let unknown = json!({ "country": "DE", "name": "VAT", "rate_ppm": 70_000, "class": "food" });
    let refused = shop.owner_call("POST", PATH).json(&unknown).send().await;
    refused.refused(422, "validation_failed").about("/class");
    let ask = json!({ "country": "DE", "shipping_minor": 2260,
        "lines": [{ "amount_minor": 10_700, "quantity": 1, "class": "books" }, { "amount_minor": 11_900, "quantity": 1 }] });
    let as_goods = previewed(&shop, ask.clone()).await;
    assert_eq!(as_goods.cost, (2, 1));
    assert_eq!(owed(&as_goods.json["shipping_tax_lines"]), [("DE".to_owned(), 190_000, 1899, 361)]);
    let settings =
        json!({ "shipping_follows_goods": true, "reverse_charge": "off", "relieved_pay": "gross" });
    let call = shop.owner_call("PUT", "/admin/v1/tax-settings").json(&settings);
    call.send().await.refused(428, "precondition_required");
    let call = shop.owner_call("PUT", "/admin/v1/tax-settings").header("if-match", "\"1\"").json(&settings);
    assert_eq!(call.send().await.expect(200).json["version"], 2);
    let shared = previewed(&shop, ask).await;
    assert_eq!(
        owed(&shared.json["tax_lines"]),
        [("DE".to_owned(), 70_000, 11_000, 770), ("DE".to_owned(), 190_000, 11_000, 2090)]
    );
    assert_eq!(
        (&shared.json["total"]["amount_minor"], &shared.json["lines"][0]["class_applied"]),
        (&json!(24_860), &json!("books"))
    );
    shop.owner_call("DELETE", "/admin/v1/tax-classes/books").send().await.refused(409, "tax_class_used");
}

#[actix_web::test]
async fn islands_stand_alone_and_provinces_add() {
    let shop = TestShop::open(None).await;
    let region = json!({ "country": "ES", "code": "CN", "name": "Canary Islands", "stands_alone": true,
        "postal_ranges": [{ "from": "35000", "to": "35999" }, { "from": "38", "to": "38" }] });
    let islands = shop.owner_call("POST", "/admin/v1/tax-regions").json(&region).send().await.expect(201);
    assert_eq!((&islands.json["kind"], islands.header("etag")), (&json!("postal_codes"), "\"1\""));
    let before = shop.digest().await;
    let other = json!({ "country": "ES", "code": "XX", "postal_ranges": [{ "from": "356", "to": "360" }] });
    let taken = shop.owner_call("POST", "/admin/v1/tax-regions").json(&other).send().await;
    assert_eq!(taken.refused(409, "tax_region_taken").json["region"], islands.json["id"]);
    assert_eq!(shop.digest().await, before);
    for (province, component, name, rate, compound) in [
        (json!(null), "main", "IVA", 210_000, false),
        (json!("CN"), "main", "IGIC", 70_000, false),
        (json!("QC"), "gst", "GST", 50_000, false),
        (json!("QC"), "qst", "QST", 95_000, true),
    ] {
        let country = if province == "QC" { "CA" } else { "ES" };
        let body = json!({ "country": country, "province": province, "component": component, "name": name,
            "rate_ppm": rate, "compound": compound });
        shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    }
    let ask = |country: &str, province: Value, postal: &str| {
        json!({ "country": country, "province": province, "postal_code": postal, "prices_include_tax": false,
            "lines": [{ "amount_minor": 10_000, "quantity": 1 }] })
    };
    for (ask, jurisdictions, expected) in [
        (ask("ES", json!(null), "35 001"), json!(["ES-CN"]), vec![("ES-CN", 70_000, 700)]),
        (ask("ES", json!(null), "38999"), json!(["ES-CN"]), vec![("ES-CN", 70_000, 700)]),
        (ask("ES", json!("M"), "28001"), json!(["ES"]), vec![("ES", 210_000, 2100)]),
        // The second counts on the first.
        (
            ask("CA", json!("qc"), "H2X1Y4"),
            json!(["CA-QC"]),
            vec![("CA-QC", 50_000, 500), ("CA-QC", 95_000, 998)],
        ),
    ] {
        let answer = previewed(&shop, ask).await;
        assert_eq!(answer.json["jurisdictions"], jurisdictions);
        let expected: Vec<_> =
            expected.into_iter().map(|(at, rate, tax)| (at.to_owned(), rate, 10_000, tax)).collect();
        assert_eq!(owed(&answer.json["tax_lines"]), expected);
    }
    let path = format!("/admin/v1/tax-regions/{}", islands.text("/id"));
    shop.owner_call("DELETE", &path).send().await.refused(409, "tax_region_used");
    let without = json!({ "country": "ES", "code": "CN", "postal_ranges": [] });
    let refused = shop.owner_call("PUT", &path).header("if-match", "\"1\"").json(&without).send().await;
    refused.refused(422, "validation_failed").about("/postal_ranges");
    let moved = json!({ "country": "ES", "code": "CN", "postal_ranges": [{ "from": "35", "to": "35" }] });
    let refused = shop.owner_call("PUT", &path).header("if-match", "\"7\"").json(&moved).send().await;
    refused.refused(412, "precondition_failed");
    shop.owner_call("PUT", &path).header("if-match", "\"1\"").json(&moved).send().await.expect(200);
    // It adds now, and has lost the west.
    let both = previewed(&shop, ask("ES", json!(null), "35001")).await;
    assert_eq!(both.json["tax"]["amount_minor"], 2800);
    let west = previewed(&shop, ask("ES", json!(null), "38001")).await;
    assert_eq!(west.json["jurisdictions"], json!(["ES"]));
}

#[actix_web::test]
async fn a_dry_run_writes_nothing_and_planned_versions_do_not_meet() {
    let shop = TestShop::open(None).await;
    shop.clock.advance(std::time::Duration::from_secs(1));
    let before = shop.digest().await;
    let body = json!({ "country": "DE", "name": "VAT", "rate_ppm": 200_000 });
    let dry = shop.owner_call("POST", &format!("{PATH}?dry_run=true")).json(&body).send().await.expect(200);
    assert_eq!(
        (&dry.json["ends"]["rate_ppm"], &dry.json["begins"]["rate_ppm"], &dry.json["dry_run"]),
        (&json!(190_000), &json!(200_000), &json!(true))
    );
    assert_eq!(shop.digest().await, before);
    let at = |days: i64| (shop.clock.now() + chrono::TimeDelta::days(days)).to_rfc3339();
    let planned = json!({ "country": "DE", "name": "VAT", "rate_ppm": 160_000, "valid_from": at(30), "valid_to": at(60) });
    let made = shop.owner_call("POST", PATH).json(&planned).send().await.expect(201);
    let before = shop.digest().await;
    for (from, to) in [(30, 40), (0, 31), (10, 60)] {
        let body = json!({ "country": "DE", "name": "VAT", "rate_ppm": 1, "valid_from": at(from), "valid_to": at(to) });
        let refused = shop.owner_call("POST", PATH).json(&body).send().await.refused(409, "tax_rate_overlap");
        assert!(refused.json["valid_from"].is_string(), "{from} to {to}");
    }
    assert_eq!(shop.digest().await, before);
    // Until it begins is no overlap; nor is after it ended.
    for (from, to) in [(1, 30), (60, 90)] {
        let body = json!({ "country": "DE", "name": "VAT", "rate_ppm": 1, "valid_from": at(from), "valid_to": at(to) });
        shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    }
    shop.owner_call("DELETE", &format!("{PATH}/{}", made.text("/id"))).send().await.expect(204);
}

#[actix_web::test]
async fn a_number_is_read_as_people_write_it() {
    let shop = TestShop::open(None).await;
    let ask = async |number: &str| {
        let body = json!({ "vat_number": number });
        shop.owner_call("POST", "/admin/v1/tax-numbers").json(&body).send().await
    };
    let known = ask("atu 1358 5627").await.expect(200);
    assert_eq!(
        (&known.json["vat_number"], &known.json["outcome"]),
        (&json!("ATU13585627"), &json!("well_formed"))
    );
    let before = shop.digest().await;
    for wrong in ["ATU13585626", "AT13585627", "XX1", ""] {
        ask(wrong).await.refused(422, "validation_failed").about("/vat_number");
    }
    assert_eq!(shop.digest().await, before);
}

/// A register that knows.
struct Knows(bool);

impl super::NumberRegister for Knows {
    fn ask<'r>(
        &'r self,
        _: &'r super::VatNumber,
    ) -> futures_util::future::BoxFuture<'r, Result<bool, super::RegisterError>> {
        Box::pin(std::future::ready(Ok(self.0)))
    }
}

#[actix_web::test]
async fn a_register_confirms_refutes_or_is_not_there() {
    let number = super::VatNumber::parse("ATU13585627").unwrap();
    for (registers, outcome) in [
        (super::Registers::of(Knows(true)), "confirmed"),
        (super::Registers::of(Knows(false)), "refuted"),
        (super::Registers::default(), "well_formed"),
        // Nobody listens there.
        (super::Registers::at(Some("http://127.0.0.1:9/")), "well_formed"),
    ] {
        assert_eq!(registers.outcome(&number).await, outcome);
    }
}
