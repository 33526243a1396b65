//! The log over HTTP, and whether it shows what was tampered with.

use serde_json::{Value, json};
use souk_kernel::AccountId;

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

/// Of the newest entries, the oldest first: the action, and the digests of what was and of what is.
async fn digests(people: &People, most: usize) -> Vec<(String, Value, Value)> {
    let log = people.get("/admin/v1/audit-entries", &people.shop.owner()).await.is(200);
    let mut told: Vec<_> = log["data"].as_array().unwrap().iter().take(most).collect();
    told.reverse();
    let parts = |entry: &Value| {
        let details = &entry["details"];
        let action = entry["action"].as_str().unwrap().to_owned();
        (action, details["before_sha256"].clone(), details["after_sha256"].clone())
    };
    told.into_iter().map(parts).collect()
}

#[actix_web::test]
async fn keys_and_colleagues_come_change_and_go_with_digests_that_follow_one_another() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let wish = json!({ "name": "bridge", "kind": "secret", "scopes": ["order:view"] });
    let made = people.post("/admin/v1/api-keys", Some(&owner), &wish).await.is(201);
    let path = |key: &Value| format!("/admin/v1/api-keys/{}", key["id"].as_str().unwrap());
    let next = people.post(&format!("{}/rotate", path(&made)), Some(&owner), &json!({})).await.is(201);
    people.delete(&path(&next), &owner).await.is(204);
    let told = digests(&people, 3).await;
    let actions: Vec<&str> = told.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(actions, ["api_key.made", "api_key.made", "api_key.revoked"]);
    // Nothing was before the first; each goes on from what the one before it left.
    assert_eq!((&told[0].1, &told[1].1, &told[2].1), (&Value::Null, &told[0].2, &told[1].2));
    assert!(told.iter().all(|(_, before, after)| after.is_string() && before != after), "{told:?}");

    // Invited, joined, of another role, gone; and one who was invited and never came.
    let wish = json!({ "email": "charles@example.com", "role": "viewer" });
    people.post("/admin/v1/staff-invitations", Some(&owner), &wish).await.is(201);
    let token = people.shop.staff_token(AccountId::new());
    let accepts = json!({ "token": people.mail().await.secret, "name": "Charles" });
    let accept = "/admin/v1/staff-invitations/accept";
    let joined = people.post(accept, Some(&token), &accepts).await.is(201);
    let colleague = format!("/admin/v1/staff/{}", joined["id"].as_str().unwrap());
    people.patch(&colleague, &owner, &json!({ "role": "support" })).await.is(200);
    people.delete(&colleague, &owner).await.is(204);
    let wish = json!({ "email": "grace@example.com", "role": "viewer" });
    let invited = people.post("/admin/v1/staff-invitations", Some(&owner), &wish).await.is(201);
    let invitation = format!("/admin/v1/staff-invitations/{}", invited["id"].as_str().unwrap());
    people.delete(&invitation, &owner).await.is(204);
    let told = digests(&people, 6).await;
    let actions: Vec<&str> = told.iter().map(|(action, ..)| action.as_str()).collect();
    let expected = [
        "staff.invited",
        "staff.joined",
        "staff.role_changed",
        "staff.removed",
        "staff.invited",
        "staff.invitation_revoked",
    ];
    assert_eq!(actions, expected);
    let is_told = |place: usize| (told[place].1.is_string(), told[place].2.is_string());
    let known = [0, 1, 2, 3, 4, 5].map(is_told);
    let expected = [(false, true), (false, true), (true, true), (true, false), (false, true), (true, true)];
    assert_eq!(known, expected, "{told:?}");
    assert_eq!((&told[2].1, &told[3].1), (&told[1].2, &told[2].2));
    assert_ne!(told[2].1, told[2].2);
    let whole = people.get("/admin/v1/audit-entries:verify", &owner).await.is(200);
    assert_eq!(whole["whole"], true);
}
