//! What is done with pictures of products.

use souk_api::FieldError;
use souk_kernel::{ImageId, ProductId, VariantId};
use souk_tenancy::WriteTx;

use super::{changed, locked, set, told};
use crate::catalog::error::CatalogError;
use crate::catalog::events::ProductUpdated;
use crate::catalog::model::{EditImage, ImageView, MOST_IMAGES, ProductView};
use crate::catalog::queries::pictures::NewImage;
use crate::catalog::queries::{self, pictures};
use crate::media::{self, Developed};

/// A picture as it shall be shown.
#[derive(Clone, Copy)]
pub struct Hung<'a> {
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub alt: &'a str,
    /// Where it was fetched from.
    pub source: Option<&'a str>,
    /// Its place, from 0; the last if none is said.
    pub position: Option<usize>,
}

/// A picture more, its file kept; `limit` is the plan's, in MB.
pub async fn add(
    tx: &mut WriteTx<'_>,
    hung: Hung<'_>,
    file: &Developed,
    limit: u32,
) -> Result<ImageView, CatalogError> {
    let Hung { product, variant, alt, source, position } = hung;
    queries::lock(tx, product).await?.ok_or(CatalogError::Unknown)?;
    media::keep(tx, file, limit).await?;
    let id = ImageId::new();
    pictures::add(tx, &NewImage { id, product, variant, alt, file, source }).await?;
    let mut view = changed(tx, product).await?;
    if view.images.len() > MOST_IMAGES {
        return Err(CatalogError::TooManyImages);
    }
    let place = view.images.iter().position(|image| image.id == id).ok_or(CatalogError::Unknown)?;
    let image = view.images.remove(place);
    if image.variant != variant {
        return Err(foreign("?variant"));
    }
    if let Some(position) = position.filter(|position| *position < place) {
        let mut order: Vec<ImageId> = view.images.iter().map(|image| image.id).collect();
        order.insert(position.min(order.len()), id);
        pictures::edit(tx, product, &image, &order).await?;
    }
    Ok(image)
}

fn foreign(pointer: &'static str) -> CatalogError {
    CatalogError::Invalid(vec![FieldError::new(pointer, "unknown", "must be a variant of this product")])
}

/// Refuses a variant that is none of the product's.
pub(super) fn own(product: &ProductView, variant: Option<VariantId>) -> Result<(), CatalogError> {
    let known = |variant: VariantId| product.variants.iter().any(|known| known.id == variant);
    if variant.is_none_or(known) { Ok(()) } else { Err(foreign("/variant")) }
}

/// A picture's words, its variant and its place.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    image: ImageId,
    wish: &EditImage,
) -> Result<ImageView, CatalogError> {
    let now = locked(tx, product, None).await?;
    let mut order: Vec<ImageId> = now.images.iter().map(|image| image.id).collect();
    let place = order.iter().position(|known| *known == image).ok_or(CatalogError::Unknown)?;
    let mut edited = now.images.get(place).cloned().ok_or(CatalogError::Unknown)?;
    set(&mut edited.alt, wish.alt.as_ref());
    if let Some(variant) = wish.variant {
        own(&now, variant)?;
        edited.variant = variant;
    }
    if let Some(position) = wish.position {
        let gone = order.remove(place);
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(order.len());
        order.insert(position, gone);
    }
    pictures::edit(tx, product, &edited, &order).await?;
    let view = changed(tx, product).await?;
    view.images.into_iter().find(|known| known.id == image).ok_or(CatalogError::Unknown)
}

/// A picture; its file goes with it.
pub async fn remove(tx: &mut WriteTx<'_>, product: ProductId, image: ImageId) -> Result<(), CatalogError> {
    queries::lock(tx, product).await?.ok_or(CatalogError::Unknown)?;
    if !pictures::remove(tx, product, image).await? {
        return Err(CatalogError::Unknown);
    }
    queries::touch(tx, &[product]).await?;
    told(tx, &ProductUpdated { product }).await
}
