//! What bytes are: by what they are, not by what a name or a header claims.

use crate::refused::Refused;

/// A kind of picture that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Png,
    Jpeg,
    Gif,
    WebP,
}

impl Kind {
    /// The media type to serve it under.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }
}

/// Bytes that are looked through for words.
const BEGINNING: usize = 1024;

/// The kind of picture that these bytes begin as. That they go on so, [`crate::develop`] finds out.
///
/// # Errors
/// What they are instead.
pub fn sniff(bytes: &[u8]) -> Result<Kind, Refused> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Ok(Kind::Jpeg);
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Ok(Kind::Gif);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice()) {
        return Ok(Kind::WebP);
    }
    Err(other(bytes))
}

fn other(bytes: &[u8]) -> Refused {
    if bytes.get(4..8) == Some(b"ftyp".as_slice()) {
        return match bytes.get(8..12) {
            Some(b"avif" | b"avis") => Refused::Unsupported("an AVIF picture"),
            Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"heim" | b"heis") => {
                Refused::Unsupported("a HEIC picture")
            }
            _ => Refused::Unsupported("a film"),
        };
    }
    let signatures: [(&[u8], &str); 6] = [
        (b"%PDF", "a PDF document"),
        (b"II*\0", "a TIFF picture"),
        (b"MM\0*", "a TIFF picture"),
        (b"BM", "a BMP picture"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\0\0\x01\0", "an icon"),
    ];
    if let Some((_, name)) = signatures.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return Refused::Unsupported(name);
    }
    let beginning = String::from_utf8_lossy(bytes.get(..BEGINNING).unwrap_or(bytes)).to_ascii_lowercase();
    // UTF-16 has a zero beside every letter.
    let beginning: String = beginning.chars().filter(|c| *c != '\0').collect();
    if beginning.contains("<svg") {
        Refused::Active("an SVG document")
    } else if beginning.contains("<html") || beginning.contains("<!doctype") || beginning.contains("<script")
    {
        Refused::Active("an HTML document")
    } else if beginning.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']).starts_with("<?xml") {
        Refused::Active("an XML document")
    } else {
        Refused::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_they_are_and_others_are_called_by_their_names() {
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n....").map(Kind::content_type), Ok("image/png"));
        assert_eq!(sniff(&[0xff, 0xd8, 0xff, 0xe0]), Ok(Kind::Jpeg));
        assert_eq!(sniff(b"GIF89a"), Ok(Kind::Gif));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Ok(Kind::WebP));
        for (bytes, refused) in [
            (b"<svg onload=alert(1)>".as_slice(), Refused::Active("an SVG document")),
            (b"<?xml version='1.0'?><!-- x --><svg/>", Refused::Active("an SVG document")),
            (b"\xef\xbb\xbf <!DOCTYPE html><p>", Refused::Active("an HTML document")),
            (b"\xff\xfe<\0h\0t\0m\0l\0>\0", Refused::Active("an HTML document")),
            (b"<?xml version='1.0'?><a/>", Refused::Active("an XML document")),
            (b"\0\0\0\x20ftypheic", Refused::Unsupported("a HEIC picture")),
            (b"\0\0\0\x20ftypavif", Refused::Unsupported("an AVIF picture")),
            (b"%PDF-1.7", Refused::Unsupported("a PDF document")),
            (b"RIFF\0\0\0\0WAVE", Refused::Unknown),
            (b"", Refused::Unknown),
        ] {
            assert_eq!(sniff(bytes), Err(refused));
        }
    }
}
