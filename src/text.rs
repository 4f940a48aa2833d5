//! Text from outside, made readable: invisible characters are written out.

/// The text with invisible characters written out, as `\u{202e}`: control characters, which can steer a
/// terminal or forge a line of the log, and those that reverse the order of others or hide between them.
#[must_use]
pub fn readable(text: impl Into<String>) -> String {
    let text = text.into();
    // Nearly every text has none.
    if !text.contains(is_unseen) {
        return text;
    }
    let mut readable = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            readable.extend(character.escape_default());
        } else {
            readable.push(character);
        }
    }
    readable
}

/// Whether a character shows nothing, or changes how those beside it are shown.
///
/// Joiners and variation selectors do not count: scripts and emoji need them, and names have them.
#[must_use]
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_stays() {
        for text in [
            "",
            "a b",
            "Größe",
            "a\u{200d}b",
            "❤\u{fe0f}",
            "日本語",
            "\\n",
        ] {
            assert_eq!(readable(text), text);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        for (text, written) in [
            ("a\nb\tc", "a\\nb\\tc"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("\u{7}\u{7f}\u{9b}", "\\u{7}\\u{7f}\\u{9b}"),
            ("a\u{202e}b", "a\\u{202e}b"),
            (
                "\u{feff}\u{2028}\u{200f}\u{61c}",
                "\\u{feff}\\u{2028}\\u{200f}\\u{61c}",
            ),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(readable(text), written);
        }
    }
}
