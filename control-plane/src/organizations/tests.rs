//! Organizations over HTTP.

use serde_json::json;

use crate::testing::house;

#[actix_web::test]
async fn an_organization_is_founded_renamed_and_deleted_by_its_owner() {
    let house = house().await;
    let ada = house.newcomer().await;
    let wish = json!({ "name": "Analytical Engines" });
    let answer = house.post("/v1/organizations").by(&ada).body(&wish).send().await.expect(201);
    let path = answer.header("location").to_owned();
    assert_eq!((answer.json()["role"].as_str(), answer.header("etag")), (Some("owner"), "\"1\""));
    let list = house.get("/v1/organizations").by(&ada).send().await.expect(200).json();
    assert_eq!((list["data"][0]["name"].as_str(), list["page"]["has_more"].as_bool()), (Some("Analytical Engines"), Some(false)));

    let rename = json!({ "name": "Difference Engines" });
    house.patch(&path).by(&ada).header("if-match", "\"2\"").body(&rename).send().await.refused(412, "precondition_failed");
    let answer = house.patch(&path).by(&ada).header("if-match", "\"1\"").body(&rename).send().await.expect(200);
    assert_eq!((answer.json()["name"].as_str(), answer.header("etag")), (Some("Difference Engines"), "\"2\""));

    let stranger = house.newcomer().await;
    house.get(&path).by(&stranger).send().await.refused(404, "not_found");
    house.delete(&path).by(&stranger).send().await.refused(404, "not_found");
    house.get("/v1/organizations/org_00000000000000000000000000").by(&ada).send().await.refused(404, "not_found");
    house.get("/v1/organizations/nonsense").by(&ada).send().await.refused(404, "not_found");
    house.get(&path).send().await.refused(401, "unauthenticated");
    house.delete(&path).by(&ada).send().await.expect(204);
    let list = house.get("/v1/organizations").by(&ada).send().await.expect(200).json();
    assert_eq!(list["data"], json!([]));
}

#[actix_web::test]
async fn one_with_stores_stays() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, _) = house.open_store(&ada, &json!({ "name": "Engines", "country": "GB" })).await;
    let path = format!("/v1/organizations/{}", store["organization"].as_str().unwrap());
    house.delete(&path).by(&ada).send().await.refused(409, "organization_has_stores");
    house.get(&path).by(&ada).send().await.expect(200);
}
