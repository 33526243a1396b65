//! The application as a whole.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use souk_telemetry::test_support::{Collector, Exported};
use souk_telemetry::{LogFormat, TelemetryConfig};
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;

use crate::app;
use crate::testing::TestShop;

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document: Value = serde_json::from_str(app::openapi()).unwrap();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path} repeats {name}");
            assert!(!name.contains('_'), "{method} {path}: {name} is not camelCase");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        }
    }
}

#[test]
fn a_request_is_asked_about_by_the_routes_of_few_rooms() {
    let wings = app::PLAN.as_ref().map(|(wings, _)| wings.len());
    assert!(wings.as_ref().is_ok_and(|wings| *wings >= 15), "{wings:?}");
}

/// What is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Addresses with an e-mail address and a token in them, asked of the whole application: its log and the trace that it exports.
#[actix_web::test]
async fn a_trace_tells_store_request_and_statements_and_nothing_secret() {
    let shop = TestShop::open(None).await;
    let (list, owner) = ("/admin/v1/email-suppressions", shop.owner());
    shop.owner_call("POST", list)
        .json(&json!({ "email": "ada.canary@example.com" }))
        .send()
        .await
        .expect(200);
    let (collector, lines) = (Collector::start().unwrap(), Lines::default());
    let config = TelemetryConfig {
        format: LogFormat::Json,
        // A line for each request.
        filter: "info,souk::access=debug".to_owned(),
        otlp_endpoint: Some(collector.endpoint()),
        ..TelemetryConfig::default()
    };
    let writer = lines.clone();
    let (dispatch, telemetry) = souk_telemetry::observer("test", &config, move || writer.clone()).unwrap();
    // As long as there is only one, whoever comes by a place first decides for all threads whether it is listened to.
    let _second = Dispatch::new(NoSubscriber::new());
    let listening = tracing::dispatcher::set_default(&dispatch);
    let remove = shop.call("DELETE", &format!("{list}/ada.canary@example.com"));
    let remove = remove.header("authorization", &format!("Bearer {owner}"));
    let removed = remove.header("x-request-id", "req_1").send().await.expect(204);
    let unsubscribe = shop.call("POST", "/store/v1/unsubscribe/token.canary");
    unsubscribe.header("x-request-id", "req_2").send().await.refused(410, "mail_link_unusable");
    drop(listening);
    telemetry.flush();

    let (spans, store) = (collector.spans(), shop.store.id.to_string());
    let of = |span: &Exported, field: &str| span.fields.get(field).cloned().unwrap_or_default();
    let [removing, unsubscribing] = ["req_1", "req_2"].map(|id| {
        let found: Vec<_> = spans.iter().filter(|span| of(span, "request.id") == id).collect();
        assert_eq!(found.len(), 1, "{spans:#?}");
        found[0]
    });
    let routes = [format!("{list}/{{email}}"), "/store/v1/unsubscribe/{token}".to_owned()];
    for (span, route, status) in [(removing, &routes[0], "204"), (unsubscribing, &routes[1], "410")] {
        let told = ["http.route", "http.status_code", "store.id"].map(|field| of(span, field));
        assert_eq!(told, [route.clone(), status.to_owned(), store.clone()]);
    }
    assert_eq!(removing.name, format!("DELETE {}", routes[0]));

    let inside = |name: &str| {
        let found = spans.iter().filter(|span| span.trace == removing.trace && span.name == name);
        found.collect::<Vec<_>>()
    };
    let (transactions, statements) = (inside("transaction"), inside("statement"));
    assert_eq!((statements.len(), transactions.len()), (removed.cost.0 as usize, removed.cost.1 as usize));
    assert!(transactions.iter().all(|transaction| transaction.parent == removing.id), "{spans:#?}");
    let within = |statement: &&Exported| transactions.iter().any(|outer| outer.id == statement.parent);
    assert!(statements.iter().all(within), "{spans:#?}");
    let removes = |statement: &&Exported| of(statement, "db.query.text").contains("email_suppressions");
    assert!(statements.iter().any(removes), "{spans:#?}");

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let answered = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answered = answered.filter(|line| line["target"] == "souk::access");
    let told: Vec<_> = answered.map(|line| (line["status"].clone(), line["spans"].clone())).collect();
    assert_eq!(told.len(), 2, "{log}");
    for ((status, around), (id, route)) in told.iter().zip([("req_1", &routes[0]), ("req_2", &routes[1])]) {
        let span = &around[0];
        assert_eq!((around.as_array().unwrap().len(), &span["name"]), (1, &json!("request")), "{status}");
        assert_eq!((&span["request.id"], &span["store.id"]), (&json!(id), &json!(store)));
        assert_eq!(span["http.route"], json!(route));
    }
    assert_eq!([&told[0].0, &told[1].0], [&json!(204), &json!(410)]);
    let exported = collector.text();
    for secret in ["ada.canary", "token.canary", &owner] {
        assert!(!log.contains(secret) && !exported.contains(secret), "{secret} is told");
    }
    assert!(!log.contains("email_suppressions"), "statements are not logged");
}
