//! Menus: trees of links, and what shoppers see of them.

use serde_json::{Value, json};

use super::owner;
use crate::testing::TestShop;

const PATH: &str = "/admin/v1/menus";

async fn id(shop: &TestShop, path: &str, body: Value) -> String {
    owner(shop, "POST", path, Some(body)).await.expect(201).text("/id")
}

fn link(key: &str, parent: Option<&str>, kind: &str, to: Option<&str>) -> Value {
    json!({ "key": key, "parent": parent, "title": key, "link": { "kind": kind, "to": to } })
}

/// What shoppers see: levels and keys.
async fn seen(shop: &TestShop, menu: &str) -> Vec<String> {
    let answer = shop.call("GET", &format!("/store/v1/menus/{menu}")).send().await.expect(200);
    assert_eq!(answer.cost, (1, 1));
    let line = |item: &Value| {
        let depth = usize::try_from(item["depth"].as_u64().unwrap()).unwrap();
        format!("{}{}", "-".repeat(depth), item["key"].as_str().unwrap())
    };
    answer.json["items"].as_array().unwrap().iter().map(line).collect()
}

#[actix_web::test]
async fn a_menu_leads_to_whatever_there_is() {
    let shop = TestShop::open(None).await;
    let price = json!({ "amount_minor": 100, "currency": "EUR" });
    let product =
        id(&shop, "/admin/v1/products", json!({ "title": "Mug", "price": price, "stock": 1 })).await;
    let collection = id(&shop, "/admin/v1/collections", json!({ "title": "Summer" })).await;
    let category = id(&shop, "/admin/v1/categories", json!({ "title": "Kitchen" })).await;
    let page = id(&shop, "/admin/v1/pages", json!({ "title": "About us" })).await;
    let items = json!([
        link("mug", Some("shop"), "product", Some(&product)),
        link("home", None, "home", None),
        link("shop", None, "collection", Some(&collection)),
        link("kitchen", Some("shop"), "category", Some(&category)),
        link("about", None, "page", Some(&page)),
        link("returns", Some("about"), "policy", Some("refund")),
        link("blog", None, "url", Some("https://blog.example/")),
    ]);
    let body = json!({ "title": "Main menu", "items": items });
    let menu = owner(&shop, "POST", PATH, Some(body)).await.expect(201);
    assert_eq!((menu.text("/handle"), menu.header("etag")), ("main-menu".to_owned(), "\"1\""));
    assert_eq!(menu.json["items"][2]["link"], json!({ "kind": "product", "to": product, "handle": "mug" }));
    // The policy was never written, so nothing leads there.
    assert_eq!(seen(&shop, "main-menu").await, ["home", "shop", "-mug", "-kitchen", "about", "blog"]);
    let policy = json!({ "body_html": "<p>30 days.</p>" });
    shop.owner_call("PUT", "/admin/v1/policies/refund").json(&policy).send().await.expect(200);
    assert_eq!(seen(&shop, "main-menu").await.len(), 7);
    // What is not for shoppers takes along what is below it; a renamed target is found.
    for (path, body) in [
        (format!("/admin/v1/collections/{collection}"), json!({ "published": false })),
        (format!("/admin/v1/pages/{page}"), json!({ "handle": "who-we-are" })),
    ] {
        shop.owner_call("PATCH", &path).json(&body).send().await.expect(200);
    }
    assert_eq!(seen(&shop, "main-menu").await, ["home", "about", "-returns", "blog"]);
    let answer = shop.call("GET", "/store/v1/menus/main-menu").send().await.expect(200);
    assert_eq!(answer.json["items"][1]["handle"], "who-we-are");
    assert_eq!(answer.json["items"][3]["url"], "https://blog.example/");
    // A deleted target leaves the item to staff, who see that it leads nowhere.
    shop.owner_call("DELETE", &format!("/admin/v1/pages/{page}")).send().await.expect(204);
    let path = format!("{PATH}/{}", menu.text("/id"));
    let left = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(
        (&left.json["items"][4]["shown"], &left.json["items"][4]["link"]["handle"]),
        (&json!(false), &Value::Null)
    );
    // Written anew, in another language too.
    let titles = json!([{ "locale": "de", "title": "Startseite" }]);
    let home = json!({ "key": "home", "title": "Home", "titles": titles, "link": { "kind": "home" } });
    let anew = json!({ "title": "Main menu", "items": [home] });
    let anew = shop.owner_call("PUT", &path).header("if-match", "\"1\"").json(&anew).send().await.expect(200);
    assert_eq!(anew.header("etag"), "\"2\"");
    let german = shop.call("GET", "/store/v1/menus/main-menu?locale=de-AT").send().await.expect(200);
    assert_eq!(german.json["items"][0]["title"], "Startseite");
    let listed = shop.owner_call("GET", PATH).send().await.expect(200);
    assert_eq!(listed.data()[0]["item_count"], 1);
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.call("GET", "/store/v1/menus/main-menu").send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn circles_and_links_to_nowhere_change_nothing() {
    let shop = TestShop::open(None).await;
    let menu =
        id(&shop, PATH, json!({ "title": "Footer", "items": [link("home", None, "home", None)] })).await;
    let before = shop.digest().await;
    let nowhere = "prd_01h455vb4pex5vsknk084sn02q";
    for (pointer, items) in [
        ("/items/0/parent", json!([link("a", Some("b"), "home", None), link("b", Some("a"), "home", None)])),
        ("/items/0/parent", json!([link("a", Some("a"), "home", None)])),
        ("/items/0/parent", json!([link("a", Some("z"), "home", None)])),
        ("/items/1/key", json!([link("a", None, "home", None), link("a", None, "home", None)])),
        ("/items/0/link/to", json!([link("a", None, "product", Some(nowhere))])),
        (
            "/items/1/link/to",
            json!([link("a", None, "home", None), link("b", None, "url", Some("javascript:x"))]),
        ),
    ] {
        let body = json!({ "title": "Footer", "items": items });
        let path = format!("{PATH}/{menu}");
        shop.owner_call("PUT", &path)
            .json(&body)
            .send()
            .await
            .refused(422, "validation_failed")
            .about(pointer);
        owner(&shop, "POST", PATH, Some(body)).await.refused(422, "validation_failed").about(pointer);
    }
    let taken = json!({ "title": "x", "handle": "footer" });
    owner(&shop, "POST", PATH, Some(taken)).await.refused(409, "handle_taken").about("/handle");
    assert_eq!(shop.digest().await, before);
}
