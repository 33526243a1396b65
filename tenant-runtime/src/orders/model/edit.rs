//! What staff may change of an order that stands: its note and its tags, never what was agreed.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};
use souk_api::FieldError;
use souk_kernel::{LongText, Text};
use utoipa::ToSchema;

use crate::payments::resembles_card_number;

/// The most tags of an order.
const MOST_TAGS: usize = 50;

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "Call before delivery", "tags": ["phone", "urgent"]}))]
pub struct EditOrder {
    /// Takes the place of what the buyer wrote; an empty one clears it.
    #[serde(default)]
    pub note: Option<LongText<2000>>,
    /// All of them: words to find it by, each once whatever its capitals; at most 50.
    #[serde(default)]
    pub tags: Option<Vec<Text<64>>>,
}

/// What an order's note and tags are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub note: String,
    pub tags: Vec<String>,
}

impl EditOrder {
    /// What they will be.
    ///
    /// # Errors
    /// Too many tags; a note that holds a card number.
    pub fn applied(&self, now: &Words) -> Result<Words, Vec<FieldError>> {
        let mut faults = Vec::new();
        let note = self.note.as_ref().map(|note| note.clone().into_string());
        if note.as_deref().is_some_and(resembles_card_number) {
            faults.push(FieldError::new("/note", "card_number", "must not hold a card number"));
        }
        if self.tags.as_ref().is_some_and(|tags| tags.len() > MOST_TAGS) {
            faults.push(FieldError::new("/tags", "too_many", "must be at most 50"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut seen = HashSet::new();
        let tags = self.tags.as_ref().map(|tags| {
            let tags = tags.iter().map(|tag| tag.as_str().to_owned());
            tags.filter(|tag| seen.insert(tag.to_lowercase())).collect::<Vec<_>>()
        });
        Ok(Words {
            note: note.unwrap_or_else(|| now.note.clone()),
            tags: tags.unwrap_or_else(|| now.tags.clone()),
        })
    }
}

impl Words {
    /// What became of them, for the timeline; words of a note are for the order alone.
    pub fn difference(&self, before: &Self) -> Value {
        let only = |these: &Self, those: &Self| -> Vec<String> {
            let known: HashSet<&String> = those.tags.iter().collect();
            these.tags.iter().filter(|tag| !known.contains(tag)).cloned().collect()
        };
        json!({
            "note_changed": self.note != before.note, "tags_added": only(self, before), "tags_removed": only(before, self),
        })
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    fn words(note: &str, tags: &[&str]) -> Words {
        Words { note: note.to_owned(), tags: tags.iter().map(|tag| (*tag).to_owned()).collect() }
    }

    fn edit(note: Option<&str>, tags: Option<&[&str]>) -> EditOrder {
        EditOrder {
            note: note.map(|note| LongText::parse(note).unwrap()),
            tags: tags.map(|tags| tags.iter().map(|tag| Text::parse(tag).unwrap()).collect()),
        }
    }

    #[test]
    fn what_is_left_out_stays_and_a_tag_is_there_once() {
        let now = words("Ring twice", &["vip"]);
        assert_eq!(edit(None, None).applied(&now).unwrap(), now);
        assert_eq!(edit(Some(""), None).applied(&now).unwrap(), words("", &["vip"]));
        let then = edit(None, Some(&["Urgent", "urgent", "phone"])).applied(&now).unwrap();
        assert_eq!(then, words("Ring twice", &["Urgent", "phone"]));
        let told =
            json!({ "note_changed": false, "tags_added": ["Urgent", "phone"], "tags_removed": ["vip"] });
        assert_eq!(then.difference(&now), told);
    }

    #[test]
    fn too_many_tags_and_card_numbers_are_refused_together() {
        let many = vec!["x"; MOST_TAGS + 1];
        let faults = edit(Some("4242 4242 4242 4242"), Some(&many)).applied(&words("", &[])).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.to_string()).collect();
        assert_eq!(pointers, ["/note", "/tags"]);
    }
}
