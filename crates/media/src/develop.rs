//! From bytes that somebody sent to bytes of ours.

use std::io::Cursor;

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{AnimationDecoder, DynamicImage, Frame, ImageDecoder};

use crate::colour::plain;
use crate::limits::Limits;
use crate::refused::Refused;
use crate::size::shrunk;
use crate::sniff::{Kind, sniff};

/// How good what is kept is: sizes are made of it.
const KEPT_QUALITY: u8 = 90;
/// A picture without transparency that has more bytes without loss is a photograph, and kept as one.
const LOSSLESS: usize = 4 * 1024 * 1024;
/// 1 is the best palette and the slowest, 30 the fastest.
const PALETTE_SPEED: i32 = 10;

/// A picture as it is kept. It holds pixels and nothing else: no place, no time, no camera, no preview, no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    /// What its bytes are: PNG, JPEG, or a GIF that moves.
    pub kind: Kind,
    /// The file.
    pub bytes: Vec<u8>,
    /// In pixels, upright.
    pub width: u32,
    /// In pixels, upright.
    pub height: u32,
}

/// Decodes a picture in limits, turns it upright, brings its colours to sRGB, makes it smaller if it is larger than what is kept, and writes it
/// anew. Only GIFs go on moving. The same bytes give the same picture.
///
/// # Errors
/// Why it is not taken; nothing is allocated for what a header only claims beyond the limits.
pub fn develop(bytes: &[u8], limits: &Limits) -> Result<Master, Refused> {
    if bytes.len() > limits.bytes {
        return Err(Refused::TooManyBytes { most: limits.bytes });
    }
    let kind = sniff(bytes)?;
    if kind == Kind::Gif
        && let Some(moving) = moving(bytes, limits)?
    {
        return Ok(moving);
    }
    let picture = decode(bytes, limits)?;
    let (width, height) = (picture.width(), picture.height());
    let lossy = kind == Kind::Jpeg || kind == Kind::WebP;
    if !picture.color().has_alpha() && lossy {
        return Ok(Master { kind: Kind::Jpeg, bytes: jpeg(&picture, KEPT_QUALITY)?, width, height });
    }
    let file = png(&picture)?;
    if !picture.color().has_alpha() && file.len() > LOSSLESS {
        return Ok(Master { kind: Kind::Jpeg, bytes: jpeg(&picture, KEPT_QUALITY)?, width, height });
    }
    Ok(Master { kind: Kind::Png, bytes: file, width, height })
}

/// The pixels of a picture, upright, eight bits a channel, in sRGB, no larger than what is kept; of one that moves the first frame.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<DynamicImage, Refused> {
    match sniff(bytes)? {
        Kind::Png => {
            // The decoder takes memory for what the header says before it can be asked what that is.
            if let Some(sides) = sides_of_png(bytes) {
                limits.check(sides, 0)?;
            }
            pixels(PngDecoder::with_limits(Cursor::new(bytes), limits.of_decoder())?, limits)
        }
        Kind::Jpeg => pixels(JpegDecoder::new(Cursor::new(bytes))?, limits),
        Kind::Gif => pixels(GifDecoder::new(Cursor::new(bytes))?, limits),
        Kind::WebP => pixels(WebPDecoder::new(Cursor::new(bytes))?, limits),
    }
}

fn sides_of_png(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    Some((side(16)?, side(20)?))
}

fn pixels(mut decoder: impl ImageDecoder, limits: &Limits) -> Result<DynamicImage, Refused> {
    limits.check(decoder.dimensions(), decoder.total_bytes())?;
    decoder.set_limits(limits.of_decoder())?;
    // What they cannot tell is what most pictures are: upright, in sRGB.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let picture = fitting(DynamicImage::from_decoder(decoder)?, limits.kept_side);
    let mut picture = plain(picture, profile.as_deref());
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The picture, smaller if it is larger than what is kept: before anything else is done with it that would need its memory twice.
fn fitting(picture: DynamicImage, most: u32) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    if longest <= most {
        return picture;
    }
    let part = |side: u32| (u64::from(side) * u64::from(most) / u64::from(longest)).max(1);
    let (width, height) = (part(picture.width()), part(picture.height()));
    shrunk(picture, u32::try_from(width).unwrap_or(most), u32::try_from(height).unwrap_or(most))
}

/// A GIF that moves, written anew; `None` for one that does not.
fn moving(bytes: &[u8], limits: &Limits) -> Result<Option<Master>, Refused> {
    let mut decoder = GifDecoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions();
    limits.check((width, height), decoder.total_bytes())?;
    decoder.set_limits(limits.of_decoder())?;
    let each = u64::from(width) * u64::from(height);
    let most = usize::try_from(limits.pixels / each.max(1)).unwrap_or(limits.frames).min(limits.frames);
    let mut frames = decoder.into_frames();
    let Some(first) = frames.next().transpose()? else {
        return Err(Refused::Broken("it has no frame".to_owned()));
    };
    let Some(second) = frames.next().transpose()? else { return Ok(None) };
    let mut file = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut file, PALETTE_SPEED);
        encoder.set_repeat(Repeat::Infinite)?;
        encoder.encode_frame(first)?;
        encoder.encode_frame(second)?;
        let mut count = 2;
        // One frame is in memory at a time.
        for frame in frames {
            count += 1;
            if count > most {
                return Err(Refused::TooManyFrames { most: limits.frames });
            }
            let frame: Frame = frame?;
            encoder.encode_frame(frame)?;
        }
    }
    if file.len() > limits.bytes.saturating_mul(2) {
        return Err(Refused::TooManyBytes { most: limits.bytes });
    }
    Ok(Some(Master { kind: Kind::Gif, bytes: file, width, height }))
}

/// A JPEG file. Transparency becomes white.
pub(crate) fn jpeg(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, Refused> {
    let mut file = Vec::new();
    let pixels = match picture.as_rgba8() {
        Some(pixels) => on_white(pixels),
        None => picture.to_rgb8(),
    };
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(&pixels)?;
    Ok(file)
}

fn on_white(pixels: &image::RgbaImage) -> image::RgbImage {
    let mut white = image::RgbImage::new(pixels.width(), pixels.height());
    for (to, from) in white.pixels_mut().zip(pixels.pixels()) {
        let [red, green, blue, alpha] = from.0;
        let alpha = u32::from(alpha);
        let over = |channel: u8| {
            let mixed = (u32::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        to.0 = [over(red), over(green), over(blue)];
    }
    white
}

/// A PNG file.
pub(crate) fn png(picture: &DynamicImage) -> Result<Vec<u8>, Refused> {
    let mut file = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut file))?;
    Ok(file)
}
