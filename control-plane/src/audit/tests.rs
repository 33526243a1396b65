//! The log over HTTP, and whether it shows what was tampered with.

use serde_json::json;
use souk_kernel::OrganizationId;
use souk_tenancy::TenancyError;

use super::queries;
use crate::testing::{clock, house, house_alone};

#[actix_web::test]
async fn the_log_tells_who_did_what_and_seals_it() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let organization = store["organization"].as_str().unwrap();
    let keys = format!("/v1/operations/{}/keys", operation["id"].as_str().unwrap());
    house.post(&keys).by(&ada).header("x-request-id", "req-of-a-test").send().await.expect(200);
    let path = format!("/v1/organizations/{organization}/audit-entries");
    let log = house.get(&path).by(&ada).send().await.expect(200).json();
    let told: Vec<_> =
        log["data"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["store.keys_revealed", "store.opened", "store.requested", "organization.founded"]);
    assert_eq!(log["data"][0]["request_id"], "req-of-a-test");
    assert_eq!(log["data"][0]["actor"], format!("account:{}", ada.account));
    assert_eq!(log["data"][1]["actor"], "service:operations");
    let text = log.to_string();
    assert!(!text.contains("sk_test_") && !text.contains("pk_test_"));
    let eve = house.newcomer().await;
    house.get(&path).by(&eve).send().await.refused(404, "not_found");

    let id: OrganizationId = organization.parse().unwrap();
    let worker = house.plane.gate().worker("test", "checks a chain");
    let load = async move |tx: &mut souk_tenancy::ReadTx<'_>| {
        Ok::<_, TenancyError>(queries::list(tx, id, None, 100).await?)
    };
    let mut entries = worker.scope().read("test.audit", load).await.unwrap();
    entries.reverse();
    let mut before = vec![0_u8; 32];
    for (entry, position) in entries.iter().zip(1..) {
        assert_eq!((entry.position, &entry.prev_hash), (position, &before));
        assert_eq!(entry.hash, entry.seal());
        before.clone_from(&entry.hash);
    }
    entries[1].detail.push(' ');
    assert_ne!(entries[1].hash, entries[1].seal());

    let rows = house.rows().await;
    for attack in ["UPDATE control.audit_entries SET actor = 'x'", "DELETE FROM control.audit_entries"] {
        assert!(rows.batch_execute(attack).await.is_err(), "{attack}");
    }
}

#[actix_web::test]
async fn a_log_that_was_tampered_with_is_broken_where_it_was() {
    let house = house_alone(clock(), |_| {}).await;
    let ada = house.newcomer().await;
    let wish = json!({ "name": "Tea of Bern" });
    let founded = house.post("/v1/organizations").by(&ada).body(&wish).send().await.expect(201).json();
    let path = format!("/v1/organizations/{}", founded["id"].as_str().unwrap());
    let renames = house.patch(&path).by(&ada).header("if-match", "*").header("x-souk-reason", "a new name");
    renames.body(&json!({ "name": "Mugs of Bern" })).send().await.expect(200);
    // What somebody does to their account is told where they are a member.
    let account = house.patch("/v1/account").by(&ada).header("if-match", "*");
    account.body(&json!({ "name": "Ada of Bern" })).send().await.expect(200);
    let log = house.get(&format!("{path}/audit-entries")).by(&ada).send().await.expect(200).json();
    let told: Vec<_> =
        log["data"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["accounts.edit", "organization.renamed", "organization.founded"]);
    assert_eq!(log["data"][1]["detail"]["reason"], "a new name");
    let digests = &log["data"][0]["detail"];
    assert!(digests["before_sha256"].is_string() && digests["before_sha256"] != digests["after_sha256"]);
    let verdict = async || {
        let verify = format!("{path}/audit-entries:verify");
        house.get(&verify).by(&ada).send().await.expect(200).json()
    };
    let whole = verdict().await;
    assert_eq!((&whole["whole"], &whole["entries"]), (&json!(true), &json!(3)));
    assert_eq!(whole["last_hash"], log["data"][0]["hash"]);
    // Whoever owns the database can do all of it; then it shows.
    let entries = "control.audit_entries";
    house
        .tamper(&format!(
            "UPDATE {entries} SET detail = replace(detail, 'a new name', 'a mistake') WHERE position = 2"
        ))
        .await;
    assert_eq!(verdict().await["broken_at"], 2);
    house
        .tamper(&format!(
            "UPDATE {entries} SET detail = replace(detail, 'a mistake', 'a new name') WHERE position = 2"
        ))
        .await;
    assert_eq!(verdict().await["whole"], true);
    house.tamper(&format!("DELETE FROM {entries} WHERE position = 3")).await;
    assert_eq!((&verdict().await["broken_at"], &verdict().await["entries"]), (&json!(3), &json!(2)));
    house.tamper(&format!("DELETE FROM {entries} WHERE position = 1")).await;
    assert_eq!(verdict().await["broken_at"], 1);
    let eve = house.newcomer().await;
    house.get(&format!("{path}/audit-entries:verify")).by(&eve).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn what_is_done_in_an_organization_is_told_with_what_was_and_what_is() {
    let house = house().await;
    let (ada, bob) = (house.newcomer().await, house.newcomer().await);
    let (store, operation) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let keys = format!("/v1/operations/{}/keys", operation["id"].as_str().unwrap());
    house.post(&keys).by(&ada).send().await.expect(200);
    let path = format!("/v1/organizations/{}", store["organization"].as_str().unwrap());
    for name in ["Tea of Bern", "Mugs of Bern"] {
        let renames = house.patch(&path).by(&ada).header("if-match", "*");
        renames.body(&json!({ "name": name })).send().await.expect(200);
    }
    let invitations = format!("{path}/invitations");
    let wish = json!({ "email": "nobody@example.com", "role": "viewer" });
    let sent = house.post(&invitations).by(&ada).body(&wish).send().await.expect(201).json();
    let one = format!("{invitations}/{}", sent["id"].as_str().unwrap());
    house.delete(&one).by(&ada).send().await.expect(204);
    let wish = json!({ "email": bob.email, "role": "viewer" });
    house.post(&invitations).by(&ada).body(&wish).send().await.expect(201);
    let token = house.mailed_token(&bob.email, "/accept-invitation").await;
    let accept = json!({ "token": token });
    house.post("/v1/invitations/accept").by(&bob).body(&accept).send().await.expect(200);
    let members = house.get(&format!("{path}/members")).by(&ada).send().await.expect(200).json();
    let found = members["data"].as_array().unwrap().iter().find(|it| it["account"] == bob.account.as_str());
    let member = format!("{path}/members/{}", found.unwrap()["id"].as_str().unwrap());
    let change = house.patch(&member).by(&ada).header("if-match", "*");
    change.body(&json!({ "role": "developer" })).send().await.expect(200);
    house.delete(&member).by(&ada).send().await.expect(204);

    let log = house.get(&format!("{path}/audit-entries")).by(&ada).send().await.expect(200).json();
    let mut told = log["data"].as_array().unwrap().clone();
    told.reverse();
    let digest = |entry: &serde_json::Value, name: &str| {
        let digest = entry["detail"][name].as_str().map(str::to_owned);
        assert!(digest.as_ref().is_none_or(|digest| digest.len() == 64), "{entry}");
        digest
    };
    let ends: Vec<_> = told
        .iter()
        .map(|entry| {
            let (before, after) = (digest(entry, "before_sha256"), digest(entry, "after_sha256"));
            assert_ne!(before, after, "{entry}");
            (entry["action"].as_str().unwrap(), before.is_some(), after.is_some())
        })
        .collect();
    assert_eq!(
        ends,
        [
            ("organization.founded", false, true),
            ("store.requested", false, true),
            ("store.opened", true, true),
            ("store.keys_revealed", true, true),
            ("organization.renamed", true, true),
            ("organization.renamed", true, true),
            ("invitation.sent", false, true),
            ("invitation.revoked", true, true),
            ("invitation.sent", false, true),
            ("member.joined", false, true),
            ("member.role_changed", true, true),
            ("member.removed", true, false),
        ]
    );
    // What one act left is what the next one found.
    for (one, next) in [(0, 4), (4, 5), (6, 7), (9, 10), (10, 11)] {
        assert_eq!(digest(&told[one], "after_sha256"), digest(&told[next], "before_sha256"), "{one} {next}");
    }
}
