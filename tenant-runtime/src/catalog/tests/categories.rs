//! The tree of categories over HTTP.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{eur, simple};
use crate::testing::{Answer, TestShop};

const PATH: &str = "/admin/v1/categories";
const PRODUCTS: &str = "/admin/v1/products";

async fn made(shop: &TestShop, title: &str, parent: Option<&Value>) -> Value {
    let body = json!({ "title": title, "parent": parent.map(|parent| parent["id"].clone()) });
    shop.owner_call("POST", PATH).keyed().json(&body).send().await.expect(201).json
}

async fn moved(shop: &TestShop, category: &Value, body: Value) -> Answer {
    let path = format!("{PATH}/{}", category["id"].as_str().unwrap());
    shop.owner_call("PATCH", &path).json(&body).send().await
}

/// The tree as its levels and handles.
async fn tree(shop: &TestShop) -> Vec<String> {
    let page = shop.owner_call("GET", PATH).send().await.expect(200);
    let line = |row: &Value| {
        format!("{}{}", "-".repeat(row["path"].as_array().unwrap().len()), row["handle"].as_str().unwrap())
    };
    page.data().iter().map(line).collect()
}

async fn found(shop: &TestShop, query: &str) -> Vec<String> {
    let page = shop.call("GET", &format!("/store/v1/products?{query}&sort=title")).send().await.expect(200);
    assert_eq!(page.cost, (2, 1));
    page.data().iter().map(|product| product["title"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn products_belong_somewhere_in_a_tree() {
    let shop = TestShop::open(None).await;
    let kitchen = made(&shop, "Kitchen", None).await;
    let mugs = made(&shop, "Mugs", Some(&kitchen)).await;
    let pots = made(&shop, "Pots", Some(&kitchen)).await;
    let tea = made(&shop, "Tea pots", Some(&pots)).await;
    let garden = made(&shop, "Garden", None).await;
    assert_eq!(tree(&shop).await, ["kitchen", "-mugs", "-pots", "--tea-pots", "garden"]);
    assert_eq!(
        (&tea["parent"], &tea["position"], &tea["product_count"]),
        (&pots["id"], &json!(0), &json!(0))
    );
    assert_eq!(
        tea["path"],
        json!([
            { "id": kitchen["id"], "handle": "kitchen", "title": "Kitchen" },
            { "id": pots["id"], "handle": "pots", "title": "Pots" },
        ])
    );
    // The same title again gets a handle of its own.
    assert_eq!(made(&shop, "Mugs", Some(&garden)).await["handle"], "mugs-2");
    for (title, category) in [("Blue mug", &mugs), ("Samovar", &tea), ("Rake", &garden)] {
        let body = json!({ "title": title, "price": eur(100), "stock": 1, "category": category["id"] });
        let made = shop.owner_call("POST", PRODUCTS).json(&body).send().await.expect(201);
        assert_eq!(made.json["category"], category["id"]);
    }
    let loose = simple(&shop, "Loose", 1).await;
    assert_eq!(loose["category"], Value::Null);
    // A category has what is below it, too.
    assert_eq!(found(&shop, "category=kitchen").await, ["Blue mug", "Samovar"]);
    assert_eq!(found(&shop, "category=pots").await, ["Samovar"]);
    assert_eq!(found(&shop, &format!("category={}", mugs["id"].as_str().unwrap())).await, ["Blue mug"]);
    assert_eq!(found(&shop, "category=nowhere").await, Vec::<String>::new());
    let staff = shop.owner_call("GET", &format!("{PRODUCTS}?category=kitchen")).send().await.expect(200);
    assert_eq!(staff.data().len(), 2);
    let seen = shop.call("GET", "/store/v1/categories/kitchen").send().await.expect(200);
    assert_eq!(
        (&seen.json["id"], &seen.json["product_count"], seen.cost),
        (&kitchen["id"], &json!(2), (1, 1))
    );
    let all = shop.call("GET", "/store/v1/categories").send().await.expect(200);
    assert_eq!((all.data().len(), all.cost), (6, (1, 1)));
    // Moved, with all below it, to a place among the others.
    let there = moved(&shop, &pots, json!({ "parent": null, "position": 0 })).await.expect(200);
    assert_eq!(
        (&there.json["parent"], &there.json["position"], there.header("etag")),
        (&Value::Null, &json!(0), "\"2\"")
    );
    assert_eq!(tree(&shop).await, ["pots", "-tea-pots", "kitchen", "-mugs", "garden", "-mugs-2"]);
    assert_eq!(found(&shop, "category=kitchen").await, ["Blue mug"]);
    moved(&shop, &garden, json!({ "position": 1 })).await.expect(200);
    assert_eq!(tree(&shop).await, ["pots", "-tea-pots", "garden", "-mugs-2", "kitchen", "-mugs"]);
    moved(&shop, &garden, json!({ "position": 99, "title": "Outside", "handle": "outside" }))
        .await
        .expect(200);
    assert_eq!(tree(&shop).await, ["pots", "-tea-pots", "kitchen", "-mugs", "outside", "-mugs-2"]);
    // Deleted: products go up, and a category with others below it stays.
    let path = |category: &Value| format!("{PATH}/{}", category["id"].as_str().unwrap());
    shop.owner_call("DELETE", &path(&pots)).send().await.refused(409, "category_has_children");
    shop.owner_call("DELETE", &path(&tea)).send().await.expect(204);
    assert_eq!(found(&shop, "category=pots").await, ["Samovar"]);
    shop.owner_call("DELETE", &path(&pots)).send().await.expect(204);
    shop.owner_call("DELETE", &path(&pots)).send().await.refused(404, "not_found");
    let samovar = shop.owner_call("GET", &format!("{PRODUCTS}/samovar")).send().await.expect(200);
    assert_eq!((&samovar.json["category"], &samovar.json["version"]), (&Value::Null, &json!(3)));
    // Out of it, and into another.
    let product = format!("{PRODUCTS}/{}", samovar.text("/id"));
    let edit = |category: Value| {
        let body = json!({ "category": category });
        shop.owner_call("PATCH", &product).header("if-match", "*").json(&body).send()
    };
    assert_eq!(edit(mugs["id"].clone()).await.expect(200).json["category"], mugs["id"]);
    assert_eq!(edit(Value::Null).await.expect(200).json["category"], Value::Null);
}

#[actix_web::test]
async fn a_tree_has_no_circles_and_so_many_levels() {
    let shop = TestShop::open(None).await;
    let top = made(&shop, "Level 1", None).await;
    let mut levels = vec![top.clone()];
    for number in 2..=8 {
        let parent = levels.last().cloned();
        levels.push(made(&shop, &format!("Level {number}"), parent.as_ref()).await);
    }
    let other = made(&shop, "Other", None).await;
    let before = shop.digest().await;
    let ninth = json!({ "title": "Level 9", "parent": levels[7]["id"] });
    shop.owner_call("POST", PATH)
        .json(&ninth)
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/parent");
    for (category, parent) in [(&top, &top), (&top, &levels[1]), (&top, &levels[7]), (&top, &other)] {
        moved(&shop, category, json!({ "parent": parent["id"] }))
            .await
            .refused(422, "validation_failed")
            .about("/parent");
    }
    let nowhere = json!({ "parent": "cat_01h455vb4pex5vsknk084sn02q" });
    moved(&shop, &other, nowhere.clone()).await.refused(422, "validation_failed").about("/parent");
    moved(&shop, &other, json!({ "handle": "level-1" })).await.refused(409, "handle_taken").about("/handle");
    moved(&shop, &other, json!({ "position": -1 })).await.refused(422, "validation_failed");
    let path = format!("{PATH}/{}", other["id"].as_str().unwrap());
    let late = shop.owner_call("PATCH", &path).header("if-match", "\"7\"").json(&json!({ "title": "x" }));
    late.send().await.refused(412, "precondition_failed");
    let product = json!({ "title": "x", "price": eur(1), "category": nowhere["parent"] });
    shop.owner_call("POST", PRODUCTS)
        .json(&product)
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/category");
    shop.owner_call("PATCH", &format!("{PATH}/cat_01h455vb4pex5vsknk084sn02q"))
        .json(&json!({ "title": "x" }))
        .send()
        .await
        .refused(404, "not_found");
    for path in [PATH, &path] {
        shop.call("GET", path).send().await.refused(401, "unauthenticated");
    }
    assert_eq!(shop.digest().await, before);
}

/// Each of two is to go below the other, at the same moment: one of them does.
#[actix_web::test]
async fn two_moves_make_no_circle() {
    let shop = TestShop::open(None).await;
    let (one, two) = (made(&shop, "One", None).await, made(&shop, "Two", None).await);
    for _ in 0..4 {
        let moves = [(&one, &two), (&two, &one)]
            .map(|(category, parent)| moved(&shop, category, json!({ "parent": parent["id"] })));
        let mut statuses: Vec<u16> = join_all(moves).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
        assert_eq!(tree(&shop).await.len(), 2);
        for category in [&one, &two] {
            moved(&shop, category, json!({ "parent": null })).await.expect(200);
        }
    }
}
