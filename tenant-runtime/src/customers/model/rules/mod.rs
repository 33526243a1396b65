//! What an address must have, by its country. Data, and how an address is held against it. Pure.
//!
//! Only what somebody writes now is held against it: addresses that were there before stay as they are.

mod countries;
mod provinces;

use serde::Serialize;
use souk_api::FieldError;
use souk_kernel::{Country, Text};
use utoipa::ToSchema;

use super::address::{Address, NewAddress};
use countries::COUNTRIES;
use provinces::Province;

/// How addresses of a country are written.
#[derive(Clone, Copy, Debug)]
struct Rules {
    country: &'static str,
    /// Ways to write the postal code; none where there is none.
    masks: &'static [&'static str],
    code_required: bool,
    code_label: &'static str,
    /// All there are; none where it is written freely.
    provinces: &'static [Province],
    province_required: bool,
    province_label: &'static str,
}

impl Rules {
    /// A country whose addresses need a postal code of one of these forms.
    const fn of(country: &'static str, masks: &'static [&'static str]) -> Self {
        Self {
            country,
            masks,
            code_required: true,
            code_label: "Postal code",
            provinces: &[],
            province_required: false,
            province_label: "Province",
        }
    }

    const fn code(self, code_label: &'static str) -> Self {
        Self { code_label, ..self }
    }

    const fn code_may_lack(self) -> Self {
        Self { code_required: false, ..self }
    }

    /// Nobody has one there; whoever writes one anyway is not stopped.
    const fn without_code(self) -> Self {
        self.code_may_lack()
    }

    const fn province(self, province_label: &'static str) -> Self {
        Self { province_label, ..self }
    }

    const fn province_required(self) -> Self {
        Self { province_required: true, ..self }
    }

    const fn one_of(self, provinces: &'static [Province]) -> Self {
        Self { provinces, province_required: true, ..self }
    }

    /// Those of a country.
    fn find(country: Country) -> Self {
        let known = COUNTRIES.binary_search_by(|rules| rules.country.cmp(country.code()));
        let known = known.ok().and_then(|place| COUNTRIES.get(place)).copied();
        known.unwrap_or_else(|| Self::of(country.code(), &[]).without_code())
    }

    /// The postal code in its one spelling; none where it is of none of the forms.
    fn spelled(&self, code: &str) -> Option<String> {
        if self.masks.is_empty() {
            return Some(code.to_owned());
        }
        self.masks.iter().find_map(|mask| spelled(mask, code))
    }

    /// The province's code, by its code (with or without the country's) or its name; none where there is no such one.
    fn province_code(&self, text: &str) -> Option<&'static str> {
        let wanted = text.to_lowercase();
        let prefix = format!("{}-", self.country.to_lowercase());
        let bare = wanted.strip_prefix(&prefix).unwrap_or(&wanted);
        let mut found = self
            .provinces
            .iter()
            .filter(|(code, name)| code.to_lowercase() == bare || name.to_lowercase() == wanted);
        found.next().map(|(code, _)| *code)
    }

    /// The forms of the postal code as one regular expression; none where it is free.
    fn pattern(&self) -> Option<String> {
        if self.masks.is_empty() {
            return None;
        }
        let forms: Vec<String> =
            self.masks.iter().map(|mask| mask.chars().map(expression).collect()).collect();
        Some(format!("^(?:{})$", forms.join("|")))
    }
}

/// A code as its mask spells it; none where it does not fit.
fn spelled(mask: &str, code: &str) -> Option<String> {
    let mut given = code.chars().filter(|letter| !matches!(letter, ' ' | '-'));
    let mut text = String::with_capacity(mask.len());
    for place in mask.chars() {
        if matches!(place, ' ' | '-') {
            text.push(place);
            continue;
        }
        let letter = given.next()?.to_ascii_uppercase();
        let fits = match place {
            '#' => letter.is_ascii_digit(),
            '@' => letter.is_ascii_uppercase(),
            '*' => letter.is_ascii_digit() || letter.is_ascii_uppercase(),
            fixed => letter == fixed,
        };
        if !fits {
            return None;
        }
        text.push(letter);
    }
    given.next().is_none().then_some(text)
}

/// A place of a mask as a regular expression.
fn expression(place: char) -> String {
    match place {
        '#' => "[0-9]".to_owned(),
        '@' => "[A-Za-z]".to_owned(),
        '*' => "[A-Za-z0-9]".to_owned(),
        ' ' | '-' => "[ -]?".to_owned(),
        fixed if fixed.is_ascii_alphabetic() => format!("[{fixed}{}]", fixed.to_ascii_lowercase()),
        fixed => fixed.to_string(),
    }
}

impl Address {
    /// The address as its country writes it: the province by its code where there is a list, the postal code in its one spelling. `at` is the
    /// address's own pointer.
    ///
    /// # Errors
    /// What is missing, and what is of no form that its country knows, each by its field.
    pub fn settled(mut self, at: &str) -> Result<Self, Vec<FieldError>> {
        let rules = Rules::find(self.country);
        let mut faults = Vec::new();
        let place = self.country.name();
        match &self.postal_code {
            None if rules.code_required => {
                let message =
                    format!("must be given: an address in {place} has one ({})", rules.masks.join(" or "));
                faults.push(FieldError::new(format!("{at}/postal_code"), "required", message));
            }
            None => {}
            Some(code) => match rules.spelled(code.as_str()).and_then(|code| Text::parse(&code).ok()) {
                Some(code) => self.postal_code = Some(code),
                None => {
                    let forms = rules.masks.join(" or ");
                    let message = format!(
                        "must be a postal code of {place}: {forms}, # is a digit, @ a letter, * either"
                    );
                    faults.push(FieldError::new(format!("{at}/postal_code"), "invalid", message));
                }
            },
        }
        let codes = || rules.provinces.iter().map(|(code, _)| *code);
        match &self.province {
            None if rules.province_required => {
                let message = format!("must be given: an address in {place} has one");
                faults.push(FieldError::new(format!("{at}/province"), "required", message).allowed(codes()));
            }
            Some(text) if !rules.provinces.is_empty() => {
                match rules.province_code(text.as_str()).and_then(|code| Text::parse(code).ok()) {
                    Some(code) => self.province = Some(code),
                    None => {
                        let message = format!("must be one of {place}, by its code or its name");
                        let fault = FieldError::new(format!("{at}/province"), "unknown", message);
                        faults.push(fault.allowed(codes()));
                    }
                }
            }
            Some(_) | None => {}
        }
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }
}

impl NewAddress {
    /// With its address settled.
    ///
    /// # Errors
    /// See [`Address::settled`].
    pub fn settled(self) -> Result<Self, Vec<FieldError>> {
        Ok(Self { address: self.address.settled("/address")?, ..self })
    }
}

/// What an address of a country must have, for whoever draws a form.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AddressRulesView {
    pub country: Country,
    /// In English.
    #[schema(example = "United States")]
    pub name: &'static str,
    /// Members of an address that must be given.
    #[schema(value_type = Vec<String>, example = json!(["first_name", "last_name", "address1", "city", "province", "postal_code"]))]
    pub required: Vec<&'static str>,
    pub postal_code: PostalCodeRule,
    pub province: ProvinceRule,
}

/// How a postal code is written.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostalCodeRule {
    /// In English.
    #[schema(example = "ZIP code")]
    pub label: &'static str,
    pub required: bool,
    /// Its forms: `#` is a digit, `@` a letter, `*` either; spaces and hyphens may be left out. Empty: it is free.
    #[schema(value_type = Vec<String>, example = json!(["#####", "#####-####"]))]
    pub forms: Vec<&'static str>,
    /// The same as a regular expression of ECMAScript; null: it is free.
    #[schema(example = "^(?:[0-9][0-9][0-9][0-9][0-9])$")]
    pub pattern: Option<String>,
}

/// Which provinces there are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProvinceRule {
    /// In English.
    #[schema(example = "State")]
    pub label: &'static str,
    pub required: bool,
    /// All there are; empty: it is free. An address may name one by its code or its name; its code is kept.
    pub options: Vec<ProvinceOption>,
}

/// A province.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProvinceOption {
    #[schema(example = "CA")]
    pub code: &'static str,
    #[schema(example = "California")]
    pub name: &'static str,
}

impl AddressRulesView {
    /// Those of a country.
    pub fn of(country: Country) -> Self {
        let rules = Rules::find(country);
        let mut required = vec!["first_name", "last_name", "address1", "city"];
        required.extend(Some("province").filter(|_| rules.province_required));
        required.extend(Some("postal_code").filter(|_| rules.code_required));
        required.push("country");
        let options = rules.provinces.iter().map(|&(code, name)| ProvinceOption { code, name }).collect();
        Self {
            country,
            name: country.name(),
            required,
            postal_code: PostalCodeRule {
                label: rules.code_label,
                required: rules.code_required,
                forms: rules.masks.to_vec(),
                pattern: rules.pattern(),
            },
            province: ProvinceRule {
                label: rules.province_label,
                required: rules.province_required,
                options,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(country: &str, province: Option<&str>, code: Option<&str>) -> Address {
        let mut text = serde_json::json!({ "first_name": "Ada", "last_name": "Lovelace", "address1": "Lindenweg 1",
            "city": "There", "country": country });
        if let Some(province) = province {
            text["province"] = province.into();
        }
        if let Some(code) = code {
            text["postal_code"] = code.into();
        }
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn the_table_is_sorted_and_every_row_is_of_a_country() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].country < pair[1].country));
        for rules in COUNTRIES {
            assert!(Country::parse(rules.country).is_ok(), "{}", rules.country);
            assert!(!rules.code_required || !rules.masks.is_empty(), "{}", rules.country);
            for (place, (code, name)) in rules.provinces.iter().enumerate() {
                assert_eq!(rules.province_code(code), Some(*code));
                assert_eq!(rules.province_code(name), Some(*code));
                let twice =
                    rules.provinces.iter().skip(place + 1).any(|other| other.0 == *code || other.1 == *name);
                assert!(!twice, "{} {code}", rules.country);
            }
        }
    }

    #[test]
    fn what_fits_is_kept_in_its_one_spelling() {
        for (country, province, code, kept) in [
            ("DE", None, "10117", (None, "10117")),
            ("PT", None, "1200093", (None, "1200-093")),
            ("CA", Some("quebec"), "h2x1y4", (Some("QC"), "H2X 1Y4")),
            ("US", Some("US-CA"), "94103-1234", (Some("CA"), "94103-1234")),
            ("GB", Some("Kent"), "sw1a1aa", (Some("Kent"), "SW1A 1AA")),
            ("NL", None, "1012 AB", (None, "1012 AB")),
            ("AQ", None, "whatever", (None, "whatever")),
        ] {
            let settled = address(country, province, Some(code)).settled("").unwrap();
            let province = settled.province.as_ref().map(Text::as_str);
            assert_eq!((province, settled.postal_code.as_ref().unwrap().as_str()), kept, "{country}");
            assert_eq!(settled.clone().settled("").unwrap(), settled);
        }
        assert_eq!(address("AE", Some("Dubai"), None).settled("").unwrap().province.unwrap().as_str(), "DU");
    }

    #[test]
    fn what_does_not_is_refused_by_its_field() {
        let faults = |country, province, code| {
            let faults = address(country, province, code).settled("/shipping_address").unwrap_err();
            faults
                .into_iter()
                .map(|fault| (fault.pointer.into_owned(), fault.code.into_owned()))
                .collect::<Vec<_>>()
        };
        let at = |field: &str, code: &str| (format!("/shipping_address/{field}"), code.to_owned());
        assert_eq!(faults("DE", None, Some("1011")), [at("postal_code", "invalid")]);
        assert_eq!(faults("DE", None, None), [at("postal_code", "required")]);
        assert_eq!(faults("US", None, Some("1")), [at("postal_code", "invalid"), at("province", "required")]);
        assert_eq!(faults("US", Some("Bavaria"), Some("94103")), [at("province", "unknown")]);
    }

    #[test]
    fn a_form_can_be_drawn() {
        let view = AddressRulesView::of(Country::US);
        assert_eq!(view.required.len(), 7);
        assert_eq!(
            (view.postal_code.label, view.province.label, view.province.options.len()),
            ("ZIP code", "State", 59)
        );
        let pattern = AddressRulesView::of(Country::parse("LV").unwrap()).postal_code.pattern;
        assert_eq!(pattern.unwrap(), "^(?:[Ll][Vv][ -]?[0-9][0-9][0-9][0-9]|[0-9][0-9][0-9][0-9])$");
    }
}
