//! What is dangerous asks people for a proof of who they are from the last fifteen minutes, and nothing else does: every operation, asked by
//! the owner with a token that is fresh and a proof that is not.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use souk_access::{Audience, MAX_LIFETIME, Subject};
use souk_kernel::Clock;
use souk_proofs::{Door, Plane};

use super::acts::MEMORABLE;
use super::requests::sound;
use super::rows;
use super::scene::{Scene, scene, settle};

/// The permissions that ask for it, as `docs/SIGNING_IN.md` promises. Every operation that uses one is tried, and one that is added
/// or taken away in the code is found.
const DANGEROUS: [(Plane, &[&str]); 2] = [
    (
        Plane::Control,
        &[
            "identity:link",
            "invitation:send",
            "member:manage",
            "operation:reveal_keys",
            "organization:delete",
            "store:delete",
            "store:place",
            "store_grant:request",
        ],
    ),
    (
        Plane::Store,
        &[
            "api_key:edit",
            "app:approve",
            "identity:link",
            "identity_provider:edit",
            "payment:set_up",
            "role:edit",
            "staff:edit",
        ],
    ),
];

const LONG_AGO: TimeDelta = TimeDelta::minutes(16);

async fn dangerous_acts_ask(scene: &Scene, plane: Plane, door: Door, token: &str) {
    let (rows, books) = (rows::read(), scene.books().await);
    books.keep().await;
    let dangerous =
        DANGEROUS.iter().find(|(of, _)| *of == plane).map(|(_, words)| *words).unwrap_or_default();
    let (mut findings, mut tried) = (Vec::new(), BTreeSet::new());
    for operation in &plane.document().operations {
        let Some(row) = rows.get(&operation.to_string()) else { continue };
        let asks = dangerous.contains(&row.permission.as_str());
        let before = books.digest().await;
        let answer = door.send(&sound(operation, &scene.here).bearer(token)).await;
        settle(operation, &answer).await;
        let asked = (answer.status, answer.code().as_str()) == (401, "step_up_required");
        if asked != asks {
            findings.push(format!("{operation} ({}): {} {}", row.permission, answer.status, answer.code()));
        }
        let changed = before.changed(&books.digest().await);
        if asks {
            tried.insert(row.permission.as_str());
            if !changed.is_empty() {
                findings.push(format!("{operation}: {changed:?} changed"));
            }
        }
        books.bring_back(&changed).await;
        // Gates remember for less than a second who may come in.
        if changed.iter().any(|table| MEMORABLE.iter().any(|word| table.ends_with(word))) {
            tokio::time::sleep(Duration::from_millis(1000)).await;
        }
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
    assert_eq!(tried.into_iter().collect::<Vec<_>>(), dangerous);
}

#[tokio::test]
async fn what_is_dangerous_asks_who_works_in_a_store_for_a_fresh_proof() {
    let (scene, _turn) = scene().await;
    let (now, owner) = (Clock::system().now(), scene.here.owner());
    let subject = Subject::Staff(owner.account, Some(now - LONG_AGO));
    let audience = Audience::Store(scene.here.store);
    let token =
        scene.platform.signing().issue(audience, subject, 0, None, now, MAX_LIFETIME).expect("a token");
    dangerous_acts_ask(scene, Plane::Store, scene.here.door(scene.platform), &token.text).await;
}

#[tokio::test]
async fn what_is_dangerous_asks_accounts_for_a_fresh_proof() {
    let (scene, _turn) = scene().await;
    let books = scene.books().await;
    let proved = |when: &str| format!("UPDATE control.sessions SET proved_at = {when}");
    books.run(&proved("now() - interval '16 minutes'")).await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    let token = scene.here.owner().token(scene.platform);
    dangerous_acts_ask(scene, Plane::Control, scene.platform.control(), &token).await;
    books.run(&proved("now()")).await;
    // Whoever comes next is not believed to have proved nothing.
    tokio::time::sleep(Duration::from_millis(1000)).await;
}
