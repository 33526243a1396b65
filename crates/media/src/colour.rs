//! Colours of other spaces, as a browser would show them. A profile that is left out without that makes a telephone's photographs pale.

use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// A profile of more bytes is nobody's camera.
const LONGEST: usize = 1024 * 1024;

/// Eight bits a channel, in sRGB; with a fourth channel only where something is transparent. A profile that cannot be used is left out.
pub fn plain(picture: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let opaque = !picture.color().has_alpha();
    let profile = profile.filter(|profile| profile.len() <= LONGEST);
    let profile = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok());
    let profile = profile.filter(|profile| profile.color_space == DataColorSpace::Rgb);
    if opaque {
        let mut pixels = picture.into_rgb8();
        if let Some(profile) = profile {
            pixels = rgb(pixels, &profile);
        }
        return DynamicImage::ImageRgb8(pixels);
    }
    let mut pixels = picture.into_rgba8();
    if let Some(profile) = profile {
        pixels = rgba(pixels, &profile);
    }
    let pixels = DynamicImage::ImageRgba8(pixels);
    if is_opaque(&pixels) { DynamicImage::ImageRgb8(pixels.into_rgb8()) } else { pixels }
}

/// Whether nothing shines through.
fn is_opaque(picture: &DynamicImage) -> bool {
    picture.as_rgba8().is_none_or(|pixels| pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX))
}

fn rgb(pixels: RgbImage, profile: &ColorProfile) -> RgbImage {
    let (width, height) = pixels.dimensions();
    let made = converted(&pixels, profile, Layout::Rgb);
    made.and_then(|made| RgbImage::from_raw(width, height, made)).unwrap_or(pixels)
}

fn rgba(pixels: RgbaImage, profile: &ColorProfile) -> RgbaImage {
    let (width, height) = pixels.dimensions();
    let made = converted(&pixels, profile, Layout::Rgba);
    made.and_then(|made| RgbaImage::from_raw(width, height, made)).unwrap_or(pixels)
}

fn converted(pixels: &[u8], profile: &ColorProfile, layout: Layout) -> Option<Vec<u8>> {
    let browser = ColorProfile::new_srgb();
    let transform =
        profile.create_transform_8bit(layout, &browser, layout, TransformOptions::default()).ok()?;
    let mut made = vec![0; pixels.len()];
    transform.transform(pixels, &mut made).ok()?;
    Some(made)
}
