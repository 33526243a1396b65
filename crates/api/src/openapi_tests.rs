//! The documentation tool must understand our extractors where handlers use them.

use actix_web::{HttpRequest, post};

use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::{Json, Page, Paging, Path, Problem};

#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Product {
    title: String,
}

#[utoipa::path(responses((status = 200, body = Page<Product>), (status = 422, body = Problem)), params(Paging))]
#[post("/products/{id}")]
async fn create(
    _: HttpRequest,
    id: Path<u32>,
    paging: Paging,
    Json(product, _digest): Json<Product>,
) -> Page<Product> {
    let _ = (id, paging);
    Page::whole(vec![product])
}

#[derive(OpenApi)]
#[openapi(paths(create))]
struct Api;

#[test]
fn the_document_describes_pages_bodies_and_problems() {
    let document = serde_json::to_value(Api::openapi()).expect("JSON");
    let operation = &document["paths"]["/products/{id}"]["post"];
    assert!(operation["requestBody"].to_string().contains("#/components/schemas/Product"), "{operation}");
    let names: Vec<&str> = operation["parameters"]
        .as_array()
        .expect("some")
        .iter()
        .filter_map(|part| part["name"].as_str())
        .collect();
    assert!(names.contains(&"limit") && names.contains(&"after"), "{operation}");
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for name in ["Problem", "FieldError", "PageInfo", "Product", "Page_Product"] {
        assert!(schemas.contains_key(name), "{name}: {:?}", schemas.keys().collect::<Vec<_>>());
    }
}
