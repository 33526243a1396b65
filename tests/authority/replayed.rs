//! What one store gave out is worth nothing in another, though one process serves both and keeps their answers side by side: keys of
//! requests, names of versions, positions in lists. (Tokens and API keys of another store are in the cast of `matrix`.)

use serde_json::json;
use souk_proofs::{Answer, Business, Call};

use super::scene::{Scene, scene};

/// What the owner of a business gets there.
async fn asks(scene: &Scene, at: &Business, call: Call) -> Answer {
    let token = at.owner().staff_token(scene.platform, at.store);
    at.door(scene.platform).send(&call.bearer(&token)).await
}

#[tokio::test]
async fn what_one_store_gave_out_is_worth_nothing_in_another() {
    let (scene, _turn) = scene().await;
    let (here, there, books) = (&scene.here, &scene.there, scene.books().await);
    books.keep().await;
    let before = books.digest().await;

    // The same key, for the same words: each store does it once, and repeats its own answer.
    let wish = json!({ "title": "Replayed", "variants": [{ "sku": "REPLAYED-1", "price": { "amount_minor": 100, "currency": "EUR" } }] });
    let call = Call::post("/admin/v1/products", &wish).once();
    let mut made = Vec::new();
    for at in [here, there] {
        let first = asks(scene, at, call.clone()).await.expect(201);
        assert_eq!(first.header("idempotent-replayed"), "", "at {}", at.handle);
        let again = asks(scene, at, call.clone()).await.expect(201);
        assert_eq!((again.header("idempotent-replayed"), &again.bytes), ("true", &first.bytes));
        made.push(first.word("/id"));
    }
    assert_ne!(made[0], made[1]);
    // Other words under the key are refused where it was used, by the store's own memory.
    let mut words = wish.clone();
    words["title"] = json!("Other words");
    let other = call.clone().json(&words);
    for at in [here, there] {
        assert_eq!(asks(scene, at, other.clone()).await.expect(422).code(), "idempotency_key_reused");
    }
    // What is not there is not made by somebody else's key.
    let path = format!("/admin/v1/products/{}", made[0]);
    asks(scene, there, Call::get(path.as_str())).await.expect(404);

    // A page of shoppers' that is kept: known by its version where it is from, and nowhere else.
    let page = Call::get("/store/v1/products?limit=50");
    let [mine, theirs] = [here, there].map(|at| at.door(scene.platform));
    let (kept, shown) = (mine.send(&page).await.expect(200), theirs.send(&page).await.expect(200));
    let known = page.clone().header("if-none-match", kept.header("etag"));
    assert!(!kept.header("etag").is_empty());
    mine.send(&known).await.expect(304);
    assert_eq!(theirs.send(&known).await.expect(200).bytes, shown.bytes);
    assert!(!shown.text().contains(&here.canary) && !kept.text().contains(&there.canary));

    // A position in a list is one of that list, in that store.
    let next = mine.send(&Call::get("/store/v1/products?limit=1")).await.expect(200).word("/page/next");
    let on = Call::get(format!("/store/v1/products?limit=1&after={next}"));
    mine.send(&on).await.expect(200);
    assert_eq!(theirs.send(&on).await.expect(400).code(), "invalid_cursor");

    let changed = before.changed(&books.digest().await);
    books.bring_back(&changed).await;
}
