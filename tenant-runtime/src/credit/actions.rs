//! Issuing credit, and what an order does with it.

use souk_api::{ETag, IfMatch};
use souk_event_bus::emit;
use souk_kernel::{CreditId, Currency, CustomerId, Money, OrderId};
use souk_tenancy::{DbError, ReadTx, WriteTx};
use uuid::Uuid;

use super::error::CreditError;
use super::events::{CreditIssued, GiftCardLetterWanted};
use super::model::{
    CreditFilter, CreditKind, CreditView, GiftCode, IssueGiftCard, IssueStoreCredit, Origin, PutGiftCard,
    UsableCredit, check_amount, shares,
};
use super::queries::{self, NewCredit};
use crate::ledger::{self, LedgerError, rules};

/// One account with its movements. One statement.
pub async fn show(tx: &mut ReadTx<'_>, kind: CreditKind, id: CreditId) -> Result<CreditView, CreditError> {
    let page = queries::page(tx, kind, Some(id), &CreditFilter::default(), None, 1).await?;
    page.into_iter().next().ok_or(CreditError::Unknown)
}

/// Accounts that one customer can have: one a currency.
const MOST_ACCOUNTS: i64 = 200;

/// The store credit of a customer with its movements, for their export. One statement, and one for each account.
///
/// # Errors
/// The database's only.
pub async fn of_customer(tx: &mut ReadTx<'_>, customer: CustomerId) -> Result<Vec<CreditView>, DbError> {
    let (kind, every) = (CreditKind::StoreCredit, CreditFilter::default());
    let theirs = CreditFilter { customer: Some(customer), ..CreditFilter::default() };
    let mut accounts = Vec::new();
    for account in queries::page(tx, kind, None, &theirs, None, MOST_ACCOUNTS).await? {
        accounts.extend(queries::page(tx, kind, Some(account.id), &every, None, 1).await?);
    }
    Ok(accounts)
}

/// Makes a gift card; the answer alone has its code.
pub async fn issue_gift_card(
    tx: &mut WriteTx<'_>,
    wish: &IssueGiftCard,
    actor: &str,
) -> Result<CreditView, CreditError> {
    if wish.expires_at.is_some_and(|at| at <= tx.now()) {
        return Err(CreditError::Field("/expires_at", "out_of_range", "must be in the future"));
    }
    let code = GiftCode::mint()?;
    let new = NewCredit {
        id: CreditId::new(),
        entry: Uuid::now_v7(),
        kind: CreditKind::GiftCard,
        code: Some((code.digest(), code.last_characters().to_owned())),
        customer: None,
        amount: wish.amount,
        expires_at: wish.expires_at,
        note: wish.note.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let view = issue(tx, &new, wish.origin, actor).await?;
    let Some(email) = &wish.send_to else { return Ok(CreditView { code: Some(code.expose()), ..view }) };
    // The code of the mail is made when the mail is; this one nobody ever sees.
    let message = wish.message.as_ref().map_or("", |text| text.as_str());
    queries::letters::insert(tx, new.id, email, message, wish.locale.as_ref()).await?;
    emit(tx, &GiftCardLetterWanted { credit: new.id }).await?;
    Ok(view)
}

/// A gift card on its way to whom it is for.
#[derive(Debug)]
pub struct GiftLetter {
    pub recipient: String,
    /// The language they read, if the giver said so.
    pub locale: Option<String>,
    pub code: String,
    pub amount: Money,
    pub message: String,
    pub expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// The letter with a gift card's code, made now: the code is good if and only if this transaction commits. None for a card that is not to be
/// mailed, was stopped, or was used.
///
/// # Errors
/// The database's; no random bytes.
pub async fn gift_letter(tx: &mut WriteTx<'_>, credit: CreditId) -> Result<Option<GiftLetter>, CreditError> {
    queries::lock(tx, &[credit]).await?;
    let Some(letter) = gift_outlook(tx, credit).await? else { return Ok(None) };
    let code = GiftCode::mint()?;
    queries::letters::put_code(tx, credit, &code.digest(), code.last_characters()).await?;
    Ok(Some(GiftLetter { code: code.expose(), ..letter }))
}

/// The letter as it would be now, without a code; nothing is made. None for a card that is not to be mailed, was stopped, or was used. Two
/// statements.
///
/// # Errors
/// The database's only.
pub async fn gift_outlook(tx: &mut ReadTx<'_>, credit: CreditId) -> Result<Option<GiftLetter>, CreditError> {
    let Some(letter) = queries::letters::find(tx, credit).await? else { return Ok(None) };
    let card = show(tx, CreditKind::GiftCard, credit).await?;
    let is_good = !card.disabled && card.balance.is_positive();
    Ok(is_good.then_some(GiftLetter {
        recipient: letter.email,
        locale: letter.locale,
        code: String::new(),
        amount: card.balance,
        message: letter.message,
        expires_at: card.expires_at,
    }))
}

/// Gives a customer store credit, on top of what there is.
pub async fn issue_store_credit(
    tx: &mut WriteTx<'_>,
    wish: &IssueStoreCredit,
    actor: &str,
) -> Result<CreditView, CreditError> {
    let new = NewCredit {
        id: CreditId::new(),
        entry: Uuid::now_v7(),
        kind: CreditKind::StoreCredit,
        code: None,
        customer: Some(wish.customer),
        amount: wish.amount,
        expires_at: None,
        note: String::new(),
    };
    issue(tx, &new, wish.origin, actor).await
}

async fn issue(
    tx: &mut WriteTx<'_>,
    new: &NewCredit,
    origin: Origin,
    actor: &str,
) -> Result<CreditView, CreditError> {
    check_amount(new.amount).map_err(|message| CreditError::Field("/amount", "out_of_range", message))?;
    let id = queries::issue(tx, new, actor).await?;
    let entry = rules::credit_issued(new.entry, new.amount, origin == Origin::Sold, tx.now());
    ledger::post_all(tx, Vec::from_iter(entry.map_err(LedgerError::from)?)).await?;
    emit(tx, &CreditIssued { credit: id, kind: new.kind, amount: new.amount }).await?;
    show(tx, new.kind, id).await
}

/// Stops a gift card or lets it go on, and says until when.
pub async fn put_gift_card(
    tx: &mut WriteTx<'_>,
    id: CreditId,
    seen: IfMatch,
    wish: &PutGiftCard,
) -> Result<CreditView, CreditError> {
    queries::lock(tx, &[id]).await?;
    let now = show(tx, CreditKind::GiftCard, id).await?;
    seen.check(&ETag::new(now.version)).map_err(CreditError::Precondition)?;
    queries::put(tx, id, wish).await?;
    show(tx, CreditKind::GiftCard, id).await
}

/// The gift card with this code, if it may be used for something in this currency. One statement.
///
/// # Errors
/// [`CreditError::Refused`] with the reason.
pub async fn gift_card(
    tx: &mut ReadTx<'_>,
    code: &GiftCode,
    currency: Currency,
) -> Result<CreditId, CreditError> {
    let now = tx.now();
    let card = queries::card(tx, &code.digest()).await?.ok_or(CreditError::Refused("unknown"))?;
    let reasons = [
        (card.disabled, "disabled"),
        (card.expires_at.is_some_and(|at| at <= now), "expired"),
        (card.currency != currency, "other_currency"),
        (card.balance_minor == 0, "empty"),
    ];
    match reasons.into_iter().find(|(holds, _)| *holds) {
        Some((_, reason)) => Err(CreditError::Refused(reason)),
        None => Ok(card.id),
    }
}

/// What gift cards, in this order, and then a customer's store credit would pay of a total. One statement, none when there is neither.
///
/// # Errors
/// The database's, and amounts that cannot be counted.
pub async fn usable(
    tx: &mut ReadTx<'_>,
    cards: &[CreditId],
    customer: Option<CustomerId>,
    total: Money,
) -> Result<Vec<(UsableCredit, Money)>, CreditError> {
    if cards.is_empty() && customer.is_none() {
        return Ok(Vec::new());
    }
    let accounts = queries::usable(tx, cards, customer, total.currency()).await?;
    Ok(shares(&accounts, total)?)
}

/// Takes exactly these amounts for an order, under the accounts' locks. Take stock and discounts before. Two statements, none for none.
///
/// # Errors
/// [`CreditError::Gone`] when an account has less by now; roll back then.
pub async fn hold(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    parts: &[(CreditId, Money)],
    actor: &str,
) -> Result<(), CreditError> {
    if parts.is_empty() {
        return Ok(());
    }
    let ids: Vec<CreditId> = parts.iter().map(|(id, _)| *id).collect();
    queries::lock(tx, &ids).await?;
    if queries::hold(tx, order, parts, actor).await? == parts.len() { Ok(()) } else { Err(CreditError::Gone) }
}

/// The order is placed: what it holds is spent. The caller books it. One statement.
///
/// # Errors
/// The database's only.
pub async fn spend(tx: &mut WriteTx<'_>, order: OrderId) -> Result<(), DbError> {
    queries::spend(tx, order).await
}

/// The order came to nothing: what it held or has spent is on the accounts again. Gives what had been spent, for the caller to book.
/// Nothing the second time. One statement for an order without credit, else two.
///
/// # Errors
/// The database's only.
pub async fn give_back(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    currency: Currency,
    actor: &str,
) -> Result<Money, DbError> {
    if queries::lock_of(tx, order).await? == 0 {
        return Ok(Money::zero(currency));
    }
    Ok(Money::new(queries::give_back(tx, order, actor).await?, currency))
}
