//! Metafields, bundles, categories and tax classes in files.

use serde_json::{Value, json};

use super::{counts, exported, imported, product, report, rest_of_store};
use crate::testing::TestShop;

async fn made(shop: &TestShop, path: &str, body: Value) -> Value {
    shop.owner_call("POST", &format!("/admin/v1/{path}")).keyed().json(&body).send().await.expect(201).json
}

/// Definitions of every kind that a cell writes differently, and a small tree of categories.
async fn furnished() -> TestShop {
    let shop = TestShop::open(None).await;
    for (owner, key, kind, list) in [
        ("product", "maker", "text", false),
        ("product", "story", "long_text", false),
        ("product", "year", "integer", false),
        ("product", "handmade", "boolean", false),
        ("product", "colours", "color", true),
        ("product", "facts", "json", false),
        ("variant", "hem", "decimal", false),
        ("collection", "banner", "url", false),
    ] {
        let body = json!({ "owner": owner, "key": key, "name": key, "kind": kind, "list": list });
        made(&shop, "metafield-definitions", body).await;
    }
    let kitchen = made(&shop, "categories", json!({ "title": "Kitchen" })).await;
    made(&shop, "categories", json!({ "title": "Mugs", "parent": kitchen["id"] })).await;
    shop
}

const FILE: &str = "\
Handle,Title,Variant SKU,Variant Price,Option1 Name,Option1 Value,Product Category,Product Tax Code,Variant Tax Code,Variant Components,\
Maker (product.metafields.custom.maker),product.metafields.custom.story,product.metafields.custom.year,product.metafields.custom.handmade,\
product.metafields.custom.colours,product.metafields.custom.facts,variant.metafields.custom.hem
mug,Mug,MUG,7.50,Title,Default Title,Kitchen > Mugs,home,,,'=Noord,\" two\nlines \",'-40,TRUE,\"[\"\"#12ab9f\"\",\"\"#000000\"\"]\",\"{\"\"a\"\":[1,null]}\",
plate,Plate,\"PLATE, 1\",9.00,Size,S,kitchen,,,,,,,,,,1.5
plate,,PLATE-L,11.00,,L,,,books,,,,,,,,'-2.25
set,Set,SET,30.00,Title,Default Title,,,,\"2 MUG, \"\"1 PLATE, 1\"\"\",,,,,,,
";

fn said(of: &Value) -> Vec<String> {
    let line = |field: &Value| format!("{}={}", field["key"].as_str().unwrap(), field["value"]);
    of["metafields"].as_array().map(|all| all.iter().map(line).collect()).unwrap_or_default()
}

#[actix_web::test]
async fn what_belongs_to_products_comes_from_files_and_goes_into_them() {
    let shop = furnished().await;
    let import = imported(&shop, "format=csv", FILE).await;
    assert_eq!((counts(&import), report(&shop, &import).await), ("3/0/0/0".to_owned(), vec![]), "{import}");
    assert_eq!(import["ignored_columns"], json!([]));
    let (mug, plate, set) =
        (product(&shop, "mug").await, product(&shop, "plate").await, product(&shop, "set").await);
    assert_eq!(
        said(&mug),
        [
            "colours=[\"#12ab9f\",\"#000000\"]",
            "facts={\"a\":[1,null]}",
            "handmade=true",
            "maker=\"=Noord\"",
            "story=\" two\\nlines \"",
            "year=-40"
        ]
    );
    assert_eq!(
        (said(&plate["variants"][0]), said(&plate["variants"][1])),
        (vec!["hem=\"1.5\"".to_owned()], vec!["hem=\"-2.25\"".to_owned()])
    );
    let categories = shop.owner_call("GET", "/admin/v1/categories").send().await.expect(200);
    let id = |handle: &str| {
        categories.data().iter().find(|category| category["handle"] == handle).unwrap()["id"].clone()
    };
    assert_eq!(
        (&mug["category"], &plate["category"], &set["category"]),
        (&id("mugs"), &id("kitchen"), &Value::Null)
    );
    assert_eq!(
        (&mug["tax_class"], &plate["tax_class"], &plate["variants"][1]["tax_class"]),
        (&json!("home"), &Value::Null, &json!("books"))
    );
    let parts = set["variants"][0]["components"].as_array().unwrap();
    let parts: Vec<_> = parts.iter().map(|part| format!("{} {}", part["quantity"], part["sku"])).collect();
    assert_eq!(parts, ["2 \"MUG\"", "1 \"PLATE, 1\""]);
    // The same again, and what is written of it, changes nothing and tells nobody.
    let (before, told) = (rest_of_store(&shop).await, shop.told().await.len());
    let (table, lines) = (exported(&shop, "csv").await, exported(&shop, "jsonl").await);
    for (query, file) in [
        ("format=csv", FILE),
        ("format=csv", table.as_str()),
        ("format=csv&match=sku", table.as_str()),
        ("format=jsonl", lines.as_str()),
        ("format=jsonl&match=sku", lines.as_str()),
    ] {
        let import = imported(&shop, query, file).await;
        assert_eq!(
            (counts(&import), report(&shop, &import).await),
            ("0/0/3/0".to_owned(), vec![]),
            "{query}"
        );
    }
    assert_eq!(rest_of_store(&shop).await, before);
    assert_eq!(shop.told().await.len(), told + 5, "only that imports are finished");
    // Elsewhere the table makes the same store.
    let other = furnished().await;
    assert_eq!(counts(&imported(&other, "format=csv", &table).await), "3/0/0/0");
    assert_eq!(exported(&other, "csv").await, table);
}

#[actix_web::test]
async fn bundles_come_after_what_they_are_made_of() {
    let shop = TestShop::open(None).await;
    // The set was there before it was made of anything.
    let file = "Handle,Title,Variant SKU,Variant Price\nset,Set,SET,30.00\nmug,Mug,MUG,7.50\n";
    imported(&shop, "format=csv", file).await;
    let file = "Handle,Variant Components\nset,2 MUG\n";
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "0/1/0/0");
    let table = exported(&shop, "csv").await;
    let handles: Vec<_> = table.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(handles, ["mug", "set"]);
    let other = TestShop::open(None).await;
    assert_eq!(counts(&imported(&other, "format=csv", &table).await), "2/0/0/0");
    assert_eq!(product(&other, "set").await["variants"][0]["components"][0]["quantity"], 2);
    // An empty cell takes it apart, a missing column leaves it.
    let file = "Handle,Variant Price\nset,31.00\n";
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "0/1/0/0");
    assert_eq!(product(&shop, "set").await["variants"][0]["components"][0]["quantity"], 2);
    let file = "Handle,Variant Price,Variant Components\nset,31.00,\n";
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "0/1/0/0");
    assert_eq!(product(&shop, "set").await["variants"][0]["components"], Value::Null);
}

#[actix_web::test]
async fn circles_and_unknown_parts_are_refused_at_their_rows() {
    let shop = TestShop::open(None).await;
    let file = "Handle,Title,Variant SKU,Variant Price,Variant Components\n\
                mug,Mug,MUG,7.50,\nset,Set,SET,30.00,2 MUG\n";
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "2/0/0/0");
    let before = rest_of_store(&shop).await;
    let file = "Handle,Title,Variant SKU,Variant Price,Variant Components\n\
                mug,Mug,MUG,8.00,1 SET\n\
                set,Set,SET,30.00,1 SET\n\
                crate,Crate,CRATE,90.00,3 SET\n\
                box,Box,BOX,10.00,1 NOWHERE\n\
                bag,Bag,BAG,10.00,MUG\n\
                lot,Lot,LOT,10.00,101 MUG\n\
                two,Two,TWO,10.00,\"1 MUG, 2 MUG\"\n";
    let import = imported(&shop, "format=csv", file).await;
    assert_eq!(counts(&import), "0/0/0/7", "{import}");
    assert_eq!(
        report(&shop, &import).await,
        [
            // Another is made of it, and it of another: both are said.
            "error 2 Variant Components circular",
            "error 2 Variant Components circular",
            "error 3 Variant Components circular",
            "error 4 Variant Components circular",
            "error 5 Variant Components unknown",
            "error 6 Variant Components invalid",
            "error 7 Variant Components out_of_range",
            "error 8 Variant Components duplicate",
        ]
    );
    assert_eq!(rest_of_store(&shop).await, before);
    let line = json!({ "handle": "box", "title": "Box", "variants": [
        { "sku": "BOX", "price": { "amount_minor": 1, "currency": "EUR" }, "components": [{ "sku": "MUG", "quantity": 1 }, { "quantity": 1 }] }] });
    let import = imported(&shop, "format=jsonl", &format!("{line}\n")).await;
    assert_eq!(report(&shop, &import).await, ["error 1 /variants/0/components/1 required"]);
    assert_eq!(rest_of_store(&shop).await, before);
}

#[actix_web::test]
async fn what_is_not_defined_is_left_out_and_what_does_not_fit_is_refused() {
    let shop = furnished().await;
    let file = "Handle,Title,Variant Price,Product Category,product.metafields.custom.year,product.metafields.other.thing,product.metafields.custom.colours\n\
                a,A,1.00,Garden,40,x,\n\
                b,B,1.00,,soon,,\n\
                c,C,1.00,,,,red\n\
                d,D,1.00,,,,\"[\"\"red\"\"]\"\n";
    let import = imported(&shop, "format=csv", file).await;
    assert_eq!(counts(&import), "1/0/0/3", "{import}");
    assert_eq!(
        report(&shop, &import).await,
        [
            "warning 2 Product Category left_out",
            "warning 2 product.metafields.other.thing left_out",
            "error 3 product.metafields.custom.year invalid",
            "error 4 product.metafields.custom.colours invalid",
            "error 5 product.metafields.custom.colours invalid",
        ]
    );
    assert_eq!(said(&product(&shop, "a").await), ["year=40"]);
    // An empty cell takes a value away.
    let file = "Handle,product.metafields.custom.year\na,\n";
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "0/1/0/0");
    assert_eq!(said(&product(&shop, "a").await), Vec::<String>::new());
    let line = json!({ "handle": "a", "metafields": [{ "key": "year", "value": 3 }, { "key": "nothing", "value": 1 }] });
    let before = rest_of_store(&shop).await;
    let import = imported(&shop, "format=jsonl", &format!("{line}\n")).await;
    assert_eq!(report(&shop, &import).await, ["error 1 /metafields/1/key unknown"]);
    assert_eq!(rest_of_store(&shop).await, before);
}
