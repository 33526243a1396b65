//! VAT numbers of businesses: their one spelling, form and check digits. Pure; whether one is in use, only its country knows.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Text as SqlText, Timestamptz};
use serde::{Deserialize, Serialize};
use souk_kernel::Country;
use utoipa::ToSchema;

/// The EU, as ISO 3166-1 names its members.
const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// A number to be asked about.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"vat_number": "ATU13585627"}))]
pub struct AskTaxNumber {
    /// Of a country of the EU, GB, CH or NO; spaces, points and hyphens make no difference.
    #[schema(value_type = String, max_length = 40, example = "ATU13585627")]
    pub vat_number: VatNumber,
}

/// A VAT number whose form and check digits are right, in its one spelling: `ATU13585627`, `CHE123456788`, `NO974760673`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VatNumber(String);

/// The text was not a VAT number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VatNumberError {
    #[error("must begin with the letters of an EU country, GB, CH or NO")]
    Country,
    #[error("must have as many letters and digits as numbers of this country have")]
    Form,
    #[error("has a wrong check digit; look for a slip of the pen")]
    CheckDigit,
}

impl VatNumber {
    /// Reads a number as people write it: spaces, points and hyphens make no difference.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, VatNumberError> {
        let kept = |letter: &char| letter.is_ascii_alphanumeric() || "+*".contains(*letter);
        let text: String = text.chars().filter(kept).map(|letter| letter.to_ascii_uppercase()).collect();
        let (country, rest) = text.split_at_checked(2).ok_or(VatNumberError::Country)?;
        let country = if country == "GR" { "EL" } else { country };
        let endings: &[&str] = match country {
            "CH" => &["MWST", "TVA", "IVA"],
            "NO" => &["MVA"],
            _ => &[],
        };
        let rest = endings.iter().find_map(|ending| rest.strip_suffix(ending)).unwrap_or(rest);
        match judged(country, rest)? {
            true => Ok(Self(format!("{country}{rest}"))),
            false => Err(VatNumberError::CheckDigit),
        }
    }

    /// In its one spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country that gave it.
    pub fn country(&self) -> Option<Country> {
        let code = self.0.get(..2)?;
        Country::parse(if code == "EL" { "GR" } else { code }).ok()
    }

    /// Whether a sale from `home` to `to` moves the tax to whoever has this number: both in the EU, not the same, and the number of another
    /// country than `home`.
    pub fn moves_tax(&self, home: Country, to: Country) -> bool {
        let in_eu = |country: Country| EU.contains(&country.code());
        let of = self.country();
        home != to && in_eu(home) && in_eu(to) && of.is_some_and(|of| in_eu(of) && of != home)
    }
}

impl TryFrom<String> for VatNumber {
    type Error = VatNumberError;
    fn try_from(text: String) -> Result<Self, VatNumberError> {
        if text.len() > 40 { Err(VatNumberError::Form) } else { Self::parse(&text) }
    }
}

impl From<VatNumber> for String {
    fn from(number: VatNumber) -> Self {
        number.0
    }
}

/// Whether the check digits are right.
fn judged(country: &str, rest: &str) -> Result<bool, VatNumberError> {
    let of = |lengths: &[usize]| digits(rest, lengths);
    Ok(match country {
        "AT" => austria(&digits(rest.strip_prefix('U').ok_or(VatNumberError::Form)?, &[8])?),
        "BE" => of(&[10]).map(|all| number(&all) % 100 == 97 - number(&all) / 100 % 97)?,
        "BG" => bulgaria(&of(&[9, 10])?),
        "CY" => cyprus(rest)?,
        "CZ" => czechia(&of(&[8, 9, 10])?),
        "DE" | "HR" => iso_7064(&of(if country == "DE" { &[9] } else { &[11] })?),
        "DK" => weighted(&of(&[8])?, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
        "EE" => weighted(&of(&[9])?, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10),
        "EL" => {
            let all = of(&[9])?;
            last(&all) == weighted(&all, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10
        }
        "ES" => spain(rest)?,
        "FI" => complement(&of(&[8])?, &[7, 9, 10, 5, 8, 4, 2]),
        "FR" => france(rest)?,
        "GB" => britain(rest)?,
        "HU" => weighted(&of(&[8])?, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10),
        "IE" => ireland(rest)?,
        "IT" => luhn(&of(&[11])?),
        "LT" => lithuania(&of(&[9, 12])?),
        "LU" => of(&[8]).map(|all| number(&all) / 100 % 89 == number(&all) % 100)?,
        "LV" => {
            let all = of(&[11])?;
            // Of persons it is a birthday and no check.
            all.first().is_some_and(|first| *first <= 3)
                || weighted(&all, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3
        }
        "MT" => {
            let all = of(&[8])?;
            number(&all) % 100 == u64::from(37 - weighted(&all, &[3, 4, 6, 7, 8, 9]) % 37)
        }
        "NL" => netherlands(rest)?,
        "PL" => {
            let all = of(&[10])?;
            last(&all) == weighted(&all, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11
        }
        "PT" => {
            let all = of(&[9])?;
            let rest = weighted(&all, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
            last(&all) == if rest < 2 { 0 } else { 11 - rest }
        }
        "RO" => romania(&of(&[2, 3, 4, 5, 6, 7, 8, 9, 10])?),
        "SE" => {
            let all = of(&[12])?;
            (1..=94).contains(&(number(&all) % 100)) && luhn(all.get(..10).unwrap_or_default())
        }
        "SI" => slovenia(&of(&[8])?),
        "SK" => number(&of(&[10])?).is_multiple_of(11),
        "CH" => {
            let all = digits(rest.strip_prefix('E').ok_or(VatNumberError::Form)?, &[9])?;
            complement(&all, &[5, 4, 3, 2, 7, 6, 5, 4])
        }
        "NO" => complement(&of(&[9])?, &[3, 2, 7, 6, 5, 4, 3, 2]),
        _ => return Err(VatNumberError::Country),
    })
}

/// The digits of a text that has one of these lengths and nothing else.
fn digits(text: &str, lengths: &[usize]) -> Result<Vec<u32>, VatNumberError> {
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(10)).collect();
    digits.filter(|digits| lengths.contains(&digits.len())).ok_or(VatNumberError::Form)
}

fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit))
}

fn last(digits: &[u32]) -> u32 {
    digits.last().copied().unwrap_or_default()
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// The last digit is what the weighted sum lacks to a multiple of 11; nobody lacks 10.
fn complement(digits: &[u32], weights: &[u32]) -> bool {
    let rest = weighted(digits, weights) % 11;
    last(digits) == if rest == 0 { 0 } else { 11 - rest }
}

/// The sum of the digits, every second one doubled and its own digits added up: the first, or the second of each two.
fn doubled<'d>(digits: impl Iterator<Item = &'d u32>, from: usize) -> u32 {
    let value = |(place, digit): (usize, &u32)| {
        if place % 2 == from { digit * 2 / 10 + digit * 2 % 10 } else { *digit }
    };
    digits.enumerate().map(value).sum()
}

/// Every second digit from the right doubled, the digits of that added up: a multiple of ten.
fn luhn(digits: &[u32]) -> bool {
    doubled(digits.iter().rev(), 1) % 10 == 0
}

/// MOD 11, 10.
fn iso_7064(digits: &[u32]) -> bool {
    let Some((check, digits)) = digits.split_last() else { return false };
    let product = digits.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (product + check) % 10 == 1
}

fn austria(digits: &[u32]) -> bool {
    last(digits) == (10 - (doubled(digits.iter().take(7), 1) + 4) % 10) % 10
}

fn bulgaria(digits: &[u32]) -> bool {
    let check = last(digits);
    if digits.len() == 9 {
        let first = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
        let second = weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10;
        return check == if first == 10 { second } else { first };
    }
    check == weighted(digits, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10
        || check == weighted(digits, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10
        || complement(digits, &[4, 3, 2, 7, 6, 5, 4, 3, 2])
}

fn cyprus(rest: &str) -> Result<bool, VatNumberError> {
    let (body, letter) = rest.split_at_checked(8).ok_or(VatNumberError::Form)?;
    let turned = |(place, digit): (usize, &u32)| match (place % 2, *digit) {
        (0, 0) => 1,
        (0, 1) => 0,
        (0, digit) if digit < 5 => digit * 2 + 1,
        (0, digit) => digit * 2 + 3,
        (_, digit) => digit,
    };
    let sum: u32 = digits(body, &[8])?.iter().enumerate().map(turned).sum();
    let check = u8::try_from(sum % 26).map(|place| char::from(b'A' + place)).unwrap_or('?');
    if letter.len() == 1 { Ok(letter.starts_with(check)) } else { Err(VatNumberError::Form) }
}

fn czechia(digits: &[u32]) -> bool {
    match digits.len() {
        8 => {
            let lacks = 11 - weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) % 11;
            last(digits) == lacks % 10
        }
        // Of persons born before 1954, without a check.
        9 => true,
        _ => number(digits).is_multiple_of(11),
    }
}

fn spain(rest: &str) -> Result<bool, VatNumberError> {
    let letters: Vec<char> = rest.chars().collect();
    let [first, middle @ .., check] = letters.as_slice() else { return Err(VatNumberError::Form) };
    let middle: Option<Vec<u32>> = middle.iter().map(|letter| letter.to_digit(10)).collect();
    let middle = middle.filter(|digits| digits.len() == 7).ok_or(VatNumberError::Form)?;
    let of_persons = |lead: u64| {
        let place = usize::try_from((lead * 10_000_000 + number(&middle)) % 23).unwrap_or_default();
        "TRWAGMYFPDXBNJZSQVHLCKE".chars().nth(place) == Some(*check)
    };
    Ok(match first {
        'K' | 'L' | 'M' | 'X' => of_persons(0),
        'Y' => of_persons(1),
        'Z' => of_persons(2),
        '0'..='9' => of_persons(first.to_digit(10).map(u64::from).unwrap_or_default()),
        'A'..='H' | 'J' | 'N' | 'P'..='S' | 'U'..='W' => {
            let lacks = (10 - doubled(middle.iter(), 0) % 10) % 10;
            let letter = usize::try_from(lacks).ok().and_then(|place| "JABCDEFGHI".chars().nth(place));
            check.to_digit(10) == Some(lacks) || letter == Some(*check)
        }
        _ => return Err(VatNumberError::Form),
    })
}

fn france(rest: &str) -> Result<bool, VatNumberError> {
    let (key, siren) = rest.split_at_checked(2).ok_or(VatNumberError::Form)?;
    let siren = digits(siren, &[9])?;
    if key.chars().any(|letter| "IO+*".contains(letter)) {
        return Err(VatNumberError::Form);
    }
    // Keys with letters have no published check.
    Ok(digits(key, &[2]).map_or(true, |key| number(&key) == (12 + 3 * (number(&siren) % 97)) % 97))
}

fn britain(rest: &str) -> Result<bool, VatNumberError> {
    let special = rest.strip_prefix("GD").map(|rest| (rest, 0..=499));
    let special = special.or_else(|| rest.strip_prefix("HA").map(|rest| (rest, 500..=999)));
    if let Some((rest, of)) = special {
        return Ok(of.contains(&number(&digits(rest, &[3])?)));
    }
    let all = digits(rest, &[9, 12])?;
    let sum = u64::from(weighted(&all, &[8, 7, 6, 5, 4, 3, 2]));
    let check = number(all.get(7..9).unwrap_or_default());
    Ok((sum + check).is_multiple_of(97) || (sum + check + 55).is_multiple_of(97))
}

fn ireland(rest: &str) -> Result<bool, VatNumberError> {
    let letters: Vec<char> = rest.chars().collect();
    let (check, more, digits): (&char, u32, Vec<Option<u32>>) = match letters.as_slice() {
        // Until 2013: a sign in the second place, which the first digit then follows.
        [first, second, middle @ .., check] if middle.len() == 5 && second.to_digit(10).is_none() => {
            let moved = std::iter::once(&'0').chain(middle).chain([first]);
            (check, 0, moved.map(|letter| letter.to_digit(10)).collect())
        }
        [digits @ .., check] if digits.len() == 7 => {
            (check, 0, digits.iter().map(|letter| letter.to_digit(10)).collect())
        }
        [digits @ .., check, more] if digits.len() == 7 => {
            let more = match more {
                'W' => 0,
                'A'..='I' => more.to_digit(36).unwrap_or_default().saturating_sub(9),
                _ => return Err(VatNumberError::Form),
            };
            (check, more, digits.iter().map(|letter| letter.to_digit(10)).collect())
        }
        _ => return Err(VatNumberError::Form),
    };
    let digits: Vec<u32> = digits.into_iter().collect::<Option<_>>().ok_or(VatNumberError::Form)?;
    let place =
        usize::try_from((weighted(&digits, &[8, 7, 6, 5, 4, 3, 2]) + 9 * more) % 23).unwrap_or_default();
    Ok("WABCDEFGHIJKLMNOPQRSTUV".chars().nth(place) == Some(*check))
}

fn lithuania(digits: &[u32]) -> bool {
    let count = |start: u32| (0_u32..11).map(move |place| (start + place - 1) % 9 + 1).collect::<Vec<_>>();
    let body = digits.get(..digits.len().saturating_sub(1)).unwrap_or_default();
    let (first, second) = (weighted(body, &count(1)) % 11, weighted(body, &count(3)) % 11 % 10);
    body.last() == Some(&1) && last(digits) == if first == 10 { second } else { first }
}

fn netherlands(rest: &str) -> Result<bool, VatNumberError> {
    let (body, branch) = rest.split_once('B').ok_or(VatNumberError::Form)?;
    let (body, branch) = (digits(body, &[9])?, digits(branch, &[2])?);
    // Since 2020, numbers of persons: NL…B… with letters as two digits, A = 10, is 1 modulo 97.
    let whole = (2321 * 1_000_000_000 + number(&body)) * 10_000 + 1100 + number(&branch);
    let rest = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    Ok(last(&body) == rest || whole % 97 == 1)
}

fn romania(digits: &[u32]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let sum: u32 =
        body.iter().rev().zip([2, 3, 5, 7, 1, 2, 3, 5, 7]).map(|(digit, weight)| digit * weight).sum();
    *check == sum * 10 % 11 % 10
}

fn slovenia(digits: &[u32]) -> bool {
    let lacks = 11 - weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) % 11;
    // What lacks 11 is not given to anybody.
    lacks != 11 && last(digits) == lacks % 10
}

/// What is known of a VAT number.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct TaxNumberView {
    /// In its one spelling.
    #[diesel(sql_type = SqlText)]
    #[diesel(column_name = number)]
    #[schema(example = "ATU13585627")]
    pub vat_number: String,
    /// `well_formed` while nobody has asked its country, then `confirmed` or `refuted`.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "well_formed")]
    pub outcome: String,
    /// When that was found out.
    #[diesel(sql_type = Timestamptz)]
    pub checked_at: DateTime<Utc>,
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn numbers_of_every_country() {
        for text in [
            "ATU13585627",
            "BE0428759497",
            "BG175074752",
            "CY10259033P",
            "CZ25123891",
            "DE136695976",
            "DK13585628",
            "EE100931558",
            "EL094259216",
            "ES54362315K",
            "ESX2482300W",
            "ESB58378431",
            "FI20774740",
            "FR40303265045",
            "GB980780684",
            "HR33392005961",
            "HU12892312",
            "IE6433435F",
            "IE8D79739I",
            "IT00743110157",
            "LT119511515",
            "LT100001919017",
            "LU15027442",
            "LV40003521600",
            "MT11679112",
            "NL004495445B01",
            "NL123456789B13",
            "PL8567346215",
            "PT501964843",
            "RO18547290",
            "SE123456789701",
            "SI50223054",
            "SK2022749619",
            "CHE107787577",
            "NO988077917",
        ] {
            assert_eq!(VatNumber::parse(text).as_ref().map(VatNumber::as_str), Ok(text));
        }
    }

    #[test]
    fn one_spelling_and_slips_of_the_pen() {
        for (text, kept) in [
            ("gr 094 259 216", "EL094259216"),
            ("CHE-107.787.577 MWST", "CHE107787577"),
            ("NO 988 077 917 MVA", "NO988077917"),
            ("atu 13585627", "ATU13585627"),
        ] {
            assert_eq!(VatNumber::parse(text).unwrap().as_str(), kept);
        }
        for (text, error) in [
            ("DE136695978", VatNumberError::CheckDigit),
            ("ATU13585626", VatNumberError::CheckDigit),
            ("FR41303265045", VatNumberError::CheckDigit),
            ("GB802311781", VatNumberError::CheckDigit),
            ("DE13669597", VatNumberError::Form),
            ("AT13585627", VatNumberError::Form),
            ("US123456789", VatNumberError::Country),
            ("D", VatNumberError::Country),
            ("", VatNumberError::Country),
        ] {
            assert_eq!(VatNumber::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn tax_moves_between_two_countries_of_the_eu() {
        let country = |code: &str| code.parse::<Country>().unwrap();
        let moves =
            |number: &str, home, to| VatNumber::parse(number).unwrap().moves_tax(country(home), country(to));
        assert!(moves("ATU13585627", "DE", "AT"));
        assert!(moves("ATU13585627", "DE", "FR"));
        assert!(moves("EL094259216", "DE", "GR"));
        assert!(!moves("ATU13585627", "AT", "DE"));
        assert!(!moves("ATU13585627", "DE", "DE"));
        assert!(!moves("GB980780684", "DE", "AT"));
        assert!(!moves("ATU13585627", "CH", "AT"));
        assert!(!moves("ATU13585627", "DE", "CH"));
    }
}
