//! Examples of bodies, made of the examples of their fields. What a schema says itself always wins.
//!
//! The proofs under `tests/authority` send every example to the operation it belongs to, so an example that does not work is found.

use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

/// Schemas may refer to themselves; nobody reads an example deeper than this.
const DEEPEST: usize = 8;

/// The document as JSON with its examples and a line feed at its end; empty if it does not render, which a drift test sees.
#[must_use]
pub fn illustrated(document: &OpenApi) -> String {
    let Ok(mut document) = serde_json::to_value(document) else { return String::new() };
    illustrate(&mut document);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Gives every JSON body that a document asks for an example, unless it has one.
pub fn illustrate(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") else { continue };
        if content.get("example").is_some() || content.get("examples").is_some() {
            continue;
        }
        if let Some(example) = example(&content["schema"], &schemas, 0)
            && let Some(content) = content.as_object_mut()
        {
            content.insert("example".to_owned(), example);
        }
    }
}

/// A value that a schema describes: its own example, or one composed of its parts. `None` when it says too little.
#[must_use]
pub fn example(schema: &Value, schemas: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let own = schema.get("example").or_else(|| schema.pointer("/examples/0"));
    if let Some(own) = own.or_else(|| schema.get("const")).or_else(|| schema.pointer("/enum/0")) {
        return Some(own.clone());
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return example(schemas.get(name)?, schemas, depth + 1);
    }
    for choice in ["oneOf", "anyOf"] {
        let choices = schema[choice].as_array().into_iter().flatten();
        let mut told =
            choices.filter(|one| one["type"] != "null").filter_map(|one| example(one, schemas, depth + 1));
        if let Some(told) = told.next() {
            return Some(told);
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().filter_map(|part| example(part, schemas, depth + 1));
        let whole: Map<String, Value> =
            parts.filter_map(|part| part.as_object().cloned()).flat_map(Map::into_iter).collect();
        return Some(Value::Object(whole));
    }
    match kind(schema)? {
        "object" => Some(object(schema, schemas, depth)),
        "array" => Some(Value::Array(example(&schema["items"], schemas, depth + 1).into_iter().collect())),
        "boolean" => Some(schema.get("default").cloned().unwrap_or(Value::Bool(true))),
        "integer" | "number" => schema.get("default").or_else(|| schema.get("minimum")).cloned(),
        "string" if schema["format"] == "date-time" => Some("2030-01-01T00:00:00Z".into()),
        _ => None,
    }
}

/// The type, or the one beside `null`.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => schema.get("properties").map(|_| "object"),
    }
}

/// What must be there, and of the rest what has an example of its own; of a body in which nothing must be there, everything.
fn object(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let needed: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let shown = |name: &String, field: &Value| {
        needed.is_empty()
            || needed.contains(&name.as_str())
            || field.get("example").is_some()
            || field.get("examples").is_some()
    };
    let fields = schema["properties"].as_object().into_iter().flatten();
    let told = fields
        .filter(|(name, field)| shown(name, field))
        .filter_map(|(name, field)| Some((name.clone(), example(field, schemas, depth + 1)?)));
    Value::Object(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_example_is_composed_of_examples() {
        let schemas = json!({
            "Money": { "type": "object", "example": { "amount_minor": 1234, "currency": "EUR" } },
            "Colour": { "type": "string", "enum": ["red", "blue"] },
            "Line": { "type": "object", "required": ["quantity"], "properties": {
                "quantity": { "type": "integer", "minimum": 1 }, "note": { "type": "string" }, "colour": { "$ref": "#/components/schemas/Colour" } } },
        });
        let order = json!({ "type": "object", "required": ["price", "lines"], "properties": {
            "price": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Money" }] },
            "lines": { "type": "array", "items": { "$ref": "#/components/schemas/Line" } },
            "email": { "type": ["string", "null"], "example": "ada@example.com" },
            "hidden": { "type": "boolean" } } });
        let expected = json!({ "price": { "amount_minor": 1234, "currency": "EUR" }, "lines": [{ "quantity": 1 }], "email": "ada@example.com" });
        assert_eq!(example(&order, &schemas, 0), Some(expected));
        let edit = json!({ "type": "object", "properties": { "colour": { "$ref": "#/components/schemas/Colour" }, "on": { "type": "boolean" } } });
        assert_eq!(example(&edit, &schemas, 0), Some(json!({ "colour": "red", "on": true })));
        let endless = json!({ "Tree": { "type": "object", "required": ["tree"], "properties": { "tree": { "$ref": "#/components/schemas/Tree" } } } });
        assert!(example(&json!({ "$ref": "#/components/schemas/Tree" }), &endless, 0).is_some());
    }
}
