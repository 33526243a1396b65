//! The catalogue over HTTP.

mod categories;
mod collections;
mod metafields;
mod pictures;
mod price_lists;
mod prices;
mod products;
mod search;
mod shop;
mod variants;

use actix_web::HttpResponse;
use souk_access::{Permission, Permit, Reply, Writes};
use souk_api::{CursorKey, Digest, OptionalIdempotencyKey, Page, Paging, Problem};
use souk_tenancy::{Work, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::shop::edition;
use super::error::CatalogError;
use super::model::{Sort, SummaryView};
use super::queries::Place;

/// `/admin/v1/products`, `/admin/v1/variants`, `/admin/v1/collections`, `/admin/v1/categories`, `/admin/v1/metafield-definitions`, `/admin/v1/price-lists`, and what shoppers see below `/store/v1`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.configure(products::routes).configure(variants::routes);
    config.configure(collections::routes).configure(shop::routes).configure(price_lists::routes);
    config.configure(search::routes).configure(categories::routes);
    config.configure(metafields::routes).configure(pictures::routes).configure(prices::routes);
}

/// Runs work once for its key, or just runs it when there is none.
async fn keyed<P, F>(
    permit: &Permit<P>,
    name: &'static str,
    key: OptionalIdempotencyKey,
    digest: Digest,
    work: F,
) -> Result<HttpResponse, Problem>
where
    P: Permission<Access = Writes>,
    for<'t, 'c> F: AsyncFnOnce(&'t mut WriteTx<'c>) -> Result<Reply, CatalogError>
        + Work<&'t mut WriteTx<'c>, Result<Reply, CatalogError>, Fut: Send>,
    F: Send,
{
    match key.0 {
        Some(key) => permit.write_once(name, &key, digest, work).await,
        None => permit.send(permit.write(name, work).await?),
    }
}

/// Bytes of a title a cursor carries; a longer one is cut, and a page may then begin with a row of the page before.
const TITLE: usize = 600;

fn place(sort: Sort, row: &SummaryView) -> Place {
    let mut place = (row.id, None, None, None);
    match sort {
        Sort::Manual => {}
        Sort::Newest => place.1 = Some(row.created_at),
        Sort::Title => {
            let end = (0..=TITLE.min(row.title.len())).rev().find(|end| row.title.is_char_boundary(*end));
            place.2 = Some(row.title[..end.unwrap_or_default()].to_owned());
        }
        Sort::Price => place.3 = Some(row.price_from.map_or(i64::MAX, souk_kernel::Money::minor)),
    }
    place
}

fn cut(
    rows: Vec<SummaryView>,
    sort: Sort,
    paging: &Paging,
    key: &CursorKey,
    scope: &str,
) -> Result<Page<SummaryView>, Problem> {
    Page::cut(rows, paging, key, scope, |row| place(sort, row))
}
