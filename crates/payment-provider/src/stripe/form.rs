//! Forms with brackets: `metadata[a]=b`, `line_items[0][quantity]=1`.

use super::refusal::Refusal;
use serde_json::{Map, Value, json};

/// What a call says.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `a=b&c=d`.
    pub fn read(text: &str) -> Self {
        // The framework of addresses reads forms; the host is nobody's.
        let Ok(url) = format!("http://form/?{text}").parse::<reqwest::Url>() else { return Self::default() };
        Self(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// One part.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A part that must be there.
    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || Refusal::invalid("parameter_missing", format!("Missing required param: {name}."));
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    /// A number, if it is there.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse::<i64>().map(Some);
        number.map_err(|_| Refusal::invalid("parameter_invalid_integer", format!("Invalid integer: {text}")))
    }

    /// The parts `name[key]`.
    pub fn map(&self, name: &str) -> Value {
        let inner =
            |whole: &str| Some(whole.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?.to_owned());
        let parts = self.0.iter().filter_map(|(whole, value)| Some((inner(whole)?, json!(value))));
        Value::Object(parts.filter(|(key, _)| !key.contains('[')).collect::<Map<_, _>>())
    }

    /// What is to be told whole instead of by name.
    pub fn expansions(&self) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name == "expand[]").map(|(_, value)| value.clone()).collect()
    }

    /// Refuses parts that nobody knows, as Stripe does.
    pub fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let base = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
        let unknown = |name: &String| name != "expand" && !known.contains(&name.as_str());
        match self.0.iter().map(|(name, _)| base(name)).find(unknown) {
            Some(name) => {
                Err(Refusal::invalid("parameter_unknown", format!("Received unknown parameter: {name}")))
            }
            None => Ok(()),
        }
    }
}
