//! Making the catalogue say what a file says, many products in one transaction.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use souk_api::FieldError;
use souk_kernel::{Currency, InventoryItemId, ProductId, VariantId};
use souk_tenancy::{DbError, ReadTx, TenancyError, WriteTx};

use super::{bundles, make, room, show, told};
use crate::catalog::error::CatalogError;
use crate::catalog::events::ProductUpdated;
use crate::catalog::model::{
    Change, Definitions, DraftVariant, ImageWish, NewVariant, Plan, ProductRef, ProductView, ProductWish,
    Put, PutBy, one_more,
};
use crate::catalog::queries::metafields::Of;
use crate::catalog::queries::{self, bulk, fetches, metafields};
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

/// What became of a product, and which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub product: ProductId,
    pub put: Put,
}

/// The products after this one, oldest first, with what lies of them at the first active location: those that have bundles, or the others.
/// Two statements.
///
/// # Errors
/// Only of the database.
pub async fn after(
    tx: &mut ReadTx<'_>,
    bundles: bool,
    last: Option<ProductId>,
    limit: i64,
) -> Result<(Vec<ProductView>, Shelf), CatalogError> {
    let products = bulk::after(tx, bundles, last, limit).await?;
    let items: Vec<InventoryItemId> = products.iter().flat_map(queries::items_of).collect();
    let shelf = inventory::shelf(tx, &items).await?;
    Ok((products, shelf))
}

/// Makes each product what its wish says, in turn, as a single request would: with events, stock movements and rules of collections. One that
/// is refused leaves nothing behind and does not hold up the others. Locks the products that are there in the order of their ids, then
/// their levels, after all bundles where one is to be made; five to ten statements, and some for each product that changes. Where products are
/// sold, it leaves to the sales channels.
///
/// # Errors
/// The outer one says that the database did not do its part: roll back, and try again later.
pub async fn put_all(
    tx: &mut WriteTx<'_>,
    wishes: &[ProductWish],
    putter: Putter<'_>,
) -> Result<Vec<Result<Placed, CatalogError>>, CatalogError> {
    let mut bench = Bench::lay(tx, wishes, putter).await?;
    let mut outcomes = Vec::with_capacity(wishes.len());
    for wish in wishes {
        outcomes.push(match bench.plan(wish, putter) {
            Ok(Plan::Nothing(product)) => Ok(Placed { product, put: Put::Unchanged }),
            Ok(plan) => bench.carry_out(tx, wish, plan, putter).await?,
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
    definitions: Definitions,
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
        if wishes.iter().any(ProductWish::is_about_bundles) {
            queries::bundles::lock(tx).await?;
        }
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
        let mut definitions = Definitions::default();
        if wishes.iter().any(ProductWish::is_about_metafields) {
            definitions = metafields::definitions(tx, None, None).await?.into();
        }
        let mut asked = HashMap::new();
        if wishes.iter().any(|wish| !wish.images.is_empty()) {
            asked = fetches::asked(tx, &ids).await?;
        }
        Ok(Self { currency, products, owners, shelf, definitions, asked, room })
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
                let rows = wish.change(now, asked, putter.by, &self.shelf, putter.may_adjust, self.currency);
                match (rows, wish.belongings(now, putter.by, &self.definitions)) {
                    (Err(CatalogError::Invalid(mut faults)), Err(more)) => {
                        let known: HashSet<_> = faults.iter().map(|fault| fault.pointer.clone()).collect();
                        faults.extend(more.into_iter().filter(|fault| !known.contains(&fault.pointer)));
                        Err(CatalogError::Invalid(faults))
                    }
                    (Ok(_), Err(faults)) => Err(CatalogError::Invalid(faults)),
                    (Ok(Plan::Nothing(id)), Ok(rest)) if !rest.is_empty() => {
                        Ok(Plan::Change(Box::new(Change::none_of(id))))
                    }
                    (rows, _) => rows,
                }
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
        wish: &ProductWish,
        plan: Plan,
        putter: Putter<'_>,
    ) -> Result<Result<Placed, CatalogError>, CatalogError> {
        let actor = putter.actor;
        if matches!(plan, Plan::Create(..)) && self.room <= 0 {
            return Ok(Err(CatalogError::Quota(putter.limit)));
        }
        let (shelf, currency, todo) = (&self.shelf, self.currency, &plan);
        let rest = Rest { wish, by: putter.by, definitions: &self.definitions };
        let work = async move |tx: &mut WriteTx<'_>| match todo {
            Plan::Create(new, images) => {
                let mut view = make(tx, new, actor).await?;
                ask_for(tx, &view, images).await?;
                if rest.write(tx, &view).await? {
                    view = show(tx, &ProductRef::Id(view.id), true).await?;
                }
                Ok((Put::Created, view.id, Some(view)))
            }
            Plan::Change(change) => {
                let view = apply(tx, change, rest, shelf, currency, actor).await?;
                Ok((Put::Updated, view.id, Some(view)))
            }
            Plan::Nothing(product) => Ok::<_, CatalogError>((Put::Unchanged, *product, None)),
        };
        let outcome = tx.savepoint(work).await;
        match outcome {
            Ok((put, product, view)) => {
                self.room -= i64::from(put == Put::Created);
                if let Some(view) = view {
                    self.keep(view, &plan);
                }
                Ok(Ok(Placed { product, put }))
            }
            Err(error) if is_passing(&error) => Err(error),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The next wish may be about the same product.
    fn keep(&mut self, view: ProductView, plan: &Plan) {
        let former = self.products.iter().filter(|known| known.id == view.id);
        let former: HashSet<VariantId> =
            former.flat_map(|known| &known.variants).map(|variant| variant.id).collect();
        for variant in &view.variants {
            // What is new has all its stock free, and at the first location. Of what is not, the shelf knows, also that nothing of it lies
            // there: its stock may lie elsewhere.
            if !former.contains(&variant.id) {
                self.shelf.on_hand.insert(variant.inventory_item, variant.stock.unwrap_or_default());
            }
            if let Some(sku) = &variant.sku {
                self.owners.insert(sku.clone(), view.id);
            }
        }
        let images: &[ImageWish] = match plan {
            Plan::Create(_, images) => images.as_slice(),
            Plan::Change(change) => &change.images,
            Plan::Nothing(_) => &[],
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

/// What a wish says beside a product's own rows.
#[derive(Clone, Copy)]
struct Rest<'a> {
    wish: &'a ProductWish,
    by: PutBy,
    definitions: &'a Definitions,
}

impl Rest<'_> {
    /// Writes what differs of it from the product, which is locked or new; whether anything did.
    async fn write(self, tx: &mut WriteTx<'_>, now: &ProductView) -> Result<bool, CatalogError> {
        let found = self.wish.belongings(now, self.by, self.definitions).map_err(CatalogError::Invalid)?;
        if !found.product.is_empty() {
            metafields::set(tx, Of::Product(now.id), &found.product).await?;
        }
        for (variant, values) in &found.variants {
            metafields::set(tx, Of::Variant(now.id, *variant), values).await?;
        }
        for bundle in &found.bundles {
            bundles::put(tx, bundle).await?;
        }
        Ok(!found.is_empty())
    }
}

/// Carries out what differs; the product is locked.
async fn apply(
    tx: &mut WriteTx<'_>,
    change: &Change,
    rest: Rest<'_>,
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
    let mut parts = !(change.variants.is_empty() && change.added.is_empty());
    if rest.wish.has_belongings() {
        let now = queries::detail(tx, &ProductRef::Id(product)).await?.ok_or(CatalogError::Unknown)?;
        parts |= rest.write(tx, &now).await?;
    }
    if let Some(next) = &change.product {
        queries::edit(tx, next).await?;
    } else if parts {
        queries::touch(tx, &[product]).await?;
    }
    // Stock alone is no change of the product; pictures become one when they are there.
    if change.product.is_some() || parts {
        queries::collections::judge(tx, &[product]).await?;
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
    CatalogError::Invalid(faults.into_iter().map(|fault| fault.below(place)).collect())
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
