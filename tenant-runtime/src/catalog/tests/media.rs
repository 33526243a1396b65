//! Files behind pictures: their sizes, where they are kept, and that they go.

use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use image::codecs::png::PngEncoder;
use image::{DynamicImage, Rgb, RgbImage};
use serde_json::{Value, json};
use souk_access::WorkerPermit;

use super::simple;
use crate::catalog::{Fetched, fetch_due};
use crate::media;
use crate::testing::{Answer, TestShop};
use crate::worker::Studio;

fn picture(width: u32, height: u32) -> Vec<u8> {
    let picture = DynamicImage::from(RgbImage::from_pixel(width, height, Rgb([20, 90, 200])));
    let mut file = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut file)).unwrap();
    file
}

fn images_of(product: &Value) -> String {
    format!("/admin/v1/products/{}/images", product["id"].as_str().unwrap())
}

async fn adds(shop: &TestShop, product: &Value, bytes: Vec<u8>) -> Answer {
    shop.owner_call("POST", &images_of(product)).bytes(bytes).send().await
}

fn worker(shop: &TestShop) -> WorkerPermit {
    shop.gate.worker(shop.store.id, "test", "pictures").unwrap()
}

async fn tidied(shop: &TestShop) {
    while media::tidy(&worker(shop), &shop.darkroom).await.unwrap() {}
}

/// Everything that is due, fetched.
async fn fetched(shop: &TestShop, studio: &Studio) {
    let worker = worker(shop);
    loop {
        match fetch_due(&worker, &studio.darkroom, &studio.fetcher).await.unwrap() {
            Fetched::Nothing => return,
            Fetched::More => {}
            // Other tests are at it.
            Fetched::Busy => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn fetches(shop: &TestShop) -> Vec<Value> {
    let page = shop.owner_call("GET", "/admin/v1/image-fetches").send().await.expect(200);
    page.data().clone()
}

async fn shelf(shop: &TestShop) -> Vec<String> {
    shop.darkroom.shelf().unwrap().names().await
}

#[actix_web::test]
async fn sizes_are_made_of_a_closed_list_and_may_be_kept_for_ever() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 100).await;
    let image = adds(&shop, &mug, picture(600, 300)).await.expect(201);
    let url = image.text("/url");
    let widths: Vec<_> = image.json["sizes"].as_array().unwrap().iter().map(|size| &size["width"]).collect();
    assert_eq!(widths, [96, 240, 480]);
    assert_eq!(image.json["sizes"][2]["height"], 240);

    for (query, kind) in [
        ("width=240", "image/png"),
        ("width=240&format=jpeg", "image/jpeg"),
        ("width=96&format=webp", "image/webp"),
    ] {
        let path = format!("{url}?{query}");
        let shown = shop.call("GET", &path).send().await.expect(200);
        let width = if query.contains("96") { 96 } else { 240 };
        let seen = image::load_from_memory(&shown.bytes).unwrap();
        assert_eq!((seen.width(), seen.height(), shown.header("content-type")), (width, width / 2, kind));
        assert_eq!(shown.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        let etag = shown.header("etag").to_owned();
        assert!(etag.starts_with('"'), "{etag}");
        // Made once: the second time the database is only asked whether the store has it.
        let again = shop.call("GET", &path).send().await.expect(200);
        assert_eq!((again.bytes == shown.bytes, again.cost), (true, (1, 1)));
        shop.call("GET", &path).header("if-none-match", &etag).send().await.expect(304);
        let head = shop.call("HEAD", &path).send().await.expect(200);
        assert_eq!((head.header("etag"), head.header("content-type")), (etag.as_str(), kind));
    }
    // Nothing is blown up.
    let large = shop.call("GET", &format!("{url}?width=1600")).send().await.expect(200);
    assert_eq!(image::load_from_memory(&large.bytes).unwrap().width(), 600);

    let refused = async |query: &str| shop.call("GET", &format!("{url}?{query}")).send().await;
    refused("width=241").await.refused(422, "validation_failed").about("?width");
    refused("width=0").await.refused(422, "validation_failed").about("?width");
    refused("format=png").await.refused(422, "validation_failed").about("?width");
    assert_eq!(refused("width=240&format=svg").await.status, 422);
    refused("height=240").await.refused(422, "unknown_field");
    // Another store has no such picture, in no size.
    let other = TestShop::open(None).await;
    for path in [url.clone(), format!("{url}?width=240")] {
        other.call("GET", &path).send().await.refused(404, "not_found");
    }
    // A product in a list has them as well.
    let list = shop.call("GET", "/store/v1/products").send().await.expect(200);
    assert_eq!(list.data()[0]["image"]["sizes"], image.json["sizes"]);
}

#[actix_web::test]
async fn a_form_brings_a_picture_too() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 100).await;
    let mut body =
        b"--edge\r\nContent-Disposition: form-data; name=\"alt\"\r\n\r\nA blue mug\r\n--edge\r\n".to_vec();
    body.extend(b"Content-Disposition: form-data; name=\"file\"; filename=\"mug.html\"\r\nContent-Type: text/html\r\n\r\n");
    body.extend(picture(30, 20));
    body.extend(b"\r\n--edge--\r\n");
    let sends = |body: Vec<u8>| {
        let call = shop.owner_call("POST", &images_of(&mug));
        call.header("content-type", "multipart/form-data; boundary=edge").bytes(body).send()
    };
    let image = sends(body).await.expect(201);
    assert_eq!((image.text("/alt"), &image.json["width"]), ("A blue mug".to_owned(), &json!(30)));
    let before = shop.digest().await;
    sends(b"--edge--\r\n".to_vec()).await.refused(422, "validation_failed").about("/file");
    sends(Vec::new()).await.refused(422, "validation_failed").about("/file");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn files_are_on_the_shelf_below_their_store_and_go_with_their_pictures() {
    let shop = TestShop::open(None).await.with_shelf();
    let (mug, plate) = (simple(&shop, "Mug", 100).await, simple(&shop, "Plate", 100).await);
    let image = adds(&shop, &mug, picture(300, 300)).await.expect(201);
    adds(&shop, &plate, picture(200, 100)).await.expect(201);
    let below = format!("stores/{}/", shop.store.id);
    let names = shelf(&shop).await;
    assert!(
        names.len() == 2 && names.iter().all(|name| name.starts_with(&below) && name.ends_with("/whole")),
        "{names:?}"
    );
    assert_eq!(
        shop.number("SELECT count(*) AS number FROM media_objects WHERE content IS NOT NULL").await,
        0
    );

    let url = image.text("/url");
    let whole = shop.call("GET", &url).send().await.expect(200);
    assert_eq!(image::load_from_memory(&whole.bytes).unwrap().width(), 300);
    let size = shop.call("GET", &format!("{url}?width=96")).send().await.expect(200);
    let names = shelf(&shop).await;
    assert!(names.len() == 3 && names.iter().any(|name| name.ends_with("/96.png")), "{names:?}");
    // Another process finds the size where the first one put it.
    let second = shop.another_runtime().await.sharing_shelf(&shop);
    let again = second.call("GET", &format!("{url}?width=96")).send().await.expect(200);
    assert_eq!((again.bytes == size.bytes, again.cost), (true, (1, 1)));

    // Refused after its file was put down: found within the hour, and put away.
    let nothing = json!({ "id": "prd_01h455vb4pex5vsknk084sn02q" });
    adds(&shop, &nothing, picture(50, 50)).await.refused(404, "not_found");
    assert_eq!(shelf(&shop).await.len(), 4);
    tidied(&shop).await;
    assert_eq!(shelf(&shop).await.len(), 4);
    shop.clock.advance(Duration::from_secs(2 * 3600));
    tidied(&shop).await;
    assert_eq!(shelf(&shop).await.len(), 3);

    shop.owner_call("DELETE", &format!("{}/{}", images_of(&mug), image.text("/id"))).send().await.expect(204);
    shop.call("GET", &format!("{url}?width=96")).send().await.refused(404, "not_found");
    tidied(&shop).await;
    assert_eq!(shelf(&shop).await.len(), 1);
    let path = format!("/admin/v1/products/{}", plate["id"].as_str().unwrap());
    shop.owner_call("DELETE", &path).send().await.expect(204);
    tidied(&shop).await;
    assert_eq!(shelf(&shop).await, Vec::<String>::new());
    assert_eq!(shop.number("SELECT count(*) AS number FROM media_objects").await, 0);
    assert_eq!(shop.number("SELECT bytes AS number FROM media_account").await, 0);
}

#[actix_web::test]
async fn pictures_from_before_there_were_objects_are_shown_and_go() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 100).await;
    let image = adds(&shop, &mug, picture(300, 100)).await.expect(201);
    shop.admin(
        "INSERT INTO {s}.media_blobs (digest, content_type, bytes) SELECT i.digest, i.content_type, o.content \
         FROM {s}.product_images i JOIN {s}.media_objects o ON o.id = i.object_id",
    )
    .await;
    shop.admin("UPDATE {s}.product_images SET object_id = NULL").await;
    shop.admin("DELETE FROM {s}.media_objects").await;
    let url = image.text("/url");
    for (path, width) in [(url.clone(), 300), (format!("{url}?width=96"), 96)] {
        let shown = shop.call("GET", &path).send().await.expect(200);
        assert_eq!(image::load_from_memory(&shown.bytes).unwrap().width(), width);
    }
    shop.owner_call("DELETE", &format!("{}/{}", images_of(&mug), image.text("/id"))).send().await.expect(204);
    assert_eq!(shop.number("SELECT count(*) AS number FROM media_blobs").await, 0);
}

#[actix_web::test]
async fn a_plan_has_only_so_much_room() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 100).await;
    adds(&shop, &mug, picture(30, 30)).await.expect(201);
    shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "media_mb": 0 } })).await;
    let before = shop.digest().await;
    let refusal = adds(&shop, &mug, picture(40, 40)).await.refused(409, "media_quota_reached");
    assert_eq!((&refusal.json["limit"], shop.digest().await), (&json!(0), before));
}

/// A server that behaves as its paths say.
async fn gallery() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = |place: &'static str| {
        web::get()
            .to(move || async move { HttpResponse::Found().insert_header(("location", place)).finish() })
    };
    let server = HttpServer::new(move || {
        App::new()
            // What it says of itself means nothing.
            .route(
                "/a.png",
                web::get()
                    .to(|| async { HttpResponse::Ok().content_type("text/html").body(picture(300, 200)) }),
            )
            .route("/b.png", web::get().to(|| async { HttpResponse::Ok().body(picture(20, 10)) }))
            .route("/moved", to("/b.png"))
            .route("/round", to("/round"))
            .route(
                "/page",
                web::get().to(|| async { HttpResponse::Ok().content_type("image/png").body("<html>") }),
            )
            .route("/away", web::get().to(|| async { HttpResponse::ServiceUnavailable().finish() }))
            .route("/large", web::get().to(|| async { HttpResponse::Ok().body(vec![0; 11 * 1024 * 1024]) }))
    });
    tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
    url
}

#[actix_web::test]
async fn pictures_are_fetched_hung_in_their_places_and_given_up_with_a_reason() {
    let shop = TestShop::open(None).await.with_shelf();
    let (gallery, studio) = (gallery().await, shop.studio());
    let mug = simple(&shop, "Mug", 100).await;
    let path = format!("{}/fetch", images_of(&mug));
    let wants = async |body: Value| shop.owner_call("POST", &path).json(&body).send().await;
    let wish =
        json!({ "url": format!("{gallery}/a.png"), "alt": "A mug", "variant": mug["variants"][0]["id"] });
    let first = wants(wish.clone()).await.expect(202);
    // Twice is once while it waits.
    assert_eq!(wants(wish).await.expect(202).text("/id"), first.text("/id"));
    wants(json!({ "url": format!("{gallery}/moved"), "position": 0 })).await.expect(202);
    for name in ["page", "round", "large", "nothing", "away"] {
        wants(json!({ "url": format!("{gallery}/{name}") })).await.expect(202);
    }
    fetched(&shop, &studio).await;
    let causes: Vec<_> = fetches(&shop)
        .await
        .iter()
        .rev()
        .map(|fetch| {
            let word = |name: &str| fetch[name].as_str().unwrap_or_default().to_owned();
            let name = word("url").rsplit('/').next().unwrap().to_owned();
            format!("{name} {} {}", word("state"), word("cause"))
        })
        .collect();
    assert_eq!(
        causes,
        [
            "a.png done ",
            "moved done ",
            "page failed this is an HTML document, which can run programs in a shopper's browser",
            "round failed the address leads on more than 3 times",
            "large failed the file has more than 10485760 bytes",
            "nothing failed the server answered 404",
            "away queued the server answered 503",
        ]
    );
    let product = shop.call("GET", "/store/v1/products/mug").send().await.expect(200);
    let images: Vec<_> =
        product.json["images"].as_array().unwrap().iter().map(|image| &image["width"]).collect();
    assert_eq!(images, [20, 300]);
    assert_eq!(product.json["images"][1]["alt"], "A mug");
    assert_eq!(product.json["images"][1]["variant"], mug["variants"][0]["id"]);
    // Again after a minute, five and thirty.
    for minutes in [2, 6, 31] {
        shop.clock.advance(Duration::from_secs(minutes * 60));
        fetched(&shop, &studio).await;
    }
    let failed =
        shop.owner_call("GET", "/admin/v1/image-fetches?state=failed&limit=1").send().await.expect(200);
    assert_eq!(
        (failed.data()[0]["attempts"].as_i64(), failed.text("/data/0/cause")),
        (Some(4), "the server answered 503".to_owned())
    );

    let before = shop.digest().await;
    for url in ["", "mug.png", "ftp://example.com/a", "https://u:p@example.com/a", "javascript:alert(1)"] {
        assert_eq!(wants(json!({ "url": url })).await.status, 422, "{url}");
    }
    wants(json!({ "url": "https://example.com/a", "position": 250 }))
        .await
        .refused(422, "validation_failed")
        .about("/position");
    assert_eq!(shop.digest().await, before);
    let stranger = simple(&shop, "Plate", 100).await["variants"][0]["id"].clone();
    let before = shop.digest().await;
    wants(json!({ "url": "https://example.com/a", "variant": stranger }))
        .await
        .refused(422, "validation_failed")
        .about("/variant");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn inner_addresses_are_given_up_without_being_asked() {
    let shop = TestShop::open(None).await;
    let gallery = gallery().await;
    let studio = Studio { darkroom: shop.darkroom.clone(), fetcher: media::Fetcher::new(false).unwrap() };
    let mug = simple(&shop, "Mug", 100).await;
    let path = format!("{}/fetch", images_of(&mug));
    let here = format!("{gallery}/a.png");
    for url in [
        here.as_str(),
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/a.png",
        "https://localhost/a.png",
    ] {
        shop.owner_call("POST", &path).json(&json!({ "url": url })).send().await.expect(202);
    }
    fetched(&shop, &studio).await;
    for fetch in fetches(&shop).await {
        assert!(
            fetch["state"] == "failed" && fetch["cause"].as_str().unwrap().starts_with("the address must"),
            "{fetch}"
        );
    }
    let product = shop.call("GET", "/store/v1/products/mug").send().await.expect(200);
    assert_eq!(product.json["images"], json!([]));
}
