//! Smaller pictures: a closed list of widths and formats, so that nobody can have us fill a disk by asking for more.

use image::codecs::webp::WebPEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, Pixel, RgbaImage};

use crate::develop::{decode, jpeg, png};
use crate::limits::Limits;
use crate::refused::Refused;
use crate::sniff::Kind;

/// The widths there are, in pixels.
pub const WIDTHS: [u32; 6] = [96, 240, 480, 720, 1080, 1600];

/// How good a size is: nothing is made of it.
const QUALITY: u8 = 82;

/// How a size is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For photographs. Transparency becomes white.
    Jpeg,
    /// Without loss, understood by every mail program.
    Png,
    /// Without loss, a quarter smaller than PNG.
    WebP,
}

impl Format {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::WebP];

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }

    /// How a picture of this media type is best written when nobody says.
    pub fn fitting(content_type: &str) -> Self {
        if content_type == Kind::Jpeg.content_type() { Self::Jpeg } else { Self::Png }
    }
}

/// One of the sizes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    width: u32,
    /// How it is written.
    pub format: Format,
}

impl Size {
    /// `None` for a width that is not on the list.
    pub fn new(width: u32, format: Format) -> Option<Self> {
        WIDTHS.contains(&width).then_some(Self { width, format })
    }

    /// In pixels.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Its name among the objects of a picture: `640.jpeg`.
    pub fn name(self) -> String {
        format!("{}.{}", self.width, self.format.as_str())
    }

    /// How high a picture of these sides is in this width.
    pub fn height(self, (width, height): (u32, u32)) -> u32 {
        if width == 0 {
            return 1;
        }
        let exact = (u64::from(height) * u64::from(self.width) + u64::from(width) / 2) / u64::from(width);
        u32::try_from(exact).unwrap_or(u32::MAX).max(1)
    }
}

/// A size of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The media type.
    pub content_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Makes a size of a picture. One that is narrower keeps its own width: nothing is blown up. Of what moves, the first frame.
///
/// # Errors
/// A picture that was kept before there were limits may be beyond them, or damaged.
pub fn render(bytes: &[u8], size: Size, limits: &Limits) -> Result<Rendered, Refused> {
    let mut picture = decode(bytes, limits)?;
    if picture.width() > size.width {
        let height = size.height((picture.width(), picture.height()));
        picture = shrunk(picture, size.width, height);
    }
    let bytes = match size.format {
        Format::Jpeg => jpeg(&picture, QUALITY)?,
        Format::Png => png(&picture)?,
        Format::WebP => {
            let mut file = Vec::new();
            picture.write_with_encoder(WebPEncoder::new_lossless(&mut file))?;
            file
        }
    };
    Ok(Rendered { content_type: size.format.content_type(), bytes })
}

/// Beyond so many pixels whole pixels are averaged and nothing finer is done: the filter would hold hundreds of megabytes, and is not seen.
const FINE: u64 = 1_000_000;

/// The picture with these sides, none of which is longer than its own.
pub(crate) fn shrunk(picture: DynamicImage, width: u32, height: u32) -> DynamicImage {
    if picture.color().has_alpha() {
        let mut pixels = picture.into_rgba8();
        weigh(&mut pixels);
        let mut small = fewer(&pixels, width, height);
        unweigh(&mut small);
        DynamicImage::ImageRgba8(small)
    } else {
        DynamicImage::ImageRgb8(fewer(&picture.into_rgb8(), width, height))
    }
}

/// Averages down to twice the size, then filters: a filter over all of a photograph costs ten times as much.
fn fewer<P>(pixels: &ImageBuffer<P, Vec<u8>>, width: u32, height: u32) -> ImageBuffer<P, Vec<u8>>
where
    P: Pixel<Subpixel = u8> + 'static,
{
    let (twice_wide, twice_high) = (width.saturating_mul(2), height.saturating_mul(2));
    if u64::from(width) * u64::from(height) > FINE {
        imageops::thumbnail(pixels, width, height)
    } else if pixels.width() > twice_wide && pixels.height() > twice_high {
        let half = imageops::thumbnail(pixels, twice_wide, twice_high);
        imageops::resize(&half, width, height, FilterType::CatmullRom)
    } else {
        imageops::resize(pixels, width, height, FilterType::CatmullRom)
    }
}

/// What is transparent has a colour too, often black, which must not bleed into what is beside it.
fn weigh(pixels: &mut RgbaImage) {
    for pixel in pixels.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        for channel in pixel.0.iter_mut().take(3) {
            *channel = u8::try_from((u32::from(*channel) * alpha + 127) / 255).unwrap_or(u8::MAX);
        }
    }
}

fn unweigh(pixels: &mut RgbaImage) {
    for pixel in pixels.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        if alpha == 0 {
            pixel.0 = [0; 4];
            continue;
        }
        for channel in pixel.0.iter_mut().take(3) {
            *channel = u8::try_from((u32::from(*channel) * 255 + alpha / 2) / alpha).unwrap_or(u8::MAX);
        }
    }
}
