//! The tree of categories: what it looks like, and what may be done to it. Pure.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{CategoryId, Handle, Text};
use utoipa::ToSchema;

use super::request::given;
use crate::catalog::error::CatalogError;

/// Most levels.
pub const DEPTH: usize = 8;
/// Most categories of a store: the tree is read whole.
pub const MOST: usize = 2000;

/// A category as it is kept, in the order of the tree: parents before their children, siblings in their order.
#[derive(Clone, Debug, QueryableByName)]
pub struct CategoryRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: CategoryId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub parent_id: Option<CategoryId>,
    #[diesel(sql_type = SqlText)]
    pub handle: String,
    #[diesel(sql_type = SqlText)]
    pub title: String,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
    /// Products right in it.
    #[diesel(sql_type = BigInt)]
    pub products: i64,
}

/// A category as people write it down.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct CategoryName {
    #[diesel(sql_type = SqlUuid)]
    pub id: CategoryId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub parent_id: Option<CategoryId>,
    #[diesel(sql_type = SqlText)]
    pub handle: String,
    #[diesel(sql_type = SqlText)]
    pub title: String,
}

/// A place in the tree where products belong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CategoryView {
    pub id: CategoryId,
    #[schema(example = "mugs")]
    pub handle: String,
    #[schema(example = "Mugs")]
    pub title: String,
    /// Null at the top.
    pub parent: Option<CategoryId>,
    /// From the top down to its parent.
    pub path: Vec<CategoryStep>,
    /// Among those of the same parent, from 0.
    #[schema(example = 0)]
    pub position: usize,
    /// Products in it and below it; for shoppers, those for sale.
    #[schema(example = 12)]
    pub product_count: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A category on the way to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CategoryStep {
    pub id: CategoryId,
    #[schema(example = "kitchen")]
    pub handle: String,
    #[schema(example = "Kitchen")]
    pub title: String,
}

/// A new category.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Mugs"}))]
pub struct CreateCategory {
    #[schema(value_type = String, example = "Mugs")]
    pub title: Text<255>,
    /// Made of the title when left out.
    pub handle: Option<Handle>,
    /// At the top when left out. There are at most 8 levels.
    pub parent: Option<CategoryId>,
    /// Among those of the same parent, from 0; the end when left out, and beyond it.
    #[schema(example = 0)]
    pub position: Option<u32>,
}

/// What is left out stays. With another `parent`, everything below it comes along.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Mugs and cups"}))]
pub struct EditCategory {
    #[schema(value_type = Option<String>)]
    pub title: Option<Text<255>>,
    pub handle: Option<Handle>,
    /// Null moves it to the top.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<CategoryId>)]
    pub parent: Option<Option<CategoryId>>,
    /// Among those of the same parent, from 0; beyond the end is the end. Under a new parent: the end when left out.
    #[schema(example = 0)]
    pub position: Option<u32>,
}

/// All categories of a store.
pub struct Tree {
    rows: Vec<CategoryRow>,
    places: HashMap<CategoryId, usize>,
}

impl Tree {
    /// Of rows in the order of the tree.
    pub fn new(rows: Vec<CategoryRow>) -> Self {
        let places = rows.iter().enumerate().map(|(place, row)| (row.id, place)).collect();
        Self { rows, places }
    }

    fn get(&self, id: CategoryId) -> Option<&CategoryRow> {
        self.places.get(&id).and_then(|place| self.rows.get(*place))
    }

    /// A category and everything above it, the top last.
    fn upwards(&self, id: Option<CategoryId>) -> impl Iterator<Item = &CategoryRow> {
        let above = move |row: &&CategoryRow| row.parent_id.and_then(|id| self.get(id));
        // The rows cannot go round; if they did, this would end all the same.
        std::iter::successors(id.and_then(|id| self.get(id)), above).take(self.rows.len())
    }

    /// Levels below a category, itself included; 0 for one that there is not.
    fn height(&self, id: CategoryId) -> usize {
        let depth = |row: &CategoryRow| {
            self.upwards(Some(row.id)).position(|above| above.id == id).map(|steps| steps + 1)
        };
        self.rows.iter().filter_map(depth).max().unwrap_or_default()
    }

    /// Those of one parent, in their order.
    fn children(&self, parent: Option<CategoryId>) -> Vec<CategoryId> {
        self.rows.iter().filter(|row| row.parent_id == parent).map(|row| row.id).collect()
    }

    /// Whether another category may be made.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= MOST
    }

    /// Whether anything is below a category.
    pub fn has_children(&self, id: CategoryId) -> bool {
        self.rows.iter().any(|row| row.parent_id == Some(id))
    }

    /// A category to change.
    pub fn row(&self, id: CategoryId) -> Option<CategoryRow> {
        self.get(id).cloned()
    }

    /// Who is below `parent`, in order, once `id` is there at this place: what there is of it moves along.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`]: no such parent, a circle, or too many levels.
    pub fn placed(
        &self,
        id: CategoryId,
        parent: Option<CategoryId>,
        position: Option<u32>,
    ) -> Result<Vec<CategoryId>, CatalogError> {
        let refused =
            |code, message| Err(CatalogError::Invalid(vec![FieldError::new("/parent", code, message)]));
        if parent.is_some_and(|parent| self.get(parent).is_none()) {
            return refused("unknown", "must be a category of this store");
        }
        if self.upwards(parent).any(|above| above.id == id) {
            return refused("circular", "must not be the category itself or one below it");
        }
        if self.upwards(parent).count() + self.height(id).max(1) > DEPTH {
            return refused("too_deep", "must leave the tree at most 8 levels");
        }
        let mut order = self.children(parent);
        let before = order.iter().position(|known| *known == id);
        order.retain(|known| *known != id);
        let wanted = match (position, before) {
            (Some(position), _) => usize::try_from(position).unwrap_or(usize::MAX),
            (None, Some(before)) => before,
            (None, None) => usize::MAX,
        };
        order.insert(wanted.min(order.len()), id);
        Ok(order)
    }

    /// As people see it.
    pub fn views(&self) -> Vec<CategoryView> {
        let mut counts: HashMap<CategoryId, i64> = HashMap::new();
        for row in &self.rows {
            for above in self.upwards(Some(row.id)) {
                *counts.entry(above.id).or_default() += row.products;
            }
        }
        let mut places: HashMap<Option<CategoryId>, usize> = HashMap::new();
        let view = |row: &CategoryRow| {
            let step = |row: &CategoryRow| CategoryStep {
                id: row.id,
                handle: row.handle.clone(),
                title: row.title.clone(),
            };
            let mut path: Vec<CategoryStep> = self.upwards(row.parent_id).map(step).collect();
            path.reverse();
            let place = places.entry(row.parent_id).or_default();
            let position = *place;
            *place += 1;
            CategoryView {
                id: row.id,
                handle: row.handle.clone(),
                title: row.title.clone(),
                parent: row.parent_id,
                path,
                position,
                product_count: counts.get(&row.id).copied().unwrap_or_default(),
                version: row.version,
                created_at: row.created_at,
                updated_at: row.updated_at,
            }
        };
        self.rows.iter().map(view).collect()
    }
}
