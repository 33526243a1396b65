//! A picture in a form as browsers send it (`multipart/form-data`, RFC 7578). The form is whole and bounded before it is read.

use souk_api::FieldError;
use souk_kernel::Text;

use crate::catalog::error::CatalogError;

/// What a form may have beside the picture.
pub const BESIDE: usize = 16 * 1024;

/// What a form brought: the place of its file, and its words.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    pub file: std::ops::Range<usize>,
    pub alt: Option<Text<512>>,
}

/// The boundary that this media type names; `None` for any other.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    };
    parameters.split(';').find_map(named).filter(|text| !text.is_empty() && text.len() <= 70)
}

/// Finds the part `file`, and `alt` if there is one. Others are not read.
///
/// # Errors
/// It is no form, or has no file.
pub fn read(body: &[u8], boundary: &str) -> Result<Form, CatalogError> {
    let fault = |code, message| CatalogError::Invalid(vec![FieldError::new("/file", code, message)]);
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first line has no line before it.
    let first = delimiter.get(2..).unwrap_or_default();
    if !body.starts_with(first) {
        return Err(fault("invalid", "must be a part of a form that begins with its boundary"));
    }
    let (mut file, mut alt) = (None, None);
    let mut at = first.len();
    while let Some(length) = find(body.get(at..).unwrap_or_default(), &delimiter) {
        let part = at..at + length;
        at = part.end + delimiter.len();
        let bytes = body.get(part.clone()).unwrap_or_default();
        let Some(head) = find(bytes, b"\r\n\r\n") else { continue };
        let headers = String::from_utf8_lossy(bytes.get(..head).unwrap_or_default()).into_owned();
        let content = part.start + head + 4..part.end;
        match name_of(&headers).as_deref() {
            Some("file") if file.is_none() => file = Some(content),
            Some("alt") if alt.is_none() => {
                let text = String::from_utf8_lossy(body.get(content).unwrap_or_default()).into_owned();
                alt = match text.trim() {
                    "" => None,
                    text => Some(Text::parse(text).map_err(|error| {
                        CatalogError::Invalid(vec![FieldError::new("/alt", "invalid", error.to_string())])
                    })?),
                };
            }
            _ => {}
        }
    }
    let file = file.ok_or_else(|| fault("required", "must be a part of the form"))?;
    Ok(Form { file, alt })
}

/// `Content-Disposition: form-data; name="file"; filename="mug.png"` → `file`
fn name_of(headers: &str) -> Option<String> {
    let disposition = headers.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let mut parameters = disposition.split(';').map(str::trim);
    if !parameters.next()?.eq_ignore_ascii_case("form-data") {
        return None;
    }
    let name = parameters.find_map(|parameter| parameter.strip_prefix("name="))?;
    Some(name.trim_matches('"').to_owned())
}

/// Where `part` begins.
fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == first)?;
        if bytes.get(at..at + part.len()) == Some(part) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_its_file_and_its_words() {
        let boundary = boundary("Multipart/Form-Data; charset=utf-8; boundary=\"x-1\"").unwrap();
        assert_eq!(boundary, "x-1");
        let body = b"--x-1\r\nContent-Disposition: form-data; name=\"alt\"\r\n\r\nA mug\r\n\
            --x-1\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
            \x89PNG\r\n--x-\r\n--x-1--\r\n";
        let form = read(body, &boundary).unwrap();
        assert_eq!(&body[form.file.clone()], b"\x89PNG\r\n--x-");
        assert_eq!(form.alt.map(Text::into_string).as_deref(), Some("A mug"));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for other in [
            "image/png",
            "multipart/form-data",
            "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=",
        ] {
            assert_eq!(boundary(other), None, "{other}");
        }
        for body in [
            b"".as_slice(),
            b"--y\r\n",
            b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nno end",
            b"--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n--x--",
            b"--x\r\nno head\r\n--x--",
        ] {
            assert!(matches!(read(body, "x"), Err(CatalogError::Invalid(_))));
        }
    }
}
