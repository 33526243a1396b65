//! Where products are sold, in files; and what files are.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{IMPORTS, counts, exported, imported, product, report, rest_of_store, shown, work};
use crate::testing::TestShop;

async fn stall(shop: &TestShop) -> String {
    let body = json!({ "name": "Stall" });
    shop.owner_call("POST", "/admin/v1/channels").keyed().json(&body).send().await.expect(201).text("/id")
}

/// Online store and stall: whether it is there, from when, until when.
async fn sold(shop: &TestShop, handle: &str) -> Vec<String> {
    let id = product(shop, handle).await["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/v1/products/{id}/publications");
    let page = shop.owner_call("GET", &path).send().await.expect(200);
    let line = |row: &Value| {
        let is = |name: &str| !row[name].is_null();
        format!("{}/{}/{}", row["published"], is("publish_at"), is("unpublish_at"))
    };
    page.data().iter().map(line).collect()
}

#[actix_web::test]
async fn products_are_published_as_a_file_says_and_written_so() {
    let shop = TestShop::open(None).await;
    stall(&shop).await;
    let now = shop.clock.now();
    let (soon, later) = ((now + TimeDelta::hours(1)).to_rfc3339(), (now + TimeDelta::hours(2)).to_rfc3339());
    let past = (now - TimeDelta::hours(1)).to_rfc3339();
    let file = format!(
        "Handle,Title,Variant Price,Status,Published,Published / Stall\n\
         a,A,1.00,active,TRUE,\n\
         b,B,1.00,active,FALSE,TRUE\n\
         c,C,1.00,active,from {soon} until {later},until {later}\n\
         d,D,1.00,active,from {past},from {past} until {past}\n\
         e,E,1.00,active,until {past},FALSE\n\
         f,F,1.00,active,sometimes,TRUE\n\
         g,G,1.00,active,TRUE,from {later} until {soon}\n"
    );
    let import = imported(&shop, "format=csv", &file).await;
    assert_eq!(counts(&import), "4/0/0/3", "{import}");
    let until = "error 5 Published / Stall out_of_range";
    assert_eq!(
        report(&shop, &import).await,
        [until, "error 7 Published invalid", "error 8 Published / Stall out_of_range"]
    );
    assert_eq!(sold(&shop, "a").await, ["true/false/false", "false/false/false"]);
    assert_eq!(sold(&shop, "b").await, ["false/false/false", "true/false/false"]);
    assert_eq!(sold(&shop, "c").await, ["false/true/true", "true/false/true"]);
    assert_eq!(sold(&shop, "e").await, ["false/false/false", "false/false/false"]);
    assert_eq!(product(&shop, "b").await["status"], "active");
    // Made and published elsewhere is told once.
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "product.updated").count(), 0);
    let before = rest_of_store(&shop).await;
    let (table, lines) = (exported(&shop, "csv").await, exported(&shop, "jsonl").await);
    for (query, file) in [("format=csv", &table), ("format=jsonl", &lines)] {
        let import = imported(&shop, query, file).await;
        assert_eq!(
            (counts(&import), report(&shop, &import).await),
            ("0/0/4/0".to_owned(), vec![]),
            "{query}"
        );
    }
    assert_eq!(rest_of_store(&shop).await, before);
    // A dry run changes nothing, and says what would change.
    let file = "Handle,Published / Stall\na,TRUE\nb,TRUE\n";
    assert_eq!(counts(&imported(&shop, "format=csv&dry_run=true", file).await), "0/1/1/0");
    assert_eq!(rest_of_store(&shop).await, before);
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "0/1/1/0");
    assert_eq!(sold(&shop, "a").await, ["true/false/false", "true/false/false"]);
    assert_eq!(shop.told().await.iter().filter(|kind| *kind == "product.updated").count(), 1);
    // Elsewhere there is no stall.
    let other = TestShop::open(None).await;
    let import = imported(&other, "format=csv", &exported(&shop, "csv").await).await;
    assert_eq!(counts(&import), "1/0/0/3");
    assert_eq!(
        report(&other, &import).await,
        [
            "error 2 Published / Stall unknown",
            "error 3 Published / Stall unknown",
            "error 4 Published / Stall unknown"
        ]
    );
}

#[actix_web::test]
async fn lines_name_channels_once_and_none_twice() {
    let shop = TestShop::open(None).await;
    stall(&shop).await;
    let price = json!({ "amount_minor": 100, "currency": "EUR" });
    let line = |publications: Value| {
        let line = json!({ "handle": "a", "title": "A", "price": price, "publications": publications });
        format!("{line}\n")
    };
    let import =
        imported(&shop, "format=jsonl", &line(json!([{ "channel": "Stall" }, { "published": false }]))).await;
    assert_eq!(counts(&import), "1/0/0/0", "{import}");
    assert_eq!(sold(&shop, "a").await, ["false/false/false", "true/false/false"]);
    let before = rest_of_store(&shop).await;
    for (wish, complaint) in [
        (
            json!([{ "channel": "Stall" }, { "channel": "Stall" }]),
            "error 1 /publications/1/channel duplicate",
        ),
        (json!([{}, { "channel": "Fair" }]), "error 1 /publications/1/channel unknown"),
    ] {
        let import = imported(&shop, "format=jsonl", &line(wish)).await;
        assert_eq!(report(&shop, &import).await, [complaint]);
    }
    assert_eq!(rest_of_store(&shop).await, before);
}

#[actix_web::test]
async fn where_products_are_sold_is_said_by_those_who_may() {
    let shop = TestShop::open(None).await;
    stall(&shop).await;
    let key = json!({ "name": "Sync", "kind": "secret", "scopes": ["product:*"] });
    let key = shop.owner_call("POST", "/admin/v1/api-keys").json(&key).keyed().send().await.expect(201);
    let bearer = format!("Bearer {}", key.text("/secret"));
    let file = "Handle,Title,Variant Price,Status,Published,Published / Stall\na,A,1.00,active,FALSE,TRUE\n";
    let call = shop.call("POST", &format!("{IMPORTS}?format=csv")).header("authorization", &bearer);
    let sent = call.bytes(file.as_bytes().to_vec()).send().await.expect(202);
    work(&shop).await;
    let import = shown(&shop, &sent.text("/id")).await;
    // It is not for sale, as the file says, and is on no channel that new products are not on.
    assert_eq!(
        (counts(&import), report(&shop, &import).await),
        ("1/0/0/0".to_owned(), vec!["warning 2 Published / Stall left_out".to_owned()])
    );
    assert_eq!(product(&shop, "a").await["status"], "draft");
    assert_eq!(sold(&shop, "a").await, ["true/false/false", "false/false/false"]);
}

#[actix_web::test]
async fn the_content_type_says_what_a_file_is() {
    let shop = TestShop::open(None).await;
    let line = json!({ "handle": "a", "title": "A", "price": { "amount_minor": 100, "currency": "EUR" } });
    let (table, line) = ("Handle,Title,Variant Price\na,A,1.00\n".to_owned(), format!("{line}\n"));
    let send = |kind: &str, query: &str, file: &str| {
        let call = shop.owner_call("POST", &format!("{IMPORTS}{query}")).header("content-type", kind);
        call.bytes(file.as_bytes().to_vec()).send()
    };
    for (kind, query, file, format) in [
        ("text/csv", "", &table, "csv"),
        ("Text/CSV; charset=utf-8", "", &table, "csv"),
        ("application/jsonl", "", &line, "jsonl"),
        ("application/x-ndjson", "", &line, "jsonl"),
        ("application/octet-stream", "?format=jsonl", &line, "jsonl"),
        // The parameter is the stronger word.
        ("text/csv", "?format=jsonl", &line, "jsonl"),
    ] {
        let sent = send(kind, query, file).await.expect(202);
        assert_eq!(sent.json["format"], format, "{kind}{query}");
        work(&shop).await;
    }
    assert_eq!(shop.number("SELECT count(*) AS number FROM products").await, 1);
    let before = shop.digest().await;
    for kind in ["application/octet-stream", "application/json", "text/plain"] {
        send(kind, "", &table).await.refused(422, "validation_failed").about("?format");
    }
    assert_eq!(shop.digest().await, before);
}
