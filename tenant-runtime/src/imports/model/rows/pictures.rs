//! The pictures that rows speak of: a product's, each in a row of its own, and those of variants, beside them.

use std::collections::BTreeMap;

use souk_kernel::LongText;

use super::Table;
use crate::catalog::ImageWish;
use crate::imports::model::columns::Column;
use crate::imports::model::records::Record;

impl Table<'_, '_> {
    /// A picture of the product; the same one in several rows is one, as the first of them says.
    pub(super) fn image(&mut self, record: &Record) {
        let Some(src) = self.cell(record, Column::ImageSrc).filter(|cell| !cell.is_empty()) else { return };
        let alt: LongText<512> = self.text(record, Column::ImageAlt).unwrap_or_default();
        let position = self.parsed::<u16>(record, Column::ImagePosition);
        // Other shops count from 1.
        let position = position.map(|position| position.saturating_sub(1));
        self.picture(record.row, src, |wish| {
            if wish.position.is_none() && wish.alt.as_str().is_empty() {
                (wish.alt, wish.position) = (alt, position);
            }
        });
    }

    /// The picture of a variant. One that several have shows the first of them.
    pub(super) fn variant_image(&mut self, record: &Record, options: &BTreeMap<String, String>) {
        let Some(src) = self.cell(record, Column::VariantImage).filter(|cell| !cell.is_empty()) else {
            return;
        };
        self.picture(record.row, src, |wish| {
            if wish.options.is_empty() {
                wish.options.clone_from(options);
            }
        });
    }

    /// Says something of the one at this address, which is new if no row spoke of it yet.
    fn picture(&mut self, row: u64, src: &str, say: impl FnOnce(&mut ImageWish)) {
        match self.read.wish.images.iter_mut().find(|image| image.src == src) {
            Some(known) => say(known),
            None => {
                let mut fresh = ImageWish { src: src.to_owned(), ..ImageWish::default() };
                say(&mut fresh);
                self.read.wish.images.push(fresh);
                self.read.places.images.push(row);
            }
        }
    }
}
