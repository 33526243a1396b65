//! Stripe, over its v1 API, with each store's own account: card payments with a token of Stripe's script (PaymentIntents), and Stripe's hosted
//! page without one (Checkout Sessions).
//!
//! Whatever is said about a payment is read from Stripe itself, in the version of the API that we know ([`client::VERSION`]): events come in
//! the version of the merchant's endpoint, so that only ids and our own metadata are read from them.
//!
//! Every call that changes something has an idempotency key that follows from our session or refund. Stripe forgets keys after a day, so
//! whoever asks again about an outcome looks for what is there already before asking for it.

mod client;
mod signature;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt::Display;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use souk_kernel::{Clock, Money, PaymentSessionId, StoreId};

use self::client::{Client, Form};
use self::wire::{CheckoutSession, Dispute, List, PaymentIntent, Refund, minor_of};
use super::super::model::{
    About, Account, DueRefund, Keys, PaymentSession, ProviderCode, ProviderEvent, ProviderFact, Safe,
};
use super::provider::{Provider, ProviderError, ProvidersConfig, StartPayment, WebhookError, WebhookHeaders};

/// How long Stripe's page stays open: longer than the poller waits for a shopper, and Stripe's least is half an hour.
const PAGE_SECONDS: u64 = 3600;
/// The most that Stripe lists at a time.
const PAGE: &str = "100";
/// Pages looked at for a payment whose answer got lost.
const PAGES: usize = 10;
/// What an intent comes with, so that one answer says all of it.
const OF_INTENT: &str = "latest_charge.refunds";
const OF_PAGE: &str = "payment_intent.latest_charge.refunds";

/// See the file's first line.
pub struct Stripe {
    client: Client,
    safe: Safe,
    clock: Clock,
}

/// What was asked of Stripe: a payment by itself, or a page where one is made.
enum Found {
    Intent(Box<PaymentIntent>),
    Page(Box<CheckoutSession>),
}

impl Found {
    fn fact(self) -> Result<ProviderFact, ProviderError> {
        match self {
            Self::Intent(intent) => intent.fact(),
            Self::Page(page) => page.fact(),
        }
    }

    /// The payment's name, once there is one.
    fn intent(&self) -> Option<&str> {
        match self {
            Self::Intent(intent) => Some(&intent.id),
            Self::Page(page) => page.payment_intent.as_ref().map(|intent| intent.id.as_str()),
        }
    }

    fn is_ours(&self, session: PaymentSessionId) -> bool {
        let named = match self {
            Self::Intent(intent) => intent.metadata.souk_session.as_deref(),
            Self::Page(page) => page.metadata.souk_session.as_deref(),
        };
        named == Some(session.to_string().as_str())
    }
}

impl Stripe {
    /// Readies the client.
    pub fn new(config: &ProvidersConfig) -> Result<Self, super::provider::Unready> {
        let client = Client::new(&config.stripe_url, config.timeout)?;
        Ok(Self { client, safe: Safe::new(&config.secret)?, clock: config.clock.clone() })
    }

    fn keys(&self, store: StoreId, account: Option<&Account>) -> Result<Keys, ProviderError> {
        let account = account.ok_or_else(|| ProviderError::NotSetUp("there are no keys".to_owned()))?;
        let keys = self.safe.open(store, ProviderCode::Stripe, &account.sealed);
        keys.ok_or_else(|| ProviderError::NotSetUp("the keys cannot be opened".to_owned()))
    }

    /// A payment or page by its name.
    async fn look(&self, keys: &Keys, reference: &str) -> Result<Option<Found>, ProviderError> {
        let found = if reference.starts_with("cs_") {
            let path = format!("/v1/checkout/sessions/{reference}");
            let page = self.client.get::<CheckoutSession>(keys, &path, &[("expand[]", OF_PAGE)]).await;
            page.map(|page| Found::Page(Box::new(page)))
        } else {
            self.intent(keys, reference).await.map(|intent| Found::Intent(Box::new(intent)))
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(ProviderError::Refused { code, .. }) if code == client::MISSING => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn intent(&self, keys: &Keys, id: &str) -> Result<PaymentIntent, ProviderError> {
        self.client.get(keys, &format!("/v1/payment_intents/{id}"), &[("expand[]", OF_INTENT)]).await
    }

    /// Looks through what was made around the time of a session whose answer got lost. Stripe's search lags behind; its lists do not.
    async fn seek(&self, keys: &Keys, session: &PaymentSession) -> Result<Option<Found>, ProviderError> {
        let made = session.created_at.timestamp();
        let (from, to) = ((made - 120).to_string(), (made + 600).to_string());
        // Pages first: what was paid on one is known by the page.
        for kind in ["checkout/sessions", "payment_intents"] {
            let mut behind: Option<String> = None;
            for _ in 0..PAGES {
                let mut query =
                    vec![("limit", PAGE), ("created[gte]", from.as_str()), ("created[lte]", to.as_str())];
                if let Some(last) = &behind {
                    query.push(("starting_after", last.as_str()));
                }
                let list: List = self.client.get(keys, &format!("/v1/{kind}"), &query).await?;
                let ours = session.id.to_string();
                if let Some(found) = list.data.iter().find(|item| item.is_named(&ours)) {
                    return self.look(keys, &found.id).await;
                }
                behind = list.data.last().filter(|_| list.has_more).map(|item| item.id.clone());
                if behind.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }

    async fn find(&self, keys: &Keys, session: &PaymentSession) -> Result<Option<Found>, ProviderError> {
        let found = match &session.reference {
            Some(reference) => self.look(keys, reference).await?,
            None => self.seek(keys, session).await?,
        };
        Ok(found.filter(|found| found.is_ours(session.id)))
    }

    /// The same, where there must be one.
    async fn standing(&self, keys: &Keys, session: &PaymentSession) -> Result<Found, ProviderError> {
        self.find(keys, session).await?.ok_or(ProviderError::Unsupported)
    }

    /// Pays with what Stripe's script gave.
    async fn confirm(
        &self,
        keys: &Keys,
        wish: &StartPayment,
        token: &str,
    ) -> Result<ProviderFact, ProviderError> {
        let mut form = Form::new();
        form.put("amount", minor_of(wish.amount)?);
        form.put("currency", wish.amount.currency().code().to_ascii_lowercase());
        form.put("confirm", "true");
        // `ctoken_…` holds whatever the shopper agreed to; `pm_…` is the bare card.
        let name = if token.starts_with("ctoken_") { "confirmation_token" } else { "payment_method" };
        form.put(name, token);
        form.put("automatic_payment_methods[enabled]", "true");
        form.put("capture_method", if wish.capture_later { "manual" } else { "automatic" });
        form.put("return_url", &wish.return_url);
        put_names(&mut form, "metadata", wish);
        form.put("expand[]", OF_INTENT);
        let intent: PaymentIntent =
            self.client.post(keys, "/v1/payment_intents", &wish.session.to_string(), &form).await?;
        intent.fact()
    }

    /// Opens Stripe's page.
    async fn open(&self, keys: &Keys, wish: &StartPayment) -> Result<ProviderFact, ProviderError> {
        let mut form = Form::new();
        form.put("mode", "payment");
        form.put("line_items[0][quantity]", "1");
        form.put("line_items[0][price_data][currency]", wish.amount.currency().code().to_ascii_lowercase());
        form.put("line_items[0][price_data][unit_amount]", minor_of(wish.amount)?);
        form.put("line_items[0][price_data][product_data][name]", &wish.title);
        form.put("success_url", &wish.return_url);
        form.put("cancel_url", &wish.return_url);
        form.put("client_reference_id", wish.session);
        // The same for ever, as everything under one key has to be: from the session's own time.
        if let Some(made) = wish.session.uuid().get_timestamp() {
            form.put("expires_at", made.to_unix().0.saturating_add(PAGE_SECONDS));
        }
        form.put(
            "payment_intent_data[capture_method]",
            if wish.capture_later { "manual" } else { "automatic" },
        );
        put_names(&mut form, "metadata", wish);
        put_names(&mut form, "payment_intent_data[metadata]", wish);
        // A payment on a page that is still open is not over when a card is declined.
        form.put("payment_intent_data[metadata][souk_page]", "true");
        form.put("expand[]", OF_PAGE);
        let page: CheckoutSession =
            self.client.post(keys, "/v1/checkout/sessions", &wish.session.to_string(), &form).await?;
        page.fact()
    }

    /// Takes the held money (all, or so much of it: Stripe lets the rest go), or lets it go.
    async fn change(
        &self,
        keys: &Keys,
        session: &PaymentSession,
        what: &'static str,
        part: Option<Money>,
    ) -> Result<ProviderFact, ProviderError> {
        let found = self.standing(keys, session).await?;
        let intent = found.intent().ok_or(ProviderError::Unsupported)?;
        // One capture and one void per session, whatever the amount: the key says so.
        self.act(keys, intent, what, &format!("{what}:{}", session.id), part).await
    }

    async fn act(
        &self,
        keys: &Keys,
        intent: &str,
        what: &'static str,
        key: &str,
        part: Option<Money>,
    ) -> Result<ProviderFact, ProviderError> {
        let mut form = Form::new();
        if let Some(part) = part {
            form.put("amount_to_capture", minor_of(part)?);
        }
        form.put("expand[]", OF_INTENT);
        let path = format!("/v1/payment_intents/{intent}/{what}");
        self.client.post::<PaymentIntent>(keys, &path, key, &form).await?.fact()
    }

    /// Closes a page that nobody has paid on.
    async fn close(
        &self,
        keys: &Keys,
        page: &str,
        session: PaymentSessionId,
    ) -> Result<ProviderFact, ProviderError> {
        let path = format!("/v1/checkout/sessions/{page}/expire");
        let mut form = Form::new();
        form.put("expand[]", OF_PAGE);
        self.client.post::<CheckoutSession>(keys, &path, &format!("expire:{session}"), &form).await?.fact()
    }

    /// The refund under this key, if Stripe has it.
    async fn made_before(
        &self,
        keys: &Keys,
        intent: &str,
        key: &str,
    ) -> Result<Option<Refund>, ProviderError> {
        let query = [("payment_intent", intent), ("limit", PAGE)];
        let list: List<Refund> = self.client.get(keys, "/v1/refunds", &query).await?;
        Ok(list.data.into_iter().find(|refund| refund.metadata.souk_refund.as_deref() == Some(key)))
    }

    async fn give_back(&self, keys: &Keys, refund: &DueRefund) -> Result<(), ProviderError> {
        let reference = refund.reference.as_deref().ok_or(ProviderError::Unsupported)?;
        let found = self.look(keys, reference).await?.ok_or(ProviderError::Unsupported)?;
        let intent = found.intent().ok_or(ProviderError::Unsupported)?;
        let key = &refund.idempotency_key;
        let before = if refund.attempts > 1 { self.made_before(keys, intent, key).await? } else { None };
        let made = match before {
            Some(made) => made,
            None => {
                let mut form = Form::new();
                form.put("payment_intent", intent);
                form.put("amount", minor_of(refund.amount)?);
                form.put("metadata[souk_refund]", key);
                self.client.post(keys, "/v1/refunds", key, &form).await?
            }
        };
        made.outcome()
    }

    /// What an event is about, read from Stripe.
    async fn subject(&self, keys: &Keys, store: StoreId, object: &Named) -> Result<About, ProviderError> {
        let ours = |names: &wire::Names| {
            let session = names.souk_session.as_deref().and_then(|id| PaymentSessionId::parse(id).ok());
            session.filter(|_| names.souk_store.as_deref() == Some(store.to_string().as_str()))
        };
        let intent = match object.object.as_str() {
            "checkout.session" => {
                let Some(Found::Page(page)) = self.look(keys, &object.id).await? else {
                    return Ok(About::Nothing);
                };
                return Ok(match ours(&page.metadata) {
                    Some(session) => About::Payment(Some(session), page.fact()?),
                    None => About::Nothing,
                });
            }
            "dispute" => {
                let path = format!("/v1/disputes/{}", object.id);
                let dispute: Dispute =
                    self.client.get(keys, &path, &[("expand[]", "payment_intent")]).await?;
                let session = dispute.payment_intent.as_ref().and_then(|intent| ours(&intent.metadata));
                return Ok(match session {
                    Some(session) => About::Dispute(session, dispute.fact()?),
                    None => About::Nothing,
                });
            }
            "payment_intent" => object.id.as_str(),
            "charge" | "refund" => match &object.payment_intent {
                Some(intent) => intent.as_str(),
                None => return Ok(About::Nothing),
            },
            _ => return Ok(About::Nothing),
        };
        let intent = self.intent(keys, intent).await?;
        Ok(match ours(&intent.metadata) {
            Some(session) => About::Payment(Some(session), intent.fact()?),
            None => About::Nothing,
        })
    }
}

/// The object of an event, as far as it is the same in all versions of the API.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    #[serde(default)]
    object: String,
    /// Of a charge or a refund; not expanded in events.
    #[serde(default)]
    payment_intent: Option<String>,
}

#[derive(Deserialize)]
struct WireEvent {
    id: String,
    r#type: String,
    data: WireData,
}

#[derive(Deserialize)]
struct WireData {
    object: Named,
}

/// Our names for a payment, by which it is found again.
fn put_names(form: &mut Form, at: &str, wish: &StartPayment) {
    form.put(format!("{at}[souk_session]"), wish.session);
    form.put(format!("{at}[souk_store]"), wish.store);
}

impl Provider for Stripe {
    fn start<'a>(&'a self, wish: &'a StartPayment) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        async move {
            let keys = self.keys(wish.store, wish.account.as_ref())?;
            match &wish.token {
                Some(token) => self.confirm(&keys, wish, token).await,
                None => self.open(&keys, wish).await,
            }
        }
        .boxed()
    }

    fn fetch<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        async move {
            let keys = self.keys(store, session.account.as_ref())?;
            self.find(&keys, session).await?.map(Found::fact).transpose()
        }
        .boxed()
    }

    fn capture<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        async move {
            let keys = self.keys(store, session.account.as_ref())?;
            self.change(&keys, session, "capture", session.part).await
        }
        .boxed()
    }

    fn void<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        async move {
            let keys = self.keys(store, session.account.as_ref())?;
            match self.standing(&keys, session).await? {
                Found::Page(page) if page.is_open() => self.close(&keys, &page.id, session.id).await,
                Found::Page(_) | Found::Intent(_) => self.change(&keys, session, "cancel", None).await,
            }
        }
        .boxed()
    }

    fn refund<'a>(
        &'a self,
        store: StoreId,
        refund: &'a DueRefund,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        async move {
            let keys = self.keys(store, refund.account.as_ref())?;
            self.give_back(&keys, refund).await.map(|()| None)
        }
        .boxed()
    }

    fn read_webhook<'a>(
        &'a self,
        store: StoreId,
        account: Option<&'a Account>,
        headers: &'a WebhookHeaders,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<ProviderEvent, WebhookError>> {
        async move {
            let keys = self.keys(store, account).map_err(|_| WebhookError::Signature)?;
            let now = self.clock.now();
            let former = account.and_then(|account| account.former_until).is_some_and(|until| now < until);
            let secrets =
                keys.webhook_secret.iter().chain(keys.former_webhook_secret.iter().filter(|_| former));
            signature::verify(headers.stripe.as_deref(), body, secrets.map(String::as_str), now)?;
            let event: WireEvent = serde_json::from_slice(body).map_err(|_| WebhookError::Body)?;
            let about = self.subject(&keys, store, &event.data.object).await.map_err(away)?;
            let payload = kept(&event);
            Ok(ProviderEvent { id: event.id, kind: event.r#type, about, payload })
        }
        .boxed()
    }

    fn check<'a>(&'a self, keys: &'a Keys) -> BoxFuture<'a, Result<(), ProviderError>> {
        async move {
            let list = self.client.get::<List>(keys, "/v1/payment_intents", &[("limit", "1")]).await;
            list.map(drop)
        }
        .boxed()
    }
}

/// An event that cannot be read up on is to be sent again.
fn away(error: impl Display) -> WebhookError {
    WebhookError::Away(error.to_string())
}

/// What is kept of an event: names, no person.
fn kept(event: &WireEvent) -> Value {
    let Named { id, object, payment_intent } = &event.data.object;
    json!({ "id": event.id, "type": event.r#type, "object": object, "object_id": id, "payment_intent": payment_intent })
}
