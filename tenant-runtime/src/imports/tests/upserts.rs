//! What a file says is so afterwards; what it does not say stays.

use serde_json::json;

use super::{counts, imported, product, report, rest_of_store, send, shown, work};
use crate::testing::TestShop;

const BASE: &str = "\
Handle,Title,Vendor,Tags,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Compare At Price,Variant Inventory Qty,Variant Grams,SEO Title
shirt,Shirt,Noord,\"a, b\",active,Size,S,SH-S,10.00,12.00,5,200,Fine shirts
shirt,,,,,,M,SH-M,10.00,,4,200,
mug,Mug,Noord,,active,Title,Default Title,MUG,7.50,,9,300,
";

async fn stocked() -> TestShop {
    let shop = TestShop::open(None).await;
    assert_eq!(counts(&imported(&shop, "format=csv", BASE).await), "2/0/0/0");
    shop
}

#[actix_web::test]
async fn columns_that_are_missing_leave_alone_and_empty_cells_take_away() {
    let shop = stocked().await;
    let file = "Handle,Title,Vendor,Variant Price,Option1 Name,Option1 Value,SEO Title,Variant Compare At Price\n\
                shirt,Better shirt,,11,Size,S,,\n\
                shirt,,,13.5,,L,,\n";
    let import = imported(&shop, "format=csv", file).await;
    assert_eq!((counts(&import), report(&shop, &import).await), ("0/1/0/0".to_owned(), vec![]));
    let shirt = product(&shop, "shirt").await;
    assert_eq!(
        (&shirt["title"], &shirt["vendor"], &shirt["seo_title"]),
        (&json!("Better shirt"), &json!(""), &json!(null))
    );
    assert_eq!((&shirt["tags"], &shirt["status"]), (&json!(["a", "b"]), &json!("active")));
    let variants = shirt["variants"].as_array().unwrap();
    let line = |variant: &serde_json::Value| {
        format!(
            "{} {} {} {} {}",
            variant["title"],
            variant["sku"],
            variant["price"]["amount_minor"],
            variant["compare_at"],
            variant["stock"]
        )
    };
    assert_eq!(
        variants.iter().map(line).collect::<Vec<_>>(),
        ["\"S\" \"SH-S\" 1100 null 5", "\"M\" \"SH-M\" 1000 null 4", "\"L\" null 1350 null 0"]
    );
    assert_eq!(shop.unexplained_levels().await, 0);
    // One event for one changed product, however much of it changed.
    let told = shop.told().await;
    assert_eq!(told[told.len() - 2..], ["product.updated", "import.finished"]);
}

#[actix_web::test]
async fn prices_and_stock_by_sku_from_a_spreadsheet() {
    let shop = stocked().await;
    let file = "\u{feff}SKU;Price;Inventory quantity\r\nSH-M;9.95;40\r\nMUG;7.50;9\r\nNEW-1;3.00;1\r\n";
    let import = imported(&shop, "format=csv&match=sku", file).await;
    // The third is nobody's SKU, and no product can be made without a title.
    assert_eq!(counts(&import), "0/1/1/1");
    assert_eq!(report(&shop, &import).await, ["error 4 Title required"]);
    let shirt = product(&shop, "shirt").await;
    assert_eq!(
        (&shirt["variants"][1]["price"]["amount_minor"], &shirt["variants"][1]["stock"]),
        (&json!(995), &json!(40))
    );
    let last =
        "SELECT kind || '/' || reason || '/' || on_hand_delta || '/' || split_part(actor, ':', 1) AS word
                FROM stock_movements ORDER BY id DESC LIMIT 1";
    assert_eq!(shop.words(last).await, "adjusted/import/36/staff");
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn a_product_may_come_twice() {
    let shop = TestShop::open(None).await;
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant Price\n\
                a,A,Size,S,1\nb,B,Title,Default Title,2\na,,Size,M,3\na,,,L,4\n";
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "2/1/0/0");
    assert_eq!(product(&shop, "a").await["variants"].as_array().unwrap().len(), 3);
    // Without a handle it is made of the title, and so found again.
    let file = "Title,Variant Price\nB,2.00\nCrème brûlée,5\n";
    assert_eq!(counts(&imported(&shop, "format=csv", file).await), "1/0/1/0");
    product(&shop, "creme-brulee").await;
}

#[actix_web::test]
async fn lines_of_json_say_what_requests_say() {
    let shop = stocked().await;
    let eur = |minor: i64| json!({ "amount_minor": minor, "currency": "EUR" });
    let lines = [
        json!({ "handle": "mug", "price": eur(800), "sku": null, "status": "draft" }),
        json!({ "handle": "shirt", "variants": [{ "options": { "Size": "S" }, "compare_at": null }] }),
        json!({ "handle": "cap", "title": "Cap", "options": [{ "name": "Size", "values": ["S"] }],
            "variants": [{ "options": { "Size": "S" }, "price": eur(900), "stock": 3 }] }),
        json!({ "title": "No handle", "price": eur(900) }),
        json!({ "handle": "bad", "title": "Bad", "price": eur(900), "colour": "red" }),
    ];
    let file = lines.map(|line| line.to_string()).join("\n") + "\nnot json\n";
    let import = imported(&shop, "format=jsonl", &file).await;
    assert_eq!(counts(&import), "1/2/0/3");
    assert_eq!(
        report(&shop, &import).await,
        ["error 4 /handle required", "error 5 /colour unknown_field", "error 6  malformed_json"]
    );
    let mug = product(&shop, "mug").await;
    assert_eq!(
        (&mug["variants"][0]["sku"], &mug["variants"][0]["price"]["amount_minor"]),
        (&json!(null), &json!(800))
    );
    assert_eq!((&mug["status"], &mug["variants"][0]["stock"]), (&json!("draft"), &json!(9)));
    assert_eq!(product(&shop, "shirt").await["variants"][0]["compare_at"], json!(null));
}

#[actix_web::test]
async fn a_dry_run_tells_everything_and_does_nothing() {
    let shop = stocked().await;
    let (before, told) = (rest_of_store(&shop).await, shop.told().await);
    let file = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\n\
                mug,Mug,MUG,7.50,30\nhat,Hat,HAT,20,3\npot,Pot,SH-S,30,1\nshirt,Shirt,,,\n";
    let sent = send(&shop, "format=csv&dry_run=true", file).await.expect(202);
    assert_eq!(sent.json["dry_run"], true);
    work(&shop).await;
    let dry = shown(&shop, &sent.text("/id")).await;
    assert_eq!((counts(&dry), dry["state"].as_str()), ("1/1/1/1".to_owned(), Some("done")));
    assert_eq!(report(&shop, &dry).await, ["error 4 Variant SKU sku_taken"]);
    assert_eq!((rest_of_store(&shop).await, shop.told().await), (before, told));
    // It told the truth.
    let wet = imported(&shop, "format=csv", file).await;
    assert_eq!((counts(&wet), report(&shop, &wet).await), (counts(&dry), report(&shop, &dry).await));
}

#[actix_web::test]
async fn stock_is_changed_only_by_those_who_may_adjust_it() {
    let shop = stocked().await;
    let key = json!({ "name": "Sync", "kind": "secret", "scopes": ["product:*"] });
    let key = shop.owner_call("POST", "/admin/v1/api-keys").json(&key).keyed().send().await.expect(201);
    let bearer = format!("Bearer {}", key.text("/secret"));
    let file = "Handle,Variant Price,Variant Inventory Qty\nmug,8.00,10\nmug,8.00,9\n";
    let sent = shop.call("POST", "/admin/v1/imports?format=csv").header("authorization", &bearer);
    let sent = sent.bytes(file.replace("mug,8.00,9\n", "").into_bytes()).send().await.expect(202);
    work(&shop).await;
    let import = shown(&shop, &sent.text("/id")).await;
    assert_eq!(
        (counts(&import), report(&shop, &import).await),
        ("0/0/0/1".to_owned(), vec!["error 2 Variant Inventory Qty forbidden".to_owned()])
    );
    assert_eq!(product(&shop, "mug").await["variants"][0]["price"]["amount_minor"], 750);
}
