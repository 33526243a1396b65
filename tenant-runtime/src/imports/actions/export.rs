//! All products as a file, page by page: no more than a page is in memory.

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use souk_access::Permit;
use souk_api::Problem;
use souk_kernel::ProductId;
use souk_tenancy::ReadTx;

use crate::catalog;
use crate::catalog::permissions::View;
use crate::channels;
use crate::imports::error::ImportError;
use crate::imports::model::{Book, Format, Sheet};

/// Products of a page.
const PAGE: i64 = 50;

struct Writer {
    permit: Permit<View>,
    format: Format,
    book: Book,
    /// Whether those that have bundles are on: what these are made of comes before them.
    bundles: bool,
    last: Option<ProductId>,
    over: bool,
}

/// The file, oldest product first, those that have bundles after the others. Each page is read on its own: what is made meanwhile comes at the
/// end, and what changes is written as it is when its turn comes. `address` is where the store's paths begin.
///
/// # Errors
/// Of the first page; a later one that fails breaks the body off.
pub async fn written(
    permit: Permit<View>,
    format: Format,
    address: String,
) -> Result<impl Stream<Item = Result<Bytes, actix_web::Error>>, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| {
        let definitions = catalog::definitions(tx, None, None).await?;
        let (categories, channels) = (catalog::category_names(tx).await?, channels::channel_names(tx).await?);
        Ok::<_, ImportError>(Book::new(&definitions, categories, channels, address))
    };
    let book = permit.read("exports.begin", look).await?;
    let mut first = if format == Format::Csv { book.begin() } else { String::new() };
    let mut writer = Writer { permit, format, book, bundles: false, last: None, over: false };
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
        let (bundles, last) = (self.bundles, self.last);
        let look = async move |tx: &mut ReadTx<'_>| {
            let (products, shelf) = catalog::after(tx, bundles, last, PAGE).await?;
            let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
            let placements = channels::placements(tx, &ids).await?;
            Ok::<_, ImportError>((products, Sheet { on_hand: shelf.on_hand, placements }))
        };
        let (products, sheet) = self.permit.read("exports.products", look).await?;
        let is_last = products.len() < usize::try_from(PAGE).unwrap_or_default();
        self.over = is_last && bundles;
        self.bundles = is_last || bundles;
        self.last = products.last().map(|product| product.id).filter(|_| !is_last);
        let text = products.iter().map(|product| match self.format {
            Format::Csv => self.book.table(product, &sheet),
            Format::Jsonl => self.book.line(product, &sheet),
        });
        Ok(text.collect())
    }
}
