//! From a serde complaint to a problem with an RFC 6901 pointer.

use std::borrow::Cow;

use serde_path_to_error::{Path, Segment};

use super::{FieldError, Problem, UNKNOWN_FIELD, VALIDATION};

/// A complaint quotes the caller; this many characters of it are enough.
const QUOTE: usize = 200;

/// RFC 6901 pointer of a path; enum variants add nothing to it.
fn pointer_of(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&shorten(token).replace('~', "~0").replace('/', "~1"));
}

fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTE) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// The first text between backticks and all of them, as serde quotes names.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// The problem for a complaint of serde at `path`. `place` turns a pointer into what the caller sees.
pub(crate) fn field_error(path: &Path, message: &str, place: impl Fn(String) -> String) -> Problem {
    // serde_json appends where it stopped; the pointer says that better.
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    let mut pointer = pointer_of(path);
    let mut extend = |name: &str| {
        let mut token = String::new();
        push(&mut token, name);
        if !pointer.ends_with(&token) {
            pointer.push_str(&token);
        }
    };
    let names = quoted(message);
    let (kind, error) = if message.starts_with("unknown field") {
        // The name itself may hold a backtick, so the list of fields is read from the end.
        let name = names.first().copied().unwrap_or_default();
        extend(name);
        let allowed = message.rsplit_once("expected").map(|(_, tail)| quoted(tail)).unwrap_or_default();
        let text = format!("there is no `{}` here", shorten(name));
        (&UNKNOWN_FIELD, FieldError::new("", "unknown_field", text).allowed(allowed))
    } else if message.starts_with("missing field") {
        extend(names.first().copied().unwrap_or_default());
        (&VALIDATION, FieldError::new("", "required", "must be given"))
    } else if message.starts_with("duplicate field") {
        extend(names.first().copied().unwrap_or_default());
        (&VALIDATION, FieldError::new("", "duplicate", "must be given once"))
    } else if message.starts_with("unknown variant") {
        let allowed = message.rsplit_once("expected").map(|(_, tail)| quoted(tail)).unwrap_or_default();
        (
            &VALIDATION,
            FieldError::new("", "not_allowed", "must be one of the allowed values").allowed(allowed),
        )
    } else {
        let code = if message.starts_with("invalid type") {
            "invalid_type"
        } else if message.starts_with("invalid length") {
            "invalid_length"
        } else {
            "invalid"
        };
        (&VALIDATION, FieldError::new("", code, shorten(message).into_owned()))
    };
    let problem = Problem::new(kind);
    problem.error(FieldError { pointer: place(pointer).into(), ..error })
}
