//! Which markup a text may have. What is not on the list is left out, with what it would have run; the words stay.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::Builder;

const TAGS: [&str; 44] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
];
/// The rest of what tables and lists need.
const MORE_TAGS: [&str; 5] = ["tfoot", "thead", "tr", "u", "ul"];

static RULES: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes: HashMap<&'static str, HashSet<&'static str>> = HashMap::from([
        ("a", HashSet::from(["href", "title"])),
        ("img", HashSet::from(["src", "alt", "width", "height"])),
        ("ol", HashSet::from(["start"])),
        ("td", HashSet::from(["colspan", "rowspan"])),
        ("th", HashSet::from(["colspan", "rowspan", "scope"])),
    ]);
    let mut rules = Builder::default();
    rules
        .tags(TAGS.into_iter().chain(MORE_TAGS).collect())
        .tag_attributes(attributes)
        .generic_attributes(HashSet::from(["lang", "dir"]))
        .url_schemes(HashSet::from(["https", "http", "mailto", "tel"]))
        .link_rel(Some("noopener noreferrer"));
    rules
});

/// The text with harmless markup only: nothing in it runs, loads anything but pictures, or looks like a form.
pub fn clean(text: &str) -> String {
    RULES.clean(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clean;

    #[test]
    fn what_could_run_is_left_out_and_the_words_stay() {
        for (text, kept) in [
            ("<p>as it <b>is</b></p>", "<p>as it <b>is</b></p>"),
            ("<p onclick=\"x()\" style=\"color:red\">one</p>", "<p>one</p>"),
            ("a<script>alert(1)</script>b", "ab"),
            ("<a href=\"javascript:alert(1)\">x</a>", "<a rel=\"noopener noreferrer\">x</a>"),
            ("<a href=\"/pages/care\">x</a>", "<a href=\"/pages/care\" rel=\"noopener noreferrer\">x</a>"),
            ("<form action=\"/x\"><input name=\"card\">pay</form>", "pay"),
            ("<iframe src=\"https://x.example\"></iframe>y", "y"),
            ("<img src=\"/a.png\" onerror=\"x()\" alt=\"A\">", "<img src=\"/a.png\" alt=\"A\">"),
            ("5 < 6 & 7", "5 &lt; 6 &amp; 7"),
            ("<p>never ends", "<p>never ends</p>"),
        ] {
            assert_eq!(clean(text), kept, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_runs_is_left_however_it_is_put_together(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("<p>".to_owned()), Just("</p>".to_owned()), Just("<script>".to_owned()), Just("<svg onload=x>".to_owned()),
                    Just("<a href=\"".to_owned()), Just("javascript:x".to_owned()), Just("\">".to_owned()), Just("&lt;".to_owned()),
                    Just("<ul><li>".to_owned()), "[a-z &<>]{0,6}",
                ],
                0..16,
            )
        ) {
            let text = parts.concat();
            for cleaned in [clean(&text), clean(&clean(&text))] {
                let lower = cleaned.to_lowercase();
                prop_assert!(!lower.contains("<script") && !lower.contains("<svg"), "{cleaned}");
                prop_assert!(!lower.contains("href=\"javascript"), "{cleaned}");
            }
        }
    }
}
