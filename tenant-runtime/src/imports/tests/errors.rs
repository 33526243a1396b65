//! One bad product does not hold up the others, and leaves nothing behind.

use serde_json::json;

use super::{IMPORTS, counts, imported, product, report, send, shown, work};
use crate::testing::TestShop;

#[actix_web::test]
async fn every_row_that_is_wrong_is_named_with_its_column() {
    let shop = TestShop::open(None).await;
    let taken = json!({ "title": "Taken", "handle": "taken", "sku": "TAKEN", "price": { "amount_minor": 100, "currency": "EUR" } });
    shop.owner_call("POST", "/admin/v1/products").json(&taken).send().await.expect(201);
    let file = "\
Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Price,Variant Inventory Qty,Variant Taxable,Status,Tags
good,Good,,,,,G,5.00,1,TRUE,active,
price,Price,,,,,P,5.001,1,TRUE,active,
numbers,Numbers,,,,,N,five,1.5,maybe,sold,
untitled,,,,,,U,5.00,1,TRUE,active,
sku,Sku,,,,,TAKEN,5.00,1,TRUE,active,
half,Half,Size,S,,,H1,5.00,1,TRUE,active,
half,,,S,,,H2,5.00,1,TRUE,,
half,,,M,,,H3,-1.00,1,TRUE,,
nameless,Nameless,,S,,,X,5.00,1,TRUE,active,
東京,Tokyo,,,,,T,5.00,1,TRUE,active,
wide,Wide,,,,,W,5.00,1,TRUE,active,,oops
long,Long,,,,,L,5.00,1,TRUE,active,\"a, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"
free,Free,,,,,F,,1,TRUE,active,
last,Last,,,,,Z,5.00,1,TRUE,active,
";
    let import = imported(&shop, "format=csv", file).await;
    assert_eq!(counts(&import), "2/0/0/10", "{import}");
    assert_eq!(
        report(&shop, &import).await,
        [
            "error 3 Variant Price invalid",
            "error 4 Status invalid",
            "error 4 Variant Price invalid",
            "error 4 Variant Inventory Qty invalid",
            "error 4 Variant Taxable invalid",
            "error 5 Title required",
            "error 6 Variant SKU sku_taken",
            "error 8 Option1 Value duplicate",
            "error 9 Variant Price out_of_range",
            "error 10 Option1 Name required",
            "error 11 Handle invalid",
            "error 12  too_many_cells",
            "error 13 Tags invalid",
            "error 14 Variant Price required",
        ]
    );
    let handles = "SELECT handle AS word FROM products ORDER BY handle";
    assert_eq!(shop.words(handles).await, "good last taken");
    assert_eq!(shop.number("SELECT count(*) AS number FROM inventory_items").await, 3);
    let first =
        shop.owner_call("GET", &format!("{IMPORTS}/{}/errors?limit=1", import["id"].as_str().unwrap()));
    let first = first.send().await.expect(200);
    assert_eq!(
        first.data()[0],
        json!({ "level": "error", "row": 3, "field": "Variant Price", "product": "price", "code": "invalid",
            "message": "must be a decimal number with at most 2 decimals, such as 12.34" })
    );
    assert_eq!(first.json["page"]["has_more"], true);
}

#[actix_web::test]
async fn what_the_stock_refuses_leaves_the_product_as_it_was() {
    let shop = TestShop::open(None).await;
    let file = "Handle,Title,Variant Price,Variant Inventory Qty\nmug,Mug,5.00,10\npot,Pot,9.00,10\n";
    imported(&shop, "format=csv", file).await;
    // Seven of the mugs are promised.
    shop.admin("UPDATE {s}.inventory_levels SET committed = 7 WHERE item_id = (SELECT v.inventory_item_id FROM {s}.product_variants v JOIN {s}.products p ON p.id = v.product_id WHERE p.handle = 'mug')").await;
    let file = "Handle,Title,Variant Price,Variant Inventory Qty\nmug,Mugs,6.00,3\npot,Pots,9.00,3\n";
    let import = imported(&shop, "format=csv", file).await;
    assert_eq!(counts(&import), "0/1/0/1");
    assert_eq!(report(&shop, &import).await, ["error 2 Variant Inventory Qty stock_in_use"]);
    let mug = product(&shop, "mug").await;
    assert_eq!((&mug["title"], &mug["variants"][0]["price"]["amount_minor"]), (&json!("Mug"), &json!(500)));
    assert_eq!(product(&shop, "pot").await["variants"][0]["stock"], 3);
}

#[actix_web::test]
async fn a_file_that_is_none_is_refused_at_once() {
    let shop = TestShop::open(None).await;
    let before = shop.digest().await;
    for (query, file, row, field, reason) in [
        ("format=csv", "", json!(null), json!(null), "empty"),
        ("format=csv", "Handle,Title\n", json!(null), json!(null), "empty"),
        ("format=csv", "Name,Cost\na,1\n", json!(1), json!("Handle"), "required"),
        ("format=csv&match=sku", "Handle,Title\na,A\n", json!(1), json!("Variant SKU"), "required"),
        ("format=csv", "Handle,Title,handle\na,A,b\n", json!(1), json!("handle"), "duplicate"),
        ("format=jsonl", "\n \n", json!(null), json!(null), "empty"),
    ] {
        let refused = send(&shop, query, file).await.refused(422, "import_file");
        let seen = (&refused.json["row"], &refused.json["field"], refused.json["reason"].as_str());
        assert_eq!(seen, (&row, &field, Some(reason)), "{file}");
    }
    let latin = shop.owner_call("POST", &format!("{IMPORTS}?format=csv"));
    let latin = latin.bytes(b"Handle,Title\na,caf\xe9\n".to_vec()).send().await.refused(422, "import_file");
    assert_eq!((&latin.json["row"], &latin.json["reason"]), (&json!(2), &json!("not_utf8")));
    send(&shop, "format=xml", "x").await.refused(422, "validation_failed").about("?format");
    send(&shop, "format=csv&match=id", "x").await.refused(422, "validation_failed").about("?match");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn the_row_after_the_last_is_one_too_many() {
    let shop = TestShop::open(None).await;
    let before = shop.digest().await;
    let mut file = String::from("Handle,Title,Variant Price\n");
    for number in 0..=100_000 {
        file.push_str(&format!("p{number},P,1\n"));
    }
    let refused = send(&shop, "format=csv", &file).await.refused(422, "import_file");
    assert_eq!((&refused.json["row"], &refused.json["reason"]), (&json!(100_002), &json!("too_many_rows")));
    assert_eq!(shop.digest().await, before);
    // One row less is taken, in several pieces.
    let file = file.strip_suffix("p100000,P,1\n").unwrap();
    let sent = send(&shop, "format=csv", file).await.expect(202);
    assert_eq!(sent.json["rows"]["total"], 100_000);
    let pieces = shop.number("SELECT count(*) AS number FROM import_pieces").await;
    assert_eq!(pieces, i64::try_from(file.len().div_ceil(256 << 10)).unwrap());
    let cancel = format!("{IMPORTS}/{}/cancel", sent.text("/id"));
    shop.owner_call("POST", &cancel).send().await.expect(200);
    assert_eq!(shop.number("SELECT count(*) AS number FROM import_pieces").await, 0);
}

#[actix_web::test]
async fn a_million_rows_and_packed_files_leave_nothing_behind() {
    let shop = TestShop::open(None).await;
    let before = shop.digest().await;
    let mut file = String::from("Handle,Title,Variant Price\n");
    for row in 0..1_000_000 {
        file.push_str(if row % 2 == 0 { "a,A,1\n" } else { "b,B,1\n" });
    }
    let refused = send(&shop, "format=csv", &file).await.refused(422, "import_file");
    assert_eq!((&refused.json["row"], &refused.json["reason"]), (&json!(100_002), &json!("too_many_rows")));
    // A spreadsheet's own file, and a packed table: nothing is unpacked.
    for packed in
        [b"PK\x03\x04\x14\x00\x06\x00\xff\xfe".to_vec(), b"\x1f\x8b\x08\x00\xff\xfe\x00\x03".to_vec()]
    {
        let call =
            shop.owner_call("POST", &format!("{IMPORTS}?format=csv")).header("content-encoding", "gzip");
        call.header("content-type", "text/csv").bytes(packed).send().await.refused(422, "import_file");
    }
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn a_report_keeps_its_first_thousand_entries() {
    let shop = TestShop::open(None).await;
    let rows: String = (0..1100).map(|number| format!("p{number},P,x\n")).collect();
    let import = imported(&shop, "format=csv", &format!("Handle,Title,Variant Price\n{rows}")).await;
    assert_eq!((counts(&import), import["errors"].as_i64()), ("0/0/0/1100".to_owned(), Some(1100)));
    let kept = "SELECT count(*) AS number FROM import_entries";
    assert_eq!(shop.number(kept).await, 1000);
    assert_eq!(shop.number("SELECT max(row_number) AS number FROM import_entries").await, 1001);
    work(&shop).await;
    assert_eq!(shown(&shop, import["id"].as_str().unwrap()).await, import);
}

#[actix_web::test]
async fn a_plan_has_room_for_so_many_products() {
    let shop = TestShop::open(None).await;
    shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "products": 2 } })).await;
    let head = "Handle,Title,Variant Price\n";
    let file = format!("{head}one,One,1.00\ntwo,Two,2.00\nthree,Three,3.00\none,Once,1.50\n");
    let import = imported(&shop, "format=csv", &file).await;
    assert_eq!(counts(&import), "2/1/0/1", "{import}");
    let told = report(&shop, &import).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("error 4 ") && told[0].ends_with(" product_quota_reached"), "{told:?}");
    assert_eq!(shop.words("SELECT handle AS word FROM products ORDER BY handle").await, "one two");
    // Full is full for the next file too, a rehearsal says so, and what is there can still be changed.
    let file = format!("{head}four,Four,4.00\ntwo,Twice,2.00\n");
    assert_eq!(counts(&imported(&shop, "format=csv&dry_run=true", &file).await), "0/1/0/1");
    assert_eq!(counts(&imported(&shop, "format=csv", &file).await), "0/1/0/1");
    assert_eq!(shop.words("SELECT title AS word FROM products ORDER BY title").await, "Once Twice");
}
