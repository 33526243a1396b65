//! Asking to be told, and looking what is to be told.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use souk_access::{LinkSecret, Reach, WorkerPermit};
use souk_api::{ETag, IfMatch};
use souk_event_bus::emit;
use souk_kernel::{CartId, Email, Locale, OrderId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::SubscriptionError;
use super::events::{
    BackInStock, BestSeller, CartAbandoned, CartEventLine, DailyDigest, LowOnStock, SubscriptionLetterWanted,
    Wanted,
};
use super::model::{
    ASKED_IN_A_DAY, FollowOrder, LOW_AGAIN, NoticeSettings, PutNoticeSettings, Topic, WaitForStock,
};
use super::queries::{self, Follower, Reminder};
use crate::catalog::{self, Named};
use crate::{cart, customers, orders, settings};

/// Looked at in one transaction; the rest comes in the next.
const SOME: i64 = 100;
/// Mailboxes that may follow one order.
const MOST_FOLLOWERS: i64 = 10;

/// Asks a mailbox whether it wants to be told when something is back. The same answer whatever is true of the mailbox.
///
/// # Errors
/// `InStock`, `NotOffered`, `Field` for a variant that nobody sells.
pub async fn wait_for_stock(tx: &mut WriteTx<'_>, wish: &WaitForStock) -> Result<(), SubscriptionError> {
    if !queries::settings(tx).await?.back_in_stock {
        return Err(SubscriptionError::NotOffered);
    }
    let found = catalog::named(tx, &[wish.variant], &[]).await?.pop().filter(|found| found.live);
    let found = found.ok_or(SubscriptionError::Field("/variant", "is for sale nowhere"))?;
    if found.available > 0 || found.oversold {
        return Err(SubscriptionError::InStock);
    }
    ask(tx, Topic::Stock(wish.variant), &wish.email, wish.locale.as_ref()).await
}

/// Asks a mailbox whether it wants to be told what becomes of an order, for whoever may see the order.
///
/// # Errors
/// `Unknown` for everybody else.
pub async fn follow(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    secret: Option<&LinkSecret>,
    reach: Reach,
    wish: &FollowOrder,
) -> Result<(), SubscriptionError> {
    if orders::name_for(tx, order, secret, reach).await?.is_none() {
        return Err(SubscriptionError::Unknown);
    }
    if queries::count_followers(tx, order).await? >= MOST_FOLLOWERS {
        return Err(SubscriptionError::Field("/email", "is one too many: ten may follow an order"));
    }
    ask(tx, Topic::Order(order), &wish.email, wish.locale.as_ref()).await
}

async fn ask(
    tx: &mut WriteTx<'_>,
    topic: Topic,
    email: &Email,
    locale: Option<&Locale>,
) -> Result<(), SubscriptionError> {
    let since = tx.now() - TimeDelta::days(1);
    if queries::asked(tx, email, since).await? >= ASKED_IN_A_DAY {
        return Ok(());
    }
    if let Some(subscription_id) = queries::wish(tx, topic, email, locale).await? {
        emit(tx, &SubscriptionLetterWanted { subscription_id, letter: Wanted::Confirm }).await?;
    }
    Ok(())
}

/// The mailbox agrees. What has come back meanwhile is told at once.
///
/// # Errors
/// `LinkUnusable`.
pub async fn confirm(tx: &mut WriteTx<'_>, token: &str) -> Result<(), SubscriptionError> {
    let secret = LinkSecret::parse(token).ok_or(SubscriptionError::LinkUnusable)?;
    let found =
        queries::confirm(tx, secret.digest().as_bytes()).await?.ok_or(SubscriptionError::LinkUnusable)?;
    if let Some(variant) = found.variant_id
        && catalog::named(tx, &[variant], &[]).await?.iter().any(|found| found.live && found.available > 0)
    {
        queries::wake(tx, variant).await?;
    }
    Ok(())
}

/// Reminds of a cart once it has lain for as long as the store says, or no longer.
///
/// # Errors
/// `Unknown` when the secret does not open it; `Field` when it names no mailbox.
pub async fn remind(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    wanted: bool,
) -> Result<(), SubscriptionError> {
    let taken = cart::take(tx, id, secret).await?;
    let cart = taken.filter(|cart| cart.terms.is_none()).ok_or(SubscriptionError::Unknown)?;
    if !wanted {
        return Ok(queries::do_not_remind(tx, id).await?);
    }
    let hours = queries::settings(tx).await?.abandoned_cart_hours.ok_or(SubscriptionError::NotOffered)?;
    if cart.email.is_none() {
        return Err(SubscriptionError::Field(
            "/wanted",
            "needs an e-mail address in the cart: PATCH it first",
        ));
    }
    let at = tx.now() + TimeDelta::hours(i64::from(hours));
    Ok(queries::remind(tx, id, at).await?)
}

/// Writes when staff and shoppers are told things.
///
/// # Errors
/// 412 when somebody was faster, 422 for a field.
pub async fn put_settings(
    tx: &mut WriteTx<'_>,
    seen: &IfMatch,
    wish: &PutNoticeSettings,
) -> Result<NoticeSettings, SubscriptionError> {
    wish.check().map_err(|(pointer, message)| SubscriptionError::Field(pointer, message))?;
    let before = queries::lock_settings(tx).await?;
    seen.check(&ETag::new(before.version)).map_err(SubscriptionError::Precondition)?;
    let next = match wish.daily_digest {
        true => {
            let zone = settings::current(tx).await?.time_zone;
            Some(queries::next_hour(tx, &zone, wish.digest_hour).await?)
        }
        false => None,
    };
    Ok(queries::put_settings(tx, wish, next).await?)
}

/// Where mails to staff go.
///
/// # Errors
/// The database's only.
pub async fn staff_mailbox(tx: &mut ReadTx<'_>) -> Result<String, SubscriptionError> {
    match queries::settings(tx).await?.staff_email {
        Some(email) => Ok(email),
        None => Ok(settings::current(tx).await?.contact_email),
    }
}

/// To what the pieces left of something fall that staff is told of; none where they are not.
///
/// # Errors
/// The database's only.
pub async fn low_stock_threshold(tx: &mut ReadTx<'_>) -> Result<Option<i64>, SubscriptionError> {
    Ok(queries::settings(tx).await?.low_stock_threshold)
}

/// A mail to a mailbox that wants to be told something.
pub struct Letter {
    pub recipient: String,
    /// The language they read, if it is known.
    pub locale: Option<String>,
    /// What it says, without links.
    pub facts: Value,
    /// Below the pages of the storefront that the mail links to.
    pub page: String,
    /// Opens the page.
    pub secret: Option<LinkSecret>,
}

/// The letter that is wanted, its secret made now; none when the wish is no more. The link is good if and only if this transaction commits.
///
/// # Errors
/// The database's; no random bytes.
pub async fn letter(
    tx: &mut WriteTx<'_>,
    wanted: &SubscriptionLetterWanted,
) -> Result<Option<Letter>, SubscriptionError> {
    let state = if wanted.letter == Wanted::Confirm { "pending" } else { "told" };
    let found = queries::lock(tx, wanted.subscription_id).await?;
    let Some(found) = found.filter(|found| found.state == state) else { return Ok(None) };
    let variant = match found.variant_id {
        Some(variant) => catalog::named(tx, &[variant], &[]).await?.pop(),
        None => None,
    };
    let about = match (&variant, found.order_id) {
        (Some(Named { title, variant_title, sku, handle, .. }), _) => {
            json!({ "topic": "back_in_stock", "title": title, "variant_title": variant_title, "sku": sku, "handle": handle, "order_name": "" })
        }
        (None, Some(order)) => {
            let name = orders::name_of(tx, order).await?;
            json!({ "topic": "order", "order_name": name, "title": "", "variant_title": "" })
        }
        (None, None) => return Ok(None),
    };
    let recipient = found.email;
    let locale = language(tx, found.locale, &recipient, found.order_id).await?;
    if wanted.letter == Wanted::BackInStock {
        let page = variant.map(|variant| format!("products/{}", variant.handle)).unwrap_or_default();
        return Ok(Some(Letter { recipient, locale, facts: about, page, secret: None }));
    }
    let secret = LinkSecret::mint().map_err(|_| SubscriptionError::Random)?;
    queries::put_secret(tx, found.id, secret.digest().as_bytes()).await?;
    let page = "confirm-subscription".to_owned();
    Ok(Some(Letter { recipient, locale, facts: about, page, secret: Some(secret) }))
}

/// What somebody reads: what they said, else the language of the account with this mailbox, else the one the order was bought in.
async fn language(
    tx: &mut ReadTx<'_>,
    said: Option<String>,
    mailbox: &str,
    order: Option<OrderId>,
) -> Result<Option<String>, SubscriptionError> {
    if said.is_some() {
        return Ok(said);
    }
    if let Some(locale) = customers::locale_of(tx, mailbox).await? {
        return Ok(Some(locale));
    }
    match order {
        Some(order) => Ok(orders::reader(tx, order).await?.and_then(|reader| reader.locale)),
        None => Ok(None),
    }
}

/// Who follows an order, their mailboxes, and the languages they read as far as these are known.
///
/// # Errors
/// The database's only.
pub async fn followers(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<Follower>, SubscriptionError> {
    let mut all = queries::followers(tx, order).await?;
    for follower in &mut all {
        let said = follower.locale.take();
        follower.locale = language(tx, said, &follower.email, Some(order)).await?;
    }
    Ok(all)
}

/// Whom a reminder of a cart goes to.
pub struct CartLink {
    pub recipient: String,
    /// The language they read, if they said so.
    pub locale: Option<String>,
    /// Opens the cart from the mail; a customer signs in instead.
    pub secret: Option<LinkSecret>,
}

/// Whom a reminder of a cart goes to. None when the cart was bought or emptied of its mailbox meanwhile.
///
/// # Errors
/// The database's; no random bytes.
pub async fn cart_link(tx: &mut WriteTx<'_>, id: CartId) -> Result<Option<CartLink>, SubscriptionError> {
    let found = cart::left(tx, &[id]).await?.pop().filter(|found| found.open && found.lines > 0);
    let Some(cart::LeftCart { email: Some(recipient), is_customers, locale, .. }) = found else {
        return Ok(None);
    };
    if is_customers {
        return Ok(Some(CartLink { recipient, locale, secret: None }));
    }
    let secret = LinkSecret::mint().map_err(|_| SubscriptionError::Random)?;
    let opened = cart::open_by_mail(tx, id, &secret).await?;
    Ok(opened.then_some(CartLink { recipient, locale, secret: Some(secret) }))
}

/// Ends whatever a mailbox wants to be told.
///
/// # Errors
/// The database's only.
pub async fn end_all(tx: &mut WriteTx<'_>, email: &Email) -> Result<(), SubscriptionError> {
    Ok(queries::end_all(tx, email).await?)
}

/// Forgets a mailbox (SHA-256 of the address in lower case, hexadecimal).
///
/// # Errors
/// The database's only.
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), SubscriptionError> {
    Ok(queries::forget(tx, email_sha256).await?)
}

/// Looks at levels that crossed a line, and states what is still so. Whether there is more.
///
/// # Errors
/// The database's only.
pub async fn say_stock(worker: &WorkerPermit) -> Result<bool, SubscriptionError> {
    let work = async |tx: &mut WriteTx<'_>| {
        let crossings = queries::crossings(tx, SOME).await?;
        if crossings.is_empty() {
            return Ok::<_, SubscriptionError>(false);
        }
        let low = queries::settings(tx).await?.low_stock_threshold;
        let items: Vec<_> = crossings.iter().map(|crossing| crossing.item_id).collect();
        let named = catalog::named(tx, &[], &items).await?;
        let recently = tx.now() - LOW_AGAIN;
        // What crossed at several locations is one fact.
        let mut said = HashSet::new();
        for crossing in &crossings {
            let mut told = false;
            if !said.insert((crossing.item_id, crossing.kind.as_str())) {
                queries::seen(tx, crossing, told).await?;
                continue;
            }
            let is_bundle = crossing.kind == "bundle";
            let concerns = |found: &&Named| {
                let item = crossing.item_id;
                found.live && if is_bundle { found.parts.contains(&item) } else { found.item == item }
            };
            for found in named.iter().filter(concerns) {
                told |= match (crossing.kind.as_str(), found.low_at.or(low)) {
                    ("back" | "bundle", _) if found.available > 0 => {
                        emit(tx, &back(found)).await?;
                        true
                    }
                    ("low", Some(threshold))
                        if found.available <= threshold
                            && crossing.told_at.is_none_or(|at| at < recently) =>
                    {
                        emit(tx, &low_on(found, threshold)).await?;
                        true
                    }
                    _ => false,
                };
            }
            queries::seen(tx, crossing, told).await?;
        }
        Ok(crossings.len() as i64 == SOME)
    };
    worker.write("subscriptions.stock", work).await
}

fn back(found: &Named) -> BackInStock {
    BackInStock {
        variant_id: found.variant,
        product_id: found.product,
        title: found.title.clone(),
        variant_title: found.variant_title.clone(),
        sku: found.sku.clone(),
        available: found.available,
    }
}

fn low_on(found: &Named, threshold: i64) -> LowOnStock {
    LowOnStock {
        variant_id: found.variant,
        product_id: found.product,
        title: found.title.clone(),
        variant_title: found.variant_title.clone(),
        sku: found.sku.clone(),
        available: found.available,
        threshold,
    }
}

/// Has mails asked for that say that something is back; whoever comes when it is gone again goes on waiting. Whether there is more.
///
/// # Errors
/// The database's only.
pub async fn wake_due(worker: &WorkerPermit) -> Result<bool, SubscriptionError> {
    let work = async |tx: &mut WriteTx<'_>| {
        let due = queries::due(tx, SOME).await?;
        let mut variants: Vec<_> = due.iter().filter_map(|found| found.variant_id).collect();
        variants.sort_unstable();
        variants.dedup();
        let named = catalog::named(tx, &variants, &[]).await?;
        for found in &due {
            let there = named
                .iter()
                .any(|named| Some(named.variant) == found.variant_id && named.live && named.available > 0);
            queries::settle(tx, found.id, if there { "told" } else { "confirmed" }).await?;
            if there {
                let subscription_id = found.id;
                emit(tx, &SubscriptionLetterWanted { subscription_id, letter: Wanted::BackInStock }).await?;
            }
        }
        Ok::<_, SubscriptionError>(due.len() as i64 == SOME)
    };
    worker.write("subscriptions.wake", work).await
}

/// Looks at carts that may have been left: those that were are stated, once; those that were touched are looked at later. Whether there is
/// more.
///
/// # Errors
/// The database's only.
pub async fn remind_due(worker: &WorkerPermit) -> Result<bool, SubscriptionError> {
    let work = async |tx: &mut WriteTx<'_>| {
        let carts = queries::reminders(tx, SOME).await?;
        if carts.is_empty() {
            return Ok::<_, SubscriptionError>(false);
        }
        let hours = queries::settings(tx).await?.abandoned_cart_hours;
        let ids: Vec<_> = carts.iter().map(|cart| cart.cart_id).collect();
        let left = cart::left(tx, &ids).await?;
        let now = tx.now();
        for Reminder { cart_id: id, by_wish } in &carts {
            let found = left.iter().find(|found| found.id == *id);
            let found = found.filter(|found| *by_wish || found.accepts_marketing);
            let found = found.filter(|found| found.open && found.lines > 0 && found.email.is_some());
            let (Some(found), Some(hours)) = (found, hours) else {
                queries::reminded(tx, *id, None, false).await?;
                continue;
            };
            let due: DateTime<Utc> = found.updated_at + TimeDelta::hours(i64::from(hours));
            if due > now {
                queries::reminded(tx, *id, Some(due), false).await?;
                continue;
            }
            let line = |line: cart::LeftLine| CartEventLine {
                title: line.title,
                variant_title: line.variant_title,
                sku: line.sku,
                quantity: line.quantity,
            };
            let lines = cart::left_lines(tx, *id).await?.into_iter().map(line).collect();
            emit(tx, &CartAbandoned { cart_id: *id, lines }).await?;
            queries::reminded(tx, *id, None, true).await?;
        }
        Ok(carts.len() as i64 == SOME)
    };
    worker.write("subscriptions.remind", work).await
}

/// States what the day before sold, if the hour has come and it sold anything. Asked again on the same day, it states nothing.
///
/// # Errors
/// The database's only.
pub async fn tell_day(worker: &WorkerPermit) -> Result<(), SubscriptionError> {
    let work = async |tx: &mut WriteTx<'_>| {
        let wish = queries::lock_settings(tx).await?;
        let now = tx.now();
        if !wish.daily_digest || wish.next_attempt_at.is_none_or(|at| at > now) {
            return Ok::<_, SubscriptionError>(());
        }
        let store = settings::current(tx).await?;
        let next = queries::next_hour(tx, &store.time_zone, wish.digest_hour).await?;
        let day = queries::yesterday(tx, &store.time_zone).await?;
        if !queries::take_day(tx, day.date, next).await? {
            return Ok(());
        }
        let sold = orders::day(tx, day.from, day.until).await?;
        if sold.orders == 0 && sold.refunds.is_empty() {
            return Ok(());
        }
        let best = |(title, variant_title, quantity)| BestSeller { title, variant_title, quantity };
        let fact = DailyDigest {
            store_id: tx.store(),
            date: day.date,
            orders: sold.orders,
            sales: sold.sales,
            refunds: sold.refunds,
            best: sold.best.into_iter().map(best).collect(),
            waiting: sold.waiting,
        };
        emit(tx, &fact).await?;
        Ok(())
    };
    worker.write("subscriptions.day", work).await
}
