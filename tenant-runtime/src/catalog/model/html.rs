//! Which markup a description may have: a strict list, and whatever is not on it is refused, never repaired.

const TAGS: &[&str] =
    &["p", "br", "b", "strong", "i", "em", "u", "s", "ul", "ol", "li", "h2", "h3", "h4", "blockquote", "a"];

/// Whether every `<` begins a permitted tag. Attributes are refused, but for `href` of `a` with an address that cannot run anything.
pub fn is_harmless(text: &str) -> bool {
    let mut parts = text.split('<');
    parts.next();
    parts.all(|part| part.split_once('>').is_some_and(|(tag, _)| permitted(tag)))
}

fn permitted(tag: &str) -> bool {
    let name = tag.strip_prefix('/').unwrap_or(tag).trim_end_matches('/').trim_end();
    if TAGS.contains(&name) {
        return true;
    }
    let address = tag.strip_prefix("a href=\"").and_then(|rest| rest.strip_suffix('"'));
    address.is_some_and(|address| {
        let known = ["https://", "http://", "mailto:", "/"].iter().any(|start| address.starts_with(start));
        known && !address.contains(|c: char| c == '"' || c == '\'' || c.is_whitespace() || c.is_control())
    })
}

#[cfg(test)]
mod tests {
    use super::is_harmless;

    #[test]
    fn simple_markup_passes() {
        for text in [
            "plain & simple, 3 > 2",
            "<p>One<br>two<br/>three</p><ul><li>x</li></ul>",
            "<a href=\"https://example.com/a?b=c\">here</a>",
            "<a href=\"/pages/care\">care</a>",
        ] {
            assert!(is_harmless(text), "{text}");
        }
    }

    #[test]
    fn whatever_could_run_is_refused() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<p onclick=\"x\">",
            "<a href=\"javascript:alert(1)\">",
            "<a href=\"https://x\" onclick=\"y\">",
            "<a href='https://x'>",
            "<svg/onload=alert(1)>",
            "<P>",
            "a < b",
            "<!-- -->",
            "<p",
        ] {
            assert!(!is_harmless(text), "{text}");
        }
    }
}
