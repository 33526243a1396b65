//! Seeing card numbers, so that none is ever kept.

/// Whether a text holds what could be a card number: 13 to 19 digits, perhaps in groups, with a right check digit (Luhn).
/// Such a text must never be stored or logged.
pub fn resembles_card_number(text: &str) -> bool {
    // Groups of digits with at most separators between them.
    let mut groups: Vec<Vec<u32>> = vec![Vec::new()];
    let mut found = false;
    // The sentinel ends the last run.
    for letter in text.chars().chain(['x']) {
        match (letter.to_digit(10), groups.last_mut()) {
            (Some(digit), Some(group)) => group.push(digit),
            (None, Some(group)) if matches!(letter, ' ' | '-' | '.' | '\u{a0}') => {
                if !group.is_empty() {
                    groups.push(Vec::new());
                }
            }
            _ => {
                found |= hold_card_number(&groups);
                groups = vec![Vec::new()];
            }
        }
    }
    found
}

/// Any neighbouring groups may be the number: `4242 4242 4242 4242 123` has its code behind it.
fn hold_card_number(groups: &[Vec<u32>]) -> bool {
    (0..groups.len()).any(|start| {
        let mut digits = Vec::new();
        groups.iter().skip(start).any(|group| {
            digits.extend(group);
            (13..=19).contains(&digits.len()) && luhn(&digits)
        })
    })
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn card_numbers_are_seen() {
        for text in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "my card: 4242-4242-4242-4242, thanks",
            "378282246310005",
            "6011111111111117x",
            "4242.4242.4242.4242",
            "4242 4242 4242 4242 123",
        ] {
            assert!(resembles_card_number(text), "{text}");
        }
        for text in
            ["tok_ok", "4242424242424241", "leave at door 12", "+49 30 901820", "1234567890123456789012", ""]
        {
            assert!(!resembles_card_number(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn looking_for_card_numbers_never_panics(text in "\\PC{0,60}") {
            let _ = resembles_card_number(&text);
        }
    }
}
