//! The canaries: a word and an id for each store, found again in any text, whoever printed it.

use souk_kernel::ProductId;
use uuid::Uuid;

const WORD: &str = "canary-s";
const UNDONE: &str = "undone-s";
/// Of an id as the database prints it, and as the wire does: what all canaries have in common.
const UUID: &str = "ca4a0000-0000-7000-8000-00000000";
/// Letters of an id on the wire that tell one store from another.
const LETTERS: usize = 4;

/// The canaries of one store.
#[derive(Clone, Debug)]
pub struct Mark {
    pub word: String,
    pub uuid: Uuid,
    /// The id as it ends on the wire.
    pub wire: String,
    /// What is written only where it must be undone.
    pub undone: String,
}

impl Mark {
    /// # Panics
    /// When the number has more than four digits.
    pub fn new(number: usize) -> Self {
        assert!(number < 10_000, "four digits");
        let uuid = Uuid::parse_str(&format!("{UUID}{number:04x}")).expect("a UUID");
        Self {
            word: format!("{WORD}{number:04}s"),
            undone: format!("{UNDONE}{number:04}s"),
            uuid,
            wire: ProductId::from_uuid(uuid).suffix(),
        }
    }

    /// The name whose business has this store's word for its canary.
    pub fn name(&self) -> String {
        self.word.trim_start_matches("canary-").to_owned()
    }

    /// The text as this store would have written it, in place of the other.
    pub fn rewrite(&self, of: &Self, text: &str) -> String {
        text.replace(&of.word, &self.word)
            .replace(&of.uuid.to_string(), &self.uuid.to_string())
            .replace(&of.wire, &self.wire)
    }

    /// How often the text has a canary of this store.
    pub fn own(&self, text: &str) -> usize {
        [self.word.as_str(), self.wire.as_str(), &self.uuid.to_string()]
            .iter()
            .map(|canary| text.matches(canary).count())
            .sum()
    }

    /// A canary of another store in the text, or what should have been undone.
    pub fn foreign(&self, text: &str) -> Option<String> {
        let wire = self.wire.split_at(self.wire.len() - LETTERS).0;
        let uuid = self.uuid.to_string();
        for (start, own) in [(WORD, &self.word), (UUID, &uuid), (wire, &self.wire)] {
            for (at, _) in text.match_indices(start) {
                let found: String = text[at..].chars().take(own.len()).collect();
                if found != *own {
                    return Some(found);
                }
            }
        }
        let undone = text.find(UNDONE)?;
        Some(text[undone..].chars().take(self.undone.len()).collect())
    }
}

#[test]
fn a_canary_is_known_from_another() {
    let (one, other) = (Mark::new(7), Mark::new(42));
    for text in [&one.word, &one.wire, &one.uuid.to_string()] {
        let text = format!("{{\"name\": \"a {text}.\"}}");
        assert_eq!((one.own(&text), one.foreign(&text)), (1, None));
        assert_eq!(other.own(&text), 0);
        assert!(other.foreign(&text).is_some(), "{text}");
        assert_eq!(other.own(&other.rewrite(&one, &text)), 1);
        assert!(one.foreign(&other.rewrite(&one, &text)).is_some());
    }
    assert_eq!(one.foreign(&format!("x {}", one.undone)), Some(one.undone.clone()));
    assert_eq!(one.name(), "s0007s");
}
