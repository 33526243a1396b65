//! What a store that was there before a permission gets of it.

use std::collections::BTreeSet;

use crate::testing::TestShop;

const FIRST: &str = include_str!("../../../policy/first_roles.csv");
const NOW: &str = include_str!("../../../policy/roles.csv");

/// Lines `role, object, action`, without the two roles that are nobody's by name.
fn lines(text: &str) -> BTreeSet<[String; 3]> {
    let cells = |line: &str| {
        let mut cells = line.split(',').map(|cell| cell.trim().to_owned());
        Some([cells.next()?, cells.next()?, cells.next()?])
    };
    let of_a_store = |[role, ..]: &[String; 3]| role != "anyone" && role != "shopper";
    text.lines().filter(|line| !line.starts_with('#')).filter_map(cells).filter(of_a_store).collect()
}

/// Every statement of the stores' migrations that gives roles permissions, in order.
fn granted_by_migrations() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/store");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for part in text.split("INSERT INTO role_permissions").skip(1) {
            let (statement, _) = part.split_once(';').unwrap();
            found.push(format!("INSERT INTO role_permissions{statement};"));
        }
    }
    found
}

#[actix_web::test]
async fn a_store_from_the_beginning_has_the_roles_of_today() {
    let shop = TestShop::open(None).await;
    let first = lines(FIRST);
    assert!(first.is_subset(&lines(NOW)), "a permission was taken away: that needs a migration of its own");
    let values: Vec<_> =
        first.iter().map(|[role, object, action]| format!("('{role}', '{object}', '{action}')")).collect();
    let begin = format!(
        "DELETE FROM {{s}}.role_permissions; INSERT INTO {{s}}.role_permissions SELECT r.id, p.object, p.action FROM {{s}}.roles r \
         JOIN (VALUES {}) AS p (role, object, action) ON p.role = r.name;",
        values.join(", ")
    );
    // A role that the owner made is the owner's.
    let own = "INSERT INTO {s}.roles (id, name) VALUES (gen_random_uuid(), 'manager of the yard');";
    let grants = granted_by_migrations().join("\n");
    shop.admin(&format!("{begin} {own} SET search_path = {{s}}; {grants} {grants} RESET search_path;")).await;
    let roles = shop.owner_call("GET", "/admin/v1/roles").send().await.expect(200);
    let mut held = BTreeSet::new();
    for role in roles.data() {
        for permission in role["permissions"].as_array().unwrap() {
            let (object, action) = permission.as_str().unwrap().split_once(':').unwrap();
            held.insert([role["name"].as_str().unwrap().to_owned(), object.to_owned(), action.to_owned()]);
        }
    }
    let missing: Vec<_> = lines(NOW).difference(&held).cloned().collect();
    assert!(
        missing.is_empty(),
        "stores that are there already lack {missing:?}: give it to their built-in roles in a migration"
    );
    assert_eq!(held, lines(NOW));
}
