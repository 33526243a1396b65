//! Pictures of products: how they are asked for, where they are fetched, how they are shown.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{ImageFetchId, ImageId, LongText, ProductId, Text, VariantId};
use souk_media::{Format, Size, WIDTHS};
use utoipa::{IntoParams, ToSchema};

use crate::catalog::error::CatalogError;

/// Most pictures of a product.
pub const MOST_IMAGES: usize = 250;
/// Most characters of an address.
const ADDRESS: usize = 2048;

/// How a size is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImageFormat {
    /// For photographs; what is transparent becomes white.
    Jpeg,
    /// Without loss, understood everywhere.
    Png,
    /// Without loss, smaller than PNG.
    Webp,
}

impl From<ImageFormat> for Format {
    fn from(format: ImageFormat) -> Self {
        match format {
            ImageFormat::Jpeg => Self::Jpeg,
            ImageFormat::Png => Self::Png,
            ImageFormat::Webp => Self::WebP,
        }
    }
}

/// Which size of a picture; without `width`, the picture as it is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedSize {
    /// 96, 240, 480, 720, 1080 or 1600 pixels. A picture that is narrower keeps its width.
    pub width: Option<u32>,
    /// Only with `width`. What fits the picture, if left out.
    pub format: Option<ImageFormat>,
}

impl WantedSize {
    /// The size, of a picture of this media type.
    ///
    /// # Errors
    /// A width that is not on the list; a format without a width.
    pub fn size(&self, content_type: &str) -> Result<Option<Size>, CatalogError> {
        let Some(width) = self.width else {
            if self.format.is_some() {
                let fault = FieldError::new("?width", "required", "must be given where there is a format");
                return Err(CatalogError::Invalid(vec![fault]));
            }
            return Ok(None);
        };
        let format = self.format.map_or_else(|| Format::fitting(content_type), Format::from);
        let size = Size::new(width, format).ok_or_else(|| {
            let fault = FieldError::new("?width", "unknown", "must be one of the widths there are");
            CatalogError::Invalid(vec![fault.allowed(WIDTHS.map(|width| width.to_string()))])
        })?;
        Ok(Some(size))
    }
}

/// A size of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImageSizeView {
    #[schema(example = 480)]
    pub width: u32,
    #[schema(example = 320)]
    pub height: u32,
    /// A path of the store. `&format=jpeg`, `png` or `webp` chooses another format.
    #[schema(example = "/store/v1/images/img_01h455vb4pex5vsknk084sn02q?width=480")]
    pub url: String,
}

/// A picture.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImageView {
    pub id: ImageId,
    /// Where its bytes are, a path of the store.
    #[schema(example = "/store/v1/images/img_01h455vb4pex5vsknk084sn02q")]
    pub url: String,
    pub alt: String,
    #[schema(example = "image/png")]
    pub content_type: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Those that are narrower than the picture, the narrowest first: for a `srcset`.
    pub sizes: Vec<ImageSizeView>,
    /// The variant it shows.
    pub variant: Option<VariantId>,
    /// Where it was fetched from.
    #[serde(skip)]
    pub source: Option<String>,
}

impl ImageView {
    /// A picture with its addresses.
    pub fn new(id: ImageId, alt: String, content_type: String, sides: (Option<i32>, Option<i32>)) -> Self {
        let (url, sizes) = (image_url(id), sizes_of(id, &content_type, sides));
        let (width, height) = sides;
        Self { id, url, alt, content_type, width, height, sizes, variant: None, source: None }
    }
}

/// Where a picture's bytes are.
pub fn image_url(id: ImageId) -> String {
    format!("{IMAGES}{id}")
}

const IMAGES: &str = "/store/v1/images/";

fn sizes_of(id: ImageId, content_type: &str, sides: (Option<i32>, Option<i32>)) -> Vec<ImageSizeView> {
    let side = |side: Option<i32>| side.and_then(|side| u32::try_from(side).ok());
    let (Some(wide), Some(high)) = (side(sides.0), side(sides.1)) else { return Vec::new() };
    let narrower = WIDTHS.iter().filter(|width| **width < wide);
    let sized = |width: &u32| {
        let size = Size::new(*width, Format::fitting(content_type))?;
        let url = format!("{IMAGES}{id}?width={width}");
        Some(ImageSizeView { width: *width, height: size.height((wide, high)), url })
    };
    narrower.filter_map(sized).collect()
}

/// A picture in a file of products.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageWish {
    /// Where it is, on the open internet.
    pub src: String,
    #[serde(default)]
    pub alt: LongText<512>,
    /// Its place among the product's, from 0; the last if left out.
    #[serde(default)]
    pub position: Option<u16>,
    /// The variant it shows, by its options; none for all of them.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl ImageWish {
    /// Whether this is the picture it means: fetched from there, or our own address of it.
    pub fn is(&self, image: &ImageView) -> bool {
        image.source.as_deref() == Some(self.src.as_str()) || self.own() == Some(image.id)
    }

    /// The picture whose address of ours this is, at whatever host.
    fn own(&self) -> Option<ImageId> {
        let (_, rest) = self.src.split_once(IMAGES)?;
        rest.split(['?', '#']).next()?.parse().ok()
    }

    /// What is wrong with the address as it is written. Where it leads, is judged when it is fetched.
    pub fn fault(&self) -> Option<String> {
        readable(&self.src).err()
    }
}

fn readable(address: &str) -> Result<(), String> {
    if address.len() > ADDRESS {
        return Err(format!("must have at most {ADDRESS} characters"));
    }
    souk_outbound::readable(address, true).map(|_| ())
}

/// A picture to be fetched.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://cdn.example.com/mug.jpg", "alt": "A blue mug on a table", "position": 0}))]
pub struct FetchImage {
    /// Where it is, on the open internet: `https://`, no user name, no fragment. It may lead on to another such address, three times at most.
    #[schema(value_type = String, example = "https://cdn.example.com/mug.jpg", max_length = 2048)]
    pub url: Text<2048>,
    /// What it shows, for those who cannot see it.
    #[schema(value_type = Option<String>)]
    pub alt: Option<Text<512>>,
    /// The variant it shows.
    pub variant: Option<VariantId>,
    /// Its place among the product's pictures, from 0; the last if left out.
    #[schema(minimum = 0, maximum = 249)]
    pub position: Option<u16>,
}

impl FetchImage {
    /// Looks through what can be seen of it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), CatalogError> {
        let mut faults = Vec::new();
        if let Err(cause) = readable(self.url.as_str()) {
            faults.push(FieldError::new("/url", "invalid", cause));
        }
        if self.position.is_some_and(|place| usize::from(place) >= MOST_IMAGES) {
            faults.push(FieldError::new("/position", "out_of_range", "must be 0 to 249"));
        }
        if faults.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(faults)) }
    }
}

/// How far it is with a picture to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FetchState {
    /// It waits, for the first time or again.
    Queued,
    /// The product has it.
    Done,
    /// It was given up; `cause` says why.
    Failed,
}

impl FetchState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    pub fn stored(word: &str) -> Self {
        match word {
            "done" => Self::Done,
            "failed" => Self::Failed,
            _ => Self::Queued,
        }
    }
}

/// A picture that is, was or could not be fetched.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImageFetchView {
    pub id: ImageFetchId,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    #[schema(example = "https://cdn.example.com/mug.jpg")]
    pub url: String,
    pub alt: String,
    pub position: Option<i32>,
    pub state: FetchState,
    /// Attempts so far.
    pub attempts: i32,
    /// Why the last attempt came to nothing.
    #[schema(example = "the server answered 404")]
    pub cause: Option<String>,
    /// The picture it became, while it is there.
    pub image: Option<ImageId>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which fetches.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FetchFilter {
    /// Only those of this product.
    pub product: Option<ProductId>,
    /// Only those that are so far.
    pub state: Option<FetchState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(width: i32, height: i32) -> ImageView {
        ImageView::new(ImageId::new(), String::new(), "image/jpeg".into(), (Some(width), Some(height)))
    }

    #[test]
    fn only_narrower_sizes_are_named() {
        let image = view(600, 300);
        let sizes: Vec<_> = image.sizes.iter().map(|size| (size.width, size.height)).collect();
        assert_eq!(sizes, [(96, 48), (240, 120), (480, 240)]);
        assert_eq!(image.sizes[0].url, format!("{}?width=96", image.url));
        assert!(view(96, 96).sizes.is_empty());
        let unknown = ImageView::new(ImageId::new(), String::new(), "image/png".into(), (None, None));
        assert!(unknown.sizes.is_empty());
    }

    #[test]
    fn sizes_are_of_the_list() {
        let wanted = |width, format| WantedSize { width, format };
        assert_eq!(wanted(None, None).size("image/png").unwrap(), None);
        let size = wanted(Some(240), None).size("image/gif").unwrap().unwrap();
        assert_eq!(size.name(), "240.png");
        let size = wanted(Some(240), Some(ImageFormat::Webp)).size("image/jpeg").unwrap().unwrap();
        assert_eq!(size.name(), "240.webp");
        assert!(wanted(Some(241), None).size("image/png").is_err());
        assert!(wanted(None, Some(ImageFormat::Png)).size("image/png").is_err());
    }

    #[test]
    fn a_picture_that_is_there_is_known_by_both_its_addresses() {
        let mut image = view(10, 10);
        image.source = Some("https://cdn.example.com/a.jpg?v=1".into());
        let wish = |src: &str| ImageWish { src: src.into(), ..ImageWish::default() };
        assert!(wish("https://cdn.example.com/a.jpg?v=1").is(&image));
        assert!(!wish("https://cdn.example.com/a.jpg?v=2").is(&image));
        assert!(wish(&format!("http://acme.localhost:8081{}?width=96", image.url)).is(&image));
        assert!(!wish("https://x.example/store/v1/images/img_01h455vb4pex5vsknk084sn02q").is(&image));
        assert_eq!(wish("https://cdn.example.com/a.jpg").fault(), None);
        for bad in ["", "a.jpg", "ftp://example.com/a.jpg", "javascript:alert(1)", "https://u:p@example.com/"]
        {
            assert!(wish(bad).fault().is_some(), "{bad}");
        }
    }
}
