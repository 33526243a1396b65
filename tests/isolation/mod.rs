//! Two hundred stores on sixteen connections, and everything that may happen in the middle of a transaction: nothing of one store is ever
//! seen in another, and no connection remembers anything.
//!
//! `SOUK_ISOLATION_SEED` repeats the choices of a run; the seed is printed. `SOUK_ISOLATION_STORES` makes it smaller.

mod chance;
mod doors;
mod mark;
mod planting;
mod rest;
mod strike;
mod tenancy;
mod wire;
mod world;

use std::sync::Arc;

use wire::Wire;
use world::World;

/// Tables that hold no canary. The head of the audit log is one row of a number and a hash; a turn has a name and nothing else; a secret is
/// random.
const BARE: [&str; 4] = ["audit_head", "catalogue_turns", "discount_secret", "media_account"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_store_is_seen_in_another() {
    let (seed, stores) = (chance::seed(), chance::stores());
    println!("isolation: SOUK_ISOLATION_SEED={seed}");
    strike::hush();
    let world = Arc::new(World::make(stores).await);
    assert_eq!(world.bare, BARE);
    let (findings, without) = world.sweep().await;
    assert_eq!((findings, without), (Vec::new(), world.bare.clone()), "before anything happened");

    let server = world.database.url.split(['/', '@']).find(|part| part.contains(':') && !part.ends_with(':'));
    let server = server.expect("an address").to_owned();
    let wire = Arc::new(Wire::to(server.clone()).await);
    let lanes = tenancy::storm(&world, &wire, seed).await;
    rest::nothing_is_remembered(&world, &wire).await;
    drop(lanes);
    let (findings, without) = world.sweep().await;
    assert_eq!((findings, without), (Vec::new(), world.bare.clone()), "after the transactions");

    let wire = Arc::new(Wire::to(server).await);
    let doors = doors::storm(&world, &wire, seed).await;
    rest::nothing_is_remembered(&world, &wire).await;
    doors.stop(false).await;
    // Requests took some canaries away; nothing else may have come.
    assert_eq!(world.sweep().await.0, Vec::<String>::new(), "after the requests");
    world.database.remove().await;
}
