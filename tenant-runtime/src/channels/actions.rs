//! What is done with sales channels.

use std::collections::{BTreeMap, BTreeSet};

use souk_access::WorkerPermit;
use souk_api::{ETag, FieldError, IfMatch};
use souk_event_bus::emit_all;
use souk_kernel::{ProductId, SalesChannelId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::ChannelError;
use super::model::{ChannelView, CreateChannel, EditChannel, Placement, PublicationView, Publish};
use super::queries;
use crate::catalog::ProductUpdated;

/// Most channels of a store.
const MOST: i64 = 50;
/// Publications that are carried out in one transaction.
const SOME: i64 = 100;

/// One channel. One statement.
pub async fn show(tx: &mut ReadTx<'_>, id: SalesChannelId) -> Result<ChannelView, ChannelError> {
    queries::channels(tx, Some(id)).await?.pop().ok_or(ChannelError::Unknown)
}

/// A channel on which nothing is published yet.
pub async fn create(tx: &mut WriteTx<'_>, wish: &CreateChannel) -> Result<ChannelView, ChannelError> {
    if queries::count(tx).await? >= MOST {
        let error = FieldError::new("", "too_many", "a store has at most 50 sales channels");
        return Err(ChannelError::Field(error));
    }
    let id = SalesChannelId::new();
    queries::insert(tx, id, wish.name.as_str(), wish.publishes_new).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

/// A channel's own fields.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: SalesChannelId,
    seen: IfMatch,
    wish: &EditChannel,
) -> Result<ChannelView, ChannelError> {
    let now = queries::lock(tx, id).await?.ok_or(ChannelError::Unknown)?;
    seen.check(&ETag::new(now.version)).map_err(ChannelError::Precondition)?;
    let name = wish.name.as_ref().map_or(now.name.as_str(), |name| name.as_str());
    queries::edit(tx, id, name, wish.publishes_new.unwrap_or(now.publishes_new)).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

/// A channel without keys that are good; never the default one.
pub async fn remove(tx: &mut WriteTx<'_>, id: SalesChannelId) -> Result<(), ChannelError> {
    let now = queries::lock(tx, id).await?.ok_or(ChannelError::Unknown)?;
    if now.is_default {
        return Err(ChannelError::Fixed);
    }
    if queries::has_keys(tx, id).await? {
        return Err(ChannelError::InUse);
    }
    queries::remove(tx, id).await?;
    tx.catalogue_changed();
    Ok(())
}

/// Where a product is sold. One statement.
pub async fn publications(
    tx: &mut ReadTx<'_>,
    product: ProductId,
) -> Result<Vec<PublicationView>, ChannelError> {
    let found = queries::publications(tx, product).await?;
    if found.is_empty() { Err(ChannelError::Unknown) } else { Ok(found) }
}

/// Sells a product on a channel from now, or from then on. Says `product.updated`.
pub async fn publish(
    tx: &mut WriteTx<'_>,
    (product, channel): (ProductId, SalesChannelId),
    wish: &Publish,
) -> Result<PublicationView, ChannelError> {
    wish.check(tx.now()).map_err(ChannelError::Field)?;
    queries::put(tx, (product, channel), wish.at_once(), wish).await?;
    told(tx, &[product]).await?;
    let found = queries::publications(tx, product).await?;
    found.into_iter().find(|found| found.channel == channel).ok_or(ChannelError::Unknown)
}

/// Sells it there no more, whatever was planned. Not sold there is fine. Says `product.updated`.
pub async fn unpublish(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    channel: SalesChannelId,
) -> Result<(), ChannelError> {
    queries::put(tx, (product, channel), false, &Publish::default()).await?;
    told(tx, &[product]).await
}

/// Puts many products where they shall be at once; the products of those that were not so. Says `product.updated` of them, but for those that
/// `said` has: of them the transaction has told already. Two statements. The channels are kept.
///
/// # Errors
/// Only of the database.
pub async fn place(
    tx: &mut WriteTx<'_>,
    wishes: &BTreeMap<(ProductId, SalesChannelId), Placement>,
    said: &BTreeSet<ProductId>,
) -> Result<BTreeSet<ProductId>, ChannelError> {
    if wishes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let changed = queries::place(tx, wishes).await?;
    let untold: Vec<ProductId> = changed.difference(said).copied().collect();
    told(tx, &untold).await?;
    Ok(changed)
}

async fn told(tx: &mut WriteTx<'_>, products: &[ProductId]) -> Result<(), ChannelError> {
    if products.is_empty() {
        return Ok(());
    }
    let facts: Vec<_> = products.iter().map(|product| ProductUpdated { product: *product }).collect();
    emit_all(tx, &facts).await?;
    tx.catalogue_changed();
    Ok(())
}

/// Publishes what is due and takes off what is due; for the worker. Whether there may be more. Repeating it changes nothing.
///
/// # Errors
/// Only of the database.
pub async fn publish_due(worker: &WorkerPermit) -> Result<bool, ChannelError> {
    let work = async |tx: &mut WriteTx<'_>| {
        let changed = queries::publish_due(tx, SOME).await?;
        let products: BTreeSet<ProductId> = changed.iter().copied().collect();
        told(tx, &Vec::from_iter(products)).await?;
        Ok(i64::try_from(changed.len()).is_ok_and(|found| found >= SOME))
    };
    worker.write::<_, ChannelError, _>("channels.publish", work).await
}
