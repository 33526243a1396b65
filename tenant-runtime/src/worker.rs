//! What happens in stores without a request: the event relay, mail, the clocks of the checkout, housekeeping.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use souk_access::{Gate, WorkerPermit};
use souk_due_work::{Desk, DeskConfig, Handler, Next};
use souk_event_bus::{Relay, RelayConfig, Scopes};
use souk_kernel::StoreId;
use souk_telemetry::Shutdown;
use souk_tenancy::{TenancyError, WriteTx};

use crate::cart;
use crate::catalog::{self, Fetched};
use crate::channels;
use crate::checkout::{self, Till};
use crate::content;
use crate::drafts;
use crate::identities;
use crate::imports::{self, Worked};
use crate::invoices;
use crate::media::{self, Darkroom, Fetcher};
use crate::messages::{self, MailRoom, Sender};
use crate::subscriptions::{self, SubscriptionError};
use crate::webhooks::{self, Courier};

/// Every store's tables are swept this often; what the clocks may ever have missed is found then as well.
const HOUSEKEEPING: Duration = Duration::from_secs(6 * 3600);
/// Carts that nobody touched for so long end.
const CARTS_LAST: chrono::TimeDelta = chrono::TimeDelta::days(60);
/// Rows forgotten in one transaction.
const SOME: u32 = 5000;

/// The consumers of this plane, fed from the outbox or from Kafka.
pub fn consumers(till: &Till, room: &MailRoom) -> Vec<Arc<dyn souk_event_bus::Consumer>> {
    let (address, console_url) = (till.address.clone(), room.console_url.clone());
    vec![
        Arc::new(messages::OrderMail),
        Arc::new(messages::CustomerMail { address: address.clone(), console_url }),
        Arc::new(messages::NoticeMail { address, room: room.clone() }),
        Arc::new(subscriptions::Waiting),
        Arc::new(invoices::Invoicing),
        Arc::new(webhooks::Webhooks),
    ]
}

/// What working on pictures needs.
#[derive(Clone)]
pub struct Studio {
    pub darkroom: Darkroom,
    pub fetcher: Fetcher,
}

/// Runs until the wish to stop, then finishes what is under way.
pub async fn run(
    gate: Gate,
    relay: RelayConfig,
    desk: DeskConfig,
    till: Till,
    (sender, courier, studio): (Sender, Courier, Studio),
    room: MailRoom,
    shutdown: Shutdown,
) {
    let opens = gate.clone();
    let scopes: Scopes = Arc::new(move |store| {
        opens.worker(store, "relay", "delivers events").ok().map(|permit| permit.scope().clone())
    });
    let relay = Relay::start(relay, consumers(&till, &room), scopes);
    let sweeping = tokio::spawn(media::sweep(studio.darkroom.clone(), desk.clone(), shutdown.clone()));
    let desk = Desk::start(desk, handlers(&gate, &till, &sender, &courier, &studio));
    while shutdown.pause(Duration::from_secs(3600)).await {}
    tokio::join!(relay.stop(), desk.stop());
    courier.finish().await;
    if let Err(error) = sweeping.await {
        tracing::error!(%error, "looking for the pictures of stores that are gone did not stop in order");
    }
}

/// Who does what when its time has come, by the kinds that the triggers in `migrations/store` write.
pub fn handlers(
    gate: &Gate,
    till: &Till,
    sender: &Sender,
    courier: &Courier,
    studio: &Studio,
) -> BTreeMap<&'static str, Handler> {
    let (courier, putting_away, fetching) = (courier.clone(), studio.clone(), studio.clone());
    let (checkouts, mails) = (till.clone(), sender.clone());
    let (tills, senders) = (till.clone(), sender.clone());
    BTreeMap::from([
        ("checkout", handler(gate, move |worker| clocks(worker, checkouts.clone()).boxed())),
        ("mail", handler(gate, move |worker| mail(worker, mails.clone()).boxed())),
        (
            "stock",
            handler(gate, |worker| again(async move { subscriptions::say_stock(&worker).await }).boxed()),
        ),
        (
            "subscription",
            handler(gate, |worker| again(async move { subscriptions::wake_due(&worker).await }).boxed()),
        ),
        (
            "reminder",
            handler(gate, |worker| again(async move { subscriptions::remind_due(&worker).await }).boxed()),
        ),
        (
            "digest",
            handler(gate, |worker| {
                again(async move { subscriptions::tell_day(&worker).await.map(|()| false) }).boxed()
            }),
        ),
        ("import", handler(gate, |worker| import(worker).boxed())),
        ("media", handler(gate, move |worker| put_away(worker, putting_away.clone()).boxed())),
        ("picture", handler(gate, move |worker| fetch(worker, fetching.clone()).boxed())),
        ("draft_order", handler(gate, |worker| end_drafts(worker).boxed())),
        ("publication", handler(gate, |worker| publish_products(worker).boxed())),
        ("page", handler(gate, |worker| publish_pages(worker).boxed())),
        ("webhook", handler(gate, move |worker| tell(worker, courier.clone()).boxed())),
        (
            "housekeeping",
            handler(gate, move |worker| keep_house(worker, tills.clone(), senders.clone()).boxed()),
        ),
    ])
}

type Outcome = Result<Next, String>;

fn handler(
    gate: &Gate,
    work: impl Fn(WorkerPermit) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
) -> Handler {
    let gate = gate.clone();
    Arc::new(move |store: StoreId| match gate.worker(store, "clocks", "work that is due") {
        Ok(worker) => work(worker),
        Err(error) => std::future::ready(Err(error.to_string())).boxed(),
    })
}

/// Reservations that ran out, payments to ask about, refunds to carry out.
async fn clocks(worker: WorkerPermit, till: Till) -> Outcome {
    let swept = checkout::sweep(&worker, &till).await.map_err(|error| error.to_string())?;
    Ok(if swept == checkout::Swept::default() { Next::Done } else { Next::Again })
}

async fn mail(worker: WorkerPermit, sender: Sender) -> Outcome {
    let sent = messages::send_due(&worker, &sender).await.map_err(|error| error.to_string())?;
    Ok(if sent == 0 { Next::Done } else { Next::Again })
}

/// Comes again at once while there is more.
async fn again(work: impl Future<Output = Result<bool, SubscriptionError>>) -> Outcome {
    let more = work.await.map_err(|error| error.to_string())?;
    Ok(if more { Next::Again } else { Next::Done })
}

/// Draft orders that nobody paid in time.
async fn end_drafts(worker: WorkerPermit) -> Outcome {
    let more = drafts::expire_due(&worker).await.map_err(|error| error.to_string())?;
    Ok(if more { Next::Again } else { Next::Done })
}

/// Products that are to be sold on a channel from now on, or no more.
async fn publish_products(worker: WorkerPermit) -> Outcome {
    let more = channels::publish_due(&worker).await.map_err(|error| error.to_string())?;
    Ok(if more { Next::Again } else { Next::Done })
}

/// Pages that are to be seen from now on.
async fn publish_pages(worker: WorkerPermit) -> Outcome {
    let more = content::publish_due(&worker).await.map_err(|error| error.to_string())?;
    Ok(if more { Next::Again } else { Next::Done })
}

/// Applies some products; while others have all seats, looks again soon.
async fn import(worker: WorkerPermit) -> Outcome {
    let worked = imports::work_due(&worker).await.map_err(|error| error.to_string())?;
    Ok(match worked {
        Worked::Nothing => Next::Done,
        Worked::More => Next::Again,
        Worked::Busy => Next::In(Duration::from_millis(500)),
    })
}

/// Puts away files of pictures that nothing shows.
async fn put_away(worker: WorkerPermit, studio: Studio) -> Outcome {
    let more = media::tidy(&worker, &studio.darkroom).await.map_err(|error| error.to_string())?;
    Ok(if more { Next::Again } else { Next::Done })
}

/// Fetches a picture; while others have all seats, looks again soon.
async fn fetch(worker: WorkerPermit, studio: Studio) -> Outcome {
    let fetched = catalog::fetch_due(&worker, &studio.darkroom, &studio.fetcher).await;
    Ok(match fetched.map_err(|error| error.to_string())? {
        Fetched::Nothing => Next::Done,
        Fetched::More => Next::Again,
        Fetched::Busy => Next::In(Duration::from_millis(500)),
    })
}

/// Hands over what is due; while other stores' endpoints have all seats, looks again soon.
async fn tell(worker: WorkerPermit, courier: Courier) -> Outcome {
    let handed = webhooks::send_due(&worker, &courier).await.map_err(|error| error.to_string())?;
    Ok(if handed.waiting { Next::In(Duration::from_secs(1)) } else { Next::Done })
}

/// Forgets what has served: keys of requests answered long ago, events heard long ago. Then looks at all the clocks once.
async fn keep_house(worker: WorkerPermit, till: Till, sender: Sender) -> Outcome {
    let failed = |error: TenancyError| error.to_string();
    let mut more = true;
    while more {
        let forget = async |tx: &mut WriteTx<'_>| {
            let keys = souk_access::prune(tx, SOME).await?;
            let heard = souk_event_bus::forget_heard(tx, SOME).await?;
            let told = webhooks::forget(tx, SOME).await?;
            let away = identities::forget(tx, SOME).await?;
            let left = cart::expire(tx, tx.now() - CARTS_LAST, SOME).await?;
            let files = imports::forget(tx, SOME).await?;
            let pictures = catalog::forget_fetches(tx, SOME).await?;
            let mails = messages::tidy(tx).await?;
            let most = keys.max(heard).max(told).max(away).max(left).max(files).max(pictures);
            Ok::<_, TenancyError>(mails || most >= SOME as usize)
        };
        more = worker.write("housekeeping.forget", forget).await.map_err(failed)?;
    }
    clocks(worker.clone(), till).await?;
    mail(worker, sender).await?;
    Ok(Next::In(HOUSEKEEPING))
}
