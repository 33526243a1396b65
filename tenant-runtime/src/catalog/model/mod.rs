//! The words of the catalogue: what is asked for, what is shown, and the rules between.

mod belongings;
mod bundle;
mod draft;
pub mod form;
mod html;
mod list_change;
mod metafields;
mod past;
mod picture;
mod pricing;
mod repricing;
mod request;
mod rules;
mod search;
mod shelf;
mod tree;
mod view;
mod viewer;
mod wish;

pub use belongings::{Bundle, Definitions, PartWish, PublicationWish};
pub use bundle::{
    Candidate, Component, ComponentView, NewComponent, SetComponents, check_components, made_of,
};
pub use draft::{Draft, DraftVariant, check_collection, check_edit, check_price, one_more, sku_of, tags_of};
pub use html::reduced;
pub use list_change::{Listed, PriceListChange, PriceListTerms};
pub use metafields::{
    CUSTOM, CreateDefinition, DefinitionFilter, DefinitionView, EditDefinition, Fitting,
    MOST as MOST_DEFINITIONS, MetafieldKind, MetafieldLimits, MetafieldOwner, MetafieldView, SetMetafield,
    SetMetafields, fitting,
};
pub use past::{BaseSince, ListedSince, Past, Spell};
pub use picture::{
    FetchFilter, FetchImage, FetchState, ImageFetchView, ImageView, ImageWish, MOST_IMAGES, WantedSize,
    image_url,
};
pub use pricing::{
    ListPrice, Looker, Offer, PriceExplained, PriceListKind, PriceListView, PriceQuestion, PutPriceList,
    SetListPrices, price_of,
};
pub use repricing::{AdjustPrices, BasePrice, PriceChange, PricesAdjusted, PricesOf};
pub use request::{
    ArrangeCollection, CollectionFilter, CreateBatch, CreateCollection, CreateProduct, EditCollection,
    EditImage, EditProduct, EditVariant, Explain, ImageWords, NewOption, NewVariant, ProductFilter,
    ProductRef, SetPrice, ShopFilter, Sort, Status,
};
pub use rules::{CollectionRules, Match, Rule};
pub use search::{
    Facet, Facets, SearchHit, SearchQuery, SearchResult, Suggestion, SuggestionQuery, Suggestions,
};
pub use shelf::{PricesQuestion, PricesView, VariantPrice, steps_of};
pub use tree::{CategoryName, CategoryRow, CategoryView, CreateCategory, EditCategory, Tree};
pub use view::{
    AvailabilityView, BatchResult, BatchView, Chosen, CollectionView, OptionView, ProductView, Sellable,
    SummaryView, ValueView, VariantView, availability, summary_price,
};
pub use viewer::Viewer;
pub use wish::{Change, Plan, ProductWish, Put, PutBy, VariantWish};
