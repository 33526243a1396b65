//! Which plan a store has, who chooses it, and how the runtimes hear of it.

use serde_json::{Value, json};
use souk_kernel::{Plan, StoreId};

use super::remove;
use crate::testing::{Doors, House, Person, clock, house_alone, path_of};

fn wish(plan: &str) -> Value {
    json!({ "name": "Analytical Engines", "country": "GB", "plan": plan })
}

/// Somebody new with this role in an organization.
async fn join<S: Doors>(house: &House<S>, owner: &Person, organization: &str, role: &str) -> Person {
    let person = house.newcomer().await;
    let invitation = json!({ "email": person.email, "role": role });
    let path = format!("/v1/organizations/{organization}/invitations");
    house.post(&path).by(owner).body(&invitation).send().await.expect(201);
    let token = house.mailed_token(&person.email, "/accept-invitation").await;
    let accepts = json!({ "token": token });
    house.post("/v1/invitations/accept").by(&person).body(&accepts).send().await.expect(200);
    person
}

#[actix_web::test]
async fn another_plan_goes_to_the_ledger_and_into_the_log() {
    let house = house_alone(clock(), |_| ()).await;
    let provisioner = house.database.provisioner().await;
    let ada = house.newcomer().await;
    let operation = house.ask_for_store(&ada, &wish("free")).await;
    house.work(&provisioner).await;
    let path = path_of(&house.follow(&ada, &operation).await);
    let id: StoreId = path.trim_start_matches("/v1/stores/").parse().unwrap();
    let ledger = async || provisioner.store(id).await.unwrap().unwrap().plan;
    let written = |plan: Plan| json!({ "id": plan.id, "limits": plan.limits });
    assert_eq!(ledger().await, written(Plan::FREE));

    let unknown = house.patch(&path).by(&ada).body(&json!({ "plan": "platinum" })).send().await;
    assert_eq!(unknown.refused(422, "validation_failed").complaint().0, "/plan");
    let shown = house.get(&path).by(&ada).send().await.expect(200);
    let (etag, before) = (shown.header("etag").to_owned(), shown.json());
    // What is said already changes nothing.
    let same = house.patch(&path).by(&ada).body(&json!({ "plan": "free" })).send().await.expect(200);
    assert_eq!((same.header("etag"), same.json()), (etag.as_str(), before.clone()));

    let larger = json!({ "plan": "growth" });
    let stale = house.patch(&path).by(&ada).header("if-match", "\"77\"").body(&larger).send().await;
    stale.refused(412, "precondition_failed");
    let changed =
        house.patch(&path).by(&ada).header("if-match", &etag).body(&larger).send().await.expect(200).json();
    for field in ["name", "handle", "url", "state"] {
        assert_eq!(changed[field], before[field], "{field}");
    }
    assert_eq!(changed["plan"], "growth");
    // Until the ledger follows, nothing else is begun.
    let back = json!({ "plan": "free" });
    house.patch(&path).by(&ada).body(&back).send().await.refused(409, "operation_running");
    house.work(&provisioner).await;
    assert_eq!(ledger().await, written(Plan::GROWTH));
    house.patch(&path).by(&ada).body(&back).send().await.expect(200);
    house.work(&provisioner).await;
    assert_eq!(ledger().await, written(Plan::FREE));

    let log = format!("/v1/organizations/{}/audit-entries", changed["organization"].as_str().unwrap());
    let log = house.get(&log).by(&ada).send().await.expect(200).json();
    let told: Vec<_> = log["data"].as_array().unwrap().iter().take(4).collect();
    let actions: Vec<_> = told.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["store.updated", "store.plan_changed", "store.updated", "store.plan_changed"]);
    let detail = &told[3]["detail"];
    assert_eq!((&detail["from"], &detail["to"]), (&json!("free"), &json!("growth")));
    assert!(detail["before_sha256"].is_string() && detail["before_sha256"] != detail["after_sha256"]);
    assert_eq!(told[3]["actor"], format!("account:{}", ada.account));
    remove(house).await;
}

#[actix_web::test]
async fn owners_and_admins_choose_a_stores_plan() {
    let house = house_alone(clock(), |_| ()).await;
    let provisioner = house.database.provisioner().await;
    let ada = house.newcomer().await;
    let operation = house.ask_for_store(&ada, &wish("free")).await;
    house.work(&provisioner).await;
    let path = path_of(&house.follow(&ada, &operation).await);
    let store = house.get(&path).by(&ada).send().await.expect(200).json();
    let organization = store["organization"].as_str().unwrap();
    let plan = async || house.get(&path).by(&ada).send().await.expect(200).json()["plan"].clone();
    let larger = json!({ "plan": "growth" });

    let stranger = house.newcomer().await;
    house.patch(&path).by(&stranger).body(&larger).send().await.refused(404, "not_found");
    let viewer = join(&house, &ada, organization, "viewer").await;
    house.patch(&path).by(&viewer).body(&larger).send().await.refused(403, "forbidden");
    // A developer may rename a store; what it costs is not theirs to say, also not on the way.
    let developer = join(&house, &ada, organization, "developer").await;
    let both = json!({ "name": "Difference Engines", "plan": "growth" });
    for body in [&larger, &both] {
        let refused = house.patch(&path).by(&developer).body(body).send().await.refused(403, "forbidden");
        assert_eq!(refused.json()["detail"], "This needs the permission `store:choose_plan`.");
    }
    assert_eq!(house.get(&path).by(&ada).send().await.expect(200).json(), store);
    let renames = json!({ "name": "Difference Engines", "plan": "free" });
    house.patch(&path).by(&developer).body(&renames).send().await.expect(200);
    house.work(&provisioner).await;

    let admin = join(&house, &ada, organization, "admin").await;
    house.patch(&path).by(&admin).body(&larger).send().await.expect(200);
    house.work(&provisioner).await;
    assert_eq!(plan().await, "growth");
    remove(house).await;
}

#[actix_web::test]
async fn another_plan_needs_a_place_in_its_quota() {
    let house = house_alone(clock(), |_| ()).await;
    let provisioner = house.database.provisioner().await;
    let ada = house.newcomer().await;
    let operation = house.ask_for_store(&ada, &wish("growth")).await;
    house.work(&provisioner).await;
    let path = path_of(&house.follow(&ada, &operation).await);
    // Those that are being opened count.
    for _ in 0..3 {
        house.ask_for_store(&ada, &wish("free")).await;
    }
    let before = house.get(&path).by(&ada).send().await.expect(200).json();
    let smaller = json!({ "plan": "free" });
    let refused = house.patch(&path).by(&ada).body(&smaller).send().await;
    assert_eq!(refused.refused(409, "store_quota_reached").json()["limit"], 3);
    assert_eq!(house.get(&path).by(&ada).send().await.expect(200).json(), before);
    remove(house).await;
}
