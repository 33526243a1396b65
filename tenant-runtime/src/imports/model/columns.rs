//! The columns of a table of products, and what cells may not be for a spreadsheet.

use std::borrow::Cow;

use super::records::Record;
use super::{FileFault, MatchBy};
use crate::catalog::MetafieldOwner;

/// A column that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Handle,
    Title,
    Body,
    Vendor,
    Type,
    Tags,
    Published,
    Status,
    OptionName(usize),
    OptionValue(usize),
    Sku,
    Grams,
    Tracker,
    Quantity,
    Policy,
    Price,
    CompareAt,
    RequiresShipping,
    Taxable,
    TaxClass,
    Barcode,
    SeoTitle,
    SeoDescription,
    ImageSrc,
    ImagePosition,
    ImageAlt,
    VariantImage,
    Category,
    ProductTaxClass,
    Components,
}

/// A column that a store's own making gives a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// `product.metafields.custom.maker` or `variant.metafields.…`; also in brackets behind its name.
    Metafield { owner: MetafieldOwner, namespace: String, key: String },
    /// `Published / Stall`: whether it is sold on that sales channel.
    Channel(String),
}

/// What a column of a sales channel begins with.
const CHANNEL: &str = "Published / ";
/// What columns of metafields begin with.
const FIELDS: [(&str, MetafieldOwner); 2] =
    [("product.metafields.", MetafieldOwner::Product), ("variant.metafields.", MetafieldOwner::Variant)];

impl Own {
    /// As we write it.
    pub fn name(&self) -> String {
        match self {
            Self::Channel(name) => format!("{CHANNEL}{name}"),
            Self::Metafield { owner, namespace, key } => {
                format!("{}.metafields.{namespace}.{key}", owner.as_str())
            }
        }
    }

    fn of(name: &str) -> Option<Self> {
        if let Some(channel) = name.strip_prefix(CHANNEL) {
            return Some(Self::Channel(channel.to_owned()));
        }
        let bracketed = name.strip_suffix(')').and_then(|name| name.rsplit_once('('));
        let path = bracketed.map_or(name, |(_, path)| path);
        let found = |(prefix, owner): &(&str, MetafieldOwner)| Some((*owner, path.strip_prefix(prefix)?));
        let (owner, path) = FIELDS.iter().find_map(found)?;
        let (namespace, key) = path.split_once('.')?;
        Some(Self::Metafield { owner, namespace: namespace.to_owned(), key: key.to_owned() })
    }
}

/// Most characters of a column's name: that of a metafield may stand behind what people call it.
const NAME: usize = 512;

/// What each is called: as we write it, and by what other names it is read, capitals aside.
const NAMES: [(Column, &[&str]); 34] = [
    (Column::Handle, &["Handle", "URL handle"]),
    (Column::Title, &["Title"]),
    (Column::Body, &["Body (HTML)", "Body HTML", "Description"]),
    (Column::Vendor, &["Vendor"]),
    (Column::Type, &["Type"]),
    (Column::Tags, &["Tags"]),
    (Column::Published, &["Published", "Published on online store"]),
    (Column::OptionName(0), &["Option1 Name"]),
    (Column::OptionValue(0), &["Option1 Value"]),
    (Column::OptionName(1), &["Option2 Name"]),
    (Column::OptionValue(1), &["Option2 Value"]),
    (Column::OptionName(2), &["Option3 Name"]),
    (Column::OptionValue(2), &["Option3 Value"]),
    (Column::Sku, &["Variant SKU", "SKU"]),
    (Column::Grams, &["Variant Grams", "Weight value (grams)"]),
    (Column::Tracker, &["Variant Inventory Tracker", "Inventory tracker"]),
    (Column::Quantity, &["Variant Inventory Qty", "Inventory quantity"]),
    (Column::Policy, &["Variant Inventory Policy", "Continue selling when out of stock"]),
    (Column::Price, &["Variant Price", "Price"]),
    (Column::CompareAt, &["Variant Compare At Price", "Compare-at price"]),
    (Column::RequiresShipping, &["Variant Requires Shipping", "Requires shipping"]),
    (Column::Taxable, &["Variant Taxable", "Charge tax"]),
    (Column::TaxClass, &["Variant Tax Code", "Tax code"]),
    (Column::Barcode, &["Variant Barcode", "Barcode"]),
    (Column::SeoTitle, &["SEO Title"]),
    (Column::SeoDescription, &["SEO Description"]),
    (Column::Status, &["Status"]),
    (Column::ImageSrc, &["Image Src", "Product image URL"]),
    (Column::ImagePosition, &["Image Position"]),
    (Column::ImageAlt, &["Image Alt Text"]),
    (Column::VariantImage, &["Variant Image", "Variant image URL"]),
    (Column::Category, &["Product Category"]),
    (Column::ProductTaxClass, &["Product Tax Code"]),
    (Column::Components, &["Variant Components"]),
];

/// The columns that say something about a variant.
pub const OF_VARIANTS: [Column; 15] = [
    Column::OptionValue(0),
    Column::OptionValue(1),
    Column::OptionValue(2),
    Column::Sku,
    Column::Price,
    Column::CompareAt,
    Column::Grams,
    Column::Quantity,
    Column::Barcode,
    Column::Policy,
    Column::Tracker,
    Column::RequiresShipping,
    Column::Taxable,
    Column::TaxClass,
    Column::Components,
];

impl Column {
    /// As we write it.
    pub fn name(self) -> &'static str {
        let names = NAMES.iter().find(|(column, _)| *column == self).map(|(_, names)| *names);
        names.and_then(|names| names.first()).copied().unwrap_or_default()
    }

    fn of(name: &str) -> Option<Self> {
        let named =
            |(_, names): &&(Self, &[&str])| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        NAMES.iter().find(named).map(|(column, _)| *column)
    }
}

/// Which column is where.
#[derive(Clone, Debug)]
pub struct Header {
    /// As the file has them.
    pub names: Vec<String>,
    places: Vec<(Column, usize)>,
    /// Columns of the store's own, in their order.
    pub own: Vec<(Own, usize)>,
    /// Names of columns that mean nothing here.
    pub ignored: Vec<String>,
}

impl Header {
    /// Reads the first row.
    ///
    /// # Errors
    /// No column we know, one twice, or not the one that products are found by.
    pub fn of(names: Vec<String>, by: MatchBy) -> Result<Self, FileFault> {
        let (mut places, mut own, mut ignored) =
            (Vec::<(Column, usize)>::new(), Vec::<(Own, usize)>::new(), Vec::new());
        for (place, name) in names.iter().enumerate() {
            if name.chars().any(char::is_control) {
                let message = "A column's name must be one line.".to_owned();
                return Err(FileFault::new(1, "", "invalid", message));
            }
            let twice = || {
                let message = format!("The column {name} is there twice.");
                FileFault::new(1, name, "duplicate", message)
            };
            match (Column::of(name), Own::of(name)) {
                (Some(column), _) if places.iter().any(|(known, _)| *known == column) => return Err(twice()),
                (Some(column), _) => places.push((column, place)),
                (None, Some(column)) if own.iter().any(|(known, _)| *known == column) => return Err(twice()),
                (None, Some(column)) => own.push((column, place)),
                (None, None) if name.is_empty() => {}
                (None, None) => ignored.push(name.clone()),
            }
        }
        let header = Self { names, places, own, ignored };
        let missing = match by {
            MatchBy::Handle if !header.has(Column::Handle) && !header.has(Column::Title) => {
                Some(Column::Handle)
            }
            MatchBy::Sku if !header.has(Column::Sku) => Some(Column::Sku),
            MatchBy::Handle | MatchBy::Sku => None,
        };
        match missing {
            Some(column) => {
                let name = column.name();
                let message = format!("The first row must name the columns, {name} among them.");
                Err(FileFault::new(1, name, "required", message))
            }
            None => Ok(header),
        }
    }

    /// Reads the names in a table's first record.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn read(record: &Record, by: MatchBy) -> Result<Self, FileFault> {
        let name = |cell: usize| {
            let name = record.cell(cell).unwrap_or_default().trim_start_matches('\u{feff}').trim();
            // A channel may be called with quotes; around another name they are left over.
            let bare = name.trim_matches(|c: char| c.is_whitespace() || c == '"');
            let name = if Own::of(name).is_some() { name } else { unguarded(bare) };
            name.chars().take(NAME).collect()
        };
        Self::of((0..record.len()).map(name).collect(), by)
    }

    /// Whether the file has this column.
    pub fn has(&self, column: Column) -> bool {
        self.place(column).is_some()
    }

    /// Where it is.
    pub fn place(&self, column: Column) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == column).map(|(_, place)| *place)
    }

    /// What the file calls it.
    pub fn name(&self, column: Column) -> &str {
        self.place(column).and_then(|place| self.names.get(place)).map_or(column.name(), String::as_str)
    }

    /// A cell, trimmed; empty for one that the row lacks, none where the file has no such column.
    pub fn cell<'r>(&self, record: &'r Record, column: Column) -> Option<&'r str> {
        Some(unguarded(record.cell(self.place(column)?).unwrap_or_default().trim()))
    }

    /// A cell as it stands; empty for one that the row lacks.
    pub fn raw<'r>(&self, record: &'r Record, place: usize) -> &'r str {
        unguarded(record.cell(place).unwrap_or_default())
    }

    /// Whether something stands to the right of the last column.
    pub fn overflows(&self, record: &Record) -> bool {
        (self.names.len()..record.len())
            .any(|cell| record.cell(cell).is_some_and(|cell| !cell.trim().is_empty()))
    }
}

/// Whether a spreadsheet would calculate this, or drop what it begins with.
fn is_risky(text: &str) -> bool {
    let digits = text.strip_prefix('\'').is_some_and(|rest| {
        let rest = rest.trim_start_matches('\'');
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    let formula =
        |first| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    digits || text.trim_start_matches('\'').starts_with(formula)
}

/// A cell as it is safe in a spreadsheet: an apostrophe in front of what would be a formula (OWASP, CSV injection).
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_risky(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Takes back what [`guarded`] put in front, and the apostrophe by which spreadsheets keep numbers as text.
pub fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|_| is_risky(text)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split('|').map(str::to_owned).collect()
    }

    #[test]
    fn columns_have_older_and_newer_names() {
        let header =
            Header::of(names("URL Handle|DESCRIPTION|Compare-at price|Image Src||Lining"), MatchBy::Handle);
        let header = header.unwrap();
        assert!(header.has(Column::Handle) && header.has(Column::Body) && header.has(Column::CompareAt));
        assert_eq!(header.ignored, ["Lining"]);
        assert_eq!((header.name(Column::Body), header.name(Column::Price)), ("DESCRIPTION", "Variant Price"));
    }

    #[test]
    fn columns_of_the_stores_own_are_known_by_their_form() {
        let file = "Handle|Maker (product.metafields.custom.maker)|variant.metafields.custom.size|Published / A \"B\"|x.metafields.a.b";
        let header = Header::of(names(file), MatchBy::Handle).unwrap();
        let own: Vec<String> =
            header.own.iter().map(|(own, place)| format!("{place} {}", own.name())).collect();
        assert_eq!(
            own,
            [
                "1 product.metafields.custom.maker",
                "2 variant.metafields.custom.size",
                "3 Published / A \"B\""
            ]
        );
        assert_eq!(header.ignored, ["x.metafields.a.b"]);
        let twice = "Handle|product.metafields.a.bc|Bc (product.metafields.a.bc)";
        assert_eq!(Header::of(names(twice), MatchBy::Handle).unwrap_err().code, "duplicate");
    }

    #[test]
    fn a_header_without_the_key_is_refused() {
        let fault = |text, by| {
            let fault = Header::of(names(text), by).unwrap_err();
            (fault.row, fault.field, fault.code)
        };
        assert_eq!(fault("Vendor|Type", MatchBy::Handle), (1, "Handle".into(), "required"));
        assert_eq!(fault("Handle|Title", MatchBy::Sku), (1, "Variant SKU".into(), "required"));
        assert_eq!(fault("Handle|url handle", MatchBy::Handle), (1, "url handle".into(), "duplicate"));
        assert_eq!(fault("Handle|a\tb", MatchBy::Handle), (1, String::new(), "invalid"));
    }

    #[test]
    fn formulas_are_guarded_and_read_back() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-5", "'-5"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("'=x", "''=x"),
            ("'0123", "''0123"),
            ("plain", "plain"),
            ("'tis", "'tis"),
            ("0123", "0123"),
            ("", ""),
        ] {
            assert_eq!((guarded(text).as_ref(), unguarded(written)), (written, text));
        }
        assert_eq!(unguarded("'4006381333931"), "4006381333931");
    }

    proptest! {
        #[test]
        fn guarding_is_undone(text in "('{0,3}[=+@0-9\t-]{0,3})?\\PC{0,12}") {
            let written = guarded(&text);
            prop_assert_eq!(unguarded(&written), text.as_str());
            prop_assert!(!written.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
