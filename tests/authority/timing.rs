//! What must not be told is not told by the time of an answer: whether an address has an account, and whether somebody else has a thing. What
//! costs most, hashes of passwords, is counted and must be equal to the last one. The rest is measured: both questions in turn, each as often
//! first as second, and a pair is told apart only if the medians lie apart by more than a machine's noise *and* one question is the slower one
//! in so many rounds that chance makes it so in one of a thousand runs. A busy machine slows both questions of a round, and so no proof down.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_kernel::RequestId;
use souk_proofs::people::PASSWORD;
use souk_proofs::{Books, Call, Door, Platform};

use super::scene::scene;

/// How far two medians may lie apart, as a factor; below this, a difference is the machine's.
const APART: f64 = 1.35;
const NOISE: Duration = Duration::from_millis(1);
/// How likely chance may tell a pair apart that cannot be.
const CHANCE: f64 = 0.001;

struct Pair<'s> {
    name: &'static str,
    door: &'s Door,
    /// How often each question is asked: at least 11 times, since ten rounds of one side are chance in one of 512 runs.
    samples: usize,
    /// The two questions, made anew each time.
    one: Box<dyn Fn() -> Call + 's>,
    other: Box<dyn Fn() -> Call + 's>,
    status: u16,
    /// How many passwords are hashed for one answer, whichever question it is.
    hashes: u64,
}

impl Pair<'_> {
    /// Says what is wrong, if anything.
    async fn compare(&self, platform: &Platform, books: &Books, forget: &str) -> Option<String> {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for round in 0..=self.samples {
            books.run(forget).await;
            let mut calls = [(&self.one, &mut one), (&self.other, &mut other)];
            // Whoever comes second may find what the first one fetched.
            if round % 2 == 0 {
                calls.reverse();
            }
            for (call, times) in calls {
                let (call, before) = (call(), platform.hashes());
                let began = Instant::now();
                let answer = self.door.send(&call).await;
                let took = began.elapsed();
                if answer.status != self.status {
                    return Some(format!("{}: {} {}", self.name, answer.status, answer.text()));
                }
                let hashes = platform.hashes() - before;
                if hashes != self.hashes {
                    return Some(format!(
                        "{}: {hashes} hashes instead of {}: {call}",
                        self.name, self.hashes
                    ));
                }
                // The first round warms up.
                if round > 0 {
                    times.push(took);
                }
            }
        }
        let slower = one.iter().zip(&other).filter(|(one, other)| one > other).count();
        let chance = by_chance(self.samples, slower);
        let (one, other) = (median(one), median(other));
        let ratio = one.as_secs_f64() / other.as_secs_f64();
        println!(
            "timing, {}: {one:.1?} and {other:.1?}, a ratio of {ratio:.2}; the first is slower in {slower} of {} rounds (p = {chance:.4})",
            self.name, self.samples
        );
        let near = one.abs_diff(other) < NOISE || (1.0 / APART..APART).contains(&ratio);
        let apart = !near && chance < CHANCE;
        apart.then(|| format!("{}: {one:?} and {other:?}, p = {chance:.6}", self.name))
    }
}

/// How likely it is that of two equal questions one is the slower one in this many rounds of all, or in more, or the other one is: the sign
/// test, which asks nothing of how times are spread.
fn by_chance(rounds: usize, slower: usize) -> f64 {
    let extreme = slower.max(rounds - slower);
    // The ways to choose so many of all rounds, as a share of all outcomes.
    let mut share = 0.5_f64.powi(i32::try_from(rounds).unwrap_or(i32::MAX));
    let mut sum = 0.0;
    for chosen in 0..=rounds {
        if chosen >= extreme {
            sum += share;
        }
        share *= (rounds - chosen) as f64 / (chosen + 1) as f64;
    }
    f64::min(2.0 * sum, 1.0)
}

#[test]
fn chance_is_weighed_rightly() {
    for (rounds, slower, expected) in
        [(11, 11, 2.0 / 2048.0), (11, 0, 2.0 / 2048.0), (4, 3, 10.0 / 16.0), (4, 2, 1.0), (60, 30, 1.0)]
    {
        assert!((by_chance(rounds, slower) - expected).abs() < 1e-9, "{slower} of {rounds}");
    }
    assert!(by_chance(10, 10) > CHANCE && by_chance(12, 12) < CHANCE && by_chance(60, 44) < CHANCE);
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
            samples: 21,
            one: Box::new(|| sign_in("/v1/sessions", email)),
            other: Box::new(|| sign_in("/v1/sessions", &nobody())),
            status: 401,
            hashes: 1,
        },
        Pair {
            name: "a customer signing in, known and unknown",
            door: &store,
            samples: 21,
            one: Box::new(|| sign_in("/store/v1/sessions", customer)),
            other: Box::new(|| sign_in("/store/v1/sessions", &nobody())),
            status: 401,
            hashes: 1,
        },
        Pair {
            name: "a forgotten password, an account and none",
            door: &control,
            samples: 12,
            one: Box::new(|| forgets("/v1/password-resets", email)),
            other: Box::new(|| forgets("/v1/password-resets", &nobody())),
            status: 202,
            hashes: 0,
        },
        Pair {
            name: "a customer's forgotten password, known and unknown",
            door: &store,
            samples: 12,
            one: Box::new(|| forgets("/store/v1/password-resets", customer)),
            other: Box::new(|| forgets("/store/v1/password-resets", &nobody())),
            status: 202,
            hashes: 0,
        },
        Pair {
            name: "signing up, taken and new",
            door: &control,
            samples: 12,
            one: Box::new(|| signs_up("/v1/accounts", email, person())),
            other: Box::new(|| signs_up("/v1/accounts", &nobody(), person())),
            status: 202,
            hashes: 1,
        },
        Pair {
            name: "a customer registering, taken and new",
            door: &store,
            samples: 12,
            one: Box::new(|| signs_up("/store/v1/customers", customer, shopper())),
            other: Box::new(|| signs_up("/store/v1/customers", &nobody(), shopper())),
            status: 202,
            hashes: 1,
        },
        Pair {
            name: "an organization, somebody else's and nobody's",
            door: &control,
            samples: 60,
            one: Box::new(|| organization(other.clone())),
            other: Box::new(|| organization(no_organization.clone())),
            status: 404,
            hashes: 0,
        },
        Pair {
            name: "an order, of another store and of none",
            door: &store,
            samples: 60,
            one: Box::new(|| order(theirs.clone())),
            other: Box::new(|| order(no_order.clone())),
            status: 404,
            hashes: 0,
        },
    ];
    // How often somebody may try is another matter.
    let forget = format!("DELETE FROM control.throttles; DELETE FROM {}.throttles", scene.here.schema);
    let mut findings = Vec::new();
    for pair in &pairs {
        findings.extend(pair.compare(scene.platform, &books, &forget).await);
    }
    books.bring_back(&before.changed(&books.digest().await)).await;
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
