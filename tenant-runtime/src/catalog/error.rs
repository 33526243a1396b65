//! How working with the catalogue fails.

use souk_api::problem::{NOT_FOUND, VALIDATION};
use souk_api::{FieldError, Problem, problems};
use souk_tenancy::{DbError, TenancyError};

use crate::inventory::InventoryError;
use crate::media::MediaError;

problems! { CATALOGUE;
    HANDLE_TAKEN = 409, "handle_taken", "Something else has this handle", "Choose another handle, or leave it out to get one made of the title.";
    SKU_TAKEN = 409, "sku_taken", "Another variant has this SKU", "A SKU names one variant of the store; choose another.";
    VARIANT_EXISTS = 409, "variant_exists", "The product has this combination of options already", "Change that variant, or choose other values.";
    PRICE_LIST_TAKEN = 409, "price_list_name_taken", "Another price list has this name", "Choose another name.";
    PRODUCT_QUOTA = 409, "product_quota_reached", "The plan allows no more products", "Delete products, or ask an owner for a larger plan: PATCH /v1/stores/{store} at the control plane.";
    LAST_VARIANT = 409, "last_variant", "A product keeps one variant", "Delete the product, or archive it.";
    COLLECTION_BY_RULES = 409, "collection_by_rules", "Its rules say what is in this collection", "Change its rules, or change the product so that it meets them: PATCH /admin/v1/collections/{id}.";
    COLLECTION_BY_HAND = 409, "collection_by_hand", "People pick what is in this collection", "Make another collection with rules, and give it this one's handle.";
    CATEGORY_HAS_CHILDREN = 409, "category_has_children", "There are categories below this one", "Move or delete those first.";
    PART_OF_BUNDLE = 409, "part_of_bundle", "A bundle is made of this", "Take it out of the bundle first: PUT /admin/v1/variants/{variant}/components of the bundle.";
    METAFIELD_DEFINED = 409, "metafield_defined", "There is a definition of this key", "Change that definition, or choose another key or namespace.";
    TOO_MANY_IMAGES = 409, "too_many_images", "A product has at most 250 pictures", "Delete pictures of it: DELETE /admin/v1/products/{product}/images/{image}.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is no such product, variant, picture, collection or category.
    #[error("there is no such thing")]
    Unknown,
    /// The request breaks rules.
    #[error("the request breaks a rule")]
    Invalid(Vec<FieldError>),
    /// A handle is in use.
    #[error("the handle is taken")]
    HandleTaken,
    /// A SKU is in use.
    #[error("the SKU is taken")]
    SkuTaken,
    /// The product has such a variant.
    #[error("the variant exists")]
    VariantExists,
    /// The plan allows so many, and there are as many.
    #[error("at most {0} products")]
    Quota(u32),
    /// A product without variants cannot be.
    #[error("it is the last variant")]
    LastVariant,
    /// Nobody picks what rules say.
    #[error("the collection has rules")]
    ByRules,
    /// A collection that people fill gets no rules.
    #[error("the collection has no rules")]
    ByHand,
    /// Other categories are below it.
    #[error("the category has children")]
    HasChildren,
    /// A bundle is made of the variant.
    #[error("a bundle is made of it")]
    PartOfBundle,
    /// A metafield of this key is defined.
    #[error("the metafield is defined")]
    Defined,
    /// A price list's name is in use.
    #[error("the name is taken")]
    ListNameTaken,
    /// A request names a variant, a market or a group there is not.
    #[error("{0} is unknown")]
    Foreign(&'static str),
    /// A price that cannot be counted.
    #[error(transparent)]
    Money(#[from] souk_kernel::MoneyError),
    /// The product has as many as it may.
    #[error("too many pictures")]
    TooManyImages,
    /// The file was refused, or could not be kept.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The caller saw an earlier version.
    #[error("the precondition failed")]
    Precondition(Problem),
    /// The stock refused.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for CatalogError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unique { constraint } => match constraint.as_str() {
                "products_handle_key" | "collections_handle_key" | "categories_handle_key" => {
                    Self::HandleTaken
                }
                "metafield_definitions_owner_namespace_key_key" => Self::Defined,
                "price_lists_name_key" => Self::ListNameTaken,
                "product_variants_sku_key" => Self::SkuTaken,
                "product_variants_product_id_options_key" => Self::VariantExists,
                _ => Self::Db(error),
            },
            DbError::Foreign { constraint } => match constraint.as_str() {
                "price_lists_market_id_fkey" => Self::Foreign("/market"),
                "price_list_groups_group_id_fkey" => Self::Foreign("/customer_groups"),
                "metafields_definition_id_fkey" => Self::Foreign("/metafields"),
                "products_category_id_fkey" => Self::Foreign("/category"),
                "products_shipping_profile_id_fkey" => Self::Foreign("/shipping_profile"),
                "price_list_prices_variant_id_fkey" => Self::Foreign("/prices"),
                "bundle_components_component_id_fkey" => Self::PartOfBundle,
                _ => Self::Db(error),
            },
            _ => Self::Db(error),
        }
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Unknown => Self::new(&NOT_FOUND),
            CatalogError::Invalid(errors) => errors.into_iter().fold(Self::new(&VALIDATION), Self::error),
            CatalogError::HandleTaken => Self::new(&HANDLE_TAKEN).field("/handle", "taken", "must be free"),
            CatalogError::SkuTaken => Self::new(&SKU_TAKEN),
            CatalogError::VariantExists => Self::new(&VARIANT_EXISTS),
            CatalogError::Quota(limit) => Self::new(&PRODUCT_QUOTA)
                .detail(format!("the store's plan allows {limit} products"))
                .extension("limit", limit),
            CatalogError::LastVariant => Self::new(&LAST_VARIANT),
            CatalogError::PartOfBundle => Self::new(&PART_OF_BUNDLE),
            CatalogError::Defined => Self::new(&METAFIELD_DEFINED).field("/key", "taken", "must be free"),
            CatalogError::ByRules => Self::new(&COLLECTION_BY_RULES),
            CatalogError::ByHand => Self::new(&COLLECTION_BY_HAND),
            CatalogError::HasChildren => Self::new(&CATEGORY_HAS_CHILDREN),
            CatalogError::ListNameTaken => {
                Self::new(&PRICE_LIST_TAKEN).field("/name", "taken", "must be another name")
            }
            CatalogError::Foreign(pointer) => {
                Self::new(&VALIDATION).field(pointer, "unknown", "must be one of this store")
            }
            CatalogError::Money(error) => {
                Self::new(&VALIDATION).field("/price", "out_of_range", "must be less").source(error)
            }
            CatalogError::TooManyImages => Self::new(&TOO_MANY_IMAGES),
            CatalogError::Media(error) => error.into(),
            CatalogError::Precondition(problem) => problem,
            CatalogError::Inventory(error) => error.into(),
            CatalogError::Db(error) => souk_access::database_problem(error.into()),
            CatalogError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
