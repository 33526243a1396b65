//! What stands in a cell: numbers and lists.

/// A whole number; decimals are rounded where that is no loss, and else must be zeros.
pub fn whole(text: &str, rounds: bool) -> Option<i64> {
    let (number, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let exact = decimals.bytes().all(|byte| byte == b'0');
    if decimals.is_empty() || !decimals.bytes().all(|byte| byte.is_ascii_digit()) || !(exact || rounds) {
        return None;
    }
    let number: i64 = number.parse().ok()?;
    let up = decimals.starts_with(['5', '6', '7', '8', '9']) && number >= 0;
    number.checked_add(i64::from(up))
}

/// Tags stand between commas; one that has a comma, or begins with a quote, stands in quotes.
pub fn tags_in(cell: &str) -> Vec<String> {
    let (mut tags, mut rest) = (Vec::new(), cell.trim_start());
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|inner| {
            let mut end = inner.match_indices('"').map(|(at, _)| at);
            let mut at = end.next()?;
            // Two quotes are one.
            while inner.get(at + 1..).is_some_and(|rest| rest.starts_with('"')) {
                end.next()?;
                at = end.next()?;
            }
            let behind = inner.get(at + 1..)?.trim_start();
            let behind = if behind.is_empty() { behind } else { behind.strip_prefix(',')? };
            Some((inner.get(..at)?.replace("\"\"", "\""), behind))
        });
        let (tag, behind) = quoted.unwrap_or_else(|| {
            let (tag, behind) = rest.split_once(',').unwrap_or((rest, ""));
            (tag.to_owned(), behind)
        });
        if !tag.trim().is_empty() {
            tags.push(tag);
        }
        rest = behind.trim_start();
    }
    tags
}

/// Tags as [`tags_in`] reads them.
pub fn tags_out(tags: &[String]) -> String {
    let written = |tag: &String| {
        let quote = tag.contains(',') || tag.starts_with('"');
        if quote { format!("\"{}\"", tag.replace('"', "\"\"")) } else { tag.clone() }
    };
    tags.iter().map(written).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_without_a_float() {
        for (text, rounds, number) in [
            ("12", false, Some(12)),
            ("12.0", false, Some(12)),
            ("-3", false, Some(-3)),
            ("1.5", false, None),
            ("453.592", true, Some(454)),
            ("0.4", true, Some(0)),
            ("1e3", true, None),
            ("", true, None),
            ("1.", true, None),
            ("99999999999999999999", false, None),
        ] {
            assert_eq!(whole(text, rounds), number, "{text}");
        }
    }

    #[test]
    fn tags_survive_commas_and_quotes() {
        for tags in [
            vec!["summer", "linen"],
            vec!["a, b", "c"],
            vec!["\"quoted\"", "6\" pipe"],
            vec!["\"\"", ",", "x"],
            vec![],
        ] {
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            assert_eq!(tags_in(&tags_out(&tags)), tags);
        }
        assert_eq!(tags_in("a,, b ,\"c\" d"), ["a", "b ", "\"c\" d"]);
    }
}
