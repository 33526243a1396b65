use actix_web::{App, test, web};
use serde_json::Value;
use utoipa::PartialSchema;

use super::*;
use crate::Query;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    state: Option<String>,
}

/// Numbers 1 to 45.
async fn list(req: HttpRequest, paging: Paging, filter: Query<Filter>) -> crate::Result<Page<i64>> {
    let key = CursorKey::of(&req)?;
    let scope = format!("numbers|{}", filter.state.as_deref().unwrap_or_default());
    let start = paging.position::<i64>(key, &scope)?.unwrap_or(0) + 1;
    let rows = (start..=45).take(usize::try_from(paging.fetch()).expect("small")).collect();
    Page::cut(rows, &paging, key, &scope, |number| *number)
}

async fn get(uri: &str) -> (u16, Option<String>, Value) {
    let app = App::new().app_data(CursorKey::new(b"k")).route("/v1/numbers", web::get().to(list));
    let app = test::init_service(app).await;
    let reply = test::call_service(&app, test::TestRequest::with_uri(uri).to_request()).await;
    let link = reply.headers().get("link").map(|value| value.to_str().expect("ASCII").to_owned());
    (reply.status().as_u16(), link, test::read_body_json(reply).await)
}

#[actix_web::test]
async fn links_lead_through_the_whole_list() {
    let mut uri = "/v1/numbers?state=a%26b&limit=20".to_owned();
    let mut seen: Vec<i64> = Vec::new();
    loop {
        let (status, link, page) = get(&uri).await;
        assert_eq!(status, 200);
        let page: Page<i64> = serde_json::from_value(page).expect("a page");
        seen.extend(&page.data);
        assert_eq!(page.page.has_more, link.is_some());
        assert_eq!(page.page.has_more, page.page.next.is_some());
        let Some(link) = link else { break };
        let target =
            link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect("a link");
        assert!(target.starts_with("/v1/numbers?state=a%26b&limit=20&after="), "{target}");
        uri = target.to_owned();
    }
    assert_eq!(seen, (1..=45).collect::<Vec<_>>());
}

#[actix_web::test]
async fn limits_outside_1_to_100_are_422() {
    for limit in ["0", "101", "1000000000", "-1", "x", "1.5", "99999999999999999999", ""] {
        let (status, _, problem) = get(&format!("/v1/numbers?limit={limit}")).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &Value::from("?limit")), "{limit}");
    }
    assert_eq!(get("/v1/numbers").await.2["data"].as_array().expect("data").len(), 20);
    assert_eq!(
        get("/v1/numbers?limit=45").await.2["page"],
        serde_json::json!({"next": null, "has_more": false})
    );
}

#[actix_web::test]
async fn a_cursor_of_another_filter_is_400() {
    let (_, _, page) = get("/v1/numbers?state=paid").await;
    let next = page["page"]["next"].as_str().expect("a cursor");
    assert_eq!(get(&format!("/v1/numbers?state=paid&after={next}")).await.0, 200);
    let (status, _, problem) = get(&format!("/v1/numbers?state=open&after={next}")).await;
    assert_eq!((status, &problem["code"]), (400, &Value::from("invalid_cursor")));
    assert_eq!(get("/v1/numbers?offset=5").await.0, 422);
}

#[actix_web::test]
async fn a_page_has_a_schema_for_each_item() {
    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Product {
        title: String,
    }
    assert_eq!(Page::<Product>::name(), "Page");
    let schema = serde_json::to_value(Page::<Product>::schema()).expect("JSON");
    assert!(schema["properties"]["data"].to_string().contains("Product"), "{schema}");
    assert!(schema["properties"]["page"].to_string().contains("PageInfo"), "{schema}");
}
