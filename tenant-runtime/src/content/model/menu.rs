//! Menus: an outline of links. Pure.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{CategoryId, CollectionId, Handle, Locale, MenuId, PageId, ProductId, Text};
use utoipa::ToSchema;
use uuid::Uuid;

use super::translation::distinct;
use super::{PolicyKind, chosen};

/// Most items of a menu.
const MOST: usize = 200;
/// Most levels.
const DEPTH: usize = 3;

/// What an item leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The front page.
    Home,
    Search,
    Product,
    Collection,
    Category,
    Page,
    Policy,
    /// An address of its own.
    Url,
}

/// What an item leads to, to be kept.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "url", "to": "/journal"}))]
pub struct NewLink {
    pub kind: LinkKind,
    /// The id of the product, collection, category or page; `refund`, `privacy`, `terms` or `shipping`; or an address: `https:`, `http:`,
    /// `mailto:`, `tel:`, or a path of the shop. Left out for `home` and `search`.
    #[schema(value_type = Option<String>, example = "/journal")]
    pub to: Option<Text<2000>>,
}

/// What an item is called in another language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"locale": "de", "title": "Tagebuch"}))]
pub struct ItemTitle {
    #[schema(value_type = String, example = "de")]
    pub locale: Locale,
    #[schema(value_type = String, example = "Tagebuch")]
    pub title: Text<255>,
}

/// A line of a menu.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "journal", "title": "Journal", "link": {"kind": "url", "to": "/journal"}}))]
pub struct NewMenuItem {
    /// A name of one's own, by which others are put below it; once in a menu.
    #[schema(value_type = String, example = "journal")]
    pub key: Text<64>,
    /// The key of the one it is below; at the top when left out.
    #[schema(value_type = Option<String>)]
    pub parent: Option<Text<64>>,
    #[schema(value_type = String, example = "Journal")]
    pub title: Text<255>,
    /// At most 30, each language once.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub titles: Vec<ItemTitle>,
    #[serde(deserialize_with = "souk_api::json::object")]
    pub link: NewLink,
}

/// A menu as it shall be. A change sends all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Main menu", "items": [
    {"key": "home", "title": "Home", "link": {"kind": "home"}},
    {"key": "journal", "title": "Journal", "link": {"kind": "url", "to": "/journal"}},
    {"key": "archive", "parent": "journal", "title": "Archive", "link": {"kind": "url", "to": "/journal/archive"}}]}))]
pub struct PutMenu {
    #[schema(value_type = String, example = "Main menu")]
    pub title: Text<255>,
    /// Made of the title when left out, and then stays.
    pub handle: Option<Handle>,
    /// At most 200 on at most 3 levels; those of the same parent in the order in which they are sent.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub items: Vec<NewMenuItem>,
}

/// An item as it is kept, and what its target is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemDoc {
    pub key: String,
    pub parent: Option<String>,
    pub depth: usize,
    pub title: String,
    pub titles: Vec<ItemTitle>,
    pub kind: LinkKind,
    pub target: Option<Uuid>,
    pub address: Option<String>,
    /// The target's; looked up when it is read.
    #[serde(default, skip_serializing)]
    pub handle: Option<String>,
    /// Whether shoppers can go there; looked up when it is read.
    #[serde(default, skip_serializing)]
    pub live: bool,
}

impl ItemDoc {
    fn named(&self, locale: Option<&Locale>) -> String {
        let title = chosen(&self.titles, locale, |title| title.locale.as_str());
        title.map_or_else(|| self.title.clone(), |title| title.title.to_string())
    }
}

/// Its id, its kind's word or its address, of the kind that it must be.
fn target_of(link: &NewLink, at: &str) -> Result<(Option<Uuid>, Option<String>), FieldError> {
    let wrong = |message: &'static str| FieldError::new(format!("{at}/link/to"), "invalid", message);
    let to = link.to.as_ref().map(Text::as_str);
    let id = |found: Option<Uuid>, message| found.map(|id| (Some(id), None)).ok_or_else(|| wrong(message));
    match (link.kind, to) {
        (LinkKind::Home | LinkKind::Search, None) => Ok((None, None)),
        (LinkKind::Home | LinkKind::Search, Some(_)) => Err(wrong("must be left out for this kind")),
        (_, None) => Err(wrong("must be given for this kind")),
        (LinkKind::Product, Some(to)) => {
            id(ProductId::from_str(to).ok().map(ProductId::uuid), "must be the id of a product")
        }
        (LinkKind::Collection, Some(to)) => {
            id(CollectionId::from_str(to).ok().map(CollectionId::uuid), "must be the id of a collection")
        }
        (LinkKind::Category, Some(to)) => {
            id(CategoryId::from_str(to).ok().map(CategoryId::uuid), "must be the id of a category")
        }
        (LinkKind::Page, Some(to)) => {
            id(PageId::from_str(to).ok().map(PageId::uuid), "must be the id of a page")
        }
        (LinkKind::Policy, Some(to)) => match PolicyKind::parse(to) {
            Some(policy) => Ok((None, Some(policy.as_str().to_owned()))),
            None => Err(wrong("must be refund, privacy, terms or shipping")),
        },
        (LinkKind::Url, Some(to)) if is_address(to) => Ok((None, Some(to.to_owned()))),
        (LinkKind::Url, Some(_)) => {
            Err(wrong("must begin with https://, http://, mailto:, tel: or a single /"))
        }
    }
}

fn is_address(text: &str) -> bool {
    let path = text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\");
    let known = ["https://", "http://", "mailto:", "tel:"].iter().any(|start| text.starts_with(start));
    (path || known) && !text.contains(|letter: char| letter.is_whitespace() || letter == '"')
}

/// The way from the top to an item, as places in the request, or what is wrong about its parents.
fn way(items: &[NewMenuItem], places: &HashMap<&str, usize>, place: usize) -> Result<Vec<usize>, FieldError> {
    let refused = |code: &'static str, message: &'static str| {
        Err(FieldError::new(format!("/items/{place}/parent"), code, message))
    };
    let mut way = vec![place];
    let mut parent = items.get(place).and_then(|item| item.parent.as_ref());
    while let Some(key) = parent {
        let Some(above) = places.get(key.as_str()).copied() else {
            return refused("unknown", "must be the key of an item of this menu");
        };
        if way.contains(&above) {
            return refused("circular", "must not be the item itself or one below it");
        }
        way.push(above);
        parent = items.get(above).and_then(|item| item.parent.as_ref());
    }
    if way.len() > DEPTH {
        return refused("too_deep", "must leave the menu at most 3 levels");
    }
    way.reverse();
    Ok(way)
}

/// The items as they are kept: parents before their children, siblings in the order in which they were sent. Whether their targets are there,
/// the database says.
///
/// # Errors
/// Keys that are there twice, parents that are not there, circles, a fourth level, links that lead nowhere: each by its place.
pub fn arranged(items: &[NewMenuItem]) -> Result<Vec<ItemDoc>, Vec<FieldError>> {
    if items.len() > MOST {
        return Err(vec![FieldError::new("/items", "too_many", "must be at most 200")]);
    }
    let (mut places, mut errors) = (HashMap::new(), Vec::new());
    for (place, item) in items.iter().enumerate() {
        if places.insert(item.key.as_str(), place).is_some() {
            errors.push(FieldError::new(format!("/items/{place}/key"), "duplicate", "must be there once"));
        }
    }
    let mut kept = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let at = format!("/items/{place}");
        if let Err(wrong) = distinct(&format!("{at}/titles"), item.titles.iter().map(|title| &title.locale)) {
            errors.extend(wrong);
        }
        match (way(items, &places, place), target_of(&item.link, &at)) {
            (Ok(way), Ok((target, address))) => {
                let doc = ItemDoc {
                    key: item.key.to_string(),
                    parent: item.parent.as_ref().map(ToString::to_string),
                    depth: way.len() - 1,
                    title: item.title.to_string(),
                    titles: item.titles.clone(),
                    kind: item.link.kind,
                    target,
                    address,
                    handle: None,
                    live: true,
                };
                kept.push((way, doc));
            }
            (way, target) => errors.extend(way.err().into_iter().chain(target.err())),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    kept.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(kept.into_iter().map(|(_, doc)| doc).collect())
}

/// A menu in a list.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct MenuSummary {
    #[diesel(sql_type = SqlUuid)]
    pub id: MenuId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "main-menu")]
    pub handle: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Main menu")]
    pub title: String,
    #[diesel(sql_type = Integer)]
    #[schema(example = 3)]
    pub item_count: i32,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// A line of a menu, for those who run the store.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MenuItemView {
    pub key: String,
    pub parent: Option<String>,
    /// Levels above it.
    #[schema(example = 0)]
    pub depth: usize,
    #[schema(example = "Journal")]
    pub title: String,
    pub titles: Vec<ItemTitle>,
    pub link: LinkView,
    /// Whether shoppers see it: what it leads to is there and for them.
    pub shown: bool,
}

/// What an item leads to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LinkView {
    pub kind: LinkKind,
    /// As it was written.
    #[schema(example = "/journal")]
    pub to: Option<String>,
    /// Of the product, collection, category or page, today; null where it is gone.
    pub handle: Option<String>,
}

/// A menu, whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MenuView {
    pub id: MenuId,
    #[schema(example = "main-menu")]
    pub handle: String,
    #[schema(example = "Main menu")]
    pub title: String,
    /// Parents before their children.
    pub items: Vec<MenuItemView>,
    /// Grows with every change; the ETag.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl MenuItemView {
    /// The item as it is kept.
    pub fn of(doc: ItemDoc) -> Self {
        let id = |text: fn(Uuid) -> String| doc.target.map(text);
        let to = match doc.kind {
            LinkKind::Home | LinkKind::Search => None,
            LinkKind::Product => id(|uuid| ProductId::from_uuid(uuid).to_string()),
            LinkKind::Collection => id(|uuid| CollectionId::from_uuid(uuid).to_string()),
            LinkKind::Category => id(|uuid| CategoryId::from_uuid(uuid).to_string()),
            LinkKind::Page => id(|uuid| PageId::from_uuid(uuid).to_string()),
            LinkKind::Policy | LinkKind::Url => doc.address.clone(),
        };
        Self {
            key: doc.key,
            parent: doc.parent,
            depth: doc.depth,
            title: doc.title,
            titles: doc.titles,
            link: LinkView { kind: doc.kind, to, handle: doc.handle },
            shown: doc.live,
        }
    }
}

/// A line of a menu, for shoppers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShopMenuItem {
    pub key: String,
    pub parent: Option<String>,
    /// Levels above it.
    #[schema(example = 0)]
    pub depth: usize,
    /// In the language asked for, as far as it is known.
    #[schema(example = "Journal")]
    pub title: String,
    pub kind: LinkKind,
    /// Of the product, collection, category or page, today; the policy's kind.
    pub handle: Option<String>,
    /// For `url`.
    #[schema(example = "/journal")]
    pub url: Option<String>,
}

/// A menu, for shoppers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShopMenuView {
    #[schema(example = "main-menu")]
    pub handle: String,
    #[schema(example = "Main menu")]
    pub title: String,
    /// Parents before their children. What leads to something that is not for shoppers is left out, with all below it.
    pub items: Vec<ShopMenuItem>,
}

impl ShopMenuView {
    /// What shoppers see of it, in a language as far as it is known.
    pub fn of(handle: String, title: String, items: Vec<ItemDoc>, locale: Option<&Locale>) -> Self {
        let mut hidden: HashSet<String> = HashSet::new();
        let mut shown = Vec::with_capacity(items.len());
        for item in items {
            if !item.live || item.parent.as_ref().is_some_and(|parent| hidden.contains(parent)) {
                hidden.insert(item.key);
                continue;
            }
            let title = item.named(locale);
            let (handle, url) = match item.kind {
                LinkKind::Url => (None, item.address),
                LinkKind::Policy => (item.address, None),
                LinkKind::Home
                | LinkKind::Search
                | LinkKind::Product
                | LinkKind::Collection
                | LinkKind::Category
                | LinkKind::Page => (item.handle, None),
            };
            let (key, parent, depth, kind) = (item.key, item.parent, item.depth, item.kind);
            shown.push(ShopMenuItem { key, parent, depth, title, kind, handle, url });
        }
        Self { handle, title, items: shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str, parent: Option<&str>, kind: LinkKind, to: Option<&str>) -> NewMenuItem {
        NewMenuItem {
            key: Text::parse(key).unwrap(),
            parent: parent.map(|parent| Text::parse(parent).unwrap()),
            title: Text::parse(key).unwrap(),
            titles: Vec::new(),
            link: NewLink { kind, to: to.map(|to| Text::parse(to).unwrap()) },
        }
    }

    fn home(key: &str, parent: Option<&str>) -> NewMenuItem {
        item(key, parent, LinkKind::Home, None)
    }

    fn pointers(items: &[NewMenuItem]) -> Vec<(String, String)> {
        let errors = arranged(items).unwrap_err();
        errors.iter().map(|error| (error.pointer.to_string(), error.code.to_string())).collect()
    }

    #[test]
    fn parents_come_first_whatever_the_order() {
        let items = [home("b", Some("a")), home("x", None), home("c", Some("b")), home("a", None)];
        let kept = arranged(&items).unwrap();
        let seen: Vec<_> = kept.iter().map(|doc| (doc.key.as_str(), doc.depth)).collect();
        assert_eq!(seen, [("x", 0), ("a", 0), ("b", 1), ("c", 2)]);
    }

    #[test]
    fn circles_deep_trees_and_strange_parents_are_refused_where_they_stand() {
        let circle = [home("a", Some("b")), home("b", Some("a"))];
        let circular = |place| (format!("/items/{place}/parent"), "circular".to_owned());
        assert_eq!(pointers(&circle), [circular(0), circular(1)]);
        assert_eq!(pointers(&[home("a", Some("a"))]), [circular(0)]);
        let deep = [home("a", None), home("b", Some("a")), home("c", Some("b")), home("d", Some("c"))];
        assert_eq!(pointers(&deep), [("/items/3/parent".to_owned(), "too_deep".to_owned())]);
        let lost = [home("a", Some("z")), home("a", None)];
        assert_eq!(
            pointers(&lost),
            [
                ("/items/1/key".to_owned(), "duplicate".to_owned()),
                ("/items/0/parent".to_owned(), "unknown".to_owned())
            ]
        );
    }

    #[test]
    fn links_lead_somewhere() {
        let leads = |kind, to: Option<&str>| arranged(&[item("a", None, kind, to)]).is_ok();
        let product = ProductId::new().to_string();
        assert!(leads(LinkKind::Product, Some(&product)) && leads(LinkKind::Policy, Some("refund")));
        assert!(!leads(LinkKind::Page, Some(&product)) && !leads(LinkKind::Product, None));
        assert!(!leads(LinkKind::Home, Some("/")) && !leads(LinkKind::Policy, Some("cookies")));
        for fine in ["https://a.example/x", "/journal", "mailto:a@b.example", "tel:+4930123"] {
            assert!(leads(LinkKind::Url, Some(fine)), "{fine}");
        }
        for wrong in ["javascript:alert(1)", "//evil.example", "/\\evil.example", "journal", "https://a b"] {
            assert!(!leads(LinkKind::Url, Some(wrong)), "{wrong}");
        }
    }

    #[test]
    fn what_is_below_something_hidden_is_hidden() {
        let items = [home("a", None), home("b", Some("a")), home("c", Some("b")), home("d", None)];
        let mut kept = arranged(&items).unwrap();
        kept[0].live = false;
        let seen = ShopMenuView::of("m".into(), "M".into(), kept, None);
        assert_eq!(seen.items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["d"]);
    }
}
