//! Proof (b): everybody tries everything.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use souk_proofs::{Answer, Books, Door, Operation, Plane};

use super::cast::{self, Actor, COOKIE, Law, Standing};
use super::costs::Costs;
use super::requests::sound;
use super::rows::{self, Row};
use super::scene::{Scene, scene, settle};

/// How many findings a failure shows.
const SHOWN: usize = 900;

/// What an operation answers to somebody; `None` when the row names a permission that does not exist.
fn expected(operation: &Operation, row: &Row, law: &Law, actor: &Actor) -> Option<u16> {
    // A cookie is nobody's credential: whoever sends one is who they were without it.
    let name = if actor.name == COOKIE { "nobody" } else { actor.name.as_str() };
    if let Some(status) = row.except.get(name) {
        return Some(*status);
    }
    if row.permission == "-" {
        return Some(row.allowed);
    }
    let key = law.key(&row.permission)?;
    let of_an_organization =
        ["{organization}", "{store}", "{operation}"].iter().any(|part| operation.path.contains(part));
    Some(match &actor.standing {
        Standing::Unbelieved => 401,
        Standing::Nobody(set) if law.policy.allows(set, key) => row.allowed,
        Standing::Nobody(_) => 401,
        Standing::Outside(_) if of_an_organization => 404,
        Standing::Outside(set) | Standing::Believed(set) if law.policy.allows(set, key) => row.allowed,
        // At the control plane a role counts in its organization; elsewhere everybody is just an account.
        Standing::Believed(_) if operation.plane == Plane::Control && !of_an_organization => {
            let account = law.policy.built_in("account")?;
            if law.policy.allows(&account, key) { row.allowed } else { 403 }
        }
        Standing::Outside(_) | Standing::Believed(_) => 403,
    })
}

struct Trial<'s> {
    scene: &'s Scene,
    books: Books,
    door: Door,
    law: Law,
    asked: AtomicUsize,
    refused: AtomicUsize,
    findings: String,
    costs: Costs,
}

impl Trial<'_> {
    async fn tries(&mut self, operation: &Operation, row: &Row, actor: &Actor) {
        let before = self.books.digest().await;
        let call = actor.signs(sound(operation, &self.scene.here));
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = match self.door.try_send(&call).await {
            Ok(answer) => answer,
            Err(broken) => return self.finds(operation, actor, &format!("the connection broke: {broken}")),
        };
        self.costs.note(operation, actor, &answer);
        settle(operation, &answer).await;
        let after = self.books.digest().await;
        let (changed, harmed) = (before.changed(&after), before.harmed(&after));
        let refused = answer.status >= 400;
        self.refused.fetch_add(usize::from(refused), Ordering::Relaxed);
        match expected(operation, row, &self.law, actor) {
            None => self.finds(operation, actor, &format!("there is no permission `{}`", row.permission)),
            Some(status) if status != answer.status => {
                let told: String = answer.text().chars().take(300).collect();
                self.finds(
                    operation,
                    actor,
                    &format!("{} instead of {status}: {told} ({call})", answer.status),
                );
            }
            Some(_) => {}
        }
        if let Some(complaint) = answer.complaint() {
            self.finds(operation, actor, &complaint);
        }
        if refused && !harmed.is_empty() {
            self.finds(
                operation,
                actor,
                &format!("refused with {}, and yet {harmed:?} changed", answer.status),
            );
        }
        if operation.reads() && !harmed.is_empty() {
            self.finds(operation, actor, &format!("it only looks, and yet {harmed:?} changed"));
        }
        self.leaks(operation, actor, &answer);
        self.books.bring_back(&changed).await;
    }

    fn leaks(&mut self, operation: &Operation, actor: &Actor, answer: &Answer) {
        // Those who work at the other business may see what is theirs, where they are not here.
        if actor.name != "other owner" && answer.text().contains(&self.scene.there.canary) {
            self.finds(operation, actor, "the answer holds something of the other store");
        }
        // A password or a refresh token in the body is whose it is, whoever else signs the request.
        if operation.path.starts_with("/v1/sessions") {
            return;
        }
        let of_ours = answer.text().contains(&self.scene.here.canary);
        // Who accepts an invitation is no stranger any more.
        let invited = operation.path == "/v1/invitations/accept" && answer.status < 300;
        let outside = matches!(actor.standing, Standing::Outside(_)) && actor.name != "removed" && !invited;
        if of_ours && outside && operation.plane == Plane::Control {
            self.finds(operation, actor, "a stranger sees something of ours");
        }
    }

    fn finds(&mut self, operation: &Operation, actor: &Actor, what: &str) {
        let _ = writeln!(self.findings, "{operation} as {}: {what}", actor.name);
    }

    fn ends(self, plane: Plane, operations: usize, people: usize) {
        let (asked, refused) = (self.asked.into_inner(), self.refused.into_inner());
        println!(
            "authority, {}: {operations} operations × {people} people = {asked} requests, {refused} refused",
            plane.word()
        );
        let count = self.findings.lines().count();
        let shown: Vec<&str> = self.findings.lines().take(SHOWN).collect();
        assert!(count == 0, "{count} findings:\n{}", shown.join("\n"));
    }
}

#[tokio::test]
async fn every_operation_has_its_row() {
    rows::complete(&rows::read());
}

#[tokio::test]
async fn everybody_tries_everything_at_the_control_plane() {
    let (scene, _turn) = scene().await;
    let law = Law::of(Plane::Control).await;
    let cast = cast::at_control(scene.platform, &law, &scene.here, &scene.there, &scene.stranger);
    tries_all(scene, Plane::Control, law, scene.platform.control(), cast).await;
}

#[tokio::test]
async fn everybody_tries_everything_at_a_store() {
    let (scene, _turn) = scene().await;
    let law = Law::of(Plane::Store).await;
    let books = scene.books().await;
    let cast = cast::at_store(scene.platform, &law, &books, &scene.here, &scene.there, &scene.stranger).await;
    tries_all(scene, Plane::Store, law, scene.here.door(scene.platform), cast).await;
}

async fn tries_all(scene: &Scene, plane: Plane, law: Law, door: Door, cast: Vec<Actor>) {
    let rows = rows::read();
    let books = scene.books().await;
    books.keep().await;
    let (asked, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut trial =
        Trial { scene, books, door, law, asked, refused, findings: String::new(), costs: Costs::default() };
    let operations = &plane.document().operations;
    for operation in operations {
        // Operations without a row are told by their own test.
        let Some(row) = rows.get(&operation.to_string()) else { continue };
        for actor in &cast {
            trial.tries(operation, row, actor).await;
        }
    }
    if plane == Plane::Store {
        for difference in trial.costs.differences() {
            let _ = writeln!(trial.findings, "{difference}");
        }
    }
    trial.ends(plane, operations.len(), cast.len());
}
