//! What people send, and what those send who mean harm.

use std::io::{Cursor, Write as _};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, Frame, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use souk_media::{Format, Kind, Limits, Refused, Size, WIDTHS, develop, render};

/// Small, so that what is beyond them is quickly made.
const SMALL: Limits = Limits { bytes: 64 * 1024, side: 600, pixels: 100_000, frames: 5, kept_side: 200 };

fn photograph(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let shade = |at: u32| u8::try_from(at % 256).unwrap();
        Rgb([shade(x * 3), shade(y * 5), shade(x + y)])
    })
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 90).encode_image(picture).unwrap();
    file
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut file = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut file)).unwrap();
    file
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    let mut crc = Crc::new();
    crc.update(name);
    crc.update(data);
    file.extend(name);
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}

/// A PNG of one colour and one bit a pixel: a hundred megapixels of it fit into some kilobytes.
fn bomb(width: u32, height: u32, rows: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = width.to_be_bytes().to_vec();
    header.extend(height.to_be_bytes());
    header.extend([1, 0, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    let mut zip = ZlibEncoder::new(Vec::new(), Compression::best());
    let row = vec![0; usize::try_from(width.div_ceil(8) + 1).unwrap()];
    for _ in 0..rows {
        zip.write_all(&row).unwrap();
    }
    chunk(&mut file, b"IDAT", &zip.finish().unwrap());
    chunk(&mut file, b"IEND", &[]);
    file
}

fn film(frames: u32, width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut file, 30);
    for number in 0..frames {
        let shade = u8::try_from(number * 20).unwrap();
        encoder
            .encode_frame(Frame::new(RgbaImage::from_pixel(width, height, Rgba([shade, 0, 0, 255]))))
            .unwrap();
    }
    drop(encoder);
    file
}

/// The same file with a segment behind its first marker.
fn with_segment(file: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let mut made = file[..2].to_vec();
    made.extend([0xff, marker]);
    made.extend(u16::try_from(data.len() + 2).unwrap().to_be_bytes());
    made.extend(data);
    made.extend(&file[2..]);
    made
}

fn read(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn pictures_come_back_as_they_look() {
    let photo = photograph(64, 48);
    let made = develop(&jpeg(&photo), &Limits::SHOP).unwrap();
    assert_eq!((made.kind, made.width, made.height), (Kind::Jpeg, 64, 48));
    let there = read(&made.bytes).into_rgb8();
    let far = there.iter().zip(photo.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
    assert!(far / (64 * 48 * 3) < 12, "{far}");

    // Without loss to the last bit, transparency too.
    let logo = RgbaImage::from_fn(20, 10, |x, y| {
        Rgba([200, u8::try_from(y).unwrap(), 7, u8::try_from(x * 12).unwrap()])
    });
    let made = develop(&png(&logo.clone().into()), &Limits::SHOP).unwrap();
    assert_eq!((made.kind, read(&made.bytes).into_rgba8()), (Kind::Png, logo.clone()));
    let mut webp = Vec::new();
    DynamicImage::from(logo.clone()).write_with_encoder(WebPEncoder::new_lossless(&mut webp)).unwrap();
    let made = develop(&webp, &Limits::SHOP).unwrap();
    assert_eq!((made.kind, read(&made.bytes).into_rgba8()), (Kind::Png, logo));

    // Alpha that hides nothing is left out.
    let solid = RgbaImage::from_pixel(4, 4, Rgba([1, 2, 3, 255]));
    let made = develop(&png(&solid.into()), &Limits::SHOP).unwrap();
    assert!(!read(&made.bytes).color().has_alpha());
    // One pixel is a picture.
    let dot = RgbImage::from_pixel(1, 1, Rgb([9, 9, 9]));
    let made = develop(&png(&dot.clone().into()), &Limits::SHOP).unwrap();
    assert_eq!((made.width, made.height, read(&made.bytes).into_rgb8()), (1, 1, dot));
}

#[test]
fn what_lies_beside_the_pixels_is_left_out_and_orientation_is_applied() {
    // Little-endian TIFF with one entry: orientation 6, to be turned by a quarter.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend(b"SECRET PLACE 48.137N 11.575E");
    let file = with_segment(&jpeg(&photograph(40, 20)), 0xe1, &exif);
    let file = with_segment(&file, 0xfe, b"<script>alert(1)</script>");
    let made = develop(&file, &Limits::SHOP).unwrap();
    assert_eq!((made.width, made.height), (20, 40));
    for hidden in [b"SECRET".as_slice(), b"Exif", b"<script>"] {
        assert!(contains(&file, hidden) && !contains(&made.bytes, hidden));
    }
    // Half a picture, half an archive or a page: only the picture is kept.
    for tail in [b"PK\x03\x04 evil.jar".as_slice(), b"<html><script>alert(1)</script>"] {
        let mut polyglot = png(&photograph(10, 10).into());
        polyglot.extend(tail);
        let made = develop(&polyglot, &Limits::SHOP).unwrap();
        assert_eq!(read(&made.bytes).into_rgb8(), photograph(10, 10));
        assert!(!contains(&made.bytes, tail));
    }
}

#[test]
fn a_picture_of_printers_is_one_for_screens() {
    // A baseline JPEG of four components whose coefficients are all zero: two bits a block.
    let mut file = vec![0xff, 0xd8];
    file.extend([0xff, 0xee, 0, 14]);
    file.extend(b"Adobe\0\x64\0\0\0\0\0");
    file.extend([0xff, 0xdb, 0, 67, 0]);
    file.extend([1; 64]);
    file.extend([0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4]);
    for component in 1..=4 {
        file.extend([component, 0x11, 0]);
    }
    for table in [0x00, 0x10] {
        file.extend([0xff, 0xc4, 0, 20, table]);
        file.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    file.extend([0xff, 0xda, 0, 14, 4]);
    for component in 1..=4 {
        file.extend([component, 0]);
    }
    file.extend([0, 63, 0, 0x00, 0xff, 0xd9]);
    let made = develop(&file, &Limits::SHOP).unwrap();
    assert_eq!((made.kind, made.width, made.height), (Kind::Jpeg, 8, 8));
    assert_eq!(read(&made.bytes).color().channel_count(), 3);
}

#[test]
fn what_moves_goes_on_moving_within_limits() {
    let made = develop(&film(3, 20, 10), &SMALL).unwrap();
    assert_eq!((made.kind, made.width, made.height), (Kind::Gif, 20, 10));
    let still = develop(&film(1, 20, 10), &SMALL).unwrap();
    assert_eq!((still.kind, still.width), (Kind::Png, 20));
    assert_eq!(develop(&film(6, 20, 10), &SMALL), Err(Refused::TooManyFrames { most: 5 }));
    // Few frames, many pixels.
    assert_eq!(develop(&film(4, 200, 200), &SMALL), Err(Refused::TooManyFrames { most: 5 }));
    let size = Size::new(96, Format::Jpeg).unwrap();
    assert_eq!(read(&render(&made.bytes, size, &SMALL).unwrap().bytes).width(), 20);
}

#[test]
fn bombs_are_refused_by_their_headers() {
    let refused = |width, height, limits: &Limits| Refused::TooManyPixels {
        width,
        height,
        most: limits.pixels,
        side: limits.side,
    };
    let limits = &Limits::SHOP;
    // Two hundred kilobytes that would be a hundred megapixels; and headers that only claim.
    let file = bomb(9_999, 9_999, 9_999);
    assert!(file.len() < 200_000);
    assert_eq!(develop(&file, limits), Err(refused(9_999, 9_999, limits)));
    assert_eq!(develop(&bomb(60_000, 2, 2), limits), Err(refused(60_000, 2, limits)));
    assert_eq!(develop(&bomb(601, 2, 2), &SMALL), Err(refused(601, 2, &SMALL)));
    for claim in [(0x7fff_ffff, 0x7fff_ffff), (4_000_000_000, 1)] {
        assert!(develop(&bomb(claim.0, 1, 0), limits).is_err(), "{claim:?}");
    }
    // A small picture in front of more data than it needs.
    let made = develop(&bomb(8, 8, 100_000), limits);
    assert!(made.is_err() || made.is_ok_and(|made| (made.width, made.height) == (8, 8)));
    assert_eq!(develop(&vec![0; SMALL.bytes + 1], &SMALL), Err(Refused::TooManyBytes { most: SMALL.bytes }));
}

#[test]
fn what_is_cut_off_is_refused() {
    let whole = png(&photograph(80, 60).into());
    for end in [8, 20, 33, 60, whole.len() / 2] {
        assert!(matches!(develop(&whole[..end], &SMALL), Err(Refused::Broken(_))), "{end}");
    }
    let gif = film(1, 20, 10);
    assert!(matches!(develop(&gif[..20], &SMALL), Err(Refused::Broken(_))));
    assert!(matches!(develop(&jpeg(&photograph(80, 60))[..30], &SMALL), Err(Refused::Broken(_))));
    assert!(matches!(develop(b"<html>\x89PNG\r\n\x1a\n", &SMALL), Err(Refused::Active(_))));
}

#[test]
fn sizes_are_of_a_closed_list_and_nothing_is_blown_up() {
    let made = develop(&jpeg(&photograph(400, 200)), &Limits::SHOP).unwrap();
    for width in WIDTHS {
        for format in Format::ALL {
            let size = Size::new(width, format).unwrap();
            let small = render(&made.bytes, size, &Limits::SHOP).unwrap();
            let seen = read(&small.bytes);
            assert_eq!((seen.width(), seen.height()), (width.min(400), width.min(400) / 2), "{size:?}");
            assert_eq!(small.content_type, format.content_type());
            assert_eq!(size.name(), format!("{width}.{}", format.as_str()));
            assert_eq!(Format::find(format.as_str()), Some(format));
        }
    }
    assert_eq!(
        (Size::new(97, Format::Jpeg), Size::new(0, Format::Png), Format::find("svg")),
        (None, None, None)
    );
    // What is larger than what is kept, is kept smaller.
    let large = develop(&jpeg(&photograph(400, 100)), &SMALL).unwrap();
    assert_eq!((large.width, large.height), (200, 50));
    // A line stays a line.
    let line = Size::new(96, Format::Png).unwrap();
    assert_eq!(line.height((3000, 1)), 1);
}

#[test]
fn transparency_does_not_bleed() {
    // Black that is not there, beside white that is.
    let picture =
        RgbaImage::from_fn(400, 10, |x, _| if x < 200 { Rgba([0, 0, 0, 0]) } else { Rgba([255; 4]) });
    let size = Size::new(96, Format::Png).unwrap();
    let small = read(&render(&png(&picture.clone().into()), size, &Limits::SHOP).unwrap().bytes).into_rgba8();
    assert!(small.pixels().all(|pixel| pixel.0[3] < 8 || pixel.0[0] > 245));
    // A JPEG has no transparency: white shines through.
    let size = Size::new(96, Format::Jpeg).unwrap();
    let small = read(&render(&png(&picture.into()), size, &Limits::SHOP).unwrap().bytes).into_rgb8();
    assert!(small.pixels().all(|pixel| pixel.0[0] > 245));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_do_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..400), head in 0..4_usize) {
        let heads: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", &[0xff, 0xd8, 0xff], b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "];
        let mut file = heads[head].to_vec();
        file.append(&mut bytes);
        let _ = develop(&file, &SMALL);
    }

    #[test]
    fn damaged_pictures_are_refused_or_pictures(at in 0..2000_usize, to in any::<u8>()) {
        let mut file = png(&photograph(40, 30).into());
        let length = file.len();
        file[at % length] = to;
        if let Ok(made) = develop(&file, &SMALL) {
            prop_assert!(image::ImageReader::new(Cursor::new(&made.bytes)).with_guessed_format().unwrap().decode().is_ok());
        }
    }
}
