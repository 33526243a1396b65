use serde_json::{Value, json};

use super::simple;
use crate::testing::{Answer, TestShop};

/// One pixel of this grey: different bytes make different pictures.
fn pixel(shade: u8) -> Vec<u8> {
    let mut gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00".to_vec();
    gif.extend([shade, shade, shade, 0, 0, 0]);
    gif.extend(b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;");
    gif
}

async fn adds(shop: &TestShop, product: &Value, words: &str, bytes: Vec<u8>) -> Answer {
    let path = format!("/admin/v1/products/{}/images{words}", product["id"].as_str().unwrap());
    shop.owner_call("POST", &path).keyed().header("content-type", "image/gif").bytes(bytes).send().await
}

#[actix_web::test]
async fn a_picture_is_put_up_described_moved_and_taken_down() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 100).await;
    let mut images = Vec::new();
    for shade in 0..3 {
        let image = adds(&shop, &mug, &format!("?alt=Shade%20{shade}"), pixel(shade)).await.expect(201);
        assert_eq!(
            (&image.json["content_type"], &image.json["width"], &image.json["height"]),
            (&json!("image/png"), &json!(1), &json!(1))
        );
        images.push(image.text("/id"));
    }
    let shown = shop.call("GET", &format!("/store/v1/images/{}", images[1])).send().await.expect(200);
    // What is sent is written anew, and always in the same way.
    assert!(shown.bytes.starts_with(b"\x89PNG") && shown.header("content-type") == "image/png");
    assert_eq!(
        (shown.header("cache-control"), shown.header("x-content-type-options")),
        ("public, max-age=31536000, immutable", "nosniff")
    );
    shop.call("GET", &format!("/store/v1/images/{}", images[1]))
        .header("if-none-match", shown.header("etag"))
        .send()
        .await
        .expect(304);

    let path = format!("/admin/v1/products/{}/images", mug["id"].as_str().unwrap());
    let variant = &mug["variants"][0]["id"];
    let wish = json!({ "alt": "A grey mug", "variant": variant, "position": 0 });
    let moved =
        shop.owner_call("PATCH", &format!("{path}/{}", images[2])).json(&wish).send().await.expect(200);
    assert_eq!((&moved.json["alt"], &moved.json["variant"]), (&json!("A grey mug"), variant));
    let seen = async || {
        let product = shop.call("GET", "/store/v1/products/mug").send().await.expect(200);
        let images = product.json["images"].as_array().unwrap().iter();
        images.map(|image| image["alt"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, ["A grey mug", "Shade 0", "Shade 1"]);
    let back = json!({ "variant": null, "position": 99 });
    let moved =
        shop.owner_call("PATCH", &format!("{path}/{}", images[2])).json(&back).send().await.expect(200);
    assert_eq!(
        (&moved.json["variant"], seen().await),
        (&json!(null), vec!["Shade 0".into(), "Shade 1".into(), "A grey mug".into()])
    );
    shop.owner_call("DELETE", &format!("{path}/{}", images[0])).send().await.expect(204);
    shop.owner_call("DELETE", &format!("{path}/{}", images[0])).send().await.refused(404, "not_found");
    shop.call("GET", &format!("/store/v1/images/{}", images[0])).send().await.refused(404, "not_found");
    assert_eq!(seen().await, ["Shade 1", "A grey mug"]);
    assert_eq!(shop.number("SELECT count(*) AS number FROM media_objects WHERE state = 'kept'").await, 2);
    assert_eq!(
        shop.number("SELECT count(*) AS number FROM media_objects WHERE content IS NOT NULL").await,
        2
    );
}

#[actix_web::test]
async fn what_is_no_picture_is_not_kept() {
    let shop = TestShop::open(None).await;
    let (mug, plate) = (simple(&shop, "Mug", 100).await, simple(&shop, "Plate", 100).await);
    let image = adds(&shop, &mug, "", pixel(0)).await.expect(201).text("/id");
    let before = shop.digest().await;
    adds(&shop, &mug, "", b"<svg onload=alert(1)>".to_vec()).await.refused(415, "image_type");
    adds(&shop, &mug, "", Vec::new()).await.refused(415, "image_type");
    let page = b"<!DOCTYPE html><script>alert(1)</script>".to_vec();
    adds(&shop, &mug, "?alt=mug.png", page).await.refused(415, "image_type");
    adds(&shop, &mug, "", b"%PDF-1.7".to_vec()).await.refused(415, "image_type");
    adds(&shop, &mug, "", pixel(0)[..20].to_vec()).await.refused(422, "image_broken");
    let mut wide = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\x02\0\0\0".to_vec();
    // The header's checksum does not matter: a picture that claims so much, or is damaged, is refused.
    wide.extend([0; 64]);
    assert_eq!(adds(&shop, &mug, "", wide).await.status, 422);
    adds(&shop, &mug, "", vec![0; 10 * 1024 * 1024 + 1]).await.refused(413, "payload_too_large");
    adds(&shop, &mug, "?title=x", pixel(1)).await.refused(422, "unknown_field");
    adds(&shop, &json!({ "id": "prd_01h455vb4pex5vsknk084sn02q" }), "", pixel(1))
        .await
        .refused(404, "not_found");
    let path = format!("/admin/v1/products/{}/images/{image}", mug["id"].as_str().unwrap());
    let edits = |body: Value| shop.owner_call("PATCH", &path).json(&body).send();
    edits(json!({ "variant": plate["variants"][0]["id"] }))
        .await
        .refused(422, "validation_failed")
        .about("/variant");
    edits(json!({ "position": -1 })).await.refused(422, "validation_failed").about("/position");
    edits(json!({ "url": "https://elsewhere.example/x.png" })).await.refused(422, "unknown_field");
    let others = format!("/admin/v1/products/{}/images/{image}", plate["id"].as_str().unwrap());
    shop.owner_call("PATCH", &others).json(&json!({ "alt": "x" })).send().await.refused(404, "not_found");
    shop.call("PATCH", &path).json(&json!({ "alt": "x" })).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
}
