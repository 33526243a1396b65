//! What puts a product into a collection by itself.

use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{Currency, Money, Text};
use utoipa::ToSchema;

use crate::catalog::error::CatalogError;

/// Most rules of a collection.
const MOST: usize = 60;

/// Which products are in a collection by themselves. Kept true whenever a product, one of its variants or a price changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"match": "all", "rules": [{"field": "tag", "relation": "equals", "text": "summer"}, {"field": "price", "relation": "less_than", "amount": {"amount_minor": 5000, "currency": "EUR"}}]}))]
pub struct CollectionRules {
    /// Whether a product must meet all of them, or any.
    #[serde(rename = "match")]
    pub matching: Match,
    /// 1 to 60.
    pub rules: Vec<Rule>,
}

/// How many of the rules a product must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    All,
    Any,
}

/// One rule. One about variants is met when any variant meets it, and its opposite (`not_…`) when none does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"field": "tag", "relation": "equals", "text": "summer"}))]
pub struct Rule {
    pub field: RuleField,
    pub relation: Relation,
    /// What words are compared with; capitals make no difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "summer")]
    pub text: Option<Text<255>>,
    /// What prices are compared with: base prices of this currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What weights are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 500, minimum = 0)]
    pub grams: Option<i64>,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleField {
    Title,
    Vendor,
    ProductType,
    Tag,
    /// Of any variant.
    VariantTitle,
    /// Of any variant.
    Sku,
    /// Of any variant.
    Price,
    /// Of any variant: what it cost before. `is_set` is what is reduced.
    CompareAt,
    /// Of any variant.
    Weight,
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Equals,
    NotEquals,
    /// Of words.
    StartsWith,
    /// Of words.
    EndsWith,
    /// Of words.
    Contains,
    /// Of words.
    NotContains,
    /// Of numbers.
    GreaterThan,
    /// Of numbers.
    LessThan,
    /// Of what may be missing; compared with nothing.
    IsSet,
    /// Of what may be missing; compared with nothing.
    IsNotSet,
}

/// What a field is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stuff {
    Words,
    Amounts,
    Grams,
}

impl RuleField {
    const fn stuff(self) -> Stuff {
        match self {
            Self::Title | Self::Vendor | Self::ProductType | Self::Tag | Self::VariantTitle | Self::Sku => {
                Stuff::Words
            }
            Self::Price | Self::CompareAt => Stuff::Amounts,
            Self::Weight => Stuff::Grams,
        }
    }

    /// Whether a product may be without it.
    const fn may_be_missing(self) -> bool {
        match self {
            Self::Vendor | Self::ProductType | Self::Tag | Self::Sku | Self::CompareAt => true,
            Self::Title | Self::VariantTitle | Self::Price | Self::Weight => false,
        }
    }

    const fn allows(self, relation: Relation) -> bool {
        use Relation as R;
        match relation {
            R::Equals | R::NotEquals => true,
            R::StartsWith | R::EndsWith | R::Contains | R::NotContains => {
                matches!(self.stuff(), Stuff::Words)
            }
            R::GreaterThan | R::LessThan => !matches!(self.stuff(), Stuff::Words),
            R::IsSet | R::IsNotSet => self.may_be_missing(),
        }
    }
}

impl Rule {
    /// What it is compared with: pointer of the part it needs; none when there is nothing to compare with.
    const fn needs(&self) -> Option<&'static str> {
        match (self.relation, self.field.stuff()) {
            (Relation::IsSet | Relation::IsNotSet, _) => None,
            (_, Stuff::Words) => Some("text"),
            (_, Stuff::Amounts) => Some("amount"),
            (_, Stuff::Grams) => Some("grams"),
        }
    }

    fn complaints(&self, place: &str, currencies: &[Currency], errors: &mut Vec<FieldError>) {
        if !self.field.allows(self.relation) {
            let at = format!("{place}/relation");
            errors.push(FieldError::new(at, "invalid", "says nothing about this field"));
            return;
        }
        let parts = [
            ("text", self.text.is_some()),
            ("amount", self.amount.is_some()),
            ("grams", self.grams.is_some()),
        ];
        for (name, given) in parts {
            let at = format!("{place}/{name}");
            match (self.needs() == Some(name), given) {
                (true, false) => {
                    errors.push(FieldError::new(at, "required", "must be given to compare with"))
                }
                (false, true) => {
                    errors.push(FieldError::new(at, "invalid", "is not what this rule is compared with"));
                }
                (true, true) | (false, false) => {}
            }
        }
        if let Some(amount) = self.amount {
            if !currencies.contains(&amount.currency()) {
                let at = format!("{place}/amount/currency");
                let message = "must be the currency of the store or of one of its markets";
                let error = FieldError::new(at, "wrong_currency", message);
                errors.push(error.allowed(currencies.iter().map(|currency| currency.code())));
            }
            if amount.is_negative() {
                let at = format!("{place}/amount/amount_minor");
                errors.push(FieldError::new(at, "out_of_range", "must not be negative"));
            }
        }
        if self.grams.is_some_and(|grams| !(0..=999_999_999).contains(&grams)) {
            let at = format!("{place}/grams");
            errors.push(FieldError::new(at, "out_of_range", "must be 0 to 999999999"));
        }
    }
}

impl CollectionRules {
    /// Whether a rule names an amount, so that it matters which currencies there are.
    pub fn names_amounts(&self) -> bool {
        self.rules.iter().any(|rule| rule.amount.is_some())
    }

    /// Everything that is wrong with them.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`], each complaint at its place below `/rules`.
    pub fn check(&self, currencies: &[Currency]) -> Result<(), CatalogError> {
        let mut errors = Vec::new();
        if self.rules.is_empty() || self.rules.len() > MOST {
            errors.push(FieldError::new("/rules/rules", "out_of_range", "must be 1 to 60 rules"));
        }
        for (number, rule) in self.rules.iter().take(MOST).enumerate() {
            rule.complaints(&format!("/rules/rules/{number}"), currencies, &mut errors);
        }
        if errors.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(rule: serde_json::Value) -> Vec<String> {
        let rules = serde_json::json!({ "match": "all", "rules": [rule] });
        let rules: CollectionRules = serde_json::from_value(rules).unwrap();
        match rules.check(&[Currency::EUR]) {
            Err(CatalogError::Invalid(errors)) => {
                errors.iter().map(|error| error.pointer.replace("/rules/rules/0/", "")).collect()
            }
            other => {
                other.unwrap();
                Vec::new()
            }
        }
    }

    #[test]
    fn a_rule_is_compared_with_what_its_field_is_made_of() {
        use serde_json::json;
        let eur = |minor: i64| json!({ "amount_minor": minor, "currency": "EUR" });
        let none: Vec<String> = Vec::new();
        for good in [
            json!({ "field": "tag", "relation": "not_equals", "text": "x" }),
            json!({ "field": "title", "relation": "contains", "text": "x" }),
            json!({ "field": "price", "relation": "less_than", "amount": eur(5) }),
            json!({ "field": "compare_at", "relation": "is_set" }),
            json!({ "field": "weight", "relation": "greater_than", "grams": 5 }),
        ] {
            assert_eq!(errors(good.clone()), none, "{good}");
        }
        for (bad, expected) in [
            (json!({ "field": "tag", "relation": "equals" }), vec!["text"]),
            (json!({ "field": "title", "relation": "is_set" }), vec!["relation"]),
            (json!({ "field": "title", "relation": "less_than", "text": "x" }), vec!["relation"]),
            (json!({ "field": "price", "relation": "contains", "text": "x" }), vec!["relation"]),
            (json!({ "field": "price", "relation": "equals", "text": "5" }), vec!["text", "amount"]),
            (json!({ "field": "compare_at", "relation": "is_set", "amount": eur(1) }), vec!["amount"]),
            (
                json!({ "field": "price", "relation": "equals", "amount": eur(-1) }),
                vec!["amount/amount_minor"],
            ),
            (
                json!({ "field": "price", "relation": "equals", "amount": { "amount_minor": 1, "currency": "USD" } }),
                vec!["amount/currency"],
            ),
            (json!({ "field": "weight", "relation": "equals", "grams": -1 }), vec!["grams"]),
        ] {
            assert_eq!(errors(bad.clone()), expected, "{bad}");
        }
    }
}
