//! What stands in a cell: numbers, lists, times.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use souk_kernel::{Quantity, Text, VariantId};

use crate::catalog::{ComponentView, MetafieldKind, MetafieldView, PartWish, PublicationWish};
use crate::channels::Placement;

/// A whole number; decimals are rounded where that is no loss, and else must be zeros.
pub fn whole(text: &str, rounds: bool) -> Option<i64> {
    let (number, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let exact = decimals.bytes().all(|byte| byte == b'0');
    if decimals.is_empty() || !decimals.bytes().all(|byte| byte.is_ascii_digit()) || !(exact || rounds) {
        return None;
    }
    let number: i64 = number.parse().ok()?;
    let up = decimals.starts_with(['5', '6', '7', '8', '9']) && number >= 0;
    number.checked_add(i64::from(up))
}

/// Tags stand between commas; one that has a comma, or begins with a quote, stands in quotes.
pub fn tags_in(cell: &str) -> Vec<String> {
    let (mut tags, mut rest) = (Vec::new(), cell.trim_start());
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|inner| {
            let mut end = inner.match_indices('"').map(|(at, _)| at);
            let mut at = end.next()?;
            // Two quotes are one.
            while inner.get(at + 1..).is_some_and(|rest| rest.starts_with('"')) {
                end.next()?;
                at = end.next()?;
            }
            let behind = inner.get(at + 1..)?.trim_start();
            let behind = if behind.is_empty() { behind } else { behind.strip_prefix(',')? };
            Some((inner.get(..at)?.replace("\"\"", "\""), behind))
        });
        let (tag, behind) = quoted.unwrap_or_else(|| {
            let (tag, behind) = rest.split_once(',').unwrap_or((rest, ""));
            (tag.to_owned(), behind)
        });
        if !tag.trim().is_empty() {
            tags.push(tag);
        }
        rest = behind.trim_start();
    }
    tags
}

/// Tags as [`tags_in`] reads them.
pub fn tags_out(tags: &[String]) -> String {
    let written = |tag: &String| {
        let quote = tag.contains(',') || tag.starts_with('"');
        if quote { format!("\"{}\"", tag.replace('"', "\"\"")) } else { tag.clone() }
    };
    tags.iter().map(written).collect::<Vec<_>>().join(", ")
}

/// As spreadsheets write it.
pub fn truth_out(is: bool) -> String {
    if is { "TRUE" } else { "FALSE" }.to_owned()
}

/// As people and spreadsheets write it.
pub fn truth_in(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A metafield's value, whether or not it fits; null where there is none. Lists and JSON are JSON.
///
/// # Errors
/// What it must be.
pub fn value_in(kind: MetafieldKind, list: bool, cell: &str) -> Result<Value, &'static str> {
    let word = cell.trim();
    if word.is_empty() {
        return Ok(Value::Null);
    }
    if list || kind == MetafieldKind::Json {
        return serde_json::from_str(word).map_err(|_| "must be JSON, of a list such as [\"red\", \"blue\"]");
    }
    let read = match kind {
        MetafieldKind::Boolean => truth_in(word).map(Value::from),
        MetafieldKind::Integer => whole(word, false).map(Value::from),
        MetafieldKind::LongText => Some(Value::from(cell)),
        MetafieldKind::Text
        | MetafieldKind::Decimal
        | MetafieldKind::Date
        | MetafieldKind::DateTime
        | MetafieldKind::Url
        | MetafieldKind::Color
        | MetafieldKind::Json => None,
    };
    Ok(read.unwrap_or_else(|| Value::from(word)))
}

/// The value as [`value_in`] reads it.
pub fn value_out(field: &MetafieldView) -> String {
    match &field.value {
        Value::String(text) if !field.list && field.kind != MetafieldKind::Json => text.clone(),
        Value::Bool(is) if field.kind == MetafieldKind::Boolean => truth_out(*is),
        value => value.to_string(),
    }
}

/// What a bundle is made of: `2 MUG-BLUE, 1 PLATE`, by SKUs, or ids of variants without one. None: it is written otherwise.
pub fn parts_in(cell: &str) -> Option<Vec<PartWish>> {
    let part = |word: String| {
        let (quantity, name) = word.trim().split_once(' ')?;
        let (quantity, name) = (Quantity::new(quantity.parse().ok()?).ok()?, name.trim());
        Some(match name.parse::<VariantId>() {
            Ok(variant) => PartWish { sku: None, variant: Some(variant), quantity },
            Err(_) => PartWish { sku: Some(Text::parse(name).ok()?), variant: None, quantity },
        })
    };
    tags_in(cell).into_iter().map(part).collect()
}

/// The same as [`parts_in`] reads it.
pub fn parts_out(parts: &[ComponentView]) -> String {
    let name = |part: &ComponentView| part.sku.clone().unwrap_or_else(|| part.variant.to_string());
    let words: Vec<String> = parts.iter().map(|part| format!("{} {}", part.quantity, name(part))).collect();
    tags_out(&words)
}

/// Whether something is sold on a channel: `TRUE`, `FALSE`, or `from` a time, `until` a time or both. None: it is written otherwise.
pub fn publication_in(cell: &str) -> Option<PublicationWish> {
    if let Some(published) = truth_in(cell) {
        return Some(PublicationWish { published: Some(published), ..PublicationWish::default() });
    }
    let mut wish = PublicationWish::default();
    let mut words = cell.split_whitespace();
    while let Some(word) = words.next() {
        let time = Some(DateTime::parse_from_rfc3339(words.next()?).ok()?.to_utc());
        match word.to_ascii_lowercase().as_str() {
            "from" if wish.publish_at.is_none() => wish.publish_at = time,
            "until" if wish.unpublish_at.is_none() => wish.unpublish_at = time,
            _ => return None,
        }
    }
    wish.published = Some(wish.publish_at.is_none());
    Some(wish)
}

/// The same as [`publication_in`] reads it; none: nowhere.
pub fn publication_out(placement: Option<&Placement>) -> String {
    let Some(Placement { published, publish_at, unpublish_at }) = placement else { return truth_out(false) };
    let time = |word: &str, time: &Option<DateTime<Utc>>| {
        time.map(|time| format!("{word} {}", time.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
    };
    let words: Vec<String> =
        [time("from", publish_at), time("until", unpublish_at)].into_iter().flatten().collect();
    if words.is_empty() { truth_out(*published) } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_metafields_survive() {
        use MetafieldKind as K;
        for (kind, list, value, cell) in [
            (K::Text, false, json!("a, \"b\""), "a, \"b\""),
            (K::LongText, false, json!(" two\nlines\n"), " two\nlines\n"),
            (K::Integer, false, json!(-12), "-12"),
            (K::Decimal, false, json!("-12.50"), "-12.50"),
            (K::Boolean, false, json!(true), "TRUE"),
            (K::Date, false, json!("2026-11-30"), "2026-11-30"),
            (K::Json, false, json!({ "a": [1, "b"] }), "{\"a\":[1,\"b\"]}"),
            (K::Json, false, json!("word"), "\"word\""),
            (K::Boolean, true, json!([true, false]), "[true,false]"),
            (K::Text, true, json!(["a", "b"]), "[\"a\",\"b\"]"),
        ] {
            let (namespace, key) = ("custom".to_owned(), "x".to_owned());
            let field = MetafieldView { namespace, key, kind, list, value: value.clone(), shown: true };
            assert_eq!((value_out(&field), value_in(kind, list, cell)), (cell.to_owned(), Ok(value)));
        }
        assert_eq!(value_in(K::Integer, false, "12.0"), Ok(json!(12)));
        // What does not fit is left to whoever knows the definition, but for what is no JSON.
        assert_eq!(value_in(K::Boolean, false, "perhaps"), Ok(json!("perhaps")));
        assert!(value_in(K::Text, true, "red, blue").is_err());
        assert_eq!(value_in(K::Text, true, " "), Ok(Value::Null));
    }

    #[test]
    fn parts_and_publications_survive() {
        let variant = VariantId::new();
        let part = |sku: Option<&str>, quantity| ComponentView {
            variant,
            title: String::new(),
            variant_title: String::new(),
            sku: sku.map(str::to_owned),
            quantity,
        };
        let written = parts_out(&[part(Some("A, \"B\""), 2), part(None, 1), part(Some("C D"), 100)]);
        assert_eq!(written, format!("\"2 A, \"\"B\"\"\", 1 {variant}, 100 C D"));
        let read = parts_in(&written).unwrap();
        let names: Vec<_> = read.iter().map(|part| part.sku.as_ref().map(Text::as_str)).collect();
        assert_eq!(names, [Some("A, \"B\""), None, Some("C D")]);
        assert_eq!((read[1].variant, read[2].quantity.get()), (Some(variant), 100));
        assert_eq!(parts_in(""), Some(Vec::new()));
        for wrong in ["MUG", "0 MUG", "two MUG", "2", "2 MUG 1 PLATE, 1"] {
            assert_eq!(parts_in(wrong), None, "{wrong}");
        }
        let time = |text: &str| Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        for (published, from, until, cell) in [
            (true, None, None, "TRUE"),
            (false, None, None, "FALSE"),
            (true, None, Some("2027-02-01T00:00:00Z"), "until 2027-02-01T00:00:00Z"),
            (false, Some("2027-01-01T00:00:00.5Z"), None, "from 2027-01-01T00:00:00.500Z"),
        ] {
            let (publish_at, unpublish_at) = (from.and_then(time), until.and_then(time));
            let wish =
                PublicationWish { channel: None, published: Some(published), publish_at, unpublish_at };
            assert_eq!(publication_in(cell), Some(wish));
            assert_eq!(publication_out(Some(&Placement { published, publish_at, unpublish_at })), cell);
        }
        assert_eq!(publication_out(None), "FALSE");
        for wrong in
            ["maybe", "from tomorrow", "until", "from 2027-01-01T00:00:00Z from 2027-01-01T00:00:00Z"]
        {
            assert_eq!(publication_in(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_read_without_a_float() {
        for (text, rounds, number) in [
            ("12", false, Some(12)),
            ("12.0", false, Some(12)),
            ("-3", false, Some(-3)),
            ("1.5", false, None),
            ("453.592", true, Some(454)),
            ("0.4", true, Some(0)),
            ("1e3", true, None),
            ("", true, None),
            ("1.", true, None),
            ("99999999999999999999", false, None),
        ] {
            assert_eq!(whole(text, rounds), number, "{text}");
        }
    }

    #[test]
    fn tags_survive_commas_and_quotes() {
        for tags in [
            vec!["summer", "linen"],
            vec!["a, b", "c"],
            vec!["\"quoted\"", "6\" pipe"],
            vec!["\"\"", ",", "x"],
            vec![],
        ] {
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            assert_eq!(tags_in(&tags_out(&tags)), tags);
        }
        assert_eq!(tags_in("a,, b ,\"c\" d"), ["a", "b ", "\"c\" d"]);
    }
}
