//! Bad input, over every operation: a clear problem document, no 5xx, no broken connection, nothing changed.

mod framing;
mod payloads;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_proofs::document::id_prefix;
use souk_proofs::{Answer, Books, Call, Door, Operation, Place, Plane};

use crate::authority::requests::sound;
use crate::authority::rows;
use crate::authority::scene::{Scene, scene, settle};
use payloads::{Case, Must, broken_bodies, spoiled_bodies};

/// Their body is read only after its signature, which the spoiled ones do not have: refused all the same, but for that.
const SIGNED: [&str; 2] = ["paymentWebhook", "mailReport"];

/// How many findings a failure shows.
const SHOWN: usize = 80;

struct Trial<'s> {
    scene: &'s Scene,
    books: Books,
    /// The token of a customer who signed in before the books were kept.
    customer: String,
    signed_in: Instant,
    asked: usize,
    refused: usize,
    findings: Vec<String>,
}

impl Trial<'_> {
    async fn begin() -> (Trial<'static>, tokio::sync::MutexGuard<'static, ()>) {
        let (scene, turn) = scene().await;
        let books = scene.books().await;
        let (customer, _) = scene.here.customer_tokens(scene.platform).await;
        books.keep().await;
        let signed_in = Instant::now();
        (Trial { scene, books, customer, signed_in, asked: 0, refused: 0, findings: Vec::new() }, turn)
    }

    fn door(&self, plane: Plane) -> Door {
        match plane {
            Plane::Control => self.scene.platform.control(),
            Plane::Store => self.scene.here.door(self.scene.platform),
        }
    }

    /// A sound request of somebody who may.
    async fn sound(&mut self, operation: &Operation) -> Call {
        // Tokens last 15 minutes, a run on a slow machine longer.
        if self.signed_in.elapsed() > Duration::from_secs(300) {
            self.customer = self.scene.here.customer_tokens(self.scene.platform).await.0;
            self.books.keep().await;
            self.signed_in = Instant::now();
        }
        let call = sound(operation, &self.scene.here);
        let (owner, platform) = (self.scene.here.owner(), self.scene.platform);
        match operation.plane {
            Plane::Control => call.bearer(&owner.token(platform)),
            // Whoever signs in, joins or leaves is known by the token in the body alone.
            Plane::Store if operation.is_public() && operation.path.starts_with("/admin/") => call,
            Plane::Store if operation.path.starts_with("/admin/") => {
                call.bearer(&owner.staff_token(platform, self.scene.here.store))
            }
            Plane::Store if self.scene.is_for_customers(operation) => call.bearer(&self.customer),
            Plane::Store => call,
        }
    }

    async fn tries(&mut self, door: &Door, operation: &Operation, case: Case) -> Option<Answer> {
        self.asked += 1;
        let before = self.books.digest().await;
        let answer = match door.try_send(&case.call).await {
            Ok(answer) => answer,
            Err(broken) => {
                let broken: String =
                    broken.chars().skip(broken.chars().count().saturating_sub(300)).collect();
                self.finds(operation, &case.what, &format!("the connection broke: {broken}"));
                return None;
            }
        };
        settle(operation, &answer).await;
        let after = self.books.digest().await;
        let (changed, harmed) = (before.changed(&after), before.harmed(&after));
        self.refused += usize::from(answer.status >= 400);
        let told: String = answer.text().chars().take(250).collect();
        // A payment that is declined is an attempt, and attempts are kept.
        if answer.status >= 400 && answer.status != 402 && !harmed.is_empty() {
            self.finds(
                operation,
                &case.what,
                &format!("refused with {}, and yet {harmed:?} changed", answer.status),
            );
        }
        self.books.bring_back(&changed).await;
        if let Some(complaint) = answer.complaint() {
            self.finds(operation, &case.what, &complaint.chars().take(400).collect::<String>());
        }
        // A batch answers for each of its items.
        let status = answer.json().pointer("/results/0/status").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(answer.status);
        let fits = match case.must {
            Must::BeRefused => (400..500).contains(&status),
            Must::BeAnswered => status < 500,
            Must::Be(wanted) => status == wanted,
        };
        if !fits {
            self.finds(
                operation,
                &case.what,
                &format!("{} although it must {:?}: {told}", answer.status, case.must),
            );
        }
        Some(answer)
    }

    fn finds(&mut self, operation: &Operation, what: &str, finding: &str) {
        self.findings.push(format!("{operation}: {what}: {finding}"));
    }

    fn ends(self, what: &str) {
        println!("bad input, {what}: {} requests, {} refused", self.asked, self.refused);
        let shown: Vec<&str> = self.findings.iter().take(SHOWN).map(String::as_str).collect();
        assert!(self.findings.is_empty(), "{} findings:\n{}", self.findings.len(), shown.join("\n"));
    }
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    Plane::ALL.iter().flat_map(|plane| &plane.document().operations)
}

#[tokio::test]
async fn bodies() {
    let (mut trial, _turn) = Trial::begin().await;
    let takes_json = |operation: &&Operation| {
        operation.body.as_ref().is_some_and(|body| body.media_type == "application/json")
            && !SIGNED.contains(&operation.id.as_str())
    };
    for operation in operations().filter(takes_json) {
        let door = trial.door(operation.plane);
        let call = trial.sound(operation).await;
        let cases = broken_bodies(&call).into_iter().chain(spoiled_bodies(
            operation.plane.document(),
            operation,
            &call,
        ));
        for mut case in cases {
            if case.call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
                case.call = case.call.once();
            }
            trial.tries(&door, operation, case).await;
        }
    }
    trial.ends("bodies");
}

#[tokio::test]
async fn addresses() {
    let (mut trial, _turn) = Trial::begin().await;
    for operation in operations() {
        let door = trial.door(operation.plane);
        let call = trial.sound(operation).await;
        for parameter in operation.of(Place::Path) {
            let slot = format!("{{{}}}", parameter.name);
            let place = operation.path.split('/').position(|part| part == slot).unwrap_or_default();
            let long = "x".repeat(5_000);
            let foreign = "zzz_01h455vb4pex5vsknk084sn02q";
            for text in [
                "x",
                foreign,
                "%00",
                "..%2f..%2f",
                "%ff",
                "%27%20OR%201=1--",
                "%e2%80%ae",
                long.as_str(),
                "*",
                "null",
                "-1",
            ] {
                let mut bad = call.clone();
                let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
                let mut parts: Vec<&str> = path.split('/').collect();
                parts[place] = text;
                bad.path =
                    if query.is_empty() { parts.join("/") } else { format!("{}?{query}", parts.join("/")) };
                let must =
                    if id_prefix(&parameter.schema).is_some() { Must::Be(404) } else { Must::BeAnswered };
                let what = format!("{slot} = {}", text.chars().take(40).collect::<String>());
                trial.tries(&door, operation, Case { what, call: bad, must }).await;
            }
        }
        for (query, must) in queries(operation) {
            let mut bad = call.clone();
            let joint = if bad.path.contains('?') { '&' } else { '?' };
            bad.path = format!("{}{joint}{query}", bad.path);
            let what = format!("?{}", query.chars().take(60).collect::<String>());
            trial.tries(&door, operation, Case { what, call: bad, must }).await;
        }
    }
    trial.ends("addresses");
}

/// What is added to the query.
fn queries(operation: &Operation) -> Vec<(String, Must)> {
    let mut queries = Vec::new();
    // What takes parameters knows all of them; an operation without any does not look.
    let looks = operation.of(Place::Query).next().is_some();
    queries.push(("no_such_parameter=1".to_owned(), if looks { Must::BeRefused } else { Must::BeAnswered }));
    for parameter in operation.of(Place::Query).filter(|parameter| !parameter.required) {
        let name = &parameter.name;
        let mut add = |text: &str, must: Must| queries.push((format!("{name}={text}"), must));
        match name.as_str() {
            "limit" => {
                for text in ["0", "-1", "x", "1.5", "99999999999999999999", "%00", ""] {
                    add(text, Must::BeRefused);
                }
                add("1000000000", Must::BeAnswered);
            }
            "after" => {
                for text in ["x", "%00", "eyJhIjoxfQ", "eyJhIjoxfQ.AAAA", "' OR 1=1--"] {
                    add(&text.replace(' ', "%20"), Must::Be(400));
                }
            }
            _ => {
                let schema = operation.plane.document().resolve(&parameter.schema);
                let closed = id_prefix(schema).is_some()
                    || schema["enum"].is_array()
                    || schema["format"] == "date-time";
                let closed = closed || matches!(schema["type"].as_str(), Some("integer" | "boolean"));
                for text in ["nonsense", "", "9999999999999999999999", "%27%20OR%201=1--", "[]"] {
                    add(text, if closed { Must::BeRefused } else { Must::BeAnswered });
                }
                add("%00", Must::BeRefused);
                add("%ff", Must::BeRefused);
                add(&"x".repeat(5_000), Must::BeAnswered);
                queries.push((format!("{name}=a&{name}=b"), Must::BeAnswered));
            }
        }
    }
    queries
}

#[tokio::test]
async fn headers() {
    let (mut trial, _turn) = Trial::begin().await;
    let rows = rows::read();
    for operation in operations() {
        let door = trial.door(operation.plane);
        let call = trial.sound(operation).await;
        // Where we have no sound body yet, its row says so: the body is looked at first.
        let unsound = rows.get(&operation.to_string()).is_some_and(|row| row.allowed == 422);
        if operation.parameter("if-match").is_some() && !unsound {
            for (text, status) in [
                ("\"of-another-time\"", 412),
                ("W/\"1\"", 412),
                ("nonsense", 400),
                ("\"open", 400),
                ("", 400),
            ] {
                let case = Case {
                    what: format!("If-Match: {text}"),
                    call: call.clone().header("if-match", text),
                    must: Must::Be(status),
                };
                trial.tries(&door, operation, case).await;
            }
            if operation.parameter("if-match").is_some_and(|parameter| parameter.required) {
                let case = Case {
                    what: "no If-Match".to_owned(),
                    call: call.clone().without("if-match"),
                    must: Must::Be(428),
                };
                trial.tries(&door, operation, case).await;
            }
        }
        if let Some(parameter) = operation.parameter("idempotency-key") {
            let long = "k".repeat(256);
            for text in ["", "two words", "\u{e9}", long.as_str()] {
                let what = format!("Idempotency-Key: {}", text.chars().take(20).collect::<String>());
                let case =
                    Case { what, call: call.clone().header("idempotency-key", text), must: Must::Be(400) };
                trial.tries(&door, operation, case).await;
            }
            if parameter.required {
                let call = call.clone().without("idempotency-key");
                trial
                    .tries(
                        &door,
                        operation,
                        Case { what: "no Idempotency-Key".to_owned(), call, must: Must::Be(400) },
                    )
                    .await;
            }
            reuse(&mut trial, &door, operation, &call).await;
        }
        for header in ["x-cart-secret", "x-order-secret", "x-draft-order-secret"] {
            if operation.parameter(header).is_none() {
                continue;
            }
            for text in ["x", "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "' OR 1=1--"] {
                let case = Case {
                    what: format!("{header}: {text}"),
                    call: call.clone().header(header, text),
                    must: Must::Be(404),
                };
                trial.tries(&door, operation, case).await;
            }
            let case = Case {
                what: format!("no {header}"),
                call: call.clone().without(header),
                must: Must::Be(404),
            };
            trial.tries(&door, operation, case).await;
        }
    }
    trial.ends("headers");
}

/// The same key again: the same bytes for the same request, 422 for another.
async fn reuse(trial: &mut Trial<'_>, door: &Door, operation: &Operation, call: &Call) {
    let call = call.clone().once();
    let before = trial.books.digest().await;
    trial.asked += 3;
    let first = door.send(&call).await;
    if first.status < 400 {
        let between = trial.books.digest().await;
        let again = door.send(&call).await;
        if (again.status, &again.bytes) != (first.status, &first.bytes)
            || again.header("idempotent-replayed") != "true"
        {
            trial.finds(
                operation,
                "the same request again",
                &format!("{} {}, then {} {}", first.status, first.text(), again.status, again.text()),
            );
        }
        let mut other = call.clone();
        match &operation.body {
            Some(body) if body.media_type == "application/json" => {
                let mut sent: Value =
                    serde_json::from_slice(other.body.as_deref().unwrap_or(b"{}")).unwrap_or(json!({}));
                if let Some(fields) = sent.as_object_mut() {
                    // Spaces make other bytes, not another request; so a text is changed, or one that may be left out is.
                    let text =
                        fields.iter().find_map(|(name, value)| value.is_string().then(|| name.clone()));
                    match text {
                        Some(name) if name != "reason" => {
                            fields[&name] = json!(format!("{} 2", fields[&name].as_str().unwrap_or_default()))
                        }
                        _ => return clean(trial, &before).await,
                    }
                }
                other = other.json(&sent);
            }
            _ => return clean(trial, &before).await,
        }
        let answer = door.send(&other).await;
        if answer.status != 422 {
            trial.finds(
                operation,
                "the same key for another body",
                &format!("{} {}", answer.status, answer.text()),
            );
        }
        let changed = between.changed(&trial.books.digest().await);
        if !changed.is_empty() {
            trial.finds(operation, "the same key again", &format!("{changed:?} changed"));
        }
    }
    clean(trial, &before).await;
}

async fn clean(trial: &Trial<'_>, before: &souk_proofs::books::Digest) {
    let changed = before.changed(&trial.books.digest().await);
    trial.books.bring_back(&changed).await;
}

/// A cursor of one list means nothing in another, nor in another store, nor when a letter of it is changed.
#[tokio::test]
async fn cursors() {
    let (mut trial, _turn) = Trial::begin().await;
    let lists: Vec<&Operation> =
        operations().filter(|operation| operation.parameter("after").is_some()).collect();
    let mut cursors: Vec<(&Operation, String)> = Vec::new();
    for operation in &lists {
        let mut call = trial.sound(operation).await;
        call.path = format!("{}?limit=1", call.path);
        let answer = trial.door(operation.plane).send(&call).await;
        // A list of parts of something that the stage does not have.
        if answer.status == 404 {
            continue;
        }
        let answer = answer.expect(200);
        let json = answer.json();
        let cursor = ["/page/next", "/page/end_cursor", "/page_info/end_cursor", "/next", "/page/after"]
            .iter()
            .find_map(|at| json.pointer(at));
        if let Some(cursor) = cursor.and_then(Value::as_str) {
            cursors.push((operation, cursor.to_owned()));
        }
    }
    assert!(cursors.len() >= 5, "lists with a second page: {}", cursors.len());
    for operation in &lists {
        let door = trial.door(operation.plane);
        for (from, cursor) in cursors.clone() {
            let call = trial.sound(operation).await;
            // The stream of events goes on where their list ends.
            let list = |operation: &Operation| operation.path.trim_end_matches("/stream").to_owned();
            let own = list(from) == list(operation);
            let mut letters: Vec<char> = cursor.chars().collect();
            let middle = letters.len() / 2;
            letters[middle] = if letters[middle] == 'A' { 'B' } else { 'A' };
            let altered: String = letters.into_iter().collect();
            for (text, must) in
                [(cursor.clone(), if own { Must::Be(200) } else { Must::Be(400) }), (altered, Must::Be(400))]
            {
                let mut call = call.clone();
                call.path = format!("{}?limit=1&after={text}", call.path);
                trial.tries(&door, operation, Case { what: format!("a cursor of {from}"), call, must }).await;
            }
        }
    }
    trial.ends("cursors");
}
