//! Notes and tags, and what orders are found by.

use serde_json::{Value, json};

use crate::testing::Answer;
use crate::testing::shop::{Shop, key, pay_with};

async fn order(shop: &Shop) -> String {
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let bought = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201);
    bought.text("/order/id")
}

async fn edits(shop: &Shop, id: &str, seen: &str, wish: Value) -> Answer {
    let path = format!("/admin/v1/orders/{id}");
    shop.owner_call("PATCH", &path).header("if-match", seen).json(&wish).send().await
}

async fn found(shop: &Shop, query: &str) -> Vec<Value> {
    let path = format!("/admin/v1/orders?{query}");
    let page = shop.owner_call("GET", &path).send().await.expect(200);
    page.data().iter().map(|order| order["name"].clone()).collect()
}

#[actix_web::test]
async fn staff_notes_and_tags_an_order_and_finds_it_by_them() {
    let shop = Shop::open().await;
    let (first, second) = (order(&shop).await, order(&shop).await);
    let wish = json!({ "note": "Ring twice", "tags": ["Urgent", "urgent", "phone"] });
    let edited = edits(&shop, &first, "*", wish.clone()).await.expect(200);
    assert_eq!(
        (&edited.json["note"], &edited.json["tags"]),
        (&json!("Ring twice"), &json!(["Urgent", "phone"]))
    );
    assert_eq!(edited.json["total"]["amount_minor"], 1490);
    let entry = edited.json["timeline"].as_array().unwrap().last().unwrap();
    let told = json!({ "note_changed": true, "tags_added": ["Urgent", "phone"], "tags_removed": [] });
    assert_eq!((&entry["kind"], &entry["details"]), (&json!("order.updated"), &told));
    assert_eq!(found(&shop, "tag=phone").await, [json!("#1001")]);
    assert_eq!(found(&shop, "tag=Phone").await, Vec::<Value>::new(), "as it is written");
    edits(&shop, &second, "*", json!({ "tags": ["phone"] })).await.expect(200);
    assert_eq!(found(&shop, "tag=phone").await, [json!("#1002"), json!("#1001")]);
    assert_eq!(shop.told().await[4..], ["order.updated", "order.updated"]);
    // What is as it was is no change, and what somebody else changed meanwhile is not overwritten.
    let seen = edited.header("etag").to_owned();
    let before = shop.digest().await;
    edits(&shop, &first, "\"1\"", json!({ "note": "Late" })).await.refused(412, "precondition_failed");
    for (pointer, wish) in
        [("/tags", json!({ "tags": vec!["x"; 51] })), ("/note", json!({ "note": "4242 4242 4242 4242" }))]
    {
        edits(&shop, &first, "*", wish).await.refused(422, "validation_failed").about(pointer);
    }
    edits(&shop, &first, "*", json!({ "tags": ["x".repeat(65)] })).await.expect(422);
    edits(&shop, &first, "*", json!({ "total": 1 })).await.refused(422, "unknown_field");
    edits(&shop, "ord_01h455vb4pex5vsknk084sn02q", "*", json!({})).await.refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
    let same = edits(&shop, &first, &seen, wish).await.expect(200);
    assert_eq!(same.header("etag"), seen);
    assert_eq!(shop.told().await.len(), 6);
    let cleared = edits(&shop, &first, &seen, json!({ "note": "", "tags": [] })).await.expect(200);
    assert_eq!((&cleared.json["note"], &cleared.json["tags"]), (&json!(""), &json!([])));
}

#[actix_web::test]
async fn an_order_says_through_which_channel_it_came() {
    let shop = Shop::open().await;
    let id = order(&shop).await;
    let path = format!("/admin/v1/orders/{id}");
    let seen = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(seen.json["channel"]["name"], "Online store");
    let channel = seen.text("/channel/id");
    assert_eq!(found(&shop, &format!("channel={channel}")).await, [json!("#1001")]);
    let other = "channel=chn_01h455vb4pex5vsknk084sn02q";
    assert_eq!(found(&shop, other).await, Vec::<Value>::new());
    // Renamed since, it was bought through what it was called then.
    let rename = shop.owner_call("PATCH", &format!("/admin/v1/channels/{channel}"));
    rename.json(&json!({ "name": "Web" })).send().await.expect(200);
    let later = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(later.json["channel"], seen.json["channel"]);
}
