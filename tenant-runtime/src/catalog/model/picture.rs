//! Which bytes are a picture, and how large it is. By what they are, not by what their header claims.

/// The largest picture, in bytes.
pub const MOST_BYTES: usize = 5 * 1024 * 1024;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The media type to serve them under.
    pub content_type: &'static str,
    /// Width and height in pixels, where the header says so.
    pub size: Option<(u32, u32)>,
}

/// PNG, JPEG, WebP or GIF; `None` for everything else, SVG too, for it can run programs.
pub fn sniff(bytes: &[u8]) -> Option<Picture> {
    let (content_type, size) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        ("image/png", pair(bytes, 16, 20, four_big))
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        ("image/jpeg", jpeg(bytes))
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        ("image/gif", pair(bytes, 6, 8, two_little))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice()) {
        ("image/webp", webp(bytes))
    } else {
        return None;
    };
    Some(Picture { content_type, size: size.filter(|size| size.0 > 0 && size.1 > 0) })
}

fn pair(
    bytes: &[u8],
    first: usize,
    second: usize,
    read: fn(&[u8], usize) -> Option<u32>,
) -> Option<(u32, u32)> {
    Some((read(bytes, first)?, read(bytes, second)?))
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn four_big(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u32::from_be_bytes).filter(|number| *number <= i32::MAX.cast_unsigned())
}

fn two_big(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u16::from_be_bytes).map(u32::from)
}

fn two_little(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u16::from_le_bytes).map(u32::from)
}

/// Walks the segments to the frame header.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    while *bytes.get(at)? == 0xff {
        let marker = *bytes.get(at + 1)?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return pair(bytes, at + 7, at + 5, two_big);
        }
        at += 2 + usize::try_from(two_big(bytes, at + 2)?).ok()?.max(2);
    }
    None
}

fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => {
            let side = |at| take::<3>(bytes, at).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]) + 1);
            Some((side(24)?, side(27)?))
        }
        b"VP8 " => pair(bytes, 26, 28, two_little).map(|(width, height)| (width & 0x3fff, height & 0x3fff)),
        b"VP8L" => {
            let bits = u32::from_le_bytes(take(bytes, 21)?);
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_they_are() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0, 0, 2, 0, 0, 0, 1, 0]);
        assert_eq!(sniff(&png), Some(Picture { content_type: "image/png", size: Some((512, 256)) }));
        let gif = b"GIF89a\x10\0\x08\0";
        assert_eq!(sniff(gif), Some(Picture { content_type: "image/gif", size: Some((16, 8)) }));
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 30, 0, 40];
        assert_eq!(sniff(&jpeg), Some(Picture { content_type: "image/jpeg", size: Some((40, 30)) }));
    }

    #[test]
    fn anything_else_is_no_picture_and_a_cut_one_does_no_harm() {
        assert_eq!(sniff(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), None);
        assert_eq!(sniff(b"<html>"), None);
        assert_eq!(sniff(b""), None);
        for cut in [b"\x89PNG\r\n\x1a\n".as_slice(), &[0xff, 0xd8, 0xff], b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X"]
        {
            assert!(sniff(cut).is_some_and(|picture| picture.size.is_none()));
        }
    }
}
