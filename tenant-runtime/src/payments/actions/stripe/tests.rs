//! Every request we send, held against Stripe's own OpenAPI by Stripe's own mock. It keeps nothing, so answers are judged by one thing:
//! whether the request was refused.

use std::process::Stdio;
use std::time::Duration;

use chrono::DateTime;
use souk_kernel::{Money, OrderId, RefundId};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::*;
use crate::payments::state::SessionState;

/// Runs as long as this lives.
struct Mock {
    url: String,
    _process: Child,
    /// Kept open: it says more, and dies of a closed pipe.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Mock {
    /// `None`, and said so, where it can neither be found nor built; in CI that is a failure.
    async fn start() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/stripe/mock.sh");
        let mut command = Command::new(script);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = says.next_line().await.unwrap() {
            if let Some(address) = line.strip_prefix("Listening for HTTP at address: ") {
                return Some(Self { url: format!("http://{address}"), _process: process, _says: says });
            }
        }
        let status = process.wait().await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
        let in_ci = std::env::var("CI").is_ok();
        assert!(status.code() == Some(3) && !in_ci, "stripe-mock did not start: {status}");
        println!("SKIPPED: holding requests against Stripe's OpenAPI needs stripe-mock, which needs Go");
        None
    }
}

fn taken<T>(what: &str, said: Result<T, ProviderError>) {
    match said {
        Ok(_) => {}
        // Understood, and answered with something that is not of this payment.
        Err(ProviderError::Unknown(cause)) if cause.contains("without an amount") => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

#[actix_web::test]
async fn stripes_own_mock_understands_every_request() {
    let Some(mock) = Mock::start().await else { return };
    let config = ProvidersConfig {
        test_url: None,
        test_webhook_secret: None,
        stripe_url: mock.url.clone(),
        secret: b"of tests".to_vec(),
        timeout: Duration::from_secs(20),
        clock: Clock::system(),
    };
    let stripe = Stripe::new(&config).unwrap();
    let keys = Keys {
        secret_key: "sk_test_51Souk4242".to_owned(),
        webhook_secret: None,
        former_webhook_secret: None,
    };
    let (store, session) = (StoreId::new(), PaymentSessionId::new());
    let mut wish = StartPayment {
        store,
        provider: ProviderCode::Stripe,
        session,
        amount: Money::new(1490, "EUR".parse().unwrap()),
        capture_later: false,
        return_url: "https://acme.example.com/store/v1/payment-return/pse_1".to_owned(),
        webhook_url: String::new(),
        token: None,
        title: "Acme & Söhne".to_owned(),
        account: None,
    };
    for later in [false, true] {
        wish.capture_later = later;
        for token in ["pm_card_visa", "ctoken_1NnQUf2eZvKYlo2CIObdtbnb"] {
            taken(token, stripe.confirm(&keys, &wish, token).await);
        }
        taken("page", stripe.open(&keys, &wish).await);
    }
    taken("capture", stripe.act(&keys, "pi_1", "capture", "capture:1", None).await);
    let part = Some(Money::new(490, wish.amount.currency()));
    taken("capture a part", stripe.act(&keys, "pi_1", "capture", "capture:2", part).await);
    taken("cancel", stripe.act(&keys, "pi_1", "cancel", "cancel:1", None).await);
    taken("expire", stripe.close(&keys, "cs_test_1", session).await);
    taken("look at an intent", stripe.look(&keys, "pi_1").await);
    taken("look at a page", stripe.look(&keys, "cs_test_1").await);
    let lost = PaymentSession {
        id: session,
        order: OrderId::new(),
        provider: ProviderCode::Stripe,
        state: SessionState::Pending,
        amount: wish.amount,
        idempotency_key: session.to_string(),
        reference: None,
        redirect_url: None,
        return_url: None,
        failure_code: None,
        attempts: 1,
        created_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000),
        part: None,
        account: None,
    };
    taken("seek", stripe.seek(&keys, &lost).await);
    for attempts in [1, 2] {
        let refund = DueRefund {
            id: RefundId::new(),
            order: lost.order,
            session,
            provider: ProviderCode::Stripe,
            reference: Some("pi_1".to_owned()),
            amount: wish.amount,
            idempotency_key: format!("refund:{attempts}"),
            reason: "late".to_owned(),
            attempts,
            account: None,
        };
        taken("refund", stripe.give_back(&keys, &refund).await);
    }
    for object in ["payment_intent", "checkout.session", "charge", "dispute"] {
        let named = Named {
            id: "id_1".to_owned(),
            object: object.to_owned(),
            payment_intent: Some("pi_1".to_owned()),
        };
        taken(object, stripe.subject(&keys, store, &named).await);
    }
    taken("check", stripe.check(&keys).await);
    let unsigned = Keys { secret_key: "nothing".to_owned(), ..keys };
    assert!(matches!(stripe.check(&unsigned).await, Err(ProviderError::NotSetUp(_))));
}
