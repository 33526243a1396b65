//! Making discounts, and holding their limits.

use chrono::{DateTime, Utc};
use souk_api::{ETag, IfMatch};
use souk_event_bus::{Fact, emit};
use souk_kernel::{CustomerId, DiscountId, Email, OrderId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::DiscountError;
use super::events::{DiscountCreated, DiscountDeleted, DiscountUpdated};
use super::model::{Code, DiscountFilter, DiscountView, Method, PutDiscount, Refusal};
use super::queries;

/// Most automatic discounts that are not over or paused: every cart looks at each of them.
const MOST_AUTOMATIC: i64 = 25;

/// One discount. One statement.
pub async fn show(tx: &mut ReadTx<'_>, id: DiscountId) -> Result<DiscountView, DiscountError> {
    let page = queries::page(tx, Some(id), &DiscountFilter::default(), None, 1).await?;
    page.into_iter().next().ok_or(DiscountError::Unknown)
}

/// Makes a discount.
pub async fn create(tx: &mut WriteTx<'_>, wish: &PutDiscount) -> Result<DiscountView, DiscountError> {
    let (id, starts_at) = (DiscountId::new(), wish.starts_at.unwrap_or(tx.now()));
    lock_count(tx, wish).await?;
    put(tx, id, wish, starts_at, &DiscountCreated { discount: id }).await
}

/// Writes a discount anew. What has been used stays used.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    id: DiscountId,
    seen: IfMatch,
    wish: &PutDiscount,
) -> Result<DiscountView, DiscountError> {
    lock_count(tx, wish).await?;
    queries::lock(tx, &[id]).await?;
    let now = show(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(DiscountError::Precondition)?;
    put(tx, id, wish, wish.starts_at.unwrap_or(now.starts_at), &DiscountUpdated { discount: id }).await
}

const fn counts(wish: &PutDiscount) -> bool {
    matches!(wish.method, Method::Automatic) && !wish.paused
}

async fn lock_count(tx: &mut WriteTx<'_>, wish: &PutDiscount) -> Result<(), DbError> {
    if counts(wish) { queries::lock_all(tx).await } else { Ok(()) }
}

async fn put(
    tx: &mut WriteTx<'_>,
    id: DiscountId,
    wish: &PutDiscount,
    starts_at: DateTime<Utc>,
    fact: &impl Fact,
) -> Result<DiscountView, DiscountError> {
    wish.check(starts_at).map_err(DiscountError::Invalid)?;
    if counts(wish) && queries::other_automatic(tx, id).await? >= MOST_AUTOMATIC {
        return Err(DiscountError::TooManyAutomatic);
    }
    queries::put(tx, id, wish, starts_at).await?;
    emit(tx, fact).await?;
    show(tx, id).await
}

/// Removes a discount. Orders keep their copy.
pub async fn remove(tx: &mut WriteTx<'_>, id: DiscountId) -> Result<(), DiscountError> {
    if !queries::remove(tx, id).await? {
        return Err(DiscountError::Unknown);
    }
    emit(tx, &DiscountDeleted { discount: id }).await?;
    Ok(())
}

/// Whether a code may be kept in a cart: it names a discount that runs now, is not used up, and is not for others. Whether it takes something
/// off is for [`super::reckon`] to say. One statement.
///
/// # Errors
/// [`DiscountError::Refused`] when no change of the cart could make it apply.
pub async fn may_enter(
    tx: &mut ReadTx<'_>,
    code: &Code,
    customer: Option<&Email>,
    signed_in: Option<CustomerId>,
) -> Result<(), DiscountError> {
    let now = tx.now();
    let (candidates, named) = queries::candidates(tx, &[code.key()], customer, signed_in).await?;
    let discount = named.get(&code.key()).and_then(|id| candidates.iter().find(|known| known.id == *id));
    let refusal = discount.map_or(Some(Refusal::Unknown), |discount| discount.stands(now).err());
    match refusal.filter(Refusal::is_final) {
        Some(refusal) => Err(DiscountError::Refused(code.as_str().to_owned(), refusal)),
        None => Ok(()),
    }
}

/// Counts the uses of an order under the discounts' locks. Take stock before. No statement for none, else two.
///
/// # Errors
/// [`DiscountError::Gone`] with the title of one that ended, was paused or used up since it was reckoned; roll back then.
pub async fn redeem(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    customer: &Email,
    discounts: &[(DiscountId, &str)],
) -> Result<(), DiscountError> {
    if discounts.is_empty() {
        return Ok(());
    }
    let ids: Vec<DiscountId> = discounts.iter().map(|(id, _)| *id).collect();
    queries::lock(tx, &ids).await?;
    let redeemed = queries::redeem(tx, &ids, order, &customer.key()).await?;
    match discounts.iter().find(|(id, _)| !redeemed.contains(id)) {
        Some((_, title)) => Err(DiscountError::Gone((*title).to_owned())),
        None => Ok(()),
    }
}

/// The order came to nothing: its uses are free again. Take stock before. Does nothing the second time. One statement.
///
/// # Errors
/// The database's only.
pub async fn release(tx: &mut WriteTx<'_>, order: OrderId) -> Result<(), DbError> {
    queries::release(tx, order).await
}
