//! Proof (d): whoever may do something and does it is in the log afterwards, once, with the request and digests of what was and what is; and
//! the log is whole. What shoppers may do too is nobody's privilege; whoever only looks leaves no trace.

use std::collections::BTreeMap;

use serde_json::Value;
use souk_proofs::{Answer, Call, Door, Operation, Person, Plane};

use super::cast::Law;
use super::requests::sound;
use super::rows;
use super::scene::{Scene, scene, settle};

/// What is no privileged act: a link mailed again, leaving by the door. And what is told in the log of the organization it founds.
const UNTOLD: [&str; 3] = ["accountsResend", "sessionsSignOut", "organizationsFound"];

/// What happens in two steps is told in two entries.
const TWICE: [&str; 1] = ["captureOrder"];

/// Acts in a store whose entries have a digest neither of what was nor of what is, and why that is right. In an organization there are none.
const UNDIGESTED: &[&str] = &[
    // It goes on as it was: something is only told, tried or sent again, or somebody has to come in anew.
    "deadLettersDiscard",
    "deadLettersRetry",
    "deadLettersRetryAll",
    "emailTemplatesTest",
    "eventReplaysCreate",
    "messagesResend",
    "staffSessionsEnd",
    "staffSessionsEndAll",
    "webhookDeliveriesResend",
    // Nothing but a secret changes; of an address that is not written to, a digest would tell.
    "appsRotateSecret",
    "emailSuppressionsAdd",
    "emailSuppressionsRemove",
    "mailSettingsMakeReportSecret",
    // It has no name in the path, nor one in a reply that is kept: the entry says which kind of thing, and the stock has movements.
    "adjustInventoryLevel",
    "adjustPrices",
    "checkTaxNumber",
    "countInventory",
    "createProducts",
    "createShippingZone",
    "createTaxRegion",
    "grantTaxExemption",
    "setTaxRate",
    "webhookEndpointsCreate",
];

/// Tables whose rows say who may come in.
pub(super) const MEMORABLE: [&str; 6] =
    [".sessions", ".accounts", ".members", ".staff", ".roles", ".role_permissions"];

const ENTRIES: &str = "/admin/v1/audit-entries";
const REASON: &str = "because the proof says so";

/// Where the log of a plane is read, and by whom; and who acts.
struct Reader<'s> {
    door: Door,
    token: String,
    actor: String,
    path: String,
    scene: &'s Scene,
}

impl Reader<'_> {
    async fn entries(&self) -> Vec<Value> {
        let call = Call::get(format!("{}?limit=20", self.path)).bearer(&self.token);
        let answer = self.door.send(&call).await.expect(200);
        answer.json()["data"].as_array().expect("entries").clone()
    }

    async fn whole(&self) -> Value {
        self.door
            .send(&Call::get(format!("{}:verify", self.path)).bearer(&self.token))
            .await
            .expect(200)
            .json()
    }

    async fn asks(&self, operation: &Operation) -> Answer {
        let call = sound(operation, &self.scene.here).header("x-souk-reason", REASON).bearer(&self.actor);
        let answer = self.door.send(&call).await;
        settle(operation, &answer).await;
        answer
    }
}

fn details(entry: &Value) -> Value {
    entry.get("details").or_else(|| entry.get("detail")).cloned().unwrap_or_default()
}

/// Whether an entry has a digest of what was, or of what is: SHA-256, hexadecimal.
fn is_digested(entry: &Value) -> bool {
    let details = details(entry);
    ["before_sha256", "after_sha256"].iter().any(|name| {
        let digest = details[*name].as_str().unwrap_or_default();
        digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// What is wrong with what an operation left in the log.
fn complaints(operation: &Operation, told: &[Value], expected: usize, actor: &str) -> Vec<String> {
    let mut found = Vec::new();
    if told.len() != expected {
        found.push(format!("{operation}: {} entries instead of {expected}: {told:#?}", told.len()));
    }
    for entry in told {
        let details = details(entry);
        let named = entry["request_id"].as_str().is_some_and(|id| !id.is_empty());
        if entry["actor"] != actor || !named || details["reason"] != REASON {
            found.push(format!("{operation}: an entry without its actor, request or reason: {entry}"));
        }
    }
    found
}

async fn every_act_is_told(scene: &Scene, plane: Plane, reader: Reader<'_>, actor: &str) {
    let (law, rows, books) = (Law::of(plane).await, rows::read(), scene.books().await);
    books.keep().await;
    let everyday = |permission: &str| {
        let key = law.key(permission);
        ["anyone", "shopper"].iter().any(|role| {
            let set = law.policy.built_in(role);
            set.zip(key).is_some_and(|(set, key)| law.policy.allows(&set, key))
        })
    };
    let (mut findings, mut done, mut changed_of) = (Vec::new(), 0, BTreeMap::new());
    for operation in &plane.document().operations {
        let Some(row) = rows.get(&operation.to_string()) else { continue };
        let privileged = row.permission != "-" && !everyday(&row.permission);
        let (before, known) = (books.digest().await, reader.entries().await);
        let answer = reader.asks(operation).await;
        let changed = before.changed(&books.digest().await);
        let told: Vec<Value> = {
            let newest = known.first().map(|entry| entry["id"].clone());
            let entries = reader.entries().await;
            entries.into_iter().take_while(|entry| Some(&entry["id"]) != newest.as_ref()).collect()
        };
        let acts = privileged
            && answer.status < 300
            && !operation.reads()
            && !UNTOLD.contains(&operation.id.as_str())
            && changed.iter().any(|table| !table.ends_with(".throttles"));
        let twice = TWICE.contains(&operation.id.as_str());
        let expected = usize::from(acts) * (1 + usize::from(twice));
        findings.extend(complaints(operation, &told, expected, actor));
        let whole = reader.whole().await;
        if whole["whole"] != true {
            findings.push(format!("{operation}: the log is broken: {whole}"));
        }
        if acts {
            done += 1;
            let differs = told.iter().any(|entry| {
                let details = details(entry);
                details["before_sha256"] != details["after_sha256"]
            });
            if UNDIGESTED.contains(&operation.id.as_str()) == told.iter().any(is_digested) {
                findings
                    .push(format!("{operation}: digests, or none, against what UNDIGESTED says: {told:#?}"));
            }
            changed_of.insert(operation.to_string(), differs);
        }
        books.bring_back(&changed).await;
        // Gates remember for less than a second who may come in.
        if changed.iter().any(|table| MEMORABLE.iter().any(|word| table.ends_with(word))) {
            tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
        }
    }
    let digested = changed_of.values().filter(|differs| **differs).count();
    println!("acts, {}: {done} acts told, {digested} of them with digests that differ", plane.word());
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
    assert!(done > 10, "only {done} operations did anything");
}

#[tokio::test]
async fn every_act_in_a_store_is_in_its_log() {
    let (scene, _turn) = scene().await;
    let (door, owner) = (scene.here.door(scene.platform), scene.here.owner());
    let token = owner.staff_token(scene.platform, scene.here.store);
    let actor = staff_of(scene, owner).await;
    let reader = Reader { door, actor: token.clone(), token, path: ENTRIES.to_owned(), scene };
    every_act_is_told(scene, Plane::Store, reader, &actor).await;
}

#[tokio::test]
async fn every_act_in_an_organization_is_in_its_log() {
    let (scene, _turn) = scene().await;
    let (door, owner) = (scene.platform.control(), scene.here.owner());
    let path = format!("/v1/organizations/{}/audit-entries", scene.here.organization);
    let actor = format!("account:{}", owner.account);
    // Acts may end the session of whoever acts.
    let token = scene.here.people["admin"].token(scene.platform);
    let reader = Reader { door, token, actor: owner.token(scene.platform), path, scene };
    every_act_is_told(scene, Plane::Control, reader, &actor).await;
}

/// `staff:stf_…` of a person at the store.
async fn staff_of(scene: &Scene, person: &Person) -> String {
    let schema = &scene.here.schema;
    let (account, books) = (person.account.uuid(), scene.books().await);
    let query = format!("SELECT id::text FROM {schema}.staff WHERE account_id = '{account}'");
    let found = books.words(&query).await;
    let id: uuid::Uuid = found.first().expect("the owner works here").parse().expect("a uuid");
    format!("staff:{}", souk_kernel::StaffId::from_uuid(id))
}
