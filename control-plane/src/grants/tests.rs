//! Who asks for a grant. What it opens is proved where both planes are: `tests/authority/visits.rs`.

use serde_json::json;

use crate::testing::house;

#[actix_web::test]
async fn only_people_of_the_platform_ask_and_only_owners_see() {
    let house = house().await;
    let (ada, eve) = (house.newcomer().await, house.newcomer().await);
    let (store, _) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let id = store["id"].as_str().unwrap();
    let wish = json!({ "store": id, "reason": "Ticket 4711: an order is missing", "minutes": 30 });
    for person in [&ada, &eve] {
        house.post("/v1/store-grants").by(person).body(&wish).send().await.refused(403, "forbidden");
    }
    house.post("/v1/store-grants").body(&wish).send().await.refused(401, "unauthenticated");
    let path = format!("/v1/stores/{id}/grants");
    assert_eq!(house.get(&path).by(&ada).send().await.expect(200).json()["data"], json!([]));
    house.get(&path).by(&eve).send().await.refused(404, "not_found");
}
