//! The log over HTTP, and whether it shows what was tampered with.

use serde_json::json;

use crate::customers::tests::people::People;

#[actix_web::test]
async fn the_log_tells_who_did_what_and_shows_what_was_tampered_with() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let wish = json!({ "name": "packer", "permissions": ["order:view"] });
    let bearer = format!("Bearer {owner}");
    let headers =
        [("authorization", bearer.as_str()), ("x-souk-reason", "season"), ("x-request-id", "req-of-a-test")];
    let role = people.post_with("/admin/v1/roles", &wish, &headers).await.is(201);
    let path = format!("/admin/v1/roles/{}", role["id"].as_str().unwrap());
    people.patch(&path, &owner, &json!({ "permissions": ["order:view", "order:cancel"] })).await.is(200);
    let log = people.get("/admin/v1/audit-entries", &owner).await.is(200);
    let told: Vec<_> =
        log["data"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["role.changed", "role.made"]);
    assert_eq!(log["data"][1]["details"]["reason"], "season");
    assert_eq!(log["data"][1]["request_id"], "req-of-a-test");
    let sealed = log["data"][1]["details"]["after_sha256"].clone();
    assert_eq!(log["data"][0]["details"]["before_sha256"], sealed);
    let whole = people.get("/admin/v1/audit-entries:verify", &owner).await.is(200);
    assert_eq!((&whole["whole"], &whole["entries"]), (&json!(true), &json!(2)));
    for attack in
        ["UPDATE audit_entries SET actor = 'nobody'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"]
    {
        assert!(people.try_as_store(attack).await.is_err(), "{attack}");
    }
    // Whoever owns the database can; then it shows.
    people
        .shop
        .admin(
            "UPDATE {s}.audit_entries SET details = details || '{\"reason\": \"none\"}' WHERE position = 1",
        )
        .await;
    let broken = people.get("/admin/v1/audit-entries:verify", &owner).await.is(200);
    assert_eq!((&broken["whole"], &broken["broken_at"]), (&json!(false), &json!(1)));
    people
        .shop
        .admin(
            "UPDATE {s}.audit_entries SET details = details || '{\"reason\": \"season\"}' WHERE position = 1",
        )
        .await;
    assert_eq!(people.get("/admin/v1/audit-entries:verify", &owner).await.is(200)["whole"], true);
    people.shop.admin("DELETE FROM {s}.audit_entries WHERE position = 2").await;
    let cut = people.get("/admin/v1/audit-entries:verify", &owner).await.is(200);
    assert_eq!((&cut["whole"], &cut["broken_at"]), (&json!(false), &json!(2)));
}

#[actix_web::test]
async fn parallel_acts_make_one_chain() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let acts = (0..8).map(|number| {
        let wish = json!({ "name": format!("role_{}", ["a", "b", "c", "d", "e", "f", "g", "h"][number]), "permissions": [] });
        let (people, owner) = (&people, &owner);
        async move {
            // Under load a writer may wait too long for the chain's end; then it is told to come back.
            loop {
                let status = people.post("/admin/v1/roles", Some(owner), &wish).await.status;
                if status != 503 {
                    return status;
                }
            }
        }
    });
    assert_eq!(futures_util::future::join_all(acts).await, [201; 8]);
    let whole = people.get("/admin/v1/audit-entries:verify", &owner).await.is(200);
    assert_eq!((&whole["whole"], &whole["entries"]), (&json!(true), &json!(8)));
}

#[actix_web::test]
async fn whatever_is_done_by_right_is_told_with_what_was_and_what_is() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let ada = people.customer("ada@example.com").await;
    let found = people.get("/admin/v1/customers?q=ada", &owner).await.is(200);
    let id = found["data"][0]["id"].as_str().unwrap();
    let path = format!("/admin/v1/customers/{id}");
    let entries = async || people.get("/admin/v1/audit-entries", &owner).await.is(200)["data"].clone();
    let before = entries().await.as_array().unwrap().len();
    // No handler says a word of it: the permit does.
    people.patch(&path, &owner, &json!({ "note": "likes mugs" })).await.is(200);
    people.patch(&path, &owner, &json!({ "note": "likes bowls" })).await.is(200);
    people.post(&format!("{path}/sign-out"), Some(&owner), &json!({})).await;
    let told = entries().await;
    assert_eq!(told.as_array().unwrap().len(), before + 3, "{told}");
    for (entry, action) in
        told.as_array().unwrap().iter().zip(["customers.sign_out_by_staff", "customers.edit"])
    {
        assert_eq!((&entry["action"], &entry["object"]), (&json!(action), &json!(id)), "{entry}");
        assert!(entry["actor"].as_str().unwrap().starts_with("staff:stf_"));
        assert!(!entry.to_string().contains("likes") && !entry.to_string().contains("ada@"), "{entry}");
    }
    let details = &told[1]["details"];
    assert_eq!(details["request"], format!("PATCH {path}"));
    assert_eq!(details["permission"], "customer:edit");
    assert_eq!(details["before_sha256"], told[2]["details"]["after_sha256"]);
    assert_ne!(details["before_sha256"], details["after_sha256"]);
    // What is refused, looked at, or anybody's to do leaves no trace.
    people.patch(&path, &owner, &json!({ "no_such_field": 1 })).await.refused(422, "unknown_field");
    people.get(&path, &owner).await.is(200);
    people.sign_in("ada@example.com", crate::customers::tests::people::PASSWORD).await;
    people.patch("/store/v1/account", &ada.access, &json!({ "first_name": "Ada" })).await;
    assert_eq!(entries().await.as_array().unwrap().len(), before + 3);
    let whole = people.get("/admin/v1/audit-entries:verify", &owner).await.is(200);
    assert_eq!(whole["whole"], true);
}
