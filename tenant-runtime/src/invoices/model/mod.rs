//! What an invoice says, who the seller is, and how both are shown.

mod document;
mod paper;
mod pdf;
mod words;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text as SqlText};
use serde::{Deserialize, Serialize};
use souk_api::ETag;
use souk_kernel::{Country, InvoiceId, LongText, Money, OrderId, RefundId, Text};
use souk_tenancy::Document as Json;
use utoipa::{IntoParams, ToSchema};

use crate::tax::TaxRelief;

pub use document::{Dates, Due, due, of_cancellation, of_order, of_refund};
pub use paper::PdfError;
pub use words::Language;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// What is to be paid, or was.
    Invoice,
    /// What of it is not, after all.
    CreditNote,
}

impl InvoiceKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
        }
    }

    /// Reads what `as_str` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Invoice, Self::CreditNote].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An invoice or a credit note. It never changes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invoice {
    pub id: InvoiceId,
    pub kind: InvoiceKind,
    /// From 1 without a gap, for each kind.
    #[schema(example = 1)]
    pub number: i64,
    /// The number as people say it.
    #[schema(example = "INV-1")]
    pub name: String,
    pub order: OrderId,
    /// Of a credit note: the refund it is for; null when it is for what was left of a cancelled order.
    pub refund: Option<RefundId>,
    /// Of a credit note: the invoice it corrects.
    pub corrects: Option<InvoiceId>,
    pub issued_at: DateTime<Utc>,
    #[serde(flatten)]
    pub document: Document,
}

impl Invoice {
    /// What a file of it is called.
    pub fn file_name(&self) -> String {
        let sound = |letter: char| {
            if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' }
        };
        format!("{}.pdf", self.name.chars().map(sound).collect::<String>())
    }

    /// The document as people print it: A4, in its own language, its font embedded. The same bytes each time.
    ///
    /// # Errors
    /// The font that comes with the program cannot be used.
    pub fn pdf(&self) -> Result<Vec<u8>, PdfError> {
        pdf::draw(self)
    }
}

/// An invoice in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvoiceSummary {
    pub id: InvoiceId,
    pub kind: InvoiceKind,
    #[schema(example = 1)]
    pub number: i64,
    #[schema(example = "INV-1")]
    pub name: String,
    pub order: OrderId,
    pub refund: Option<RefundId>,
    pub corrects: Option<InvoiceId>,
    #[schema(value_type = String, format = "date", example = "2026-11-24")]
    pub issued_on: NaiveDate,
    /// Tax included; of a credit note what is credited.
    pub total: Money,
    pub tax: Money,
    pub issued_at: DateTime<Utc>,
}

/// All that a document says, as it was when it was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Document {
    pub language: Language,
    /// In the store's time zone.
    #[schema(value_type = String, format = "date", example = "2026-11-24")]
    pub issued_on: NaiveDate,
    pub seller: Seller,
    pub buyer: Party,
    /// Why the buyer owes no tax, if so, with their VAT number or what proves their exemption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_relief: Option<TaxRelief>,
    /// Where the goods go, if not to the buyer's address.
    pub delivered_to: Option<Party>,
    #[schema(example = "#1001")]
    pub order_name: String,
    /// In the store's time zone.
    #[schema(value_type = String, format = "date", example = "2026-11-23")]
    pub ordered_on: NaiveDate,
    /// Of a credit note: the number of the invoice it corrects.
    #[schema(example = "INV-1")]
    pub corrects_name: Option<String>,
    pub lines: Vec<DocumentLine>,
    pub taxes: Vec<DocumentTax>,
    /// Without tax.
    pub net: Money,
    pub tax: Money,
    /// Tax included. Of a credit note: what is credited.
    pub total: Money,
    /// How an invoice was paid, so far as it was when it was issued.
    pub paid: Vec<PaidWith>,
}

/// One position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentLine {
    pub kind: LineKind,
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[schema(example = "Blue")]
    pub variant_title: String,
    #[schema(example = "MUG-BLUE")]
    pub sku: Option<String>,
    #[schema(example = 2)]
    pub quantity: i32,
    /// Of one piece, without tax, after the discount; rounded, so that times the quantity may be a cent off `net`.
    pub unit_net: Money,
    /// What was taken off the position, in the prices of the store.
    pub discount: Option<Money>,
    /// Parts per million: 190000 is 19 %. Several where several taxes are owed on one thing.
    #[schema(example = json!([190_000]))]
    pub rates_ppm: Vec<i32>,
    pub net: Money,
    pub tax: Money,
    pub gross: Money,
}

/// What a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Goods,
    Delivery,
    /// A part of a price that was given back; the pieces stay sold.
    Allowance,
}

/// What is owed at one rate, or why nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentTax {
    #[schema(example = "VAT")]
    pub name: String,
    #[schema(example = "DE")]
    pub jurisdiction: String,
    #[schema(example = 190_000)]
    pub rate_ppm: i32,
    /// As of the order's tax lines: `standard_rated`, `reverse_charge`, …
    #[schema(example = "standard_rated")]
    pub reason: String,
    /// What the rate is counted on, without tax.
    pub taxable: Money,
    pub amount: Money,
}

/// With what, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaidWith {
    /// The payment provider, `gift_card` or `store_credit`.
    #[schema(example = "test")]
    pub method: String,
    pub amount: Money,
}

/// Somebody with an address, as lines of it are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Party {
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    pub company: Option<String>,
    #[schema(example = json!(["Lindenweg 1", "10117 Berlin"]))]
    pub lines: Vec<String>,
    #[schema(example = "DE")]
    pub country: Option<String>,
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
}

/// Who sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seller {
    #[serde(flatten)]
    pub party: Party,
    #[schema(example = "DE123456789")]
    pub vat_id: Option<String>,
    #[schema(example = "27/123/45678")]
    pub tax_number: Option<String>,
    #[schema(example = "HRB 12345 B, Amtsgericht Charlottenburg")]
    pub registration: Option<String>,
    /// Below everything else.
    pub footer: String,
}

/// Where a seller is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SellerAddress {
    #[schema(value_type = String, example = "Lindenweg 1")]
    pub address1: Text<200>,
    #[schema(value_type = Option<String>)]
    pub address2: Option<Text<200>>,
    #[schema(value_type = String, example = "10117")]
    pub postal_code: Text<20>,
    #[schema(value_type = String, example = "Berlin")]
    pub city: Text<100>,
    #[schema(value_type = Option<String>)]
    pub province: Option<Text<60>>,
    pub country: Country,
}

impl SellerAddress {
    fn lines(&self) -> Vec<String> {
        let town = format!("{} {}", self.postal_code, self.city);
        let more = [self.address2.as_ref().map(ToString::to_string), Some(town)];
        let more = more.into_iter().chain([self.province.as_ref().map(ToString::to_string)]);
        std::iter::once(self.address1.to_string()).chain(more.flatten()).collect()
    }
}

/// The one row of settings.
#[derive(Clone, Debug, QueryableByName)]
pub struct InvoiceSettings {
    #[diesel(sql_type = Nullable<SqlText>)]
    pub seller_name: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub seller_address: Option<Json<SellerAddress>>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub vat_id: Option<String>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub tax_number: Option<String>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub registration: Option<String>,
    #[diesel(sql_type = SqlText)]
    pub footer: String,
    #[diesel(sql_type = SqlText)]
    pub invoice_prefix: String,
    #[diesel(sql_type = SqlText)]
    pub credit_note_prefix: String,
    #[diesel(sql_type = Bool)]
    pub automatic: bool,
    #[diesel(sql_type = Bool)]
    pub attach_to_mail: bool,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

impl InvoiceSettings {
    /// The tag that If-Match is held against.
    pub fn etag(&self) -> ETag {
        ETag::new(self.version)
    }

    /// What stands before a number of this kind.
    pub fn prefix(&self, kind: InvoiceKind) -> &str {
        match kind {
            InvoiceKind::Invoice => &self.invoice_prefix,
            InvoiceKind::CreditNote => &self.credit_note_prefix,
        }
    }

    /// The seller of a store of this name and contact; or what is missing, as places in the settings.
    ///
    /// # Errors
    /// No address, or neither a VAT id nor a tax number: what every invoice in the EU must have.
    pub fn seller(&self, store: &str, email: &str) -> Result<Seller, Vec<&'static str>> {
        let mut missing = Vec::new();
        if self.vat_id.is_none() && self.tax_number.is_none() {
            missing.push("/vat_id");
        }
        match &self.seller_address {
            Some(Json(address)) if missing.is_empty() => Ok(Seller {
                party: Party {
                    name: self.seller_name.clone().unwrap_or_else(|| store.to_owned()),
                    company: None,
                    lines: address.lines(),
                    country: Some(address.country.code().to_owned()),
                    email: Some(email.to_owned()),
                },
                vat_id: self.vat_id.clone(),
                tax_number: self.tax_number.clone(),
                registration: self.registration.clone(),
                footer: self.footer.clone(),
            }),
            Some(_) => Err(missing),
            None => {
                missing.insert(0, "/seller_address");
                Err(missing)
            }
        }
    }
}

/// What stands on invoices, and when they are issued.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvoiceSettingsView {
    /// The legal name; the store's name if null.
    #[schema(example = "Acme Mugs GmbH")]
    pub seller_name: Option<String>,
    pub seller_address: Option<SellerAddress>,
    #[schema(example = "DE123456789")]
    pub vat_id: Option<String>,
    #[schema(example = "27/123/45678")]
    pub tax_number: Option<String>,
    #[schema(example = "HRB 12345 B, Amtsgericht Charlottenburg")]
    pub registration: Option<String>,
    pub footer: String,
    #[schema(example = "INV-")]
    pub invoice_prefix: String,
    #[schema(example = "CN-")]
    pub credit_note_prefix: String,
    pub automatic: bool,
    pub attach_to_mail: bool,
    #[schema(example = 1)]
    pub version: i64,
}

impl From<InvoiceSettings> for InvoiceSettingsView {
    fn from(settings: InvoiceSettings) -> Self {
        Self {
            seller_name: settings.seller_name,
            seller_address: settings.seller_address.map(|Json(address)| address),
            vat_id: settings.vat_id,
            tax_number: settings.tax_number,
            registration: settings.registration,
            footer: settings.footer,
            invoice_prefix: settings.invoice_prefix,
            credit_note_prefix: settings.credit_note_prefix,
            automatic: settings.automatic,
            attach_to_mail: settings.attach_to_mail,
            version: settings.version,
        }
    }
}

/// All of it: what is left out is taken away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"seller_name": "Acme Mugs GmbH", "seller_address": {"address1": "Lindenweg 1", "postal_code": "10117", "city": "Berlin", "country": "DE"}, "vat_id": "DE123456789", "invoice_prefix": "INV-", "credit_note_prefix": "CN-", "automatic": true}))]
pub struct PutInvoiceSettings {
    /// The legal name; the store's name if left out.
    #[schema(value_type = Option<String>, example = "Acme Mugs GmbH")]
    pub seller_name: Option<Text<200>>,
    pub seller_address: Option<SellerAddress>,
    /// A country's two letters and 2 to 13 letters or digits. Either this or the tax number must stand on an invoice.
    #[schema(value_type = Option<String>, example = "DE123456789")]
    pub vat_id: Option<Text<20>>,
    #[schema(value_type = Option<String>, example = "27/123/45678")]
    pub tax_number: Option<Text<40>>,
    /// Register and number, as company law may want it.
    #[schema(value_type = Option<String>, example = "HRB 12345 B, Amtsgericht Charlottenburg")]
    pub registration: Option<Text<200>>,
    /// Below everything else: bank account, managing directors.
    #[schema(value_type = Option<String>, example = "IBAN DE02 1203 0000 0000 2020 51")]
    pub footer: Option<LongText<600>>,
    /// Before the number of an invoice. Documents that are issued keep theirs.
    #[schema(value_type = Option<String>, default = "INV-", example = "INV-")]
    pub invoice_prefix: Option<Text<20>>,
    /// Before the number of a credit note; another one than that of invoices.
    #[schema(value_type = Option<String>, default = "CN-", example = "CN-")]
    pub credit_note_prefix: Option<Text<20>>,
    /// Issue an invoice when an order is paid, and a credit note when something of it goes back.
    #[serde(default)]
    pub automatic: bool,
    /// Send the invoice along with the mail that says the order is paid, and the credit note with the one that says money went back.
    /// What is not issued yet is issued for it.
    #[serde(default)]
    pub attach_to_mail: bool,
}

impl PutInvoiceSettings {
    /// What stands before the numbers of invoices and of credit notes.
    pub fn prefixes(&self) -> (&str, &str) {
        let invoices = self.invoice_prefix.as_ref().map_or("INV-", Text::as_str);
        (invoices, self.credit_note_prefix.as_ref().map_or("CN-", Text::as_str))
    }

    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let (invoice, credit_note) = self.prefixes();
        let sound = |prefix: &str| {
            prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/.#".contains(&byte))
        };
        if !sound(invoice) {
            return Err(("/invoice_prefix", "must be letters, digits and - _ / . #"));
        }
        if !sound(credit_note) {
            return Err(("/credit_note_prefix", "must be letters, digits and - _ / . #"));
        }
        if invoice == credit_note {
            return Err(("/credit_note_prefix", "must not be the prefix of invoices"));
        }
        if self.vat_id.as_ref().is_some_and(|id| !is_vat_id(id.as_str())) {
            return Err((
                "/vat_id",
                "must be a country's two letters and 2 to 13 letters or digits, without spaces",
            ));
        }
        let known = self.vat_id.is_some() || self.tax_number.is_some();
        if (self.automatic || self.attach_to_mail) && !known {
            return Err((
                "/vat_id",
                "must be given, or the tax number, before invoices are issued by themselves",
            ));
        }
        if (self.automatic || self.attach_to_mail) && self.seller_address.is_none() {
            return Err(("/seller_address", "must be given before invoices are issued by themselves"));
        }
        Ok(())
    }
}

fn is_vat_id(text: &str) -> bool {
    let (country, rest) = text.split_at_checked(2).unwrap_or_default();
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'*');
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (2..=13).contains(&rest.len())
        && rest.bytes().all(upper)
}

/// Which invoices.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct InvoiceFilter {
    /// Only of this kind.
    pub kind: Option<InvoiceKind>,
    /// Only of this order.
    pub order: Option<OrderId>,
    /// Only the one of this name.
    #[param(example = "INV-1")]
    pub name: Option<String>,
    /// Only those issued on this day or later, in the store's time zone.
    #[serde(rename = "issued_on[gte]")]
    #[param(value_type = Option<String>, format = "date", example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// Only those issued before this day.
    #[serde(rename = "issued_on[lt]")]
    #[param(value_type = Option<String>, format = "date", example = "2026-12-01")]
    pub before: Option<NaiveDate>,
}

/// `{}`: what is due is what the order says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueInvoices {}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn forms_of_numbers_are_checked() {
        for good in ["DE123456789", "ATU12345678", "NL123456789B01", "XI12345"] {
            assert!(is_vat_id(good), "{good}");
        }
        for bad in ["", "D", "DE", "DE1", "de123456789", "DE 123456789", "DE12345678901234", "ÄÖ1234"] {
            assert!(!is_vat_id(bad), "{bad}");
        }
    }
}
