//! The words of a document, and how amounts and days are written, in each language there is.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Money};
use utoipa::ToSchema;

/// A language that documents are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    En,
    De,
}

/// The words of one language.
pub struct Words {
    pub invoice: &'static str,
    pub credit_note: &'static str,
    pub invoice_number: &'static str,
    pub credit_note_number: &'static str,
    pub date: &'static str,
    pub order: &'static str,
    pub ordered_on: &'static str,
    pub corrects: &'static str,
    pub delivered_to: &'static str,
    pub description: &'static str,
    pub quantity: &'static str,
    pub unit_net: &'static str,
    pub rate: &'static str,
    pub net: &'static str,
    pub gross: &'static str,
    pub net_total: &'static str,
    pub total: &'static str,
    pub credited: &'static str,
    pub on: &'static str,
    pub paid_with: &'static str,
    pub still_due: &'static str,
    pub allowance: &'static str,
    pub discount: &'static str,
    pub supply: &'static str,
    pub vat_id: &'static str,
    pub tax_number: &'static str,
    pub page: &'static str,
    pub of: &'static str,
}

const ENGLISH: Words = Words {
    invoice: "Invoice",
    credit_note: "Credit note",
    invoice_number: "Invoice number",
    credit_note_number: "Credit note number",
    date: "Date",
    order: "Order",
    ordered_on: "Ordered on",
    corrects: "Corrects invoice",
    delivered_to: "Delivered to",
    description: "Description",
    quantity: "Qty",
    unit_net: "Unit price, net",
    rate: "Tax",
    net: "Net",
    gross: "Total",
    net_total: "Net total",
    total: "Total",
    credited: "Total credited",
    on: "on",
    paid_with: "Paid with",
    still_due: "Still to pay",
    allowance: "Price reduction:",
    discount: "after a discount of",
    supply: "The date of supply is the date of this document unless a delivery note says otherwise.",
    vat_id: "VAT ID",
    tax_number: "Tax number",
    page: "Page",
    of: "of",
};

const GERMAN: Words = Words {
    invoice: "Rechnung",
    credit_note: "Rechnungskorrektur",
    invoice_number: "Rechnungsnummer",
    credit_note_number: "Korrekturnummer",
    date: "Datum",
    order: "Bestellung",
    ordered_on: "Bestellt am",
    corrects: "Korrigiert Rechnung",
    delivered_to: "Lieferanschrift",
    description: "Bezeichnung",
    quantity: "Menge",
    unit_net: "Einzelpreis netto",
    rate: "Steuer",
    net: "Netto",
    gross: "Brutto",
    net_total: "Summe netto",
    total: "Gesamtbetrag",
    credited: "Gutgeschriebener Betrag",
    on: "auf",
    paid_with: "Bezahlt mit",
    still_due: "Noch zu zahlen",
    allowance: "Preisnachlass:",
    discount: "nach Rabatt von",
    supply: "Das Leistungsdatum entspricht dem Datum dieses Dokuments, soweit ein Lieferschein nichts anderes sagt.",
    vat_id: "USt-IdNr.",
    tax_number: "Steuernummer",
    page: "Seite",
    of: "von",
};

impl Language {
    /// That of a locale, if documents are written in it; else English.
    pub fn of(locale: &str) -> Self {
        match locale.split(['-', '_']).next() {
            Some("de") => Self::De,
            _ => Self::En,
        }
    }

    /// Its tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    pub const fn words(self) -> &'static Words {
        match self {
            Self::En => &ENGLISH,
            Self::De => &GERMAN,
        }
    }

    /// `EUR 1,234.50` or `1.234,50 €`: with signs of thousands, and the sign of the currency where everybody knows it.
    pub fn money(self, money: Money) -> String {
        let decimal = money.decimal_string();
        let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal.as_str()), |rest| ("−", rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let (thousands, point) = match self {
            Self::En => (',', '.'),
            Self::De => ('.', ','),
        };
        let mut text = String::from(sign);
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                text.push(thousands);
            }
            text.push(digit);
        }
        if !part.is_empty() {
            text.push(point);
            text.push_str(part);
        }
        let code = money.currency().code();
        let symbol = match code {
            "EUR" => "€",
            "GBP" => "£",
            code => code,
        };
        // The space does not break.
        match (self, symbol.chars().count()) {
            (Self::En, 1) => format!("{symbol}{text}"),
            (Self::En, _) => format!("{symbol}\u{a0}{text}"),
            (Self::De, _) => format!("{text}\u{a0}{symbol}"),
        }
    }

    /// `24 November 2026` or `24.11.2026`.
    pub fn day(self, day: NaiveDate) -> String {
        match self {
            Self::En => day.format("%-d %B %Y").to_string(),
            Self::De => format!("{:02}.{:02}.{}", day.day(), day.month(), day.year()),
        }
    }

    /// `19 %`, `5.5 %`.
    pub fn rate(self, ppm: i32) -> String {
        let text = format!("{}.{:04}", ppm / 10_000, ppm.rem_euclid(10_000));
        let text = text.trim_end_matches('0').trim_end_matches('.');
        match self {
            Self::En => format!("{text}%"),
            Self::De => format!("{}\u{a0}%", text.replace('.', ",")),
        }
    }

    /// What a payment was made with, as a payer would call it.
    pub fn method(self, method: &str) -> &str {
        match (method, self) {
            ("gift_card", Self::En) => "a gift card",
            ("gift_card", Self::De) => "Gutschein",
            ("store_credit", Self::En) => "store credit",
            ("store_credit", Self::De) => "Guthaben",
            ("manual", Self::En) => "bank transfer or cash",
            ("manual", Self::De) => "Überweisung oder bar",
            ("test", Self::En) => "the test provider",
            ("test", Self::De) => "Testanbieter",
            ("stripe", Self::En) => "a card",
            ("stripe", Self::De) => "Karte",
            (other, _) => other,
        }
    }

    /// Why no tax is owed, as the law wants it on the document.
    pub fn reason(self, reason: &str) -> Option<&'static str> {
        Some(match (reason, self) {
            ("reverse_charge", Self::En) => {
                "Reverse charge: the customer owes the tax (Art. 196 of Directive 2006/112/EC)."
            }
            ("reverse_charge", Self::De) => {
                "Steuerschuldnerschaft des Leistungsempfängers (Art. 196 der Richtlinie 2006/112/EG)."
            }
            ("intra_community_supply", Self::En) => {
                "Exempt intra-Community supply (Art. 138 of Directive 2006/112/EC)."
            }
            ("intra_community_supply", Self::De) => {
                "Steuerfreie innergemeinschaftliche Lieferung (Art. 138 der Richtlinie 2006/112/EG)."
            }
            ("export", Self::En) => "Exempt export (Art. 146 of Directive 2006/112/EC).",
            ("export", Self::De) => "Steuerfreie Ausfuhrlieferung (Art. 146 der Richtlinie 2006/112/EG).",
            ("customer_exempt", Self::En) => "The customer is exempt from tax.",
            ("customer_exempt", Self::De) => "Der Kunde ist von der Steuer befreit.",
            ("product_exempt", Self::En) => "Some of it is exempt from tax.",
            ("product_exempt", Self::De) => "Ein Teil davon ist von der Steuer befreit.",
            ("zero_rated", Self::En) => "Some of it is taxed at zero.",
            ("zero_rated", Self::De) => "Ein Teil davon ist mit null besteuert.",
            ("not_collecting", Self::En) => "No tax is charged.",
            ("not_collecting", Self::De) => "Es wird keine Steuer berechnet.",
            _ => return None,
        })
    }

    /// The name of a country: in German of those one mostly sends to, else in English.
    pub fn country(self, code: &str) -> String {
        let german = match (self, code) {
            (Self::De, "AT") => Some("Österreich"),
            (Self::De, "BE") => Some("Belgien"),
            (Self::De, "CH") => Some("Schweiz"),
            (Self::De, "CZ") => Some("Tschechien"),
            (Self::De, "DE") => Some("Deutschland"),
            (Self::De, "DK") => Some("Dänemark"),
            (Self::De, "ES") => Some("Spanien"),
            (Self::De, "FI") => Some("Finnland"),
            (Self::De, "FR") => Some("Frankreich"),
            (Self::De, "GB") => Some("Vereinigtes Königreich"),
            (Self::De, "IE") => Some("Irland"),
            (Self::De, "IT") => Some("Italien"),
            (Self::De, "LU") => Some("Luxemburg"),
            (Self::De, "NL") => Some("Niederlande"),
            (Self::De, "NO") => Some("Norwegen"),
            (Self::De, "PL") => Some("Polen"),
            (Self::De, "SE") => Some("Schweden"),
            (Self::De, "US") => Some("Vereinigte Staaten"),
            _ => None,
        };
        let english = || Country::parse(code).map_or(code, |country| country.name());
        german.unwrap_or_else(english).to_owned()
    }
}

#[cfg(test)]
mod rules {
    use souk_kernel::Currency;

    use super::*;

    #[test]
    fn amounts_days_and_rates_are_written_as_people_write_them() {
        let eur = |minor| Money::new(minor, Currency::EUR);
        let both = |money| [Language::En.money(money), Language::De.money(money)];
        assert_eq!(both(eur(123_456_789)), ["€1,234,567.89", "1.234.567,89\u{a0}€"]);
        assert_eq!(both(eur(-5)), ["€−0.05", "−0,05\u{a0}€"]);
        assert_eq!(both(Money::new(1234, "JPY".parse().unwrap())), ["JPY\u{a0}1,234", "1.234\u{a0}JPY"]);
        assert_eq!(
            both(Money::new(1_234_567, "KWD".parse().unwrap())),
            ["KWD\u{a0}1,234.567", "1.234,567\u{a0}KWD"]
        );
        let day = NaiveDate::from_ymd_opt(2026, 3, 4).unwrap();
        assert_eq!([Language::En.day(day), Language::De.day(day)], ["4 March 2026", "04.03.2026"]);
        assert_eq!(
            [190_000, 55_000, 0].map(|ppm| [Language::En.rate(ppm), Language::De.rate(ppm)]),
            [["19%", "19\u{a0}%"], ["5.5%", "5,5\u{a0}%"], ["0%", "0\u{a0}%"]]
        );
    }
}
