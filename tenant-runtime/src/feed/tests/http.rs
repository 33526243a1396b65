//! Following what happens, over HTTP.

use serde_json::json;

use crate::feed::model::catalogue::announced;
use crate::testing::shop::Shop;

pub async fn orders(shop: &Shop, count: usize) {
    let thing = shop.thing(99, 1299).await;
    for _ in 0..count {
        shop.buys(&shop.basket(thing, 2).await, 3088, "tok_ok").await.expect(201);
    }
}

/// Everything a list has told until now, page by page. Waits for what older transactions of this server hold back: dropping another suite's
/// database, say, takes as long as it has files.
pub async fn all(shop: &Shop, filter: &str, expected: usize) -> Vec<serde_json::Value> {
    for _ in 0..1200 {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = shop
                .owner_call("GET", &format!("/admin/v1/events?limit=2{filter}{after}"))
                .send()
                .await
                .expect(200);
            found.extend(page.data().clone());
            match page.json["page"]["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        if found.len() >= expected {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{expected} events were not told");
}

#[actix_web::test]
async fn events_are_listed_in_order_from_a_cursor_on_and_by_kind() {
    let shop = Shop::open().await;
    orders(&shop, 3).await;
    let told = shop.told().await;
    let found = all(&shop, "", told.len()).await;
    let kinds: Vec<_> = found.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, told);
    for event in &found {
        assert_eq!((&event["envelope"], &event["store_id"]), (&json!(1), &json!(shop.store.id.to_string())));
        assert!(event["sequence"].as_i64().unwrap() >= 1, "{event}");
    }
    let placed = all(&shop, "&type=order.placed", 3).await;
    assert_eq!(placed.len(), 3);
    // From the cursor of the first on, the other two, and after the last one none.
    let cursor = placed[0]["cursor"].as_str().unwrap();
    let rest = shop
        .owner_call("GET", &format!("/admin/v1/events?type=order.placed&after={cursor}"))
        .send()
        .await
        .expect(200);
    assert_eq!(
        rest.data().iter().map(|event| &event["id"]).collect::<Vec<_>>(),
        [&placed[1]["id"], &placed[2]["id"]]
    );
    let last = found.last().unwrap()["cursor"].as_str().unwrap();
    let none = shop.owner_call("GET", &format!("/admin/v1/events?after={last}")).send().await.expect(200);
    assert_eq!(none.data().len(), 0);
    shop.owner_call("GET", "/admin/v1/events?type=order.eaten")
        .send()
        .await
        .refused(422, "validation_failed")
        .about("?type");
    shop.owner_call("GET", "/admin/v1/events?after=nonsense").send().await.refused(400, "invalid_cursor");
    shop.call("GET", "/admin/v1/events").send().await.refused(401, "unauthenticated");
    let types = shop.owner_call("GET", "/admin/v1/event-types").send().await.expect(200);
    assert_eq!(types.data().len(), announced().len());
    assert!(
        types
            .data()
            .iter()
            .all(|kind| kind["schema"]["properties"].is_object() && kind["description"].is_string())
    );
}

#[actix_web::test]
async fn another_stores_events_and_cursors_are_worth_nothing_here() {
    let (shop, other) = (Shop::open().await, Shop::open().await);
    orders(&shop, 1).await;
    let found = all(&shop, "", 2).await;
    assert_eq!(other.owner_call("GET", "/admin/v1/events").send().await.expect(200).data().len(), 0);
    let cursor = found[0]["cursor"].as_str().unwrap();
    let there = other.owner_call("GET", &format!("/admin/v1/events?after={cursor}")).send().await;
    assert!(there.status != 200 || there.data().is_empty(), "{}", there.json);
}
