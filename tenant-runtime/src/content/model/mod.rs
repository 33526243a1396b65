//! The words of what a shop says.

mod markup;
mod menu;
mod page;
mod policy;
mod translation;

pub use markup::clean;
pub use menu::{
    ItemDoc, LinkKind, MenuItemView, MenuSummary, MenuView, NewMenuItem, PutMenu, ShopMenuView, arranged,
};
pub use page::{CreatePage, EditPage, PageStatus, PageSummary, PageView, Publication, ShopPageView};
pub use policy::{PolicyKind, PolicyVersion, PolicyView, PutPolicy, ShopPolicyView};
pub use translation::{InLocale, NewTranslation, Translation, chosen, translated};

/// Most characters of a text with markup, before it is cleaned.
pub const MOST_MARKUP: usize = 50_000;
