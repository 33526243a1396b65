//! `souk pick`: fields of a JSON answer, so that trying the API needs nothing but curl.

use crate::outlook::say;
use anyhow::{Context, bail};
use serde_json::Value;
use std::io::Read;
use std::process::ExitCode;

/// Prints each field of the JSON on standard input: text as it is, everything else as JSON.
///
/// # Errors
/// When the input is no JSON or has no such field; the words of a problem, when it is one.
pub fn pick(fields: &[String]) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("nothing can be read")?;
    let document: Value =
        serde_json::from_str(&text).with_context(|| format!("this is no JSON: {}", text.trim()))?;
    for line in fields.iter().map(|field| field_of(&document, field)).collect::<anyhow::Result<Vec<_>>>()? {
        say!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

fn field_of(document: &Value, field: &str) -> anyhow::Result<String> {
    match document.pointer(&format!("/{}", field.trim_matches('/'))) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value) => Ok(value.to_string()),
        None => match problem(document) {
            Some(words) => bail!("{words}"),
            None => bail!("there is no {field} in {document}"),
        },
    }
}

/// The words of an RFC 9457 problem.
fn problem(document: &Value) -> Option<String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let (status, title) = (document.get("status")?.as_u64()?, text("title")?);
    let mut words = vec![format!("{status} {title}:")];
    words.extend([text("detail"), text("hint")].into_iter().flatten().map(str::to_owned));
    words
        .extend(document.get("errors").and_then(Value::as_array).into_iter().flatten().map(Value::to_string));
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_found_and_problems_told() {
        let product = json!({ "id": "prd_1", "variants": [{ "price": { "amount_minor": 1290 } }] });
        assert_eq!(field_of(&product, "id").unwrap(), "prd_1");
        assert_eq!(field_of(&product, "/variants/0/price").unwrap(), r#"{"amount_minor":1290}"#);
        assert_eq!(
            field_of(&product, "url").unwrap_err().to_string(),
            format!("there is no url in {product}")
        );
        let refused = json!({ "status": 409, "title": "Taken", "detail": "The handle is taken.", "hint": "Choose another." });
        assert_eq!(
            field_of(&refused, "id").unwrap_err().to_string(),
            "409 Taken: The handle is taken. Choose another."
        );
    }
}
