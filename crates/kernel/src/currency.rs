//! Money of account: the active currencies of ISO 4217 and how many decimals each one has.

/// A currency one can price in. Column type: `text`. Cheap to copy: one pointer into the table.
#[derive(Clone, Copy)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct Currency(&'static Row);

#[derive(Debug)]
struct Row {
    code: &'static str,
    exponent: u32,
    name: &'static str,
}

/// The text was not such a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the code of an active ISO 4217 currency in capitals, such as EUR")]
pub struct CurrencyError;

impl Currency {
    /// Euro, two decimals.
    pub const EUR: Self = Self::known("EUR");
    /// US dollar, two decimals.
    pub const USD: Self = Self::known("USD");
    /// Pound sterling, two decimals.
    pub const GBP: Self = Self::known("GBP");
    /// Swiss franc, two decimals.
    pub const CHF: Self = Self::known("CHF");
    /// Yen, no decimals.
    pub const JPY: Self = Self::known("JPY");
    /// Kuwaiti dinar, three decimals.
    pub const KWD: Self = Self::known("KWD");

    /// Decimals of the smallest unit: 0 for JPY, 2 for EUR, 3 for KWD, 4 for CLF.
    pub const fn exponent(self) -> u32 {
        self.0.exponent
    }
}

crate::coded::coded!(Currency, CurrencyError, "a currency code in a string");

/// ISO 4217 list one as of January 2026 (ANG, BGN, CUC, HRK, SLL and ZWL are withdrawn; XAD, XCG and ZWG are new), without
/// the codes that have no minor unit: metals, drawing rights, bond units, test and "no currency". Sorted by code.
static TABLE: [Row; 165] = [
    row("AED", 2, "UAE Dirham"),
    row("AFN", 2, "Afghani"),
    row("ALL", 2, "Lek"),
    row("AMD", 2, "Armenian Dram"),
    row("AOA", 2, "Kwanza"),
    row("ARS", 2, "Argentine Peso"),
    row("AUD", 2, "Australian Dollar"),
    row("AWG", 2, "Aruban Florin"),
    row("AZN", 2, "Azerbaijan Manat"),
    row("BAM", 2, "Convertible Mark"),
    row("BBD", 2, "Barbados Dollar"),
    row("BDT", 2, "Taka"),
    row("BHD", 3, "Bahraini Dinar"),
    row("BIF", 0, "Burundi Franc"),
    row("BMD", 2, "Bermudian Dollar"),
    row("BND", 2, "Brunei Dollar"),
    row("BOB", 2, "Boliviano"),
    row("BOV", 2, "Mvdol"),
    row("BRL", 2, "Brazilian Real"),
    row("BSD", 2, "Bahamian Dollar"),
    row("BTN", 2, "Ngultrum"),
    row("BWP", 2, "Pula"),
    row("BYN", 2, "Belarusian Ruble"),
    row("BZD", 2, "Belize Dollar"),
    row("CAD", 2, "Canadian Dollar"),
    row("CDF", 2, "Congolese Franc"),
    row("CHE", 2, "WIR Euro"),
    row("CHF", 2, "Swiss Franc"),
    row("CHW", 2, "WIR Franc"),
    row("CLF", 4, "Unidad de Fomento"),
    row("CLP", 0, "Chilean Peso"),
    row("CNY", 2, "Yuan Renminbi"),
    row("COP", 2, "Colombian Peso"),
    row("COU", 2, "Unidad de Valor Real"),
    row("CRC", 2, "Costa Rican Colon"),
    row("CUP", 2, "Cuban Peso"),
    row("CVE", 2, "Cabo Verde Escudo"),
    row("CZK", 2, "Czech Koruna"),
    row("DJF", 0, "Djibouti Franc"),
    row("DKK", 2, "Danish Krone"),
    row("DOP", 2, "Dominican Peso"),
    row("DZD", 2, "Algerian Dinar"),
    row("EGP", 2, "Egyptian Pound"),
    row("ERN", 2, "Nakfa"),
    row("ETB", 2, "Ethiopian Birr"),
    row("EUR", 2, "Euro"),
    row("FJD", 2, "Fiji Dollar"),
    row("FKP", 2, "Falkland Islands Pound"),
    row("GBP", 2, "Pound Sterling"),
    row("GEL", 2, "Lari"),
    row("GHS", 2, "Ghana Cedi"),
    row("GIP", 2, "Gibraltar Pound"),
    row("GMD", 2, "Dalasi"),
    row("GNF", 0, "Guinean Franc"),
    row("GTQ", 2, "Quetzal"),
    row("GYD", 2, "Guyana Dollar"),
    row("HKD", 2, "Hong Kong Dollar"),
    row("HNL", 2, "Lempira"),
    row("HTG", 2, "Gourde"),
    row("HUF", 2, "Forint"),
    row("IDR", 2, "Rupiah"),
    row("ILS", 2, "New Israeli Sheqel"),
    row("INR", 2, "Indian Rupee"),
    row("IQD", 3, "Iraqi Dinar"),
    row("IRR", 2, "Iranian Rial"),
    row("ISK", 0, "Iceland Krona"),
    row("JMD", 2, "Jamaican Dollar"),
    row("JOD", 3, "Jordanian Dinar"),
    row("JPY", 0, "Yen"),
    row("KES", 2, "Kenyan Shilling"),
    row("KGS", 2, "Som"),
    row("KHR", 2, "Riel"),
    row("KMF", 0, "Comorian Franc"),
    row("KPW", 2, "North Korean Won"),
    row("KRW", 0, "Won"),
    row("KWD", 3, "Kuwaiti Dinar"),
    row("KYD", 2, "Cayman Islands Dollar"),
    row("KZT", 2, "Tenge"),
    row("LAK", 2, "Lao Kip"),
    row("LBP", 2, "Lebanese Pound"),
    row("LKR", 2, "Sri Lanka Rupee"),
    row("LRD", 2, "Liberian Dollar"),
    row("LSL", 2, "Loti"),
    row("LYD", 3, "Libyan Dinar"),
    row("MAD", 2, "Moroccan Dirham"),
    row("MDL", 2, "Moldovan Leu"),
    row("MGA", 2, "Malagasy Ariary"),
    row("MKD", 2, "Denar"),
    row("MMK", 2, "Kyat"),
    row("MNT", 2, "Tugrik"),
    row("MOP", 2, "Pataca"),
    row("MRU", 2, "Ouguiya"),
    row("MUR", 2, "Mauritius Rupee"),
    row("MVR", 2, "Rufiyaa"),
    row("MWK", 2, "Malawi Kwacha"),
    row("MXN", 2, "Mexican Peso"),
    row("MXV", 2, "Mexican Unidad de Inversion (UDI)"),
    row("MYR", 2, "Malaysian Ringgit"),
    row("MZN", 2, "Mozambique Metical"),
    row("NAD", 2, "Namibia Dollar"),
    row("NGN", 2, "Naira"),
    row("NIO", 2, "Cordoba Oro"),
    row("NOK", 2, "Norwegian Krone"),
    row("NPR", 2, "Nepalese Rupee"),
    row("NZD", 2, "New Zealand Dollar"),
    row("OMR", 3, "Rial Omani"),
    row("PAB", 2, "Balboa"),
    row("PEN", 2, "Sol"),
    row("PGK", 2, "Kina"),
    row("PHP", 2, "Philippine Peso"),
    row("PKR", 2, "Pakistan Rupee"),
    row("PLN", 2, "Zloty"),
    row("PYG", 0, "Guarani"),
    row("QAR", 2, "Qatari Rial"),
    row("RON", 2, "Romanian Leu"),
    row("RSD", 2, "Serbian Dinar"),
    row("RUB", 2, "Russian Ruble"),
    row("RWF", 0, "Rwanda Franc"),
    row("SAR", 2, "Saudi Riyal"),
    row("SBD", 2, "Solomon Islands Dollar"),
    row("SCR", 2, "Seychelles Rupee"),
    row("SDG", 2, "Sudanese Pound"),
    row("SEK", 2, "Swedish Krona"),
    row("SGD", 2, "Singapore Dollar"),
    row("SHP", 2, "Saint Helena Pound"),
    row("SLE", 2, "Leone"),
    row("SOS", 2, "Somali Shilling"),
    row("SRD", 2, "Surinam Dollar"),
    row("SSP", 2, "South Sudanese Pound"),
    row("STN", 2, "Dobra"),
    row("SVC", 2, "El Salvador Colon"),
    row("SYP", 2, "Syrian Pound"),
    row("SZL", 2, "Lilangeni"),
    row("THB", 2, "Baht"),
    row("TJS", 2, "Somoni"),
    row("TMT", 2, "Turkmenistan New Manat"),
    row("TND", 3, "Tunisian Dinar"),
    row("TOP", 2, "Pa’anga"),
    row("TRY", 2, "Turkish Lira"),
    row("TTD", 2, "Trinidad and Tobago Dollar"),
    row("TWD", 2, "New Taiwan Dollar"),
    row("TZS", 2, "Tanzanian Shilling"),
    row("UAH", 2, "Hryvnia"),
    row("UGX", 0, "Uganda Shilling"),
    row("USD", 2, "US Dollar"),
    row("USN", 2, "US Dollar (Next day)"),
    row("UYI", 0, "Uruguay Peso en Unidades Indexadas (UI)"),
    row("UYU", 2, "Peso Uruguayo"),
    row("UYW", 4, "Unidad Previsional"),
    row("UZS", 2, "Uzbekistan Sum"),
    row("VED", 2, "Bolívar Soberano (digital)"),
    row("VES", 2, "Bolívar Soberano"),
    row("VND", 0, "Dong"),
    row("VUV", 0, "Vatu"),
    row("WST", 2, "Tala"),
    row("XAD", 2, "Arab Accounting Dinar"),
    row("XAF", 0, "CFA Franc BEAC"),
    row("XCD", 2, "East Caribbean Dollar"),
    row("XCG", 2, "Caribbean Guilder"),
    row("XOF", 0, "CFA Franc BCEAO"),
    row("XPF", 0, "CFP Franc"),
    row("YER", 2, "Yemeni Rial"),
    row("ZAR", 2, "Rand"),
    row("ZMW", 2, "Zambian Kwacha"),
    row("ZWG", 2, "Zimbabwe Gold"),
];

const fn row(code: &'static str, exponent: u32, name: &'static str) -> Row {
    Row { code, exponent, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_well_formed() {
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
        for currency in Currency::all() {
            assert!(
                currency.code().len() == 3 && currency.code().bytes().all(|byte| byte.is_ascii_uppercase())
            );
            assert!([0, 2, 3, 4].contains(&currency.exponent()) && !currency.name().is_empty());
            assert_eq!(Currency::parse(currency.code()), Ok(currency));
            assert_eq!(Currency::find(currency.code()), Some(currency));
        }
        assert_eq!(Currency::all().len(), 165);
    }

    #[test]
    fn exponents() {
        for (code, exponent) in
            [("JPY", 0), ("KRW", 0), ("EUR", 2), ("MGA", 2), ("KWD", 3), ("TND", 3), ("CLF", 4)]
        {
            assert_eq!(Currency::parse(code).map(Currency::exponent), Ok(exponent), "{code}");
        }
    }

    #[test]
    fn what_is_no_active_currency_is_refused() {
        for code in
            ["", "eur", "EU", "EURO", " EUR", "EUR\0", "DEM", "HRK", "BGN", "XXX", "XTS", "XAU", "BTC", "€€€"]
        {
            assert_eq!(Currency::parse(code), Err(CurrencyError), "{code:?}");
            assert_eq!(Currency::find(code), None, "{code:?}");
        }
    }

    #[test]
    fn json_is_the_code() {
        assert_eq!(serde_json::to_string(&Currency::EUR).unwrap(), "\"EUR\"");
        assert_eq!(serde_json::from_str::<Currency>("\"JPY\"").unwrap(), Currency::JPY);
        assert!(
            serde_json::from_str::<Currency>("\"eur\"")
                .unwrap_err()
                .to_string()
                .starts_with("must be the code")
        );
    }
}
