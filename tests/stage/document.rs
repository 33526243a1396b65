//! The OpenAPI documents of both planes, read as a stranger would read them.

use std::fmt;
use std::sync::LazyLock;

use serde_json::Value;

/// What is told in the log though it changes nothing else: taking a copy of somebody.
const TOLD: [&str; 1] = ["exportCustomer"];

/// Which document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plane {
    Control,
    Store,
}

impl Plane {
    pub const ALL: [Self; 2] = [Self::Control, Self::Store];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Store => "store",
        }
    }

    /// The document.
    ///
    /// # Panics
    /// When it is no JSON.
    pub fn document(self) -> &'static Document {
        static CONTROL: LazyLock<Document> =
            LazyLock::new(|| Document::read(Plane::Control, souk_control_plane::app::openapi()));
        static STORE: LazyLock<Document> =
            LazyLock::new(|| Document::read(Plane::Store, souk_tenant_runtime::app::openapi()));
        match self {
            Self::Control => &CONTROL,
            Self::Store => &STORE,
        }
    }
}

pub struct Document {
    pub json: Value,
    pub operations: Vec<Operation>,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Header,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub place: Place,
    pub required: bool,
    pub schema: Value,
}

#[derive(Clone, Debug)]
pub struct Body {
    pub media_type: String,
    pub schema: Value,
    pub example: Value,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub plane: Plane,
    pub method: String,
    pub path: String,
    /// `operationId`
    pub id: String,
    pub summary: String,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub json: Value,
}

impl Operation {
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    pub fn of(&self, place: Place) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    /// Whether it asks for no credentials.
    pub fn is_public(&self) -> bool {
        self.json["security"].as_array().is_none_or(Vec::is_empty)
    }

    /// Whether it only looks, and leaves no trace.
    pub fn reads(&self) -> bool {
        self.method == "GET" && !TOLD.contains(&self.id.as_str())
    }
}

/// `store GET /admin/v1/orders/{id}`
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.plane.word(), self.method, self.path)
    }
}

impl Document {
    fn read(plane: Plane, text: &str) -> Self {
        let json: Value = serde_json::from_str(text).expect("the document is JSON");
        let mut operations = Vec::new();
        for (path, item) in json["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                operations.push(operation_of(plane, &json, method, path, operation));
            }
        }
        operations.sort_by(|one, other| (&one.path, &one.method).cmp(&(&other.path, &other.method)));
        Self { json, operations }
    }

    /// The schema a reference leads to; any other schema is itself, and so is one of two of which the other is null.
    pub fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        resolve(&self.json, schema)
    }

    /// Every place in a body, with the schema it has there: `/lines/0/quantity`.
    pub fn places(&self, body: &Value, schema: &Value) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        self.walk(body, schema, String::new(), &mut found);
        found
    }

    fn walk(&self, value: &Value, schema: &Value, at: String, found: &mut Vec<(String, Value)>) {
        let schema = self.resolve(schema);
        found.push((at.clone(), schema.clone()));
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let inner = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                    self.walk(
                        field,
                        inner,
                        format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                        found,
                    );
                }
            }
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.walk(item, &schema["items"], format!("{at}/{number}"), found);
                }
            }
            _ => {}
        }
    }
}

fn resolve<'s>(document: &'s Value, schema: &'s Value) -> &'s Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#")) {
        return document.pointer(name).map_or(schema, |found| resolve(document, found));
    }
    let choices: Vec<&Value> =
        schema["oneOf"].as_array().into_iter().flatten().filter(|one| one["type"] != "null").collect();
    if let [only] = choices.as_slice() { resolve(document, only) } else { schema }
}

fn operation_of(plane: Plane, document: &Value, method: &str, path: &str, operation: &Value) -> Operation {
    let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| Parameter {
        name: parameter["name"].as_str().unwrap_or_default().to_owned(),
        place: match parameter["in"].as_str() {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            _ => Place::Header,
        },
        required: parameter["required"] == true,
        schema: resolve(document, &parameter["schema"]).clone(),
    });
    let content = operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
    let body = content.map(|(media_type, content)| Body {
        media_type: media_type.clone(),
        schema: content["schema"].clone(),
        example: content["example"].clone(),
    });
    Operation {
        plane,
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        id: text("operationId"),
        summary: text("summary"),
        parameters: parameters.collect(),
        body,
        json: operation.clone(),
    }
}

/// The prefix of the ids a schema describes: `ord` of `^ord_[0-7]…`.
pub fn id_prefix(schema: &Value) -> Option<&str> {
    schema["pattern"].as_str()?.strip_prefix('^')?.split_once("_[0-7]").map(|(prefix, _)| prefix)
}

/// The prefix of a text that has the form of an id.
pub fn prefix_of(text: &str) -> Option<&str> {
    let (prefix, suffix) = text.split_once('_')?;
    let letters = prefix.len() <= 4 && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
    let fits =
        suffix.len() == 26 && suffix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (letters && fits).then_some(prefix)
}
