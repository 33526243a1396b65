//! The statements on pictures.

use bytes::Bytes;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{ImageId, ProductId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::rows::IdRow;
use crate::catalog::model::ImageView;
use crate::media::{Developed, Original};

/// A picture, as it is kept.
pub struct NewImage<'a> {
    pub id: ImageId,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub alt: &'a str,
    pub file: &'a Developed,
    /// Where it was fetched from.
    pub source: Option<&'a str>,
}

/// The last of the product's pictures. The product is locked and the file kept.
pub async fn add(tx: &mut WriteTx<'_>, image: &NewImage<'_>) -> Result<(), DbError> {
    let now = tx.now();
    let side = |side: u32| i32::try_from(side).ok();
    let query = sql(include_str!("add_image.sql"))
        .bind::<SqlUuid, _>(image.id)
        .bind::<SqlUuid, _>(image.product)
        .bind::<Nullable<SqlUuid>, _>(image.variant)
        .bind::<Text, _>(image.alt.to_owned())
        .bind::<Text, _>(image.file.content_type)
        .bind::<Binary, _>(image.file.digest.as_bytes().to_vec())
        .bind::<Nullable<Integer>, _>(side(image.file.width))
        .bind::<Nullable<Integer>, _>(side(image.file.height))
        .bind::<SqlUuid, _>(image.file.id)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(image.source.map(str::to_owned));
    tx.execute(query).await.map(|_| ())
}

/// Writes a picture's words and the order of all of them. The product is locked.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    image: &ImageView,
    order: &[ImageId],
) -> Result<(), DbError> {
    let query = sql(include_str!("edit_image.sql"))
        .bind::<SqlUuid, _>(product)
        .bind::<SqlUuid, _>(image.id)
        .bind::<Text, _>(image.alt.clone())
        .bind::<Nullable<SqlUuid>, _>(image.variant)
        .bind::<Array<SqlUuid>, _>(order.iter().map(|image| image.uuid()).collect::<Vec<Uuid>>());
    tx.execute(query).await.map(|_| ())
}

/// `false`: the product has no such picture.
pub async fn remove(tx: &mut WriteTx<'_>, product: ProductId, image: ImageId) -> Result<bool, DbError> {
    let query = sql(include_str!("remove_image.sql")).bind::<SqlUuid, _>(image).bind::<SqlUuid, _>(product);
    let gone: Option<IdRow> = tx.optional(query).await?;
    Ok(gone.is_some())
}

#[derive(QueryableByName)]
struct OriginalRow {
    #[diesel(sql_type = Text)]
    content_type: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    object_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Binary>)]
    content: Option<Vec<u8>>,
}

/// Where a picture's bytes are, and, with `content`, the bytes if a row has them.
pub async fn original(
    tx: &mut ReadTx<'_>,
    image: ImageId,
    content: bool,
) -> Result<Option<Original>, DbError> {
    let query = sql("SELECT i.content_type, i.object_id, \
             CASE WHEN NOT $2 THEN NULL WHEN i.object_id IS NOT NULL THEN (SELECT o.content FROM media_objects o WHERE o.id = i.object_id) \
             ELSE (SELECT b.bytes FROM media_blobs b WHERE b.digest = i.digest) END AS content \
         FROM product_images i WHERE i.id = $1")
    .bind::<SqlUuid, _>(image)
    .bind::<Bool, _>(content);
    let row: Option<OriginalRow> = tx.optional(query).await?;
    Ok(row.map(|row| Original {
        content_type: row.content_type,
        object: row.object_id,
        content: row.content.map(Bytes::from),
    }))
}
