//! What is put in the place of something sound, made from the schemas so that nothing is forgotten.

use serde_json::{Value, json};
use souk_proofs::document::{Document, id_prefix};
use souk_proofs::{Call, Operation};

/// What must become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Must {
    /// 4xx: it cannot mean anything.
    BeRefused,
    /// It may be taken as it is, or refused; never a 5xx.
    BeAnswered,
    /// Exactly this.
    Be(u16),
}

pub struct Case {
    pub what: String,
    pub call: Call,
    pub must: Must,
}

/// Bytes that are no body of ours.
pub fn broken_bodies(call: &Call) -> Vec<Case> {
    let mut cases = Vec::new();
    let sound = call.body.clone().unwrap_or_default();
    let raw = |what: &str, media_type: &str, body: Vec<u8>, must: Must| Case {
        what: what.to_owned(),
        call: call.clone().bytes(media_type, body),
        must,
    };
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000)).into_bytes();
    let twice =
        format!("{{\"title\":1,\"title\":2,{}", String::from_utf8_lossy(&sound).trim_start_matches('{'));
    for (what, body) in [
        ("half an object", b"{\"a\":".to_vec()),
        ("no body", Vec::new()),
        ("blank", b"   ".to_vec()),
        ("two documents", [sound.as_slice(), b"{}"].concat()),
        ("trailing letters", [sound.as_slice(), b"x"].concat()),
        ("not UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec()),
        ("a byte order mark", [b"\xef\xbb\xbf".as_slice(), &sound].concat()),
        ("not a number", b"{\"a\":NaN}".to_vec()),
        ("a number out of this world", b"{\"a\":1e400}".to_vec()),
        ("a lone surrogate", b"{\"a\":\"\\ud800\"}".to_vec()),
        ("the same name twice", twice.into_bytes()),
        ("lists 10,000 deep", deep("[", "]")),
        ("objects 10,000 deep", deep("{\"a\":", "}")),
        ("a list", b"[]".to_vec()),
        ("a text", b"\"x\"".to_vec()),
        ("null", b"null".to_vec()),
        ("a comment", b"{/* */}".to_vec()),
    ] {
        cases.push(raw(what, "application/json", body, Must::BeRefused));
    }
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "multipart/form-data; boundary=x",
        "*/*",
        "json",
    ] {
        cases.push(raw(media_type, media_type, sound.clone(), Must::Be(415)));
    }
    let packed = Call { headers: call.headers.clone(), ..call.clone() }.header("content-encoding", "gzip");
    cases.push(Case { what: "packed".to_owned(), call: packed, must: Must::BeRefused });
    let huge = [b"{\"title\":\"".as_slice(), &vec![b'x'; 12 << 20], b"\"}"].concat();
    cases.push(raw("12 MiB", "application/json", huge, Must::Be(413)));
    cases
}

/// A sound body with one place of it changed, for every place.
pub fn spoiled_bodies(document: &Document, operation: &Operation, call: &Call) -> Vec<Case> {
    let Some(schema) = operation.body.as_ref().map(|body| &body.schema) else { return Vec::new() };
    let sound: Value = serde_json::from_slice(call.body.as_deref().unwrap_or(b"null")).unwrap_or(Value::Null);
    let mut cases = Vec::new();
    for (pointer, schema) in document.places(&sound, schema) {
        for (value, must) in instead(&sound, &pointer, &schema) {
            let mut body = sound.clone();
            if pointer.is_empty() {
                body = value.clone();
            } else if let Some(place) = body.pointer_mut(&pointer) {
                *place = value.clone();
            }
            cases.push(Case {
                what: format!("{pointer} = {}", shown(&value)),
                call: call.clone().json(&body),
                must,
            });
        }
        if schema["properties"].is_object() {
            for name in ["no_such_field", "id", "tenant_id", "created_at", "__proto__", "version"] {
                if schema["properties"].get(name).is_some() {
                    continue;
                }
                let mut body = sound.clone();
                if let Some(place) = body.pointer_mut(&pointer).and_then(Value::as_object_mut) {
                    place.insert(name.to_owned(), json!("x"));
                    cases.push(Case {
                        what: format!("{pointer}/{name} added"),
                        call: call.clone().json(&body),
                        must: Must::Be(422),
                    });
                }
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut body = sound.clone();
            let gone = body
                .pointer_mut(&pointer)
                .and_then(Value::as_object_mut)
                .and_then(|place| place.remove(name));
            if gone.is_some() {
                cases.push(Case {
                    what: format!("{pointer}/{name} left out"),
                    call: call.clone().json(&body),
                    must: Must::BeRefused,
                });
            }
        }
    }
    cases
}

/// What is told of a value. Large ones are not written out for it, which takes longer than the request.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().take(80).collect(),
        Value::Array(items) if items.len() > 10 => format!("{} items", items.len()),
        value => value.to_string().chars().take(80).collect(),
    }
}

fn instead(sound: &Value, pointer: &str, schema: &Value) -> Vec<(Value, Must)> {
    use Must::{BeAnswered, BeRefused};
    let mut other = vec![(Value::Null, BeAnswered)];
    let now = sound.pointer(pointer).unwrap_or(sound);
    match now {
        Value::Object(_) => {
            other.extend([json!([]), json!("x"), json!(7), json!(true)].map(|value| (value, BeRefused)))
        }
        Value::Array(items) => {
            other.extend([json!({}), json!("x"), json!(7), json!([[[]]])].map(|value| (value, BeRefused)));
            let many: Vec<Value> = items.iter().cycle().take(items.len() * 5_000).cloned().collect();
            other.push((Value::Array(many), BeAnswered));
            other.push((json!([]), BeAnswered));
        }
        Value::Bool(_) => other.extend([json!("true"), json!(1), json!([])].map(|value| (value, BeRefused))),
        Value::Number(_) => other.extend(numbers()),
        Value::String(text) => {
            other.extend(
                [json!(7), json!(true), json!([]), json!({}), json!("nul \u{0} nul")]
                    .map(|value| (value, BeRefused)),
            );
            other.extend(texts(text, schema));
        }
        Value::Null => {}
    }
    other
}

fn numbers() -> Vec<(Value, Must)> {
    use Must::{BeAnswered, BeRefused};
    let refused = [json!("7"), json!(true), json!([]), json!({}), json!(0.5), json!(1e30), json!(u64::MAX)];
    let answered = [
        0,
        -1,
        i64::MIN,
        i64::MAX,
        i64::MAX - 1,
        i64::from(i32::MAX) + 1,
        9_007_199_254_740_993,
        1_000_000_000_000,
    ];
    let refused = refused.into_iter().map(|value| (value, BeRefused));
    refused.chain(answered.into_iter().map(|value| (json!(value), BeAnswered))).collect()
}

fn texts(sound: &str, schema: &Value) -> Vec<(Value, Must)> {
    use Must::{BeAnswered, BeRefused};
    let mut texts: Vec<(Value, Must)> = FREE.iter().map(|text| (json!(text), BeAnswered)).collect();
    let long = "x".repeat(100_000);
    texts.push((json!(long), if schema.get("maxLength").is_some() { BeRefused } else { BeAnswered }));
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| *most < 10_000) {
        let most = usize::try_from(most).unwrap_or_default();
        texts.push((json!("\u{1f9f5}".repeat(most + 1)), BeRefused));
    }
    let mut never = |bad: &[&str]| texts.extend(bad.iter().map(|text| (json!(text), BeRefused)));
    if id_prefix(schema).is_some() {
        never(&[
            "",
            "x",
            "prd_",
            "00000000-0000-0000-0000-000000000000",
            "zzz_01h455vb4pex5vsknk084sn02q",
            "*",
        ]);
        never(&[
            &sound.to_ascii_uppercase(),
            &format!("{sound} "),
            &format!(" {sound}"),
            &format!("{sound}'--"),
        ]);
    } else if schema["enum"].is_array() {
        never(&["", "nonsense", &sound.to_ascii_uppercase(), &format!("{sound} ")]);
    } else if schema["format"] == "date-time" {
        never(&["", "yesterday", "2030-13-45T00:00:00Z", "2030-02-30T00:00:00Z", "1893456000", "2030-01-01"]);
    } else if schema["format"] == "email" {
        never(&["", "x", "@", "a@", "@b", "a b@example.com", "a@b\r\nBcc: c@d", "a@b@c", "<a@b.c>"]);
    } else if schema["pattern"] == "^[A-Z]{3}$" {
        never(&["", "XXX", "ZZZ", "eur", "EURO", "€", "XTS"]);
    } else if schema["pattern"] == "^[A-Z]{2}$" {
        never(&["", "ZZ", "XX", "de", "DEU", "D", "UK"]);
    }
    texts
}

/// Texts that try something, or come from another corner of Unicode. Where free text is asked for they are just text.
const FREE: [&str; 16] = [
    "",
    " ",
    "\u{202e}gnp.exe",
    "\u{200b}\u{feff}\u{2066}x\u{2069}",
    "\u{7}bell \u{1b}[31m",
    "line\r\nSet-Cookie: a=b",
    "'; DROP TABLE products; --",
    "\" OR 1=1 --",
    "%' OR '%'='",
    "\\",
    "<script>alert(1)</script>",
    "{{7*7}} ${7*7} {% for x in y %}",
    "../../../../etc/passwd",
    "e\u{301} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{10ffff}",
    "=cmd|' /C calc'!A0",
    "4111 1111 1111 1111",
];
