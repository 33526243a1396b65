use serde_json::{Value, json};

use super::simple;
use crate::testing::TestShop;

const PATH: &str = "/admin/v1/collections";

async fn shown(shop: &TestShop, query: &str) -> Vec<String> {
    let page =
        shop.call("GET", &format!("/store/v1/products?collection=summer{query}")).send().await.expect(200);
    page.data().iter().map(|product| product["title"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_collection_is_shown_as_it_is_arranged() {
    let shop = TestShop::open(None).await;
    let mut products: Vec<Value> = Vec::new();
    for (title, price) in [("Ash", 300), ("Birch", 100), ("Cedar", 200)] {
        products.push(simple(&shop, title, price).await["id"].clone());
    }
    let made =
        shop.owner_call("POST", PATH).keyed().json(&json!({ "title": "Summer" })).send().await.expect(201);
    assert_eq!(
        (&made.json["handle"], &made.json["published"], &made.json["product_count"]),
        (&json!("summer"), &json!(true), &json!(0))
    );
    let path = format!("{PATH}/{}", made.text("/id"));
    for product in &products {
        shop.owner_call("PUT", &format!("{path}/products/{}", product.as_str().unwrap()))
            .send()
            .await
            .expect(204);
    }
    assert_eq!(shown(&shop, "").await, ["Ash", "Birch", "Cedar"]);
    let order = json!({ "products": [products[2], products[0], products[1]] });
    let arranged = shop
        .owner_call("PUT", &format!("{path}/products"))
        .header("if-match", "\"1\"")
        .json(&order)
        .send()
        .await
        .expect(200);
    assert_eq!((&arranged.json["product_count"], arranged.header("etag")), (&json!(3), "\"2\""));
    assert_eq!(shown(&shop, "").await, ["Cedar", "Ash", "Birch"]);
    assert_eq!(shown(&shop, "&sort=price").await, ["Birch", "Cedar", "Ash"]);
    // Page by page in the merchant's order.
    let first = shop.call("GET", "/store/v1/products?collection=summer&limit=2").send().await.expect(200);
    let next = first.header("link").strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
    let second = shop.call("GET", &next).send().await.expect(200);
    assert_eq!(
        (first.data().len(), &second.data()[0]["title"], second.data().len()),
        (2, &json!("Birch"), 1)
    );
    // Left out is out.
    let fewer = json!({ "products": [products[1]] });
    shop.owner_call("PUT", &format!("{path}/products")).json(&fewer).send().await.expect(200);
    assert_eq!(shown(&shop, "").await, ["Birch"]);
    shop.owner_call("DELETE", &format!("{path}/products/{}", products[1].as_str().unwrap()))
        .send()
        .await
        .expect(204);
    assert_eq!(shown(&shop, "").await, Vec::<String>::new());
    let seen = shop.call("GET", "/store/v1/collections/summer").send().await.expect(200);
    assert_eq!(
        (&seen.json["title"], &seen.json["product_count"], seen.cost),
        (&json!("Summer"), &json!(0), (1, 1))
    );
    shop.call("GET", "/store/v1/collections/summer")
        .header("if-none-match", seen.header("etag"))
        .send()
        .await
        .expect(304);
    let hidden = shop
        .owner_call("PATCH", &path)
        .json(&json!({ "published": false, "title": "Late summer" }))
        .send()
        .await
        .expect(200);
    assert_eq!((&hidden.json["published"], &hidden.json["handle"]), (&json!(false), &json!("summer")));
    shop.call("GET", "/store/v1/collections/summer").send().await.refused(404, "not_found");
    assert!(shop.call("GET", "/store/v1/collections").send().await.expect(200).data().is_empty());
    assert_eq!(
        shop.owner_call("GET", &format!("{PATH}?published=false")).send().await.expect(200).data().len(),
        1
    );
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.owner_call("GET", &path).send().await.refused(404, "not_found");
    assert_eq!(shop.number("SELECT count(*) AS number FROM products").await, 3);
}

#[actix_web::test]
async fn a_collection_takes_only_what_there_is() {
    let shop = TestShop::open(None).await;
    let ash = simple(&shop, "Ash", 300).await["id"].clone();
    let made = shop.owner_call("POST", PATH).json(&json!({ "title": "Summer" })).send().await.expect(201);
    let path = format!("{PATH}/{}", made.text("/id"));
    let before = shop.digest().await;
    let nothing = "prd_01h455vb4pex5vsknk084sn02q";
    shop.owner_call("PUT", &format!("{path}/products/{nothing}")).send().await.refused(404, "not_found");
    let arrange = |body: Value| shop.owner_call("PUT", &format!("{path}/products")).json(&body).send();
    arrange(json!({ "products": [ash, nothing] }))
        .await
        .refused(422, "validation_failed")
        .about("/products/1");
    arrange(json!({ "products": [ash, ash] })).await.refused(422, "validation_failed").about("/products/1");
    arrange(json!({ "products": "all" })).await.refused(422, "validation_failed").about("/products");
    shop.owner_call("PUT", &format!("{path}/products"))
        .header("if-match", "\"7\"")
        .json(&json!({ "products": [] }))
        .send()
        .await
        .refused(412, "precondition_failed");
    shop.owner_call("POST", PATH)
        .json(&json!({ "title": "Summer" }))
        .send()
        .await
        .refused(409, "handle_taken")
        .about("/handle");
    shop.owner_call("PATCH", &path)
        .json(&json!({ "handle": "Über" }))
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/handle");
    for (method, path) in [("GET", PATH), ("POST", PATH)] {
        shop.call(method, path).json(&json!({ "title": "x" })).send().await.refused(401, "unauthenticated");
    }
    assert_eq!(shop.digest().await, before);
}

/// Whoever saw the collection before somebody else's change is told so, also when both come at the same moment.
#[actix_web::test]
async fn two_edits_of_one_version_are_one() {
    let shop = TestShop::open(None).await;
    let made = shop.owner_call("POST", PATH).json(&json!({ "title": "Summer" })).send().await.expect(201);
    let path = format!("{PATH}/{}", made.text("/id"));
    let edits = (0..6).map(|number| {
        let body = json!({ "title": format!("Summer {number}") });
        let call = shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&body);
        call.send()
    });
    let answers = futures_util::future::join_all(edits).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    let late = answers.iter().filter(|answer| answer.json["code"] == "precondition_failed").count();
    assert_eq!((won, late), (1, 5));
}

#[actix_web::test]
async fn a_renamed_collection_answers_under_its_former_handle() {
    let shop = TestShop::open(None).await;
    let ash = simple(&shop, "Ash", 300).await["id"].clone();
    let made = shop.owner_call("POST", PATH).json(&json!({ "title": "Summer" })).send().await.expect(201);
    let path = format!("{PATH}/{}", made.text("/id"));
    shop.owner_call("PUT", &format!("{path}/products/{}", ash.as_str().unwrap())).send().await.expect(204);
    let rename = |handle: &str| shop.owner_call("PATCH", &path).json(&json!({ "handle": handle })).send();
    rename("summer-2026").await.expect(200);
    rename("hot").await.expect(200);
    for handle in ["summer", "summer-2026", "hot"] {
        let seen = shop.call("GET", &format!("/store/v1/collections/{handle}")).send().await.expect(200);
        assert_eq!((&seen.json["id"], &seen.json["handle"]), (&made.json["id"], &json!("hot")), "{handle}");
    }
    assert_eq!(shown(&shop, "").await, ["Ash"]);
    // A new collection that takes the handle has it; the others stay.
    let new = shop.owner_call("POST", PATH).json(&json!({ "title": "Summer" })).send().await.expect(201);
    let seen = shop.call("GET", "/store/v1/collections/summer").send().await.expect(200);
    assert_eq!(seen.json["id"], new.json["id"]);
    assert!(shown(&shop, "").await.is_empty());
    shop.call("GET", "/store/v1/collections/summer-2026").send().await.expect(200);
    // Back to a former one.
    rename("summer-2026").await.expect(200);
    let seen = shop.call("GET", "/store/v1/collections/hot").send().await.expect(200);
    assert_eq!(seen.json["handle"], "summer-2026");
    rename("summer").await.refused(409, "handle_taken").about("/handle");
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.call("GET", "/store/v1/collections/hot").send().await.refused(404, "not_found");
}
