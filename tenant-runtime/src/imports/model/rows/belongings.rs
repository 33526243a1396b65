//! What a row says of metafields, of the category, and of what a bundle is made of.

use souk_kernel::CategoryId;

use super::{Level, Table};
use crate::catalog::{MetafieldOwner, PartWish, SetMetafield};
use crate::imports::model::cells::{parts_in, value_in};
use crate::imports::model::columns::Column;
use crate::imports::model::records::Record;

impl Table<'_, '_> {
    /// Whether a column of variants' metafields says something.
    pub(super) fn says_of_variant(&self, record: &Record) -> bool {
        let fields = self.ground.fields(MetafieldOwner::Variant).map(|field| field.place);
        let undefined = self.ground.undefined.iter().filter(|(owner, _)| *owner == MetafieldOwner::Variant);
        let mut places = fields.chain(undefined.map(|(_, place)| *place));
        places.any(|place| !self.header.raw(record, place).trim().is_empty())
    }

    /// Every metafield that the file has a column of, in their order; null where the cell is empty.
    pub(super) fn metafields(&mut self, record: &Record, owner: MetafieldOwner) -> Vec<SetMetafield> {
        for (_, place) in self.ground.undefined.iter().filter(|(of, _)| *of == owner) {
            if !self.header.raw(record, *place).trim().is_empty() {
                let message = "is not defined and is left out: POST /admin/v1/metafield-definitions";
                self.complain_at(Level::Warning, record.row, *place, "left_out", message);
            }
        }
        let mut values = Vec::new();
        for field in self.ground.fields(owner) {
            match value_in(field.kind, field.list, self.header.raw(record, field.place)) {
                Ok(value) => values.push(SetMetafield {
                    namespace: Some(field.namespace.clone()),
                    key: field.key.clone(),
                    value,
                }),
                Err(message) => {
                    self.complain_at(Level::Error, record.row, field.place, "invalid", message);
                }
            }
        }
        values
    }

    /// Other shops have other trees: what is in none of ours is left out.
    pub(super) fn category(&mut self, record: &Record) -> Option<Option<CategoryId>> {
        let cell = self.cell(record, Column::Category)?;
        if cell.is_empty() {
            return Some(None);
        }
        let found = self.ground.category(cell);
        if found.is_none() {
            let message = "is no category of this store, by its handle or its path, and is left out";
            self.complain(Level::Warning, record.row, Column::Category, "left_out", message);
        }
        found.map(Some)
    }

    /// What a variant is made of; an empty cell: of nothing else.
    pub(super) fn parts(&mut self, record: &Record) -> Option<Vec<PartWish>> {
        let parts = parts_in(self.cell(record, Column::Components)?);
        if parts.is_none() {
            let message = "must be quantities and SKUs, such as: 2 MUG-BLUE, 1 PLATE";
            self.complain(Level::Error, record.row, Column::Components, "invalid", message);
        }
        parts
    }
}
