//! Who waits for whom: nobody for another endpoint, and a broken one for its rest.

use std::time::{Duration, Instant};

use souk_tenancy::WriteTx;
use uuid::Uuid;

use super::Stage;
use crate::webhooks::model::Ordering;
use crate::webhooks::{Courier, actions, send_due};

const EVENTS: usize = 40;

impl Stage {
    fn count(&self, path: &str) -> usize {
        self.receiver.heard().iter().filter(|told| told.path == path).count()
    }

    async fn state_all(&self) {
        for _ in 0..EVENTS {
            self.state(Uuid::now_v7(), 1).await;
        }
    }

    /// Without another look.
    async fn until_told(&self, path: &str, count: usize) {
        let began = Instant::now();
        while self.count(path) < count {
            assert!(began.elapsed() < Duration::from_secs(30), "{} of {count}", self.count(path));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Counted, not timed: whatever hangs beside it, a good endpoint gets everything of one look, and what hangs is asked as often as it has
/// seats. So there is nothing that a good one could wait for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_look_tells_a_good_endpoint_everything_whatever_hangs_beside_it() {
    for hanging in [0, 10] {
        let mut stage = Stage::set().await;
        // Nobody who hangs comes back while this test runs.
        stage.courier = Courier::patient(true, Duration::from_secs(600)).unwrap();
        for _ in 0..hanging {
            stage.endpoint("/hang", Ordering::None).await;
        }
        stage.endpoint("/ok", Ordering::None).await;
        stage.endpoint("/ok", Ordering::Aggregate).await;
        stage.state_all().await;
        let handed = send_due(&stage.worker, &stage.courier).await.unwrap();
        assert_eq!((handed.taken, handed.waiting), ((hanging + 2) * 4, false), "four to each at first");
        stage.until_told("/ok", 2 * EVENTS).await;
        stage.until_told("/hang", hanging * 4).await;
        // A look while all seats are taken finds nothing to do and need not come again for it.
        assert_eq!(send_due(&stage.worker, &stage.courier).await.unwrap(), actions::Handed::default());
        assert_eq!((stage.count("/ok"), stage.count("/hang")), (2 * EVENTS, hanging * 4));
    }
}

/// One that failed has a seat of its own among those that fail; the others hear of an event at the first look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_keeps_failing_rests_longer_and_longer_and_gets_everything_when_it_works() {
    let stage = Stage::set().await;
    let (endpoint, _) = stage.endpoint("/fail", Ordering::None).await;
    stage.state_all().await;
    for _ in 0..=180 {
        stage.round().await;
        stage.shop.clock.advance(Duration::from_secs(10));
    }
    // Four at once; then one after 5 s, 10, 20, 40, 80, 160 and each 300 (up to a tenth more, looked at every 10 s). Without a rest it
    // would have been three for each event.
    let asked = stage.count("/fail");
    // The last of the four to come back may be the first to write it down, and then goes on once.
    assert!((4 + 10..=4 + 11).contains(&asked), "{asked}");
    let known = stage.known(endpoint).await;
    assert_eq!(known.state, "enabled");
    assert!(known.resting_until.unwrap() > stage.shop.clock.now());
    assert_eq!(stage.round().await, 0);

    // Whoever wants to see whether it works again does not wait for that.
    let test = async move |tx: &mut WriteTx<'_>| actions::test(tx, endpoint).await;
    stage.worker.write("test", test).await.unwrap();
    assert_eq!(stage.known(endpoint).await.resting_until, None);
    assert_eq!(stage.round().await, 1, "asked at once, in vain");
    assert_eq!(stage.round().await, 0, "and rests again");

    stage.receiver.mend();
    stage.shop.clock.advance(Duration::from_secs(331));
    assert_eq!(
        stage.round().await,
        1,
        "one to see whether it works; whoever came back with it took along the others"
    );
    let deliveries = stage.deliveries(endpoint).await;
    assert_eq!(deliveries.iter().filter(|delivery| delivery.state == "delivered").count(), EVENTS + 1);
    let known = stage.known(endpoint).await;
    assert_eq!((known.failing_since, known.resting_until), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_at_a_stop_is_told_by_the_next_process() {
    let mut stage = Stage::set().await;
    let (endpoint, _) = stage.endpoint("/ok", Ordering::None).await;
    stage.state_all().await;
    assert_eq!(send_due(&stage.worker, &stage.courier).await.unwrap().taken, 4);
    stage.courier.finish().await;
    let told = stage.count("/ok");
    assert!(
        (4..EVENTS).contains(&told),
        "{told} were told: a stop waits for what is under way and begins nothing"
    );
    let left = stage.deliveries(endpoint).await;
    let soon = stage.shop.clock.now() + chrono::TimeDelta::seconds(1);
    assert!(
        left.iter().any(|delivery| delivery.next_attempt_at == Some(soon)),
        "the workers are told to look"
    );
    stage.courier = Courier::patient(true, super::SHORT).unwrap();
    stage.shop.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.round().await, 4);
    let mut ids: Vec<_> = stage.receiver.heard().into_iter().map(|told| told.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), stage.count("/ok")), (EVENTS, EVENTS), "everything, and nothing twice");
}

/// An endpoint that is deleted while it is being told something takes all of it along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_while_it_hangs() {
    let stage = Stage::set().await;
    let (endpoint, _) = stage.endpoint("/hang", Ordering::None).await;
    let (good, _) = stage.endpoint("/ok", Ordering::None).await;
    stage.state_all().await;
    send_due(&stage.worker, &stage.courier).await.unwrap();
    stage.until_told("/hang", 4).await;
    let delete = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, crate::webhooks::WebhookError>(crate::webhooks::queries::delete(tx, endpoint).await?)
    };
    assert!(stage.worker.write("test", delete).await.unwrap());
    stage.courier.idle().await;
    assert_eq!(stage.count("/hang"), 4, "nothing more");
    assert!(stage.deliveries(good).await.iter().all(|delivery| delivery.state == "delivered"));
}

/// Whoever goes on by themselves stops to be asked whether the store is still to be worked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_errand_ends_and_what_is_left_is_looked_for_again() {
    let mut stage = Stage::set().await;
    stage.courier = Courier::patient(true, super::SHORT).unwrap().hurried();
    let (endpoint, _) = stage.endpoint("/ok", Ordering::None).await;
    stage.state_all().await;
    for round in 1..=EVENTS / 4 {
        assert_eq!(stage.round().await, 4);
        assert_eq!(stage.count("/ok"), round * 4);
        let soon = stage.shop.clock.now() + chrono::TimeDelta::seconds(1);
        let left = stage.deliveries(endpoint).await;
        let noted = left.iter().any(|delivery| delivery.next_attempt_at == Some(soon));
        assert_eq!(noted, round < EVENTS / 4, "the workers are told to look, as long as there is something");
        stage.shop.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(stage.round().await, 0);
}
