//! What a row says of its variant.

use std::collections::BTreeMap;

use souk_kernel::{Money, Text};

use super::{Level, Table};
use crate::catalog::{MetafieldOwner, VariantWish};
use crate::imports::model::cells::{truth_in, whole};
use crate::imports::model::columns::Column;
use crate::imports::model::records::Record;
use crate::inventory::Policy;

impl Table<'_, '_> {
    pub(super) fn variant(&mut self, record: &Record) -> VariantWish {
        let mut options = BTreeMap::new();
        for (number, option) in self.read.places.options.iter().enumerate() {
            let value = self.header.cell(record, Column::OptionValue(number));
            if let Some(Ok(value)) = value.filter(|value| !value.is_empty()).map(Text::<128>::parse) {
                options.insert(option.clone(), value.into_string());
            }
        }
        let price = self.amount(record, Column::Price);
        VariantWish {
            options,
            price,
            compare_at: self.compare_at(record, price),
            sku: self.given(record, Column::Sku),
            barcode: self.given(record, Column::Barcode),
            stock: self.pieces(record),
            weight_grams: self.grams(record),
            requires_shipping: self.truth(record, Column::RequiresShipping),
            taxable: self.truth(record, Column::Taxable),
            tax_class: self.given(record, Column::TaxClass),
            inventory_policy: self.policy(record),
            components: self.parts(record),
            metafields: self.metafields(record, MetafieldOwner::Variant),
        }
    }

    fn amount(&mut self, record: &Record, column: Column) -> Option<Money> {
        let cell = self.cell(record, column).filter(|cell| !cell.is_empty())?;
        match Money::from_decimal(cell, self.currency) {
            Ok(amount) => Some(amount),
            Err(refusal) => {
                self.complain(Level::Error, record.row, column, "invalid", refusal.to_string());
                None
            }
        }
    }

    /// A former price that is not higher means none, in other shops.
    fn compare_at(&mut self, record: &Record, price: Option<Money>) -> Option<Option<Money>> {
        self.cell(record, Column::CompareAt)?;
        let former = self.amount(record, Column::CompareAt).filter(|former| !former.is_zero());
        let lower = former.zip(price).is_some_and(|(former, price)| former.minor() <= price.minor());
        if lower {
            let message = "is not more than the price and is left out";
            self.complain(Level::Warning, record.row, Column::CompareAt, "left_out", message);
        }
        Some(former.filter(|_| !lower))
    }

    fn pieces(&mut self, record: &Record) -> Option<i64> {
        let cell = self.cell(record, Column::Quantity).filter(|cell| !cell.is_empty())?;
        match whole(cell, false) {
            Some(pieces) if pieces < 0 => {
                let message = "is below zero, of which there is nothing on hand: 0";
                self.complain(Level::Warning, record.row, Column::Quantity, "changed", message);
                Some(0)
            }
            Some(pieces) => Some(pieces),
            None => {
                self.complain(
                    Level::Error,
                    record.row,
                    Column::Quantity,
                    "invalid",
                    "must be a whole number",
                );
                None
            }
        }
    }

    fn grams(&mut self, record: &Record) -> Option<i64> {
        let cell = self.cell(record, Column::Grams).filter(|cell| !cell.is_empty())?;
        let grams = whole(cell, true);
        if grams.is_none() {
            self.complain(Level::Error, record.row, Column::Grams, "invalid", "must be a number of grams");
        }
        grams
    }

    fn truth(&mut self, record: &Record, column: Column) -> Option<bool> {
        let cell = self.cell(record, column).filter(|cell| !cell.is_empty())?;
        let is = truth_in(cell);
        if is.is_none() {
            self.complain(Level::Error, record.row, column, "invalid", "must be TRUE or FALSE");
        }
        is
    }

    /// What is not tracked is sold whatever the stock.
    fn policy(&mut self, record: &Record) -> Option<Policy> {
        if self.cell(record, Column::Tracker) == Some("") {
            return Some(Policy::Continue);
        }
        let cell = self.cell(record, Column::Policy).filter(|cell| !cell.is_empty())?;
        match cell.to_ascii_lowercase().as_str() {
            "deny" | "false" => Some(Policy::Deny),
            "continue" | "true" => Some(Policy::Continue),
            _ => {
                self.complain(
                    Level::Error,
                    record.row,
                    Column::Policy,
                    "invalid",
                    "must be deny or continue",
                );
                None
            }
        }
    }
}
