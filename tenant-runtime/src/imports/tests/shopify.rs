//! A file of another shop loads as it is.

use serde_json::{Value, json};

use super::{SHOPIFY, counts, exported, imported, product, report, rest_of_store, send, shown, work};
use crate::testing::TestShop;

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

#[actix_web::test]
async fn a_shopify_export_loads_unchanged() {
    let shop = TestShop::open(None).await;
    let rules = json!({ "title": "Summer", "rules": { "match": "all", "rules": [
        { "field": "tag", "relation": "equals", "text": "summer" }] } });
    shop.owner_call("POST", "/admin/v1/collections").json(&rules).send().await.expect(201);

    let sent = send(&shop, "format=csv", SHOPIFY).await.expect(202);
    assert_eq!(sent.header("location"), format!("/admin/v1/imports/{}", sent.text("/id")));
    assert_eq!(
        (sent.json["state"].as_str(), &sent.json["rows"]),
        (Some("queued"), &json!({ "total": 13, "done": 0 }))
    );
    work(&shop).await;
    let import = shown(&shop, &sent.text("/id")).await;
    assert_eq!((counts(&import), import["state"].as_str()), ("8/0/0/0".to_owned(), Some("done")), "{import}");
    assert_eq!((&import["rows"], &import["errors"]), (&json!({ "total": 13, "done": 13 }), &json!(0)));
    assert!(import["finished_at"].is_string() && import["cause"].is_null());
    let ignored = import["ignored_columns"].as_array().unwrap();
    for name in ["Gift Card", "Variant Weight Unit", "Cost per item"] {
        assert!(ignored.contains(&json!(name)), "{name}");
    }
    assert!(!ignored.contains(&json!("Handle")) && !ignored.contains(&json!("Variant Grams")));
    // The row of a table, the header being row 1: markup, a former price that is lower, stock below zero, another handle.
    assert_eq!(
        report(&shop, &import).await,
        [
            "warning 2 Body (HTML) markup_reduced",
            "warning 9 Body (HTML) markup_reduced",
            "warning 9 Variant Compare At Price left_out",
            "warning 10 Variant Inventory Qty changed",
            "warning 14 Handle changed",
        ]
    );

    let shirt = product(&shop, "linen-shirt").await;
    assert_eq!(
        shirt["description_html"],
        "<p>Woven in <strong>Flanders</strong>, cut in Porto.</p>\n<ul>\n<li>100% linen</li>\n<li>Washed, \"soft\" hand</li>\n</ul>"
    );
    assert_eq!(
        (&shirt["tags"], &shirt["seo_title"]),
        (&json!(["linen", "summer"]), &json!("Linen shirt from Flanders"))
    );
    let options = shirt["options"].as_array().unwrap().iter();
    let option = |option: &Value| {
        let values =
            option["values"].as_array().unwrap().iter().map(|value| value["value"].as_str().unwrap());
        format!("{}: {}", option["name"].as_str().unwrap(), values.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(options.map(option).collect::<Vec<_>>(), ["Size: S L", "Color: White Navy"]);
    let variants = shirt["variants"].as_array().unwrap();
    let of = |name: &str| variants.iter().map(|variant| variant[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("sku"), ["SHIRT-S-W", "SHIRT-S-N", "SHIRT-L-W", "SHIRT-L-N"]);
    assert_eq!(of("stock"), [12, 3, 0, 7]);
    assert_eq!(of("price"), [eur(4900), eur(4900), eur(5200), eur(5200)]);
    assert_eq!(of("compare_at"), [eur(5900), eur(5900), Value::Null, Value::Null]);
    assert_eq!(
        (of("barcode")[0].as_str(), of("weight_grams")[2].as_i64()),
        (Some("4006381333931"), Some(240))
    );

    let products = "SELECT handle || '=' || status AS word FROM products ORDER BY handle";
    assert_eq!(
        shop.words(products).await,
        "creme-brulee-set=active enamel-mug=active linen-shirt=active old-apron=archived repair-guide=active \
         secret-sale=active tea-towel=active wool-blanket=draft"
    );
    // What is not published there is not sold in the shop on the web.
    let shown = shop.call("GET", "/store/v1/products?sort=title").send().await.expect(200);
    assert!(shown.data().iter().all(|product| product["handle"] != "secret-sale"));
    assert_eq!(shown.data().len(), 5);
    let guide = product(&shop, "repair-guide").await;
    let variant = &guide["variants"][0];
    // What is not tracked is sold whatever the stock.
    assert_eq!(
        (&variant["title"], &variant["inventory_policy"], &variant["requires_shipping"], &guide["available"]),
        (&json!("Default"), &json!("continue"), &json!(false), &json!(true))
    );
    assert_eq!(product(&shop, "tea-towel").await["title"], "-50% tea towels");
    assert_eq!(product(&shop, "creme-brulee-set").await["variants"][0]["price"], eur(3990));

    // As with single requests: movements, events, rules.
    assert_eq!(shop.unexplained_levels().await, 0);
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "product.created").count(), 8);
    assert_eq!(told.last().map(String::as_str), Some("import.finished"));
    let members = shop.number("SELECT count(*) AS number FROM collection_products").await;
    assert_eq!(members, 1);
    let logged = "SELECT action AS word FROM audit_entries WHERE action LIKE 'import%' ORDER BY position";
    assert_eq!(shop.words(logged).await, "imports.create import.finished");
    let left = shop.number("SELECT count(*) AS number FROM import_pieces").await;
    assert_eq!(left, 0);
}

#[actix_web::test]
async fn the_same_file_again_changes_nothing() {
    let shop = TestShop::open(None).await;
    assert_eq!(counts(&imported(&shop, "format=csv", SHOPIFY).await), "8/0/0/0");
    let (before, told) = (rest_of_store(&shop).await, shop.told().await.len());
    assert_eq!(counts(&imported(&shop, "format=csv", SHOPIFY).await), "0/0/8/0");
    assert_eq!(counts(&imported(&shop, "format=csv&match=sku", SHOPIFY).await), "0/0/8/0");
    assert_eq!(rest_of_store(&shop).await, before);
    assert_eq!(shop.told().await.len(), told + 2);
}

#[actix_web::test]
async fn what_is_exported_loads_again_and_elsewhere() {
    let (shop, other) = (TestShop::open(None).await, TestShop::open(None).await);
    imported(&shop, "format=csv", SHOPIFY).await;
    let hostile = json!({ "title": "=HYPERLINK(\"https://x.example\")", "handle": "formula", "vendor": "+1", "tags": ["@a", "b, c", "\"d\""],
        "price": eur(100), "sku": "'=S", "stock": 2 });
    shop.owner_call("POST", "/admin/v1/products").json(&hostile).send().await.expect(201);
    let before = rest_of_store(&shop).await;
    let (table, lines) = (exported(&shop, "csv").await, exported(&shop, "jsonl").await);
    assert_eq!(
        (table.lines().filter(|line| line.starts_with("linen-shirt,")).count(), lines.lines().count()),
        (4, 9)
    );
    // Nothing a spreadsheet would calculate.
    assert!(table.contains("formula,\"'=HYPERLINK(\"\"https://x.example\"\")\",,'+1,,\"'@a, \"\"b, c\"\", \"\"\"\"\"\"d\"\"\"\"\"\"\""), "{table}");
    for cell in table.split([',', '\n']) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{cell}");
    }
    for (query, file) in [
        ("format=csv", &table),
        ("format=csv&match=sku", &table),
        ("format=jsonl", &lines),
        ("format=jsonl&match=sku", &lines),
    ] {
        let import = imported(&shop, query, file).await;
        assert_eq!((counts(&import), import["errors"].as_i64()), ("0/0/9/0".to_owned(), Some(0)), "{query}");
    }
    assert_eq!(rest_of_store(&shop).await, before);

    assert_eq!(counts(&imported(&other, "format=jsonl", &lines).await), "9/0/0/0");
    assert_eq!(exported(&other, "jsonl").await, lines);
    let third = TestShop::open(None).await;
    assert_eq!(counts(&imported(&third, "format=csv", &table).await), "9/0/0/0");
    assert_eq!(exported(&third, "csv").await, table);
}

#[actix_web::test]
async fn an_export_is_whole_however_many_products() {
    let shop = TestShop::open(None).await;
    assert_eq!(exported(&shop, "jsonl").await, "");
    assert_eq!(exported(&shop, "csv").await.lines().count(), 1);
    let lines: String = (0..120)
        .map(|number| {
            format!("{}\n", json!({ "handle": format!("p{number}"), "title": "P", "price": eur(5) }))
        })
        .collect();
    assert_eq!(counts(&imported(&shop, "format=jsonl", &lines).await), "120/0/0/0");
    let written = exported(&shop, "jsonl").await;
    let handles: Vec<String> = written
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["handle"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(handles, (0..120).map(|number| format!("p{number}")).collect::<Vec<_>>());
}
