//! Deliveries to real receivers over real sockets: good ones and every bad one we could think of.

mod http;
mod missed;
mod pace;
mod receiver;
mod rest;

use std::time::Duration;

use receiver::Receiver;
use souk_access::WorkerPermit;
use souk_event_bus::Event;
use souk_kernel::{EventId, Text, WebhookDeliveryId, WebhookEndpointId};
use souk_tenancy::{ReadTx, WriteTx};
use uuid::Uuid;

use super::error::WebhookError;
use super::model::{
    AttemptView, DeliveryView, EditEndpoint, EndpointView, NewEndpoint, Ordering, ResendWish, Secret,
    signatures,
};
use super::{Courier, actions, queries, send_due};
use crate::testing::TestShop;

/// An answer that takes longer than this is none.
const SHORT: Duration = Duration::from_millis(700);

struct Stage {
    shop: TestShop,
    worker: WorkerPermit,
    courier: Courier,
    receiver: Receiver,
}

impl Stage {
    async fn set() -> Self {
        let shop = TestShop::open(None).await;
        let worker = shop.gate.worker(shop.store.id, "webhooks", "test").unwrap();
        let (courier, receiver) = (Courier::patient(true, SHORT).unwrap(), Receiver::start().await);
        Self { shop, worker, courier, receiver }
    }

    async fn endpoint(&self, path: &str, ordering: Ordering) -> (WebhookEndpointId, Secret) {
        let url = Text::parse(&format!("{}{path}", self.receiver.url)).unwrap();
        let new = NewEndpoint { url, description: None, types: Vec::new(), ordering };
        let make = async move |tx: &mut WriteTx<'_>| actions::create(tx, &new, |_| true, true).await;
        let (endpoint, secret) = self.worker.write("test", make).await.unwrap();
        (endpoint.id, secret)
    }

    /// States an event, as the consumer hears it.
    async fn state(&self, aggregate: Uuid, sequence: i64) -> EventId {
        let event = Event {
            id: EventId::new(),
            store: self.shop.store.id,
            aggregate_type: "order".to_owned(),
            aggregate_id: aggregate,
            sequence,
            kind: "order.placed".to_owned(),
            version: 1,
            occurred_at: self.shop.clock.now(),
            payload: serde_json::json!({ "number": sequence }),
            traceparent: None,
        };
        let id = event.id;
        let plan = async move |tx: &mut WriteTx<'_>| actions::plan(tx, &event).await;
        self.worker.write("test", plan).await.unwrap();
        id
    }

    async fn deliveries(&self, endpoint: WebhookEndpointId) -> Vec<DeliveryView> {
        let look = async move |tx: &mut ReadTx<'_>| {
            Ok::<_, WebhookError>(queries::deliveries::list(tx, endpoint, None, None, 100).await?)
        };
        self.worker.read("test", look).await.unwrap()
    }

    async fn log(&self, delivery: WebhookDeliveryId) -> Vec<AttemptView> {
        let look = async move |tx: &mut ReadTx<'_>| {
            Ok::<_, WebhookError>(queries::deliveries::attempts(tx, delivery).await?)
        };
        self.worker.read("test", look).await.unwrap()
    }

    async fn known(&self, endpoint: WebhookEndpointId) -> EndpointView {
        let look = async move |tx: &mut ReadTx<'_>| actions::known(tx, endpoint).await;
        self.worker.read("test", look).await.unwrap()
    }

    /// One look, and what it began comes to its end.
    async fn round(&self) -> usize {
        let handed = send_due(&self.worker, &self.courier).await.unwrap();
        self.courier.idle().await;
        handed.taken
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_logged_and_with_both_secrets_while_they_change() {
    let stage = Stage::set().await;
    let (endpoint, secret) = stage.endpoint("/ok", Ordering::None).await;
    let event = stage.state(Uuid::now_v7(), 1).await;
    assert_eq!(stage.round().await, 1);
    assert_eq!(stage.round().await, 0, "nothing is sent twice");
    let heard = stage.receiver.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].id, event.to_string());
    let expected =
        signatures([secret.0.as_slice()].into_iter(), &heard[0].id, heard[0].timestamp, &heard[0].body);
    assert_eq!(heard[0].signature, expected);
    let body: serde_json::Value = serde_json::from_str(&heard[0].body).unwrap();
    assert_eq!((&body["type"], &body["data"]["number"]), (&"order.placed".into(), &1.into()));
    let deliveries = stage.deliveries(endpoint).await;
    assert_eq!(
        (deliveries[0].state.as_str(), deliveries[0].attempts, deliveries[0].last_status),
        ("delivered", 1, Some(200))
    );
    let log = stage.log(deliveries[0].id).await;
    assert_eq!(log[0].request_headers["webhook-signature"], expected.as_str());
    assert_eq!(log[0].response_body.as_deref(), Some("thank you"));

    let rotate = async move |tx: &mut WriteTx<'_>| actions::rotate(tx, endpoint).await;
    let (_, new) = stage.worker.write("test", rotate).await.unwrap();
    stage.state(Uuid::now_v7(), 1).await;
    stage.round().await;
    let told = stage.receiver.heard().pop().unwrap();
    let both =
        signatures([new.0.as_slice(), secret.0.as_slice()].into_iter(), &told.id, told.timestamp, &told.body);
    assert_eq!(told.signature, both);
    stage.shop.clock.advance(Duration::from_secs(24 * 3600 + 1));
    stage.state(Uuid::now_v7(), 1).await;
    stage.round().await;
    let told = stage.receiver.heard().pop().unwrap();
    assert_eq!(
        told.signature,
        signatures([new.0.as_slice()].into_iter(), &told.id, told.timestamp, &told.body)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_for_three_days_and_then_the_endpoint_is_disabled_with_a_word() {
    let stage = Stage::set().await;
    let (endpoint, _) = stage.endpoint("/fail", Ordering::None).await;
    let event = stage.state(Uuid::now_v7(), 1).await;
    let mut rounds = 0;
    for _ in 0..12 {
        rounds += stage.round().await;
        stage.shop.clock.advance(Duration::from_secs(24 * 3600 + 9000));
    }
    assert_eq!(rounds, 4, "disabled after three days of nothing but failures: at 0, 1.1, 2.2 and 3.3 days");
    let heard = stage.receiver.heard();
    assert!(heard.iter().all(|told| told.id == event.to_string()), "the same id each time");
    let known = stage.known(endpoint).await;
    assert_eq!(known.state, "disabled");
    assert_eq!(known.disabled_reason.as_deref(), Some("nothing was taken for 3 days: answered 500"));
    assert_eq!(stage.told_of_disabling().await, 1);

    // Enabled again, it gets what waited.
    stage.receiver.mend();
    let enable = EditEndpoint { enabled: Some(true), ..EditEndpoint::default() };
    let change = async move |tx: &mut WriteTx<'_>| actions::edit(tx, endpoint, &enable, |_| true, true).await;
    stage.worker.write("test", change).await.unwrap();
    assert_eq!(stage.round().await, 1);
    assert_eq!(stage.deliveries(endpoint).await[0].state, "delivered");
    assert_eq!(stage.known(endpoint).await.failing_since, None);
}

impl Stage {
    async fn told_of_disabling(&self) -> i64 {
        let look = async |tx: &mut ReadTx<'_>| {
            let kinds = Some(vec!["webhook_endpoint.disabled".to_owned()]);
            #[derive(diesel::QueryableByName)]
            struct Count {
                #[diesel(sql_type = diesel::sql_types::BigInt)]
                count: i64,
            }
            let rows = souk_tenancy::sql("select count(*) as count from platform.own_events(0, 0, $1, 100)")
                .bind::<diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>, _>(
                kinds,
            );
            let Count { count } = tx.one(rows).await?;
            Ok::<_, WebhookError>(count)
        };
        // Told once no older transaction of this server is open.
        for _ in 0..100 {
            let count = self.worker.read("test", look).await.unwrap();
            if count > 0 {
                return count;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        0
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_answer_is_a_clear_state() {
    let stage = Stage::set().await;
    let mut ends = Vec::new();
    for path in ["/gone", "/redirect", "/huge", "/drip", "/hang", "/cut"] {
        let (endpoint, _) = stage.endpoint(path, Ordering::None).await;
        ends.push((path, endpoint));
    }
    stage.state(Uuid::now_v7(), 1).await;
    assert_eq!(stage.round().await, 6);
    for (path, endpoint) in ends {
        let delivery = stage.deliveries(endpoint).await.remove(0);
        let end = (delivery.state.as_str(), delivery.last_status, delivery.last_error.as_deref());
        let state = stage.known(endpoint).await.state;
        match path {
            "/gone" => {
                assert_eq!(end, ("failed", Some(410), Some("answered 410")));
                assert_eq!(state, "disabled", "it said that it is gone for good");
            }
            "/redirect" => {
                assert_eq!(end, ("pending", Some(302), Some("answered 302: redirects are not followed")))
            }
            "/huge" => {
                assert_eq!(
                    end,
                    ("delivered", Some(200), None),
                    "it took it; what it went on saying is not read"
                );
                let log = stage.log(delivery.id).await;
                assert_eq!(log[0].response_body.as_ref().unwrap().len(), 4096);
            }
            "/drip" => {
                assert_eq!(end, ("delivered", Some(200), None), "the status says that it took it");
                let log = stage.log(delivery.id).await;
                assert_eq!(log[0].error.as_deref(), Some("no whole answer in time"));
                assert!(log[0].took_ms < 5000, "it was not waited for: {} ms", log[0].took_ms);
            }
            "/hang" => assert_eq!(end, ("pending", None, Some("no whole answer in time"))),
            _ => assert_eq!((end.0, end.1), ("pending", None), "{path}"),
        }
        if path != "/gone" {
            assert_eq!(state, "enabled", "{path}");
        }
    }
    assert_eq!(
        stage.receiver.heard().iter().filter(|told| told.path == "/ok").count(),
        0,
        "the redirect led there"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_is_kept_where_it_is_asked_for() {
    let stage = Stage::set().await;
    let (ordered, _) = stage.endpoint("/flaky", Ordering::Aggregate).await;
    let (aggregate, other) = (Uuid::now_v7(), Uuid::now_v7());
    for sequence in 1..=3 {
        stage.state(aggregate, sequence).await;
    }
    assert_eq!(stage.round().await, 1, "only the first, which fails");
    assert_eq!(stage.round().await, 0, "the others wait behind it");
    stage.state(other, 1).await;
    assert_eq!(stage.round().await, 1, "of another aggregate, which waits for nobody");
    stage.shop.clock.advance(Duration::from_secs(6));
    assert_eq!(stage.round().await, 1, "the first; who told it takes along those that waited behind it");
    let numbers: Vec<_> = stage.receiver.taken(&aggregate.to_string());
    assert_eq!(numbers, [1, 2, 3]);
    assert!(stage.deliveries(ordered).await.iter().all(|delivery| delivery.state == "delivered"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_again_when_asked_under_the_same_id() {
    let stage = Stage::set().await;
    let (endpoint, _) = stage.endpoint("/ok", Ordering::None).await;
    let (first, second) = (stage.state(Uuid::now_v7(), 1).await, stage.state(Uuid::now_v7(), 1).await);
    stage.round().await;
    let again = async move |tx: &mut WriteTx<'_>| {
        let wish = ResendWish { event: Some(first), from: None, until: None, only_failed: false };
        actions::resend(tx, endpoint, &wish).await
    };
    assert_eq!(stage.worker.write("test", again).await.unwrap(), 1);
    let failed = async move |tx: &mut WriteTx<'_>| {
        let wish = ResendWish {
            event: None,
            from: Some(chrono::DateTime::UNIX_EPOCH),
            until: None,
            only_failed: true,
        };
        actions::resend(tx, endpoint, &wish).await
    };
    assert_eq!(stage.worker.write("test", failed).await.unwrap(), 0, "none failed");
    stage.round().await;
    let ids: Vec<_> = stage.receiver.heard().into_iter().map(|told| told.id).collect();
    assert_eq!(ids.iter().filter(|id| **id == first.to_string()).count(), 2);
    assert_eq!(ids.iter().filter(|id| **id == second.to_string()).count(), 1);
    let rounds: Vec<_> = stage.deliveries(endpoint).await.iter().map(|delivery| delivery.round).collect();
    assert_eq!(rounds.iter().sum::<i32>(), 1);
    let delivery = stage.deliveries(endpoint).await.remove(0).id;
    let one = async move |tx: &mut WriteTx<'_>| actions::resend_one(tx, delivery).await;
    assert_eq!(stage.worker.write("test", one).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inner_addresses_are_never_connected_to() {
    let mut stage = Stage::set().await;
    // Made while they were allowed; the platform has changed its mind since.
    let port = stage.receiver.port;
    let mut made = Vec::new();
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        stage.receiver.url = format!("http://{host}:{port}");
        made.push(stage.endpoint("/ok", Ordering::None).await.0);
    }
    stage.courier = Courier::patient(false, SHORT).unwrap();
    stage.state(Uuid::now_v7(), 1).await;
    assert_eq!(stage.round().await, 3);
    for endpoint in made {
        let delivery = stage.deliveries(endpoint).await.remove(0);
        assert_eq!((delivery.state.as_str(), delivery.last_status), ("pending", None));
        assert!(
            delivery.last_error.as_deref().unwrap().starts_with("the address must"),
            "{:?}",
            delivery.last_error
        );
    }
    // A name that resolves to this machine: the connector itself refuses.
    let client = souk_outbound::client(false, SHORT).unwrap();
    let error = client.get(format!("http://localhost:{port}/ok")).send().await.unwrap_err();
    let causes: Vec<_> = std::iter::successors(std::error::Error::source(&error), |error| error.source())
        .map(ToString::to_string)
        .collect();
    assert!(causes.iter().any(|cause| cause == "localhost is no address of the open internet"), "{causes:?}");
    assert_eq!(stage.receiver.heard().len(), 0);
}
