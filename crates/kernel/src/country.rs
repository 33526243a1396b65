//! Where: the countries of ISO 3166-1.

/// One of the 249 countries and territories with a two-letter code. Column type: `text`. Cheap to copy.
#[derive(Clone, Copy)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct Country(&'static Row);

#[derive(Debug)]
struct Row {
    code: &'static str,
    name: &'static str,
}

/// The text was not such a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 3166-1 country code of two capitals, such as DE")]
pub struct CountryError;

impl Country {
    /// Austria.
    pub const AT: Self = Self::known("AT");
    /// Switzerland.
    pub const CH: Self = Self::known("CH");
    /// Germany.
    pub const DE: Self = Self::known("DE");
    /// France.
    pub const FR: Self = Self::known("FR");
    /// United Kingdom.
    pub const GB: Self = Self::known("GB");
    /// Japan.
    pub const JP: Self = Self::known("JP");
    /// United States.
    pub const US: Self = Self::known("US");
}

crate::coded::coded!(Country, CountryError, "a country code in a string");

/// ISO 3166-1 alpha-2 with the short English names. Sorted by code.
static TABLE: [Row; 249] = [
    row("AD", "Andorra"),
    row("AE", "United Arab Emirates"),
    row("AF", "Afghanistan"),
    row("AG", "Antigua and Barbuda"),
    row("AI", "Anguilla"),
    row("AL", "Albania"),
    row("AM", "Armenia"),
    row("AO", "Angola"),
    row("AQ", "Antarctica"),
    row("AR", "Argentina"),
    row("AS", "American Samoa"),
    row("AT", "Austria"),
    row("AU", "Australia"),
    row("AW", "Aruba"),
    row("AX", "Åland Islands"),
    row("AZ", "Azerbaijan"),
    row("BA", "Bosnia and Herzegovina"),
    row("BB", "Barbados"),
    row("BD", "Bangladesh"),
    row("BE", "Belgium"),
    row("BF", "Burkina Faso"),
    row("BG", "Bulgaria"),
    row("BH", "Bahrain"),
    row("BI", "Burundi"),
    row("BJ", "Benin"),
    row("BL", "Saint Barthélemy"),
    row("BM", "Bermuda"),
    row("BN", "Brunei"),
    row("BO", "Bolivia"),
    row("BQ", "Bonaire, Sint Eustatius and Saba"),
    row("BR", "Brazil"),
    row("BS", "Bahamas"),
    row("BT", "Bhutan"),
    row("BV", "Bouvet Island"),
    row("BW", "Botswana"),
    row("BY", "Belarus"),
    row("BZ", "Belize"),
    row("CA", "Canada"),
    row("CC", "Cocos (Keeling) Islands"),
    row("CD", "Democratic Republic of the Congo"),
    row("CF", "Central African Republic"),
    row("CG", "Congo"),
    row("CH", "Switzerland"),
    row("CI", "Côte d’Ivoire"),
    row("CK", "Cook Islands"),
    row("CL", "Chile"),
    row("CM", "Cameroon"),
    row("CN", "China"),
    row("CO", "Colombia"),
    row("CR", "Costa Rica"),
    row("CU", "Cuba"),
    row("CV", "Cabo Verde"),
    row("CW", "Curaçao"),
    row("CX", "Christmas Island"),
    row("CY", "Cyprus"),
    row("CZ", "Czechia"),
    row("DE", "Germany"),
    row("DJ", "Djibouti"),
    row("DK", "Denmark"),
    row("DM", "Dominica"),
    row("DO", "Dominican Republic"),
    row("DZ", "Algeria"),
    row("EC", "Ecuador"),
    row("EE", "Estonia"),
    row("EG", "Egypt"),
    row("EH", "Western Sahara"),
    row("ER", "Eritrea"),
    row("ES", "Spain"),
    row("ET", "Ethiopia"),
    row("FI", "Finland"),
    row("FJ", "Fiji"),
    row("FK", "Falkland Islands"),
    row("FM", "Micronesia"),
    row("FO", "Faroe Islands"),
    row("FR", "France"),
    row("GA", "Gabon"),
    row("GB", "United Kingdom"),
    row("GD", "Grenada"),
    row("GE", "Georgia"),
    row("GF", "French Guiana"),
    row("GG", "Guernsey"),
    row("GH", "Ghana"),
    row("GI", "Gibraltar"),
    row("GL", "Greenland"),
    row("GM", "Gambia"),
    row("GN", "Guinea"),
    row("GP", "Guadeloupe"),
    row("GQ", "Equatorial Guinea"),
    row("GR", "Greece"),
    row("GS", "South Georgia and the South Sandwich Islands"),
    row("GT", "Guatemala"),
    row("GU", "Guam"),
    row("GW", "Guinea-Bissau"),
    row("GY", "Guyana"),
    row("HK", "Hong Kong"),
    row("HM", "Heard Island and McDonald Islands"),
    row("HN", "Honduras"),
    row("HR", "Croatia"),
    row("HT", "Haiti"),
    row("HU", "Hungary"),
    row("ID", "Indonesia"),
    row("IE", "Ireland"),
    row("IL", "Israel"),
    row("IM", "Isle of Man"),
    row("IN", "India"),
    row("IO", "British Indian Ocean Territory"),
    row("IQ", "Iraq"),
    row("IR", "Iran"),
    row("IS", "Iceland"),
    row("IT", "Italy"),
    row("JE", "Jersey"),
    row("JM", "Jamaica"),
    row("JO", "Jordan"),
    row("JP", "Japan"),
    row("KE", "Kenya"),
    row("KG", "Kyrgyzstan"),
    row("KH", "Cambodia"),
    row("KI", "Kiribati"),
    row("KM", "Comoros"),
    row("KN", "Saint Kitts and Nevis"),
    row("KP", "North Korea"),
    row("KR", "South Korea"),
    row("KW", "Kuwait"),
    row("KY", "Cayman Islands"),
    row("KZ", "Kazakhstan"),
    row("LA", "Laos"),
    row("LB", "Lebanon"),
    row("LC", "Saint Lucia"),
    row("LI", "Liechtenstein"),
    row("LK", "Sri Lanka"),
    row("LR", "Liberia"),
    row("LS", "Lesotho"),
    row("LT", "Lithuania"),
    row("LU", "Luxembourg"),
    row("LV", "Latvia"),
    row("LY", "Libya"),
    row("MA", "Morocco"),
    row("MC", "Monaco"),
    row("MD", "Moldova"),
    row("ME", "Montenegro"),
    row("MF", "Saint Martin (French part)"),
    row("MG", "Madagascar"),
    row("MH", "Marshall Islands"),
    row("MK", "North Macedonia"),
    row("ML", "Mali"),
    row("MM", "Myanmar"),
    row("MN", "Mongolia"),
    row("MO", "Macao"),
    row("MP", "Northern Mariana Islands"),
    row("MQ", "Martinique"),
    row("MR", "Mauritania"),
    row("MS", "Montserrat"),
    row("MT", "Malta"),
    row("MU", "Mauritius"),
    row("MV", "Maldives"),
    row("MW", "Malawi"),
    row("MX", "Mexico"),
    row("MY", "Malaysia"),
    row("MZ", "Mozambique"),
    row("NA", "Namibia"),
    row("NC", "New Caledonia"),
    row("NE", "Niger"),
    row("NF", "Norfolk Island"),
    row("NG", "Nigeria"),
    row("NI", "Nicaragua"),
    row("NL", "Netherlands"),
    row("NO", "Norway"),
    row("NP", "Nepal"),
    row("NR", "Nauru"),
    row("NU", "Niue"),
    row("NZ", "New Zealand"),
    row("OM", "Oman"),
    row("PA", "Panama"),
    row("PE", "Peru"),
    row("PF", "French Polynesia"),
    row("PG", "Papua New Guinea"),
    row("PH", "Philippines"),
    row("PK", "Pakistan"),
    row("PL", "Poland"),
    row("PM", "Saint Pierre and Miquelon"),
    row("PN", "Pitcairn"),
    row("PR", "Puerto Rico"),
    row("PS", "Palestine"),
    row("PT", "Portugal"),
    row("PW", "Palau"),
    row("PY", "Paraguay"),
    row("QA", "Qatar"),
    row("RE", "Réunion"),
    row("RO", "Romania"),
    row("RS", "Serbia"),
    row("RU", "Russia"),
    row("RW", "Rwanda"),
    row("SA", "Saudi Arabia"),
    row("SB", "Solomon Islands"),
    row("SC", "Seychelles"),
    row("SD", "Sudan"),
    row("SE", "Sweden"),
    row("SG", "Singapore"),
    row("SH", "Saint Helena, Ascension and Tristan da Cunha"),
    row("SI", "Slovenia"),
    row("SJ", "Svalbard and Jan Mayen"),
    row("SK", "Slovakia"),
    row("SL", "Sierra Leone"),
    row("SM", "San Marino"),
    row("SN", "Senegal"),
    row("SO", "Somalia"),
    row("SR", "Suriname"),
    row("SS", "South Sudan"),
    row("ST", "Sao Tome and Principe"),
    row("SV", "El Salvador"),
    row("SX", "Sint Maarten (Dutch part)"),
    row("SY", "Syria"),
    row("SZ", "Eswatini"),
    row("TC", "Turks and Caicos Islands"),
    row("TD", "Chad"),
    row("TF", "French Southern Territories"),
    row("TG", "Togo"),
    row("TH", "Thailand"),
    row("TJ", "Tajikistan"),
    row("TK", "Tokelau"),
    row("TL", "Timor-Leste"),
    row("TM", "Turkmenistan"),
    row("TN", "Tunisia"),
    row("TO", "Tonga"),
    row("TR", "Türkiye"),
    row("TT", "Trinidad and Tobago"),
    row("TV", "Tuvalu"),
    row("TW", "Taiwan"),
    row("TZ", "Tanzania"),
    row("UA", "Ukraine"),
    row("UG", "Uganda"),
    row("UM", "United States Minor Outlying Islands"),
    row("US", "United States"),
    row("UY", "Uruguay"),
    row("UZ", "Uzbekistan"),
    row("VA", "Vatican City"),
    row("VC", "Saint Vincent and the Grenadines"),
    row("VE", "Venezuela"),
    row("VG", "British Virgin Islands"),
    row("VI", "U.S. Virgin Islands"),
    row("VN", "Vietnam"),
    row("VU", "Vanuatu"),
    row("WF", "Wallis and Futuna"),
    row("WS", "Samoa"),
    row("YE", "Yemen"),
    row("YT", "Mayotte"),
    row("ZA", "South Africa"),
    row("ZM", "Zambia"),
    row("ZW", "Zimbabwe"),
];

const fn row(code: &'static str, name: &'static str) -> Row {
    Row { code, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_well_formed() {
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
        for country in Country::all() {
            assert!(
                country.code().len() == 2 && country.code().bytes().all(|byte| byte.is_ascii_uppercase())
            );
            assert!(!country.name().is_empty());
            assert_eq!(Country::parse(country.code()), Ok(country));
        }
        assert_eq!(Country::all().len(), 249);
        assert_eq!(Country::DE.name(), "Germany");
    }

    #[test]
    fn what_is_no_country_is_refused() {
        // ZZ, EU, UK and XK are in use elsewhere, but not in the standard.
        for code in ["", "de", "D", "DEU", "ZZ", "EU", "UK", "XK", " DE", "D\0"] {
            assert_eq!(Country::parse(code), Err(CountryError), "{code:?}");
        }
    }

    #[test]
    fn json_is_the_code() {
        assert_eq!(serde_json::to_string(&Country::CH).unwrap(), "\"CH\"");
        assert_eq!(serde_json::from_str::<Country>("\"AT\"").unwrap(), Country::AT);
        assert!(serde_json::from_str::<Country>("\"XK\"").is_err());
    }
}
