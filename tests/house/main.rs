//! The rules of the house (docs/ARCHITECTURE.md), read from the code itself. A failure names the rule, the place and the way out.
//!
//! Each rule is a function from a [`Tree`] to its [`Offence`]s, so that the tests below can plant an offence and see it caught.

mod authority;
mod claims;
mod files;
mod floors;
mod planes;
mod purity;
mod rooms;
mod source;
mod sql;
mod watch;

use source::{Offence, Tree};

/// A rule: its number and name in docs/ARCHITECTURE.md, and the function that finds its offences.
type Rule = (&'static str, fn(&Tree) -> Vec<Offence>);

const RULES: [Rule; 10] = [
    ("rule 1, planes depend on crates/ and never on each other", planes::offences),
    ("rule 2, a capability is a folder with a closed list of file names", rooms::offences),
    ("rule 3, calls go down the floors and through the door", floors::offences),
    ("rule 4, no permit, no transaction; no transaction, no query", authority::offences),
    ("rule 5a, SQL lives in queries.rs, DDL in migrations/", sql::offences),
    ("rule 5b, model.rs, state.rs and build/ never await", purity::offences),
    ("rule 6, no file over 500 lines", files::too_long),
    ("rule 7, names are nouns you would say to a shopkeeper", files::bad_names),
    ("rule 9, docs/SECURITY.md claims what a test shows", claims::offences),
    ("rule 10, what operators are told to watch is measured", watch::offences),
];

#[test]
fn the_house_is_in_order() {
    let tree = Tree::read();
    // Rules that read a page must not pass because they do not see it.
    for page in ["docs/SECURITY.md", "docs/OPERATIONS.md", "charts/souk/templates/monitoring.yaml"] {
        assert!(tree.text(page).is_some(), "{page} is not read");
    }
    let mut report = String::new();
    for (rule, offences) in RULES {
        for offence in offences(&tree) {
            report.push_str(&format!(
                "{rule}\n  {}: {}\n  way out: {}\n",
                offence.place, offence.what, offence.way_out
            ));
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Rule 8 is enforced by clippy itself; here we hold that clippy.toml still says it and that nobody switches it off in silence.
#[test]
fn the_law_is_written_down() {
    let tree = Tree::read();
    let offences = files::law(&tree);
    assert!(offences.is_empty(), "rule 8, clippy.toml is the law\n{offences:#?}");
}

/// Every rule catches an offence planted for it, and nothing else in that tree.
mod planted {
    use super::*;

    fn caught(rule: fn(&Tree) -> Vec<Offence>, path: &str, text: &str) -> String {
        let offences = rule(&Tree::of([(path, text)]));
        assert_eq!(offences.len(), 1, "exactly one offence in {path}: {offences:#?}");
        assert!(!offences[0].way_out.is_empty());
        offences[0].what.clone()
    }

    #[test]
    fn a_plane_that_depends_on_a_plane() {
        let what = caught(
            planes::offences,
            "operator/Cargo.toml",
            "[dependencies]\nsouk-tenant-runtime.workspace = true\n",
        );
        assert_eq!(what, "`operator` depends on `souk-tenant-runtime`");
    }

    #[test]
    fn a_kernel_that_sees_a_crate() {
        caught(planes::offences, "crates/kernel/Cargo.toml", "[dependencies]\nsouk-api.workspace = true\n");
    }

    #[test]
    fn an_operator_that_sees_diesel() {
        caught(planes::offences, "operator/Cargo.toml", "[dependencies]\ndiesel = \"2\"\n");
    }

    #[test]
    fn a_file_that_is_not_on_the_list() {
        let what = caught(rooms::offences, "tenant-runtime/src/orders/service.rs", "");
        assert_eq!(what, "`service.rs` is not a file a capability has");
    }

    #[test]
    fn a_call_up_the_stairs() {
        let what =
            caught(floors::offences, "tenant-runtime/src/inventory/actions.rs", "use crate::orders::find;");
        assert_eq!(what, "`inventory` (floor 1) uses `orders` (floor 5)");
    }

    #[test]
    fn a_call_sideways() {
        caught(
            floors::offences,
            "tenant-runtime/src/tax/actions.rs",
            "fn f() { crate::shipping::options(); }",
        );
    }

    #[test]
    fn a_call_through_the_window() {
        let what = caught(
            floors::offences,
            "tenant-runtime/src/cart/actions.rs",
            "use crate::catalog::queries::find;",
        );
        assert_eq!(what, "`cart` reaches into `catalog::queries`");
    }

    #[test]
    fn a_pool_outside_tenancy() {
        caught(
            authority::offences,
            "tenant-runtime/src/cart/actions.rs",
            "use diesel_async::pooled_connection::deadpool::Pool;",
        );
    }

    #[test]
    fn a_query_that_takes_a_connection() {
        caught(
            authority::offences,
            "tenant-runtime/src/cart/queries.rs",
            "pub async fn find(c: &mut AsyncPgConnection) {}",
        );
    }

    #[test]
    fn a_claim_that_nothing_shows() {
        let page = "| Attack | Answer | Shown by |\n|---|---|---|\n| A1 ids | 404 | `no_test_of_this_name` |\n| A2 hosts | 400 | – **gap** |\n";
        assert_eq!(caught(claims::offences, "docs/SECURITY.md", page), "`no_test_of_this_name` is no test");
        caught(claims::offences, "docs/SECURITY.md", "| A3 times | the same | – |\n");
    }

    #[test]
    fn an_alert_that_never_rings() {
        let rule = "expr: sum(rate(souk_no_such_thing_total[5m])) > 1";
        let what = caught(watch::offences, "charts/souk/templates/monitoring.yaml", rule);
        assert_eq!(what, "nothing measures `souk_no_such_thing_total`");
        caught(watch::offences, "docs/OPERATIONS.md", "| `souk_no_such_thing_seconds_bucket` | above 1 |");
    }

    #[test]
    fn sql_in_an_action() {
        caught(
            sql::offences,
            "tenant-runtime/src/cart/actions.rs",
            "fn f() -> &'static str { \"SELECT id FROM carts\" }",
        );
    }

    #[test]
    fn a_query_builder_in_a_route() {
        caught(
            sql::offences,
            "tenant-runtime/src/cart/routes.rs",
            "fn f() { diesel::delete(carts::table); }",
        );
    }

    #[test]
    fn ddl_outside_migrations() {
        caught(
            sql::offences,
            "tenant-runtime/src/cart/queries.rs",
            "const Q: &str = \"CREATE TABLE t (id uuid)\";",
        );
    }

    #[test]
    fn a_model_that_awaits() {
        for pure in [
            "tenant-runtime/src/cart/model.rs",
            "tenant-runtime/src/orders/state.rs",
            "operator/src/store/build/service.rs",
        ] {
            caught(purity::offences, pure, "async fn f() {}");
        }
    }

    #[test]
    fn a_file_of_501_lines() {
        caught(files::too_long, "cli/src/up.rs", &"//\n".repeat(501));
    }

    #[test]
    fn a_room_without_a_name() {
        caught(files::bad_names, "crates/api/src/utils.rs", "");
    }

    #[test]
    fn a_lint_switched_off_in_silence() {
        let law = "[[placeholder]]".to_owned();
        let offences = files::silent_allows(&Tree::of([
            ("cli/src/up.rs", "#[allow(dead_code)]\nfn f() {}"),
            ("clippy.toml", &law),
        ]));
        assert_eq!(offences.len(), 1, "{offences:#?}");
    }

    #[test]
    fn a_law_without_its_articles() {
        assert!(!files::law(&Tree::of([("clippy.toml", "disallowed-methods = []")])).is_empty());
    }
}
