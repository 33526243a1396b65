//! Proof (c): an id of another store, of another organization or of another shopper is answered like one that does not exist: the same
//! status, the same body. Nothing changes, and nothing of the other's is told.

use serde_json::Value;
use souk_kernel::RequestId;
use souk_proofs::document::{id_prefix, prefix_of};
use souk_proofs::{Answer, Books, Call, Door, Operation, Place, Plane};

use super::requests::{sound, strings};
use super::rows;
use super::scene::{Scene, scene};

/// Where an id stands in a request.
#[derive(Clone, Debug)]
enum Slot {
    /// A part of the path or the query, by the text that stands there.
    Address(String),
    /// A query parameter that need not be there.
    Query(String),
    /// A place in the body.
    Body(String),
}

impl Slot {
    /// The request with another id in this place.
    fn with(&self, call: &Call, id: &str) -> Call {
        let mut call = call.clone();
        match self {
            Self::Address(known) => call.path = call.path.replacen(known, id, 1),
            Self::Query(name) => {
                let joint = if call.path.contains('?') { '&' } else { '?' };
                call.path = format!("{}{joint}{name}={id}", call.path);
            }
            Self::Body(pointer) => {
                let mut body: Value =
                    serde_json::from_slice(call.body.as_deref().unwrap_or(b"{}")).expect("a sound body");
                let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
                match body.pointer_mut(pointer) {
                    Some(place) => *place = Value::from(id),
                    None => body.pointer_mut(parent).expect("a place")[name] = Value::from(id),
                }
                call = call.json(&body);
            }
        }
        call
    }
}

/// Every place of an operation's request that takes an id, and the prefix of the ids it takes.
fn slots(operation: &Operation, call: &Call) -> Vec<(Slot, String)> {
    let mut slots = Vec::new();
    for part in call.path.split(['/', '?', '&', '=']) {
        if let Some(prefix) = prefix_of(part) {
            slots.push((Slot::Address(part.to_owned()), prefix.to_owned()));
        }
    }
    for parameter in operation.of(Place::Query).filter(|parameter| !parameter.required) {
        if let Some(prefix) = id_prefix(&parameter.schema) {
            slots.push((Slot::Query(parameter.name.clone()), prefix.to_owned()));
        }
    }
    let Some(body) = operation.body.as_ref().filter(|body| body.media_type == "application/json") else {
        return slots;
    };
    let sent: Value = serde_json::from_slice(call.body.as_deref().unwrap_or(b"null")).unwrap_or(Value::Null);
    let mut texts = Vec::new();
    strings(&sent, String::new(), &mut texts);
    for (pointer, text) in texts {
        if let Some(prefix) = prefix_of(&text) {
            slots.push((Slot::Body(pointer), prefix.to_owned()));
        }
    }
    let document = operation.plane.document();
    for (name, field) in document.resolve(&body.schema)["properties"].as_object().into_iter().flatten() {
        if let Some(prefix) = id_prefix(document.resolve(field)).filter(|_| sent.get(name).is_none()) {
            slots.push((Slot::Body(format!("/{name}")), prefix.to_owned()));
        }
    }
    slots
}

fn missing(prefix: &str) -> String {
    format!("{prefix}_{}", RequestId::new().suffix())
}

/// What may be compared: the body, with the id that was asked for called by one name.
fn comparable(answer: &Answer, id: &str) -> String {
    let suffix = id.split('_').nth(1).unwrap_or(id);
    answer.essence().to_string().replace(id, "(id)").replace(suffix, "(id)")
}

/// Says who somebody is at any store there is, for those who are invited from outside its organization; the store refuses all others.
const ANY_STORE: &str = "storesPresent";
/// Answers whoever is nobody of the platform alike, whatever they name: `authority::visits` tries it as those who may.
const OF_THE_PLATFORM: &str = "grantsGrantsEnter";
const ELSEWHERE: [&str; 2] = [ANY_STORE, OF_THE_PLATFORM];

struct Trial<'s> {
    scene: &'s Scene,
    books: Books,
    asked: usize,
    slots: usize,
    findings: Vec<String>,
}

impl Trial<'_> {
    async fn tries(&mut self, door: &Door, operation: &Operation, call: Call) {
        let rows = rows::read();
        for (slot, prefix) in slots(operation, &call) {
            self.slots += 1;
            let absent = missing(&prefix);
            let Some(model) = self.asks(door, operation, &slot.with(&call, &absent)).await else { continue };
            let asked_for = matches!(slot, Slot::Query(_))
                || matches!(slot, Slot::Address(_)) && !operation.path.contains('{');
            // A question about somebody unknown is one about anybody.
            let is_filter = asked_for && operation.reads() || operation.id == "previewTax";
            // An operation of which we have no sound body yet says so in its row, and looks at the body first.
            let unsound = rows.get(&operation.to_string()).is_some_and(|row| row.allowed == 422);
            let refused = if matches!(slot, Slot::Address(_)) && !unsound && !is_filter {
                model.status == 404
            } else {
                (400..500).contains(&model.status)
            };
            // Taking out what is not in is fine: that it changes nothing is held below.
            let is_idle = operation.method == "DELETE" && model.status < 300;
            if !(refused || is_filter && model.status == 200 || is_idle) {
                self.finds(
                    operation,
                    &slot,
                    &format!("{} for an id that does not exist: {}", model.status, model.text()),
                );
            }
            let others = self.foreign(operation, &prefix);
            if others.is_empty() {
                self.finds(
                    operation,
                    &slot,
                    &format!("nobody else has a `{prefix}`: see tests/stage/others.rs"),
                );
            }
            for foreign in others {
                let Some(answer) = self.asks(door, operation, &slot.with(&call, &foreign)).await else {
                    continue;
                };
                let same = answer.status == model.status
                    && comparable(&answer, &foreign) == comparable(&model, &absent);
                if !same {
                    let (told, model) = (answer.text(), model.text());
                    self.finds(
                        operation,
                        &slot,
                        &format!("{foreign} is answered {told}, a missing one {model}"),
                    );
                }
            }
        }
    }

    /// Ids of this kind that are not the caller's.
    fn foreign(&self, operation: &Operation, prefix: &str) -> Vec<String> {
        let there = &self.scene.there.things;
        let theirs = there.get(prefix).or_else(|| there.get(&format!("{prefix}:theirs"))).cloned();
        // Another shopper of the same store; staff may see both.
        let others = [":other", ":unpaid"]
            .iter()
            .filter_map(|which| self.scene.here.things.get(&format!("{prefix}{which}")));
        let others: Vec<String> =
            if operation.path.starts_with("/store/") { others.cloned().collect() } else { Vec::new() };
        theirs.into_iter().chain(others).collect()
    }

    async fn asks(&mut self, door: &Door, operation: &Operation, call: &Call) -> Option<Answer> {
        self.asked += 1;
        let before = self.books.digest().await;
        let call = if call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
            call.clone().once()
        } else {
            call.clone()
        };
        let answer = match door.try_send(&call).await {
            Ok(answer) => answer,
            Err(broken) => {
                self.findings.push(format!("{operation}: the connection broke: {broken}"));
                return None;
            }
        };
        let changed = before.changed(&self.books.digest().await);
        // Taking out of one's own cart what is not in it may count as a change of the cart.
        let own_cart = |table: &String| operation.method == "DELETE" && table.ends_with(".carts");
        if !changed.iter().all(own_cart) {
            self.findings.push(format!("{call}: {} and {changed:?} changed", answer.status));
        }
        self.books.bring_back(&changed).await;
        if answer.text().contains(&self.scene.there.canary) {
            self.findings.push(format!("{call}: tells of the other store: {}", answer.text()));
        }
        self.findings.extend(answer.complaint().map(|complaint| format!("{call}: {complaint}")));
        Some(answer)
    }

    fn finds(&mut self, operation: &Operation, slot: &Slot, what: &str) {
        let what: String = what.chars().take(700).collect();
        self.findings.push(format!("{operation}, {slot:?}: {what}"));
    }
}

#[tokio::test]
async fn ids_of_others_are_answered_like_missing_ones() {
    let (scene, _turn) = scene().await;
    let books = scene.books().await;
    books.keep().await;
    let mut trial = Trial { scene, books, asked: 0, slots: 0, findings: Vec::new() };
    let (customer, _) = scene.here.customer_tokens(scene.platform).await;
    let (control, store) = (scene.platform.control(), scene.here.door(scene.platform));
    for plane in Plane::ALL {
        for operation in
            plane.document().operations.iter().filter(|operation| !ELSEWHERE.contains(&operation.id.as_str()))
        {
            let call = sound(operation, &scene.here);
            let (door, call) = match plane {
                Plane::Control => (&control, call.bearer(&scene.here.owner().token(scene.platform))),
                Plane::Store if scene.is_for_customers(operation) => (&store, call.bearer(&customer)),
                // A guest has what they hold in their hands: the secrets of their cart and of their order.
                Plane::Store if operation.path.starts_with("/store/") => (&store, call),
                Plane::Store => {
                    (&store, call.bearer(&scene.here.owner().staff_token(scene.platform, scene.here.store)))
                }
            };
            trial.tries(door, operation, call).await;
        }
    }
    println!("foreign ids: {} places for ids, {} requests", trial.slots, trial.asked);
    assert!(trial.slots > 175, "ids were not recognised: {}", trial.slots);
    assert!(trial.findings.is_empty(), "{} findings:\n{}", trial.findings.len(), trial.findings.join("\n"));
}
