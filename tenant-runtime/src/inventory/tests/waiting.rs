//! What happens while somebody waits for a shelf.

use std::time::Duration;

use futures_util::future::join;
use serde_json::json;
use souk_api::IfMatch;
use souk_kernel::{CartId, InventoryItemId, LocationId, OrderId, Quantity};
use souk_tenancy::WriteTx;

use super::{first_place, mug, puts, second_place, seen};
use crate::inventory::model::{Demand, EditLocation, Policy};
use crate::inventory::{Commitment, InventoryError, actions, queries};
use crate::testing::TestShop;

/// Less than anybody waits for a lock.
const BEAT: Duration = Duration::from_millis(200);

fn one(item: &str, policy: Policy) -> Demand {
    Demand { item: item.parse().unwrap(), quantity: Quantity::new(1).unwrap(), policy }
}

/// Reserves a piece for a cart; gives where.
async fn reserves(shop: &TestShop, cart: CartId, demand: Demand) -> LocationId {
    let worker = shop.gate.worker(shop.store.id, "test", "reserves").unwrap();
    let work = async move |tx: &mut WriteTx<'_>| actions::reserve(tx, cart, &[demand], (15, None)).await;
    worker.write::<_, InventoryError, _>("test.reserve", work).await.unwrap()[0].location
}

/// What ran out is taken at another location, whose row comes first in everybody's order: it is locked first.
#[actix_web::test]
async fn whoever_takes_elsewhere_closes_no_ring() {
    let shop = TestShop::open(None).await;
    let (_, item) = mug(&shop, 0).await;
    let (first, second) = (first_place(&shop).await, second_place(&shop).await);
    puts(&shop, &item, &second, 1).await;
    let (late, order) = (CartId::new(), OrderId::new());
    reserves(&shop, late, one(&item, Policy::Deny)).await;
    shop.clock.advance(Duration::from_secs(16 * 60));
    // Another has the last one there; one more lies at the first location.
    reserves(&shop, CartId::new(), one(&item, Policy::Deny)).await;
    puts(&shop, &item, &first, 1).await;
    let id: InventoryItemId = item.parse().unwrap();
    let places: [LocationId; 2] = [&first, &second].map(|id| id.parse().unwrap());
    let holder = shop.gate.worker(shop.store.id, "test", "holder").unwrap();
    let holds = async move |tx: &mut WriteTx<'_>| {
        queries::lock_level(tx, id, places[0]).await?;
        tokio::time::sleep(BEAT * 2).await;
        queries::lock_level(tx, id, places[1]).await?;
        Ok(())
    };
    let committer = shop.gate.worker(shop.store.id, "test", "committer").unwrap();
    let commits = async move |tx: &mut WriteTx<'_>| actions::commit_reservations(tx, late, order).await;
    let after_a_beat = async {
        tokio::time::sleep(BEAT).await;
        committer.write::<_, InventoryError, _>("test.commit", commits).await
    };
    let (held, committed) =
        join(holder.write::<_, InventoryError, _>("test.hold", holds), after_a_beat).await;
    held.unwrap();
    assert_eq!(committed.unwrap(), Commitment::Committed);
    assert_eq!(seen(&shop, &item, &first).await, "1/1/0/0");
    assert_eq!((seen(&shop, &item, &second).await, shop.unexplained_levels().await), ("1/0/1/0".into(), 0));
}

/// An empty location whose shelf may be promised beyond what there is, closed while a checkout waits for it: nothing is promised from there.
#[actix_web::test]
async fn nothing_is_promised_from_a_location_that_closed_meanwhile() {
    let shop = TestShop::open(None).await;
    let (variant, item) = mug(&shop, 0).await;
    let (first, second) = (first_place(&shop).await, second_place(&shop).await);
    puts(&shop, &item, &second, 1).await;
    puts(&shop, &item, &second, 0).await;
    let level = shop.owner_call("GET", &format!("/admin/v1/inventory-levels?item={item}")).send().await;
    let path = format!("/admin/v1/products/{}/variants/{variant}", level.text("/data/0/product"));
    let sells_on = json!({ "inventory_policy": "continue" });
    shop.owner_call("PATCH", &path).header("if-match", "*").json(&sells_on).send().await.expect(200);
    let closer = shop.gate.worker(shop.store.id, "test", "closer").unwrap();
    let id: LocationId = first.parse().unwrap();
    let wish: EditLocation = serde_json::from_value(json!({ "active": false })).unwrap();
    let closes = async move |tx: &mut WriteTx<'_>| {
        actions::edit_location(tx, id, &IfMatch::default(), &wish).await?;
        tokio::time::sleep(BEAT * 2).await;
        Ok(())
    };
    let reserves = async {
        tokio::time::sleep(BEAT).await;
        reserves(&shop, CartId::new(), one(&item, Policy::Continue)).await
    };
    let (closed, place) = join(closer.write::<_, InventoryError, _>("test.close", closes), reserves).await;
    closed.unwrap();
    assert_eq!(place.to_string(), second);
    assert_eq!(
        (seen(&shop, &item, &first).await, seen(&shop, &item, &second).await),
        ("0/0/0/0".into(), "0/0/1/0".into())
    );
    assert_eq!(shop.unexplained_levels().await, 0);
}
