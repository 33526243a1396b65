//! The log over HTTP, and whether it shows what was tampered with.

use serde_json::json;
use souk_kernel::OrganizationId;
use souk_tenancy::TenancyError;

use super::queries;
use crate::testing::house;

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
    let told: Vec<_> = log["data"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
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
    let load = async move |tx: &mut souk_tenancy::ReadTx<'_>| Ok::<_, TenancyError>(queries::list(tx, id, None, 100).await?);
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
