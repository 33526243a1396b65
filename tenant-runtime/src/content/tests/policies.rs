//! Policies, version by version.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::testing::{Answer, TestShop};

async fn put(shop: &TestShop, kind: &str, body: Value) -> Answer {
    shop.owner_call("PUT", &format!("/admin/v1/policies/{kind}")).json(&body).send().await
}

async fn read(shop: &TestShop, what: &str) -> Answer {
    shop.call("GET", &format!("/store/v1/policies{what}")).send().await
}

#[actix_web::test]
async fn what_somebody_agreed_to_can_be_read_for_good() {
    let shop = TestShop::open(None).await;
    read(&shop, "/refund").await.refused(404, "not_found");
    let german = json!([{ "locale": "de", "title": "Rückgabe", "body_html": "<p>30 Tage.</p>" }]);
    let first = json!({ "body_html": "<p>30 days.</p><script>x</script>", "translations": german });
    let first = put(&shop, "refund", first).await.expect(200);
    assert_eq!((&first.json["version"], first.header("etag")), (&json!(1), "\"1\""));
    assert_eq!(
        (&first.json["title"], &first.json["body_html"]),
        (&json!("Refund policy"), &json!("<p>30 days.</p>"))
    );
    put(&shop, "refund", json!({ "title": "Returns", "body_html": "<p>14 days.</p>" })).await.expect(200);
    put(&shop, "terms", json!({ "body_html": "<p>Be kind.</p>" })).await.expect(200);
    let now = read(&shop, "/refund?locale=de").await.expect(200);
    assert_eq!((&now.json["version"], &now.json["title"]), (&json!(2), &json!("Returns")));
    let then = read(&shop, "/refund?version=1&locale=de").await.expect(200);
    assert_eq!((&then.json["title"], then.cost), (&json!("Rückgabe"), (1, 1)));
    let all = read(&shop, "").await.expect(200);
    let kinds: Vec<_> = all.data().iter().map(|policy| policy["policy"].clone()).collect();
    assert_eq!(kinds, [json!("refund"), json!("terms")]);
    // Withdrawn, it is no more; what was agreed to is.
    let path = "/admin/v1/policies/refund";
    shop.owner_call("DELETE", path).send().await.expect(204);
    let before = shop.number("SELECT count(*) AS number FROM policy_versions").await;
    shop.owner_call("DELETE", path).send().await.expect(204);
    assert_eq!(shop.number("SELECT count(*) AS number FROM policy_versions").await, before, "once");
    read(&shop, "/refund").await.refused(404, "not_found");
    assert_eq!(read(&shop, "").await.expect(200).data().len(), 1);
    assert_eq!(read(&shop, "/refund?version=2").await.expect(200).json["title"], "Returns");
    let versions = shop.owner_call("GET", &format!("{path}/versions?limit=2")).send().await.expect(200);
    let numbers: Vec<_> = versions.data().iter().map(|version| version["version"].clone()).collect();
    assert_eq!((numbers, &versions.json["page"]["has_more"]), (vec![json!(3), json!(2)], &json!(true)));
    shop.owner_call("DELETE", "/admin/v1/policies/privacy").send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn nobody_writes_over_a_version_they_have_not_seen() {
    let shop = TestShop::open(None).await;
    put(&shop, "privacy", json!({ "body_html": "one" })).await.expect(200);
    let before = shop.digest().await;
    put(&shop, "privacy", json!({ "body_html": "<script>x</script>" }))
        .await
        .refused(422, "validation_failed")
        .about("/body_html");
    let late = shop.owner_call("PUT", "/admin/v1/policies/privacy").header("if-match", "\"7\"");
    late.json(&json!({ "body_html": "two" })).send().await.refused(412, "precondition_failed");
    put(&shop, "cookies", json!({ "body_html": "two" })).await.refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
    // Four at once, all having read the first: one of them writes the second.
    let writes = (0..4).map(|number| {
        let body = json!({ "body_html": format!("two by {number}") });
        shop.owner_call("PUT", "/admin/v1/policies/privacy").header("if-match", "\"1\"").json(&body).send()
    });
    let mut statuses: Vec<u16> = join_all(writes).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412]);
    assert_eq!(shop.number("SELECT max(number)::bigint AS number FROM policy_versions").await, 2);
}
