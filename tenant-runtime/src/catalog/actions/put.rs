//! Making the catalogue say what a file says, many products in one transaction.

use std::collections::HashMap;

use serde_json::json;
use souk_api::FieldError;
use souk_kernel::{Currency, InventoryItemId, ProductId};
use souk_tenancy::{DbError, ReadTx, TenancyError, WriteTx};

use super::{make, room, show, told};
use crate::catalog::error::CatalogError;
use crate::catalog::events::ProductUpdated;
use crate::catalog::model::{
    Change, DraftVariant, ImageWish, NewVariant, Plan, ProductRef, ProductView, ProductWish, Put, PutBy,
    one_more,
};
use crate::catalog::queries::{self, bulk, fetches};
use crate::inventory::{self, InventoryError, Shelf};

/// Why stock changed, in its movements.
const REASON: &str = "import";

/// Who wants it, and what they may.
#[derive(Clone, Copy, Debug)]
pub struct Putter<'a> {
    /// For the movements of stock.
    pub actor: &'a str,
    /// Whether the stock of what is there may be changed.
    pub may_adjust: bool,
    pub by: PutBy,
    /// How many products the plan allows.
    pub limit: u32,
}

/// The products after this one, oldest first, with what lies of them at the first active location. Two statements.
///
/// # Errors
/// Only of the database.
pub async fn after(
    tx: &mut ReadTx<'_>,
    last: Option<ProductId>,
    limit: i64,
) -> Result<(Vec<ProductView>, Shelf), CatalogError> {
    let products = bulk::after(tx, last, limit).await?;
    let items: Vec<InventoryItemId> = products.iter().flat_map(queries::items_of).collect();
    let shelf = inventory::shelf(tx, &items).await?;
    Ok((products, shelf))
}

/// Makes each product what its wish says, in turn, as a single request would: with events, stock movements and rules of collections. One that
/// is refused leaves nothing behind and does not hold up the others. Locks the products that are there in the order of their ids, then
/// their levels; five to eight statements, and some for each product that changes.
///
/// # Errors
/// The outer one says that the database did not do its part: roll back, and try again later.
pub async fn put_all(
    tx: &mut WriteTx<'_>,
    wishes: &[ProductWish],
    putter: Putter<'_>,
) -> Result<Vec<Result<Put, CatalogError>>, CatalogError> {
    let mut bench = Bench::lay(tx, wishes, putter).await?;
    let mut outcomes = Vec::with_capacity(wishes.len());
    for wish in wishes {
        outcomes.push(match bench.plan(wish, putter) {
            Ok(Plan::Nothing) => Ok(Put::Unchanged),
            Ok(plan) => bench.carry_out(tx, plan, putter).await?,
            Err(refusal) => Err(refusal),
        });
    }
    Ok(outcomes)
}

/// What is known of the products that wishes are about; all of it is locked.
struct Bench {
    currency: Currency,
    products: Vec<ProductView>,
    /// Whose variants have which SKUs.
    owners: HashMap<String, ProductId>,
    shelf: Shelf,
    /// The addresses of pictures that are on their way to them.
    asked: HashMap<ProductId, Vec<String>>,
    /// How many products more the plan allows.
    room: i64,
}

impl Bench {
    async fn lay(
        tx: &mut WriteTx<'_>,
        wishes: &[ProductWish],
        putter: Putter<'_>,
    ) -> Result<Self, CatalogError> {
        let room = room(tx, putter.limit).await?;
        let currency = queries::currency_in_turn(tx).await?;
        let skus: Vec<String> = wishes.iter().flat_map(ProductWish::skus).collect();
        let handles = || wishes.iter().filter_map(|wish| Some(wish.handle.as_ref()?.to_string())).collect();
        let ids = match putter.by {
            PutBy::Handle => bulk::lock(tx, handles(), Vec::new()).await?,
            PutBy::Sku => bulk::lock(tx, Vec::new(), skus.clone()).await?,
        };
        let products = if ids.is_empty() { Vec::new() } else { bulk::whole(tx, &ids).await? };
        let owners = if skus.is_empty() { HashMap::new() } else { bulk::owners(tx, skus).await? };
        let mut shelf = Shelf::default();
        if wishes.iter().any(ProductWish::is_about_stock) {
            let items: Vec<InventoryItemId> = products.iter().flat_map(queries::items_of).collect();
            if !items.is_empty() {
                inventory::hold(tx, &items).await?;
            }
            shelf = inventory::shelf(tx, &items).await?;
        }
        let mut asked = HashMap::new();
        if wishes.iter().any(|wish| !wish.images.is_empty()) {
            asked = fetches::asked(tx, &ids).await?;
        }
        Ok(Self { currency, products, owners, shelf, asked, room })
    }

    fn plan(&self, wish: &ProductWish, putter: Putter<'_>) -> Result<Plan, CatalogError> {
        let found = match putter.by {
            PutBy::Handle => {
                let Some(handle) = &wish.handle else {
                    let fault =
                        FieldError::new("/handle", "required", "must be given to find the product by it");
                    return Err(CatalogError::Invalid(vec![fault]));
                };
                self.products.iter().find(|product| product.handle == handle.as_str())
            }
            PutBy::Sku => self.owner(wish)?,
        };
        let (variants, named) = wish.variants();
        for (number, variant) in variants.iter().enumerate() {
            let Some(Some(sku)) = &variant.sku else { continue };
            let owner = self.owners.get(sku.as_str());
            if owner.is_some_and(|owner| found.is_none_or(|found| found.id != *owner)) {
                let place = if named { format!("/variants/{number}/sku") } else { "/sku".to_owned() };
                let fault = FieldError::new(place, "sku_taken", "is the SKU of another product's variant");
                return Err(CatalogError::Invalid(vec![fault]));
            }
        }
        match found {
            None => wish.create(),
            Some(now) => {
                let asked = self.asked.get(&now.id).map(Vec::as_slice).unwrap_or_default();
                wish.change(now, asked, putter.by, &self.shelf, putter.may_adjust, self.currency)
            }
        }
    }

    /// The one product whose variants have these SKUs.
    fn owner(&self, wish: &ProductWish) -> Result<Option<&ProductView>, CatalogError> {
        let fault = |message| CatalogError::Invalid(vec![FieldError::new("/sku", "ambiguous", message)]);
        let skus = wish.skus();
        if skus.is_empty() {
            return Err(fault("must be given to find the product by it"));
        }
        let mut owners = skus.iter().filter_map(|sku| self.owners.get(sku));
        let Some(first) = owners.next() else { return Ok(None) };
        if owners.any(|other| other != first) {
            return Err(fault("are those of variants of several products"));
        }
        Ok(self.products.iter().find(|product| product.id == *first))
    }

    async fn carry_out(
        &mut self,
        tx: &mut WriteTx<'_>,
        plan: Plan,
        putter: Putter<'_>,
    ) -> Result<Result<Put, CatalogError>, CatalogError> {
        let actor = putter.actor;
        if matches!(plan, Plan::Create(..)) && self.room <= 0 {
            return Ok(Err(CatalogError::Quota(putter.limit)));
        }
        let (shelf, currency, todo) = (&self.shelf, self.currency, &plan);
        let work = async move |tx: &mut WriteTx<'_>| match todo {
            Plan::Create(wish, images) => {
                let view = make(tx, wish, actor).await?;
                ask_for(tx, &view, images).await?;
                Ok((Put::Created, Some(view)))
            }
            Plan::Change(change) => {
                Ok((Put::Updated, Some(apply(tx, change, shelf, currency, actor).await?)))
            }
            Plan::Nothing => Ok::<_, CatalogError>((Put::Unchanged, None)),
        };
        let outcome = tx.savepoint(work).await;
        match outcome {
            Ok((put, view)) => {
                self.room -= i64::from(put == Put::Created);
                if let Some(view) = view {
                    self.keep(view, &plan);
                }
                Ok(Ok(put))
            }
            Err(error) if is_passing(&error) => Err(error),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The next wish may be about the same product.
    fn keep(&mut self, view: ProductView, plan: &Plan) {
        for variant in &view.variants {
            // What is new has all its stock free; of what is not, the plan knows.
            let fresh = variant.stock.unwrap_or_default();
            self.shelf.on_hand.entry(variant.inventory_item).or_insert(fresh);
            if let Some(sku) = &variant.sku {
                self.owners.insert(sku.clone(), view.id);
            }
        }
        let images: &[ImageWish] = match plan {
            Plan::Create(_, images) => images.as_slice(),
            Plan::Change(change) => &change.images,
            Plan::Nothing => &[],
        };
        let asked = self.asked.entry(view.id).or_default();
        asked.extend(images.iter().map(|image| image.src.clone()));
        if let Plan::Change(change) = plan {
            self.shelf.on_hand.extend(change.stock.iter().map(|(_, item, pieces)| (*item, *pieces)));
        }
        self.products.retain(|known| known.id != view.id);
        self.products.push(view);
    }
}

/// Carries out what differs; the product is locked.
async fn apply(
    tx: &mut WriteTx<'_>,
    change: &Change,
    shelf: &Shelf,
    currency: Currency,
    actor: &str,
) -> Result<ProductView, CatalogError> {
    let product = change.id;
    for variant in &change.variants {
        if let Some(policy) = variant.policy {
            inventory::set_policy(tx, variant.now.inventory_item, policy).await?;
        }
        if variant.columns {
            queries::edit_variant(tx, &variant.now).await?;
        }
        if let Some(price) = variant.price {
            let former = variant.now.compare_at.map(souk_kernel::Money::minor);
            queries::set_price(tx, variant.now.id, price, former).await?;
        }
    }
    if !change.added.is_empty() {
        add(tx, product, &change.added, currency, actor).await?;
    }
    if let Some(next) = &change.product {
        queries::edit(tx, next).await?;
    } else if !(change.variants.is_empty() && change.added.is_empty()) {
        queries::touch(tx, product).await?;
    }
    // Stock alone is no change of the product; pictures become one when they are there.
    if !(change.product.is_none() && change.variants.is_empty() && change.added.is_empty()) {
        queries::collections::judge_product(tx, product).await?;
        told(tx, &ProductUpdated { product }).await?;
    }
    for (place, item, pieces) in &change.stock {
        let Some(location) = shelf.location else { continue };
        let set = inventory::set_on_hand(tx, *item, location, *pieces, REASON, actor).await;
        set.map_err(|error| promised(error, place))?;
    }
    let view = show(tx, &ProductRef::Id(product), true).await?;
    ask_for(tx, &view, &change.images).await?;
    Ok(view)
}

/// Has pictures fetched.
async fn ask_for(
    tx: &mut WriteTx<'_>,
    product: &ProductView,
    images: &[ImageWish],
) -> Result<(), CatalogError> {
    for image in images {
        let shown = product.variants.iter().find(|variant| variant.has(&image.options));
        let variant = shown.filter(|_| !image.options.is_empty()).map(|variant| variant.id);
        let position = image.position.map(i32::from);
        let (url, alt) = (image.src.as_str(), image.alt.as_str());
        let fetch = fetches::NewFetch { product: product.id, variant, url, alt, position };
        fetches::queue(tx, &fetch).await?;
    }
    Ok(())
}

/// More variants of a product that is locked. Four statements, however many there are.
async fn add(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    wishes: &[(String, NewVariant)],
    currency: Currency,
    actor: &str,
) -> Result<(), CatalogError> {
    let mut now = queries::detail(tx, &ProductRef::Id(product)).await?.ok_or(CatalogError::Unknown)?;
    let (mut variants, mut values) = (Vec::new(), Vec::new());
    for (place, wish) in wishes {
        let (variant, more) = one_more(&now, wish, currency).map_err(|error| placed(error, place))?;
        now.grow(&variant, &more);
        variants.push(variant);
        values.extend(more);
    }
    let items: Vec<_> = variants.iter().map(DraftVariant::item).collect();
    inventory::create_items(tx, &items, actor).await?;
    let doc = json!({ "values": values, "variants": variants, "currency": currency });
    Ok(queries::insert_variants(tx, doc).await?)
}

/// The same complaints, of a part of the product.
fn placed(error: CatalogError, place: &str) -> CatalogError {
    let CatalogError::Invalid(faults) = error else { return error };
    let at = |fault: FieldError| FieldError { pointer: format!("{place}{}", fault.pointer).into(), ..fault };
    CatalogError::Invalid(faults.into_iter().map(at).collect())
}

fn promised(error: InventoryError, pointer: &str) -> CatalogError {
    if !matches!(error, InventoryError::InUse) {
        return error.into();
    }
    let message = "is less than what is promised to orders and checkouts";
    CatalogError::Invalid(vec![FieldError::new(pointer.to_owned(), "stock_in_use", message)])
}

/// Whether it is over in a moment, and says nothing about the product.
fn is_passing(error: &CatalogError) -> bool {
    let passes = |error: &DbError| {
        matches!(
            error,
            DbError::Unavailable
                | DbError::Timeout
                | DbError::Serialization
                | DbError::Deadlock
                | DbError::Aborted
                | DbError::ReadOnly
        )
    };
    match error {
        CatalogError::Db(error) | CatalogError::Inventory(InventoryError::Db(error)) => passes(error),
        CatalogError::Tenancy(error) | CatalogError::Inventory(InventoryError::Tenancy(error)) => match error
        {
            TenancyError::Db(error) => passes(error),
            _ => true,
        },
        _ => false,
    }
}
