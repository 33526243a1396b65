use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Filter {
    state: Option<State>,
    total: Option<i64>,
    #[serde(rename = "created[gte]")]
    since: Option<String>,
    sort: Vec<String>,
    dry_run: bool,
    ratio: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Paid,
    Open,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mine {
    limit: u8,
}

fn refused(text: &str) -> (u16, &'static str, String) {
    let problem = parse::<Filter>(text).expect_err("must be refused");
    let pointer = problem.errors().first().map(|error| error.pointer.to_string()).unwrap_or_default();
    (problem.status().as_u16(), problem.code(), pointer)
}

#[test]
fn values_take_the_type_asked_for() {
    let filter: Filter =
        parse("state=paid&total=-5&created%5Bgte%5D=2026-01-01&sort=-created_at,total&dry_run=true&ratio=0.5&limit=3&after=x")
            .expect("a filter");
    let expected = Filter {
        state: Some(State::Paid),
        total: Some(-5),
        since: Some("2026-01-01".into()),
        sort: vec!["-created_at".into(), "total".into()],
        dry_run: true,
        ratio: Some(0.5),
    };
    assert_eq!(filter, expected);
    assert_eq!(parse::<Filter>("").expect("a filter"), Filter::default());
    assert_eq!(parse::<Mine>("limit=7").expect("its own limit"), Mine { limit: 7 });
    let all: std::collections::BTreeMap<String, String> = parse("limit=7&b=c").expect("a map");
    assert_eq!(all.len(), 2);
    parse::<()>("x=1").expect("nothing asked");
}

#[test]
fn what_the_type_refuses_is_422_at_the_parameter() {
    assert_eq!(refused("colour=red"), (422, "unknown_field", "?colour".into()));
    assert_eq!(refused("a%2Fb=1"), (422, "unknown_field", "?a/b".into()));
    assert_eq!(refused("total=many"), (422, "validation_failed", "?total".into()));
    assert_eq!(refused("total=99999999999999999999"), (422, "validation_failed", "?total".into()));
    assert_eq!(refused("total=1&total=2"), (422, "validation_failed", "?total".into()));
    assert_eq!(refused("dry_run=yes").2, "?dry_run");
    let problem = parse::<Filter>("state=gold").expect_err("refused");
    assert_eq!(json!(problem.errors()[0].allowed), json!(["paid", "open"]));
}

#[test]
fn what_cannot_be_read_is_400() {
    assert_eq!(refused("state=%00").0, 400);
    assert_eq!(refused("state=%ff").0, 400);
    assert_eq!(refused(&"a=1&".repeat(10_000)).0, 400);
}
