//! What must not be told is not told by the time of an answer: whether an address has an account, and whether somebody else has a thing. Both
//! questions in turn, medians compared in one run; bounds are generous because the machine is shared.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_kernel::RequestId;
use souk_proofs::people::PASSWORD;
use souk_proofs::{Books, Call, Door};

use super::scene::scene;

/// How far two medians may lie apart, as a factor; below this, a difference is the machine's.
const APART: f64 = 1.35;
const NOISE: Duration = Duration::from_millis(1);

struct Pair<'s> {
    name: &'static str,
    door: &'s Door,
    /// How often each question is asked.
    samples: usize,
    /// The two questions, made anew each time.
    one: Box<dyn Fn() -> Call + 's>,
    other: Box<dyn Fn() -> Call + 's>,
    status: u16,
}

impl Pair<'_> {
    /// Says what is wrong, if anything.
    async fn compare(&self, books: &Books, forget: &str) -> Option<String> {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for round in 0..=self.samples {
            books.run(forget).await;
            let calls = [(&self.one, &mut one), (&self.other, &mut other)];
            for (call, times) in calls {
                let call = call();
                let began = Instant::now();
                let answer = self.door.send(&call).await;
                let took = began.elapsed();
                if answer.status != self.status {
                    return Some(format!("{}: {} {}", self.name, answer.status, answer.text()));
                }
                // The first round warms up.
                if round > 0 {
                    times.push(took);
                }
            }
        }
        let (one, other) = (median(one), median(other));
        let ratio = one.as_secs_f64() / other.as_secs_f64();
        println!("timing, {}: {one:.1?} and {other:.1?}, a ratio of {ratio:.2}", self.name);
        let near = one.abs_diff(other) < NOISE || (1.0 / APART..APART).contains(&ratio);
        (!near).then(|| format!("{}: {one:?} and {other:?}", self.name))
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn nobody() -> String {
    format!("nobody.{}@example.com", RequestId::new().suffix())
}

fn sign_in(path: &'static str, email: &str) -> Call {
    Call::post(path, &json!({ "email": email, "password": "not the password at all" }))
}

#[tokio::test]
async fn the_clock_tells_nobody_who_has_an_account() {
    let (scene, _turn) = scene().await;
    let books = scene.books().await;
    books.keep().await;
    let before = books.digest().await;
    let (control, store) = (scene.platform.control(), scene.here.door(scene.platform));
    let (email, customer) = (scene.here.owner().email.clone(), scene.here.things["customer email"].clone());
    let (email, customer) = (&email, &customer);
    let forgets = |path: &'static str, email: &str| Call::post(path, &json!({ "email": email }));
    let signs_up = |path: &'static str, email: &str, names: Value| {
        let mut wish = json!({ "email": email, "password": PASSWORD });
        wish.as_object_mut().expect("a body").extend(names.as_object().cloned().unwrap_or_default());
        Call::post(path, &wish)
    };
    let person = || json!({ "name": "Somebody" });
    let shopper = || json!({ "first_name": "Some", "last_name": "Body" });
    let token = scene.here.owner().token(scene.platform);
    let works = scene.here.owner().staff_token(scene.platform, scene.here.store);
    let (token, works) = (&token, &works);
    let theirs = scene.there.things["ord:unpaid"].clone();
    let order = |id: String| Call::get(format!("/admin/v1/orders/{id}")).bearer(works);
    let organization = |id: String| Call::get(format!("/v1/organizations/{id}")).bearer(token);
    let other = &scene.there.organization;
    // One and the same each time, like somebody else's: who asked for a place a moment ago is remembered.
    let missing = |prefix: &str| format!("{prefix}_{}", RequestId::new().suffix());
    let (no_organization, no_order) = (missing("org"), missing("ord"));
    let pairs = [
        Pair {
            name: "signing in, an account and none",
            door: &control,
            samples: 15,
            one: Box::new(|| sign_in("/v1/sessions", email)),
            other: Box::new(|| sign_in("/v1/sessions", &nobody())),
            status: 401,
        },
        Pair {
            name: "a customer signing in, known and unknown",
            door: &store,
            samples: 15,
            one: Box::new(|| sign_in("/store/v1/sessions", customer)),
            other: Box::new(|| sign_in("/store/v1/sessions", &nobody())),
            status: 401,
        },
        Pair {
            name: "a forgotten password, an account and none",
            door: &control,
            samples: 6,
            one: Box::new(|| forgets("/v1/password-resets", email)),
            other: Box::new(|| forgets("/v1/password-resets", &nobody())),
            status: 202,
        },
        Pair {
            name: "a customer's forgotten password, known and unknown",
            door: &store,
            samples: 6,
            one: Box::new(|| forgets("/store/v1/password-resets", customer)),
            other: Box::new(|| forgets("/store/v1/password-resets", &nobody())),
            status: 202,
        },
        Pair {
            name: "signing up, taken and new",
            door: &control,
            samples: 6,
            one: Box::new(|| signs_up("/v1/accounts", email, person())),
            other: Box::new(|| signs_up("/v1/accounts", &nobody(), person())),
            status: 202,
        },
        Pair {
            name: "a customer registering, taken and new",
            door: &store,
            samples: 6,
            one: Box::new(|| signs_up("/store/v1/customers", customer, shopper())),
            other: Box::new(|| signs_up("/store/v1/customers", &nobody(), shopper())),
            status: 202,
        },
        Pair {
            name: "an organization, somebody else's and nobody's",
            door: &control,
            samples: 25,
            one: Box::new(|| organization(other.clone())),
            other: Box::new(|| organization(no_organization.clone())),
            status: 404,
        },
        Pair {
            name: "an order, of another store and of none",
            door: &store,
            samples: 25,
            one: Box::new(|| order(theirs.clone())),
            other: Box::new(|| order(no_order.clone())),
            status: 404,
        },
    ];
    // How often somebody may try is another matter.
    let forget = format!("DELETE FROM control.throttles; DELETE FROM {}.throttles", scene.here.schema);
    let mut findings = Vec::new();
    for pair in &pairs {
        findings.extend(pair.compare(&books, &forget).await);
    }
    books.bring_back(&before.changed(&books.digest().await)).await;
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
