//! Rows as they come, and what becomes of them.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Json, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde::Deserialize;
use serde_json::Value;
use souk_kernel::{
    CategoryId, CollectionId, Currency, ImageId, InventoryItemId, Money, OptionId, OptionValueId, ProductId,
    VariantId,
};
use souk_tenancy::Document;
use uuid::Uuid;

use crate::catalog::model::{
    Chosen, CollectionRules, CollectionView, Component, ComponentView, ImageView, Match, MetafieldKind,
    MetafieldView, Offer, OptionView, ProductView, Rule, Sellable, Status, SummaryView, ValueView,
    VariantView, summary_price,
};
use crate::inventory::Policy;

#[derive(QueryableByName)]
pub struct CountRow {
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

#[derive(QueryableByName)]
pub struct CurrencyRow {
    #[diesel(sql_type = Text)]
    pub currency: Currency,
}

#[derive(QueryableByName)]
pub struct HandleRow {
    #[diesel(sql_type = Text)]
    pub handle: String,
}

#[derive(QueryableByName)]
pub struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    #[expect(dead_code, reason = "that there is a row is the answer")]
    pub id: Uuid,
}

#[derive(QueryableByName)]
pub struct OwnerRow {
    #[diesel(sql_type = SqlUuid)]
    pub product_id: ProductId,
}

#[derive(QueryableByName)]
pub struct MembershipRow {
    #[diesel(sql_type = SqlUuid)]
    pub product_id: ProductId,
    #[diesel(sql_type = SqlUuid)]
    pub collection_id: CollectionId,
}

#[derive(QueryableByName)]
pub struct VersionRow {
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

#[derive(QueryableByName)]
pub struct DetailRow {
    #[diesel(sql_type = SqlUuid)]
    id: ProductId,
    #[diesel(sql_type = Text)]
    handle: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    description_html: String,
    #[diesel(sql_type = Text)]
    vendor: String,
    #[diesel(sql_type = Text)]
    product_type: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Array<Text>)]
    tags: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    seo_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    seo_description: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    category_id: Option<CategoryId>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Bool)]
    published: bool,
    #[diesel(sql_type = Json)]
    options: Document<Vec<OptionDoc>>,
    #[diesel(sql_type = Json)]
    variants: Document<Vec<VariantDoc>>,
    #[diesel(sql_type = Json)]
    images: Document<Vec<ImageDoc>>,
    #[diesel(sql_type = Json)]
    collections: Document<Vec<Uuid>>,
    #[diesel(sql_type = Json)]
    metafields: Document<Vec<MetafieldDoc>>,
}

#[derive(Deserialize)]
struct MetafieldDoc {
    namespace: String,
    key: String,
    kind: MetafieldKind,
    list: bool,
    shown: bool,
    value: Value,
    variant: Option<Uuid>,
}

impl From<MetafieldDoc> for MetafieldView {
    fn from(doc: MetafieldDoc) -> Self {
        Self {
            namespace: doc.namespace,
            key: doc.key,
            kind: doc.kind,
            list: doc.list,
            value: doc.value,
            shown: doc.shown,
        }
    }
}

#[derive(Deserialize)]
struct OptionDoc {
    id: Uuid,
    name: String,
    values: Vec<ValueDoc>,
}

#[derive(Deserialize)]
struct ValueDoc {
    id: Uuid,
    value: String,
}

#[derive(Deserialize)]
struct VariantDoc {
    id: Uuid,
    title: String,
    sku: Option<String>,
    barcode: Option<String>,
    options: Vec<Chosen>,
    position: i32,
    amount_minor: Option<i64>,
    compare_at_minor: Option<i64>,
    weight_grams: i64,
    requires_shipping: bool,
    taxable: bool,
    tax_class: Option<String>,
    inventory_item_id: Uuid,
    inventory_policy: Policy,
    version: i64,
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct ImageDoc {
    id: Uuid,
    alt: String,
    content_type: String,
    width: Option<i32>,
    height: Option<i32>,
    variant: Option<Uuid>,
    source: Option<String>,
}

impl VariantDoc {
    fn view(self, currency: Currency) -> VariantView {
        VariantView {
            id: VariantId::from_uuid(self.id),
            title: self.title,
            sku: self.sku,
            barcode: self.barcode,
            options: self.options,
            position: self.position,
            price: summary_price(self.amount_minor, currency),
            compare_at: summary_price(self.compare_at_minor, currency),
            weight_grams: self.weight_grams,
            requires_shipping: self.requires_shipping,
            taxable: self.taxable,
            tax_class: self.tax_class,
            inventory_policy: self.inventory_policy,
            inventory_item: InventoryItemId::from_uuid(self.inventory_item_id),
            available: false,
            stock: None,
            components: self.components.into_iter().map(ComponentView::from).collect(),
            metafields: Vec::new(),
            version: self.version,
        }
    }
}

impl From<OptionDoc> for OptionView {
    fn from(doc: OptionDoc) -> Self {
        let value = |doc: ValueDoc| ValueView { id: OptionValueId::from_uuid(doc.id), value: doc.value };
        let values = doc.values.into_iter().map(value).collect();
        Self { id: OptionId::from_uuid(doc.id), name: doc.name, values }
    }
}

impl From<ImageDoc> for ImageView {
    fn from(doc: ImageDoc) -> Self {
        let (id, variant) = (ImageId::from_uuid(doc.id), doc.variant.map(VariantId::from_uuid));
        let view = Self::new(id, doc.alt, doc.content_type, (doc.width, doc.height));
        Self { variant, source: doc.source, ..view }
    }
}

impl DetailRow {
    pub fn view(self) -> ProductView {
        let mut variants: Vec<VariantView> =
            self.variants.0.into_iter().map(|variant| variant.view(self.currency)).collect();
        let mut metafields = Vec::new();
        for doc in self.metafields.0 {
            let owner = doc.variant.map(VariantId::from_uuid);
            match variants.iter_mut().find(|variant| Some(variant.id) == owner) {
                Some(variant) => variant.metafields.push(MetafieldView::from(doc)),
                None => metafields.push(MetafieldView::from(doc)),
            }
        }
        ProductView {
            id: self.id,
            handle: self.handle,
            title: self.title,
            description_html: self.description_html,
            vendor: self.vendor,
            product_type: self.product_type,
            status: Status::of(&self.status),
            published: self.published,
            tags: self.tags,
            seo_title: self.seo_title,
            seo_description: self.seo_description,
            price_from: None,
            price_to: None,
            available: false,
            options: self.options.0.into_iter().map(OptionView::from).collect(),
            variants,
            images: self.images.0.into_iter().map(ImageView::from).collect(),
            collections: self.collections.0.into_iter().map(CollectionId::from_uuid).collect(),
            category: self.category_id,
            metafields,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

#[derive(QueryableByName)]
pub struct SummaryRow {
    #[diesel(sql_type = SqlUuid)]
    id: ProductId,
    #[diesel(sql_type = Text)]
    handle: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    vendor: String,
    #[diesel(sql_type = Text)]
    product_type: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Array<Text>)]
    tags: Vec<String>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Nullable<BigInt>)]
    lowest: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    highest: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    former: Option<i64>,
    #[diesel(sql_type = BigInt)]
    variants: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    only_variant: Option<VariantId>,
    #[diesel(sql_type = Array<SqlUuid>)]
    items: Vec<InventoryItemId>,
    #[diesel(sql_type = Array<SqlUuid>)]
    priced: Vec<InventoryItemId>,
    #[diesel(sql_type = Bool)]
    endless: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    image_id: Option<ImageId>,
    #[diesel(sql_type = Nullable<Text>)]
    image_alt: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    image_type: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    image_width: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    image_height: Option<i32>,
}

/// A product in a list, and the items whose stock decides whether it can be bought.
#[derive(Clone, Debug)]
pub struct Summary {
    pub view: SummaryView,
    pub items: Vec<InventoryItemId>,
    /// Those of them that have a price: one piece of one of these makes it available.
    pub priced: Vec<InventoryItemId>,
    /// One that has a price is sold without stock too.
    pub endless: bool,
}

impl SummaryRow {
    pub fn summary(self) -> Summary {
        let (alt, kind) = (self.image_alt.unwrap_or_default(), self.image_type.unwrap_or_default());
        let sides = (self.image_width, self.image_height);
        let image = self.image_id.map(|id| ImageView::new(id, alt, kind, sides));
        let view = SummaryView {
            id: self.id,
            handle: self.handle,
            title: self.title,
            vendor: self.vendor,
            product_type: self.product_type,
            status: Status::of(&self.status),
            tags: self.tags,
            price_from: summary_price(self.lowest, self.currency),
            price_to: summary_price(self.highest, self.currency),
            compare_at: summary_price(self.former, self.currency),
            available: false,
            stock: None,
            variant_count: self.variants,
            only_variant: self.only_variant,
            image,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        Summary { view, items: self.items, priced: self.priced, endless: self.endless }
    }
}

#[derive(QueryableByName)]
pub struct SellableRow {
    #[diesel(sql_type = SqlUuid)]
    variant_id: VariantId,
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    variant_title: String,
    #[diesel(sql_type = Nullable<Text>)]
    sku: Option<String>,
    #[diesel(sql_type = Jsonb)]
    options: Value,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    compare_at_minor: Option<i64>,
    #[diesel(sql_type = Json)]
    offers: Document<Vec<Offer>>,
    #[diesel(sql_type = Json)]
    components: Document<Vec<Component>>,
    #[diesel(sql_type = BigInt)]
    weight_grams: i64,
    #[diesel(sql_type = Bool)]
    requires_shipping: bool,
    #[diesel(sql_type = Bool)]
    taxable: bool,
    #[diesel(sql_type = Nullable<Text>)]
    tax_class: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    inventory_item_id: InventoryItemId,
    #[diesel(sql_type = Text)]
    inventory_policy: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    image_id: Option<ImageId>,
}

impl SellableRow {
    pub fn sellable(self, currency: Currency) -> Sellable {
        let is_bundle = !self.components.0.is_empty();
        Sellable {
            variant: self.variant_id,
            product: self.product_id,
            title: self.title,
            variant_title: self.variant_title,
            sku: self.sku,
            options: self.options,
            unit_price: Money::new(self.amount_minor, currency),
            compare_at: self.compare_at_minor.map(|minor| Money::new(minor, currency)),
            offers: self.offers.0,
            components: self.components.0,
            image: self.image_id,
            weight_grams: self.weight_grams,
            requires_shipping: self.requires_shipping,
            taxable: self.taxable,
            tax_class: self.tax_class,
            item: self.inventory_item_id,
            // Of a bundle, the stock of its components decides.
            policy: if is_bundle { Policy::Deny } else { Policy::of(&self.inventory_policy) },
            live: Status::of(&self.status) == Status::Active,
        }
    }
}

#[derive(QueryableByName)]
pub struct CollectionRow {
    #[diesel(sql_type = SqlUuid)]
    id: CollectionId,
    #[diesel(sql_type = Text)]
    handle: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    description_html: String,
    #[diesel(sql_type = Bool)]
    published: bool,
    #[diesel(sql_type = Nullable<Jsonb>)]
    rules: Option<Document<Vec<Rule>>>,
    #[diesel(sql_type = Bool)]
    match_any: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    product_count: i64,
    #[diesel(sql_type = Json)]
    metafields: Document<Vec<MetafieldDoc>>,
}

impl From<CollectionRow> for CollectionView {
    fn from(row: CollectionRow) -> Self {
        Self {
            id: row.id,
            handle: row.handle,
            title: row.title,
            description_html: row.description_html,
            published: row.published,
            rules: row.rules.map(|Document(rules)| CollectionRules {
                matching: if row.match_any { Match::Any } else { Match::All },
                rules,
            }),
            product_count: row.product_count,
            metafields: row.metafields.0.into_iter().map(MetafieldView::from).collect(),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
