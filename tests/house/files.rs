//! Rules 6, 7 and 8: length, names, and the law.

use crate::source::{Offence, Tree};

const LONGEST: usize = 500;
const NAMELESS: [&str; 10] =
    ["util", "utils", "helper", "helpers", "common", "manager", "misc", "service", "core", "impl"];

/// What clippy.toml must keep forbidding.
const ARTICLES: [&str; 8] = [
    "diesel_async::AsyncConnection::establish",
    "diesel_async::AsyncConnection::transaction",
    "diesel::sql_query",
    "deadpool::managed::Pool::get",
    "diesel_async::SimpleAsyncConnection::batch_execute",
    "std::env::var",
    "chrono::Utc::now",
    "std::time::SystemTime::now",
];

pub fn too_long(tree: &Tree) -> Vec<Offence> {
    tree.files()
        .filter(|(path, _)| {
            [".rs", ".ts", ".tsx"].iter().any(|end| path.ends_with(end)) && !path.ends_with("/schema.rs")
        })
        .filter_map(|(path, text)| {
            let lines = text.lines().count();
            (lines > LONGEST).then(|| Offence {
                place: path.to_owned(),
                what: format!("{lines} lines"),
                way_out: "a file that outgrows becomes a folder of the same name",
            })
        })
        .collect()
}

pub fn bad_names(tree: &Tree) -> Vec<Offence> {
    tree.files()
        .filter_map(|(path, _)| {
            let name = path.split('/').map(|part| part.split('.').next().unwrap_or_default()).find(|part| NAMELESS.contains(part))?;
            Some(Offence {
                place: path.to_owned(),
                what: format!("`{name}` says nothing"),
                way_out: "give the code to the capability or crate it serves, under a noun you would say to a shopkeeper",
            })
        })
        .collect()
}

pub fn law(tree: &Tree) -> Vec<Offence> {
    let text = tree.text("clippy.toml").unwrap_or_default();
    let law: toml::Table = text.parse().unwrap_or_else(|error| panic!("clippy.toml: {error}"));
    let articles = law.get("disallowed-methods").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let reasoned = |path: &str| {
        articles.iter().any(|article| {
            article.get("path").and_then(toml::Value::as_str) == Some(path)
                && article.get("reason").is_some_and(toml::Value::is_str)
        })
    };
    let missing = ARTICLES.iter().filter(|path| !reasoned(path)).map(|path| Offence {
        place: "clippy.toml".to_owned(),
        what: format!("`{path}` is not disallowed with a reason"),
        way_out: "put it back: { path = …, reason = … }",
    });
    missing.chain(silent_allows(tree)).collect()
}

/// `#[allow]` hides; `#[expect(…, reason = …)]` explains, and complains when it is no longer needed.
pub fn silent_allows(tree: &Tree) -> Vec<Offence> {
    tree.rust()
        .flat_map(|(path, file)| {
            let mut allows = Allows(0);
            syn::visit::Visit::visit_file(&mut allows, &file);
            (0..allows.0).map(move |_| Offence {
                place: path.to_owned(),
                what: "`#[allow(…)]`".to_owned(),
                way_out: "write #[expect(lint, reason = \"…\")]",
            })
        })
        .collect()
}

struct Allows(usize);

impl<'ast> syn::visit::Visit<'ast> for Allows {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.0 += usize::from(attribute.path().is_ident("allow"));
    }
}
