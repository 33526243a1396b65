//! Which markup a description may have: a strict list. What somebody sends is refused when it is not on it, never repaired; what comes from
//! another shop's files is reduced to it.

use std::borrow::Cow;

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

/// Whose content is no text.
const UNSPOKEN: &[&str] =
    &["script", "style", "iframe", "object", "noscript", "template", "svg", "math", "head", "textarea"];
/// Whose end ends a line.
const BLOCKS: &[&str] = &[
    "div", "section", "article", "header", "footer", "figure", "tr", "dd", "dt", "pre", "center", "h1", "h5",
    "h6",
];

/// The same text with the permitted tags only, and without attributes but for harmless addresses. What is harmless stays as it is.
pub fn reduced(text: &str) -> Cow<'_, str> {
    if is_harmless(text) {
        return Cow::Borrowed(text);
    }
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    // Whether each link that is open was kept.
    let mut links = Vec::new();
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        let Some(end) = end_of_tag(after).filter(|_| tag) else {
            kept.push_str("&lt;");
            rest = after;
            continue;
        };
        let (inner, behind) = after.split_at(end);
        rest = behind.get(1..).unwrap_or_default();
        let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let name: String = inner.chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        if UNSPOKEN.contains(&name.as_str()) {
            if !closes {
                rest = behind_end_of(&name, rest);
            }
        } else if name == "a" {
            if closes {
                if links.pop() == Some(true) {
                    kept.push_str("</a>");
                }
            } else {
                let link = address_of(inner).map(|address| format!("a href=\"{address}\""));
                let link = link.filter(|link| permitted(link) && !link.contains(['<', '>']));
                links.push(link.is_some());
                kept.extend(link.map(|link| format!("<{link}>")));
            }
        } else if TAGS.contains(&name.as_str()) {
            kept.push_str(if closes { "</" } else { "<" });
            kept.push_str(&name);
            kept.push('>');
        } else if closes && BLOCKS.contains(&name.as_str()) {
            kept.push_str("<br>");
        } else if closes && matches!(name.as_str(), "td" | "th") {
            kept.push(' ');
        }
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Where the `>` is that ends a tag; one in quotes does not.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    // A quote that nothing closes was an apostrophe.
    text.find('>')
}

/// What follows the end of an element of this name; nothing where it has none.
fn behind_end_of<'t>(name: &str, text: &'t str) -> &'t str {
    let end = text.char_indices().map(|(at, _)| at).find(|at| {
        let closes = text.get(*at..).and_then(|rest| rest.strip_prefix("</"));
        closes.and_then(|rest| rest.get(..name.len())).is_some_and(|word| word.eq_ignore_ascii_case(name))
    });
    let behind = end.and_then(|at| text.get(at..)).and_then(|rest| rest.split_once('>'));
    behind.map_or("", |(_, rest)| rest)
}

/// The `href` among a tag's attributes.
fn address_of(tag: &str) -> Option<&str> {
    let at = tag.to_ascii_lowercase().find("href")?;
    let value = tag.get(at + 4..)?.trim_start().strip_prefix('=')?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next(),
        _ => value.split([' ', '\t', '\n']).next(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_harmless, reduced};

    #[test]
    fn what_other_shops_write_is_reduced() {
        for (text, kept) in [
            ("<p>as it <b>is</b></p>", "<p>as it <b>is</b></p>"),
            ("<p class=\"x\" data-a='>'>one</p>", "<p>one</p>"),
            ("<META charset=\"utf-8\"><P>Two<BR />lines</P>", "<p>Two<br>lines</p>"),
            ("<div><span style=\"color:red\">red</span></div><div>blue</div>", "red<br>blue<br>"),
            (
                "<a href='https://example.com/x' target=\"_blank\">x</a>",
                "<a href=\"https://example.com/x\">x</a>",
            ),
            ("<a href=\"javascript:alert(1)\">x</a> <a href=\"/y\">y</a>", "x <a href=\"/y\">y</a>"),
            ("a<script>alert('<p>')</script>b<style>p{}</STYLE>c", "abc"),
            ("<img src=x onerror=alert(1)>5 < 6 <3", "5 &lt; 6 &lt;3"),
            ("<!-- note --><table><tr><td>a</td><td>b</td></tr></table>", "a b <br>"),
            ("<h1>Big</h1><script>never ends", "Big<br>"),
            ("<p it's>fine</p>", "<p>fine</p>"),
        ] {
            assert_eq!(reduced(text), kept, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_reduced_is_harmless(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("<".to_owned()), Just(">".to_owned()), Just("<script>".to_owned()), Just("</a>".to_owned()),
                    Just("<a href=\"".to_owned()), Just("javascript:".to_owned()), Just("https://x".to_owned()),
                    Just("'".to_owned()), Just("\"".to_owned()), Just("<!--".to_owned()), "\\PC{0,6}",
                ],
                0..24,
            )
        ) {
            let text = parts.concat();
            let once = reduced(&text).into_owned();
            prop_assert!(is_harmless(&once), "{once}");
            prop_assert_eq!(reduced(&once).into_owned(), once);
        }
    }

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
