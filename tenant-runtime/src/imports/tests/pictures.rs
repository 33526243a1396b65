//! The pictures of a file are fetched beside the import.

use serde_json::{Value, json};

use super::{counts, exported, imported, report};
use crate::testing::TestShop;

async fn queue(shop: &TestShop) -> Vec<String> {
    let page = shop.owner_call("GET", "/admin/v1/image-fetches?state=queued").send().await.expect(200);
    let line = |fetch: &Value| {
        format!("{} {} {}", fetch["url"].as_str().unwrap(), fetch["position"], fetch["alt"].as_str().unwrap())
    };
    page.data().iter().rev().map(line).collect()
}

#[actix_web::test]
async fn pictures_of_a_table_are_asked_for_once() {
    let shop = TestShop::open(None).await;
    let file = "Handle,Title,Variant Price,Image Src,Image Position,Image Alt Text\n\
        mug,Mug,9.00,https://cdn.example.com/1.jpg,1,Blue\n\
        mug,,,https://cdn.example.com/2.jpg,2,\n\
        mug,,,https://cdn.example.com/1.jpg,3,Again\n\
        plate,Plate,7.00,not an address,,\n";
    let dry = imported(&shop, "format=csv&dry_run=true", file).await;
    assert_eq!((counts(&dry), queue(&shop).await.len()), ("1/0/0/1".to_owned(), 0));
    let import = imported(&shop, "format=csv", file).await;
    assert_eq!(counts(&import), "1/0/0/1", "{import}");
    assert_eq!(report(&shop, &import).await, ["error 5 Image Src invalid"]);
    let wanted = ["https://cdn.example.com/1.jpg 0 Blue", "https://cdn.example.com/2.jpg 1 "];
    assert_eq!(queue(&shop).await, wanted);
    // Sent again while they are on their way, nothing is different.
    let again = imported(&shop, "format=csv", file).await;
    assert_eq!(
        (counts(&again), queue(&shop).await),
        ("0/0/1/1".to_owned(), wanted.map(str::to_owned).to_vec())
    );
    // Lines of JSON say the same.
    let line = json!({ "handle": "mug", "images": [{ "src": "https://cdn.example.com/3.jpg" }] }).to_string();
    let import = imported(&shop, "format=jsonl", &line).await;
    assert_eq!((counts(&import), queue(&shop).await.len()), ("0/1/0/0".to_owned(), 3));
}

#[actix_web::test]
async fn a_variant_has_its_picture_wherever_the_product_names_it() {
    let shop = TestShop::open(None).await;
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src,Image Alt Text,Variant Image\n\
        mug,Mug,Colour,Blue,9.00,https://cdn.example.com/all.jpg,All,https://cdn.example.com/blue.jpg\n\
        mug,,,Red,9.00,https://cdn.example.com/blue.jpg,Blue,https://cdn.example.com/red.jpg\n";
    let import = imported(&shop, "format=csv", file).await;
    assert_eq!(counts(&import), "1/0/0/0", "{import}");
    let mug = super::product(&shop, "mug").await;
    let page = shop.owner_call("GET", "/admin/v1/image-fetches").send().await.expect(200);
    let shows = |fetch: &Value| {
        let variants = mug["variants"].as_array().unwrap();
        let variant = variants.iter().find(|variant| variant["id"] == fetch["variant"]);
        let url = fetch["url"].as_str().unwrap().trim_start_matches("https://cdn.example.com/").to_owned();
        format!(
            "{url} {} {}",
            fetch["alt"].as_str().unwrap(),
            variant.map_or("-", |variant| variant["title"].as_str().unwrap())
        )
    };
    let shown: Vec<_> = page.data().iter().rev().map(shows).collect();
    assert_eq!(shown, ["all.jpg All -", "blue.jpg Blue Blue", "red.jpg  Red"]);
}

#[actix_web::test]
async fn pictures_that_are_there_are_known_by_our_own_addresses() {
    let shop = TestShop::open(None).await;
    let body = json!({ "title": "Mug", "price": { "amount_minor": 900, "currency": "EUR" } });
    let mug = shop.owner_call("POST", "/admin/v1/products").json(&body).send().await.expect(201);
    let path = format!("/admin/v1/products/{}/images", mug.text("/id"));
    let mut gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x01\x02\x03\0\0\0".to_vec();
    gif.extend(b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;");
    shop.owner_call("POST", &path).bytes(gif).send().await.expect(201);
    let file = exported(&shop, "csv").await;
    assert!(file.contains("/store/v1/images/img_"), "{file}");
    let import = imported(&shop, "format=csv", &file).await;
    assert_eq!((counts(&import), queue(&shop).await.len()), ("0/0/1/0".to_owned(), 0));
}
