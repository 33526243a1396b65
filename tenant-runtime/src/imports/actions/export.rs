//! All products as a file, page by page: no more than a page is in memory.

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use souk_access::Permit;
use souk_api::Problem;
use souk_kernel::ProductId;
use souk_tenancy::ReadTx;

use crate::catalog::permissions::View;
use crate::catalog::{self, CatalogError};
use crate::imports::model::{Format, begin, line, table};

/// Products of a page.
const PAGE: i64 = 50;

struct Writer {
    permit: Permit<View>,
    format: Format,
    address: String,
    last: Option<ProductId>,
    over: bool,
}

/// The file, oldest product first. Each page is read on its own: what is made meanwhile comes at the end, and what changes is written as it is
/// when its turn comes. `address` is where the store's paths begin.
///
/// # Errors
/// Of the first page; a later one that fails breaks the body off.
pub async fn written(
    permit: Permit<View>,
    format: Format,
    address: String,
) -> Result<impl Stream<Item = Result<Bytes, actix_web::Error>>, Problem> {
    let mut writer = Writer { permit, format, address, last: None, over: false };
    let mut first = if format == Format::Csv { begin() } else { String::new() };
    first.push_str(&writer.page().await?);
    let rest = stream::unfold(writer, |mut writer| async move {
        if writer.over {
            return None;
        }
        let page = writer.page().await;
        writer.over |= page.is_err();
        Some((page.map(Bytes::from).map_err(actix_web::Error::from), writer))
    });
    Ok(stream::iter([Ok(Bytes::from(first))]).chain(rest))
}

impl Writer {
    async fn page(&mut self) -> Result<String, Problem> {
        let last = self.last;
        let look =
            async move |tx: &mut ReadTx<'_>| Ok::<_, CatalogError>(catalog::after(tx, last, PAGE).await?);
        let (products, shelf) = self.permit.read("exports.products", look).await?;
        self.over = products.len() < usize::try_from(PAGE).unwrap_or_default();
        self.last = products.last().map(|product| product.id);
        let text = products.iter().map(|product| match self.format {
            Format::Csv => table(product, &shelf.on_hand, &self.address),
            Format::Jsonl => line(product, &shelf.on_hand),
        });
        Ok(text.collect())
    }
}
