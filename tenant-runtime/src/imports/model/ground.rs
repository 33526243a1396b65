//! What the words of a file mean in the store that takes it.

use souk_kernel::CategoryId;

use super::columns::{Header, Own};
use crate::catalog::{CategoryName, DefinitionView, MetafieldKind, MetafieldOwner};

/// A column of a metafield that is defined.
#[derive(Clone, Debug)]
pub struct Field {
    /// Which column.
    pub place: usize,
    pub owner: MetafieldOwner,
    pub namespace: String,
    pub key: String,
    pub kind: MetafieldKind,
    pub list: bool,
}

/// What a store has that files name.
#[derive(Clone, Debug)]
pub struct Ground {
    categories: Vec<CategoryName>,
    /// In the order of the file.
    fields: Vec<Field>,
    /// Columns of metafields that are not defined.
    pub undefined: Vec<(MetafieldOwner, usize)>,
    /// Whether whoever sent the file may say where products are sold.
    pub may_publish: bool,
}

impl Ground {
    /// Of a table with this header, or of lines.
    pub fn new(
        header: Option<&Header>,
        definitions: &[DefinitionView],
        categories: Vec<CategoryName>,
        may_publish: bool,
    ) -> Self {
        let (mut fields, mut undefined) = (Vec::new(), Vec::new());
        for (own, place) in header.map(|header| header.own.as_slice()).unwrap_or_default() {
            let Own::Metafield { owner, namespace, key } = own else { continue };
            let is_it =
                |one: &&DefinitionView| one.owner == *owner && one.namespace == *namespace && one.key == *key;
            match definitions.iter().find(is_it) {
                Some(known) => fields.push(Field {
                    place: *place,
                    owner: *owner,
                    namespace: namespace.clone(),
                    key: key.clone(),
                    kind: known.kind,
                    list: known.list,
                }),
                None => undefined.push((*owner, *place)),
            }
        }
        Self { categories, fields, undefined, may_publish }
    }

    /// The columns of metafields of products, or of variants.
    pub fn fields(&self, owner: MetafieldOwner) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.owner == owner)
    }

    /// The column of the metafield that is wished at this place.
    pub fn column(&self, owner: MetafieldOwner, number: Option<usize>) -> Option<usize> {
        self.fields(owner).nth(number?).map(|field| field.place)
    }

    /// The category of this handle or id, or at this place: `Kitchen > Mugs`.
    pub fn category(&self, word: &str) -> Option<CategoryId> {
        let id = word.parse::<CategoryId>().ok();
        let path: Vec<&str> = word.split('>').map(str::trim).collect();
        let named = |one: &&CategoryName| one.handle == word || Some(one.id) == id;
        let placed = |one: &&CategoryName| self.is_at(one, &path);
        let found = self.categories.iter().find(named).or_else(|| self.categories.iter().find(placed));
        found.map(|found| found.id)
    }

    fn is_at(&self, category: &CategoryName, path: &[&str]) -> bool {
        let Some((title, above)) = path.split_last() else { return false };
        let is_parent = |one: &&CategoryName| Some(one.id) == category.parent_id;
        category.title == *title
            && match self.categories.iter().find(is_parent) {
                Some(parent) => self.is_at(parent, above),
                None => above.is_empty(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_found_by_handle_id_and_place() {
        let [home, kitchen, mugs] = [(); 3].map(|()| CategoryId::new());
        let name = |id, parent_id, handle: &str, title: &str| CategoryName {
            id,
            parent_id,
            handle: handle.to_owned(),
            title: title.to_owned(),
        };
        let categories = vec![
            name(home, None, "home", "Home"),
            name(kitchen, Some(home), "kitchen", "Kitchen"),
            name(mugs, Some(kitchen), "mugs", "Mugs"),
        ];
        let ground = Ground::new(None, &[], categories, true);
        for (word, found) in [
            ("mugs", Some(mugs)),
            (mugs.to_string().as_str(), Some(mugs)),
            ("Home > Kitchen > Mugs", Some(mugs)),
            ("Home>Kitchen", Some(kitchen)),
            ("Kitchen > Mugs", None),
            ("Mugs", None),
            ("Home", Some(home)),
            ("", None),
        ] {
            assert_eq!(ground.category(word), found, "{word}");
        }
    }
}
