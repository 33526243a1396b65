//! From the rows of a product to what is wished of it.

mod belongings;
mod pictures;
mod publications;
mod variants;

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use souk_api::Problem;
use souk_kernel::{Currency, Handle, LongText, SalesChannelId, Text};
use utoipa::ToSchema;

use super::cells::tags_in;
use super::columns::{Column, Header, OF_VARIANTS};
use super::ground::Ground;
use super::groups::Group;
use super::records::Record;
use crate::catalog::{self, MetafieldOwner, NewOption, ProductWish, Status};
use crate::channels::Placement;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Error,
    Warning,
}

impl Level {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }

    /// The level of a word.
    pub fn stored(word: &str) -> Self {
        if word == "warning" { Self::Warning } else { Self::Error }
    }
}

/// Something about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub level: Level,
    pub row: u64,
    pub field: String,
    pub code: String,
    pub message: String,
}

/// A product as its rows have it. One with an error is not to be applied.
pub struct Read<'h> {
    pub wish: ProductWish,
    pub complaints: Vec<Complaint>,
    /// What the report calls it.
    pub name: Option<String>,
    /// Where it is sold, once the channels are known.
    pub placements: Vec<(SalesChannelId, Placement)>,
    places: Places<'h>,
}

/// Where in the file the parts of a wish come from.
struct Places<'h> {
    header: Option<&'h Header>,
    ground: &'h Ground,
    row: u64,
    variants: Vec<u64>,
    images: Vec<u64>,
    options: Vec<String>,
    /// Columns.
    publications: Vec<usize>,
}

impl Read<'_> {
    /// Whether it can be applied.
    pub fn is_sound(&self) -> bool {
        self.complaints.iter().all(|complaint| complaint.level == Level::Warning)
    }

    /// What the catalogue says against it, at the rows and columns it is about.
    pub fn refused(&mut self, problem: &Problem) {
        let document = problem.document();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let errors = document["errors"].as_array().cloned().unwrap_or_default();
        let complaint = |error: &Value| {
            let (row, field) = self.places.of(&text(error, "pointer"));
            let (code, message) = (text(error, "code"), text(error, "message"));
            Complaint { level: Level::Error, row, field, code, message }
        };
        let mut complaints: Vec<_> = errors.iter().map(complaint).collect();
        if complaints.is_empty() {
            let (row, field) = self.places.of("");
            let detail = document["detail"].as_str().map_or_else(|| text(&document, "title"), str::to_owned);
            let code = text(&document, "code");
            complaints.push(Complaint { level: Level::Error, row, field, code, message: detail });
        }
        self.complaints.extend(complaints);
    }
}

impl Places<'_> {
    /// The row and the column of a JSON pointer.
    fn of(&self, pointer: &str) -> (u64, String) {
        let Some(header) = self.header else { return (self.row, pointer.to_owned()) };
        let mut parts = pointer.split('/').skip(1);
        let (first, second, third) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
        let column = |column: Option<Column>| column.map_or("", |column| header.name(column)).to_owned();
        if first == "images" {
            let row = second.parse::<usize>().ok().and_then(|number| self.images.get(number)).copied();
            return (row.unwrap_or(self.row), column(Some(Column::ImageSrc)));
        }
        let named = |place: Option<usize>| {
            place.and_then(|place| header.names.get(place)).cloned().unwrap_or_default()
        };
        let number = second.parse::<usize>().ok();
        if first == "publications" {
            return (self.row, named(number.and_then(|number| self.publications.get(number)).copied()));
        }
        if first == "metafields" {
            return (self.row, named(self.ground.column(MetafieldOwner::Product, number)));
        }
        if first != "variants" {
            let found = if first == "tax_class" { Some(Column::ProductTaxClass) } else { column_of(first) };
            return (self.row, column(found));
        }
        let row = number.and_then(|number| self.variants.get(number)).copied().unwrap_or(self.row);
        if third == Some("metafields") {
            let number = parts.next().and_then(|number| number.parse().ok());
            return (row, named(self.ground.column(MetafieldOwner::Variant, number)));
        }
        let option = parts.next().map(|name| name.replace("~1", "/").replace("~0", "~"));
        let found = match (third, option) {
            (Some("options"), Some(name)) => {
                self.options.iter().position(|known| *known == name).map(Column::OptionValue)
            }
            (Some("options"), None) => Some(Column::OptionValue(0)),
            (Some(part), _) => column_of(part),
            (None, _) => None,
        };
        (row, column(found))
    }
}

fn column_of(part: &str) -> Option<Column> {
    Some(match part {
        "handle" => Column::Handle,
        "title" => Column::Title,
        "description_html" => Column::Body,
        "vendor" => Column::Vendor,
        "product_type" => Column::Type,
        "tags" => Column::Tags,
        "status" => Column::Status,
        "options" => Column::OptionName(0),
        "seo_title" => Column::SeoTitle,
        "seo_description" => Column::SeoDescription,
        "category" => Column::Category,
        "sku" => Column::Sku,
        "barcode" => Column::Barcode,
        "price" => Column::Price,
        "compare_at" => Column::CompareAt,
        "stock" => Column::Quantity,
        "weight_grams" => Column::Grams,
        "requires_shipping" => Column::RequiresShipping,
        "taxable" => Column::Taxable,
        "tax_class" => Column::TaxClass,
        "components" => Column::Components,
        "inventory_policy" => Column::Policy,
        _ => return None,
    })
}

/// What the rows of a product wish, with every complaint about them at once.
pub fn read<'h>(
    group: &Group,
    header: Option<&'h Header>,
    ground: &'h Ground,
    currency: Currency,
) -> Read<'h> {
    let row = group.rows.first().map_or(0, |record| record.row);
    let (variants, images, options, publications) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let places = Places { header, ground, row, variants, images, options, publications };
    let (wish, complaints, placements) = (ProductWish::default(), Vec::new(), Vec::new());
    let mut read = Read { wish, complaints, name: None, placements, places };
    if group.too_large {
        let message = format!("a product may have 2,300 rows of together 8 MiB; these are {}", group.count);
        read.complaints.push(error(row, "", "too_many", message));
        return read;
    }
    match header {
        Some(header) => Table { header, ground, currency, read: &mut read }.product(group),
        None => {
            let line = group.rows.first().and_then(|record| record.cell(0)).unwrap_or_default();
            match souk_api::json::parse::<ProductWish>(line.as_bytes()) {
                Ok(wish) => {
                    read.name = wish.handle.as_ref().map(ToString::to_string);
                    read.wish = wish;
                }
                Err(problem) => read.refused(&problem),
            }
        }
    }
    read
}

fn error(row: u64, field: &str, code: &str, message: impl Into<String>) -> Complaint {
    complaint(Level::Error, row, field, code, message)
}

fn complaint(level: Level, row: u64, field: &str, code: &str, message: impl Into<String>) -> Complaint {
    Complaint { level, row, field: field.to_owned(), code: code.to_owned(), message: message.into() }
}

/// Reads cells.
struct Table<'r, 'h> {
    header: &'h Header,
    ground: &'h Ground,
    currency: Currency,
    read: &'r mut Read<'h>,
}

impl Table<'_, '_> {
    fn product(&mut self, group: &Group) {
        let Some(first) = group.rows.first() else { return };
        for record in group.rows.iter().filter(|record| self.header.overflows(record)) {
            let message = "has more cells than the header; perhaps a quote is missing";
            self.read.complaints.push(error(record.row, "", "too_many_cells", message));
        }
        self.handle(first);
        // A row without a title goes on with a product that stands elsewhere.
        if self.cell(first, Column::Title).is_none_or(|title| !title.is_empty()) {
            self.own_columns(first);
        }
        self.options(group);
        for record in &group.rows {
            self.image(record);
            let says = |column: &Column| self.cell(record, *column).is_some_and(|cell| !cell.is_empty());
            if OF_VARIANTS.iter().any(says) || self.says_of_variant(record) {
                let variant = self.variant(record);
                self.variant_image(record, &variant.options);
                self.read.wish.variants.push(variant);
                self.read.places.variants.push(record.row);
            }
        }
    }

    fn cell<'c>(&self, record: &'c Record, column: Column) -> Option<&'c str> {
        self.header.cell(record, column)
    }

    fn complain(&mut self, level: Level, row: u64, column: Column, code: &str, message: impl Into<String>) {
        let field = self.header.name(column);
        self.read.complaints.push(complaint(level, row, field, code, message));
    }

    /// The same of a column of the store's own.
    fn complain_at(&mut self, level: Level, row: u64, place: usize, code: &str, message: &str) {
        let field = self.header.names.get(place).map(String::as_str).unwrap_or_default();
        self.read.complaints.push(complaint(level, row, field, code, message));
    }

    /// A cell that is not empty, as a `T`; a complaint if it is none.
    fn parsed<T: FromStr<Err: ToString>>(&mut self, record: &Record, column: Column) -> Option<T> {
        let cell = self.cell(record, column).filter(|cell| !cell.is_empty())?;
        match cell.parse() {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.complain(Level::Error, record.row, column, "invalid", refusal.to_string());
                None
            }
        }
    }

    /// The same, where an empty cell takes away what is there and a missing column leaves it.
    fn given<T: FromStr<Err: ToString>>(&mut self, record: &Record, column: Column) -> Option<Option<T>> {
        self.cell(record, column)?;
        Some(self.parsed(record, column))
    }

    /// The same of a text that may be empty.
    fn text<const MOST: usize>(&mut self, record: &Record, column: Column) -> Option<LongText<MOST>> {
        self.given(record, column).map(Option::unwrap_or_default)
    }

    /// Handles of other shops may have letters that ours have not.
    fn handle(&mut self, record: &Record) {
        let given = self.cell(record, Column::Handle).filter(|cell| !cell.is_empty());
        let title = self.cell(record, Column::Title).filter(|cell| !cell.is_empty());
        let Some(name) = given.or(title) else { return };
        self.read.name = Some(name.chars().take(Handle::MAX).collect());
        let made = Handle::parse(name).unwrap_or_else(|_| Handle::slug_of(name));
        if let Some(given) = given.filter(|given| *given != made.as_str()) {
            // What no Latin letter or digit is left of would all be the same.
            if made.as_str() == "item" {
                let message = "must have Latin letters or digits";
                self.complain(Level::Error, record.row, Column::Handle, "invalid", message);
            } else if !given.eq_ignore_ascii_case(made.as_str()) {
                let message = format!("is kept as {made}");
                self.complain(Level::Warning, record.row, Column::Handle, "changed", message);
            }
        }
        self.read.wish.handle = Some(made);
    }

    fn own_columns(&mut self, record: &Record) {
        let title = self.parsed(record, Column::Title);
        let body = self.cell(record, Column::Body).map(catalog::reduced);
        if body.as_ref().is_some_and(|body| Some(body.as_ref()) != self.cell(record, Column::Body)) {
            let message = "had markup that is left out";
            self.complain(Level::Warning, record.row, Column::Body, "markup_reduced", message);
        }
        let body = body.map(|body| LongText::parse(&body));
        if let Some(Err(refusal)) = &body {
            self.complain(Level::Error, record.row, Column::Body, "invalid", refusal.to_string());
        }
        let (vendor, kind) = (self.text(record, Column::Vendor), self.text(record, Column::Type));
        let status = self.status(record);
        let tags = self.tags(record);
        let (category, class) = (self.category(record), self.given(record, Column::ProductTaxClass));
        let metafields = self.metafields(record, MetafieldOwner::Product);
        self.publications(record);
        let seo_title = self.given(record, Column::SeoTitle);
        let seo_description = self.given(record, Column::SeoDescription);
        let wish = &mut self.read.wish;
        (wish.title, wish.description_html, wish.vendor) = (title, body.and_then(Result::ok), vendor);
        (wish.product_type, wish.status, wish.tags) = (kind, status, tags);
        (wish.seo_title, wish.seo_description) = (seo_title, seo_description);
        (wish.category, wish.tax_class, wish.metafields) = (category, class, metafields);
    }

    /// Without a status, what is published is for sale. Who may not say where it is sold makes a draft of what shall not be.
    fn status(&mut self, record: &Record) -> Option<Status> {
        let published = self.published(record);
        let status = match self.cell(record, Column::Status).map(str::to_ascii_lowercase).as_deref() {
            None | Some("") => {
                published.map(|published| if published { Status::Active } else { Status::Draft })
            }
            Some("active") => Some(Status::Active),
            Some("draft" | "unlisted") => Some(Status::Draft),
            Some("archived") => Some(Status::Archived),
            Some(_) => {
                let message = "must be active, draft or archived";
                self.complain(Level::Error, record.row, Column::Status, "invalid", message);
                None
            }
        };
        let hidden = published == Some(false) && !self.ground.may_publish;
        status.map(|status| if status == Status::Active && hidden { Status::Draft } else { status })
    }

    fn tags(&mut self, record: &Record) -> Option<Vec<Text<64>>> {
        let mut tags = Vec::new();
        for tag in tags_in(self.cell(record, Column::Tags)?) {
            match Text::parse(&tag) {
                Ok(tag) => tags.push(tag),
                Err(refusal) => {
                    let message = format!("{tag:?} {refusal}");
                    self.complain(Level::Error, record.row, Column::Tags, "invalid", message);
                }
            }
        }
        Some(tags)
    }

    /// The names of the options stand in the product's first row, their values wherever a variant has them.
    fn options(&mut self, group: &Group) {
        for number in 0..3 {
            let (name, value) = (Column::OptionName(number), Column::OptionValue(number));
            let filled =
                |record: &&Record, column| self.cell(record, column).is_some_and(|cell| !cell.is_empty());
            let (Some(named), Some(valued)) = (
                group.rows.iter().find(|record| filled(record, name)),
                group.rows.iter().find(|record| filled(record, value)),
            ) else {
                if let Some(valued) = group.rows.iter().find(|record| filled(record, value)) {
                    let message = "must be given where there are values";
                    self.complain(Level::Error, valued.row, name, "required", message);
                }
                continue;
            };
            // So other shops write a product without options.
            let lone =
                self.cell(named, name) == Some("Title") && self.cell(valued, value) == Some("Default Title");
            if lone && number == 0 && group.rows.iter().filter(|record| filled(record, value)).count() == 1 {
                return;
            }
            let Some(name) = self.parsed::<Text<64>>(named, name) else { continue };
            let mut values: Vec<Text<128>> = Vec::new();
            for record in &group.rows {
                let Some(next) = self.parsed(record, value) else { continue };
                if !values.contains(&next) {
                    values.push(next);
                }
            }
            self.read.places.options.push(name.to_string());
            self.read.wish.options.push(NewOption { name, values });
        }
    }
}
