//! Names of entries: decoded, and only such as lead inside.

use super::damaged;
use crate::error::Error;

/// Characters above ASCII of code page 437, in which names stand that are not marked as UTF-8.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The name of an entry, with `/` between its parts.
///
/// # Errors
/// It is absolute, or has a part `..`, so it would lead outside.
pub(super) fn read(bytes: &[u8], is_utf8: bool) -> Result<String, Error> {
    let name = if is_utf8 || bytes.is_ascii() {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        decode(bytes)
    };
    let name = name.replace('\\', "/");
    let mut drive = name.chars();
    let has_drive =
        drive.next().is_some_and(|c| c.is_ascii_alphabetic()) && drive.next() == Some(':');
    if name.starts_with('/') || has_drive {
        return Err(damaged(format!("it has an absolute path: {name}")));
    }
    if name.split('/').any(|part| part == "..") {
        return Err(damaged(format!("it has a path that leads outside: {name}")));
    }
    if name.contains('\0') {
        return Err(damaged("it has a path with a NUL"));
    }
    Ok(name)
}

fn decode(bytes: &[u8]) -> String {
    let upper: Vec<char> = CODE_PAGE_437.chars().collect();
    bytes
        .iter()
        .map(|byte| match byte.checked_sub(128) {
            None => char::from(*byte),
            Some(index) => upper.get(usize::from(index)).copied().unwrap_or('\u{fffd}'),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_utf_8_or_of_the_code_page() {
        assert_eq!(read("ä/b".as_bytes(), true).ok().as_deref(), Some("ä/b"));
        assert_eq!(read(b"\x84/\xe1", false).ok().as_deref(), Some("ä/ß"));
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
    }

    #[test]
    fn nothing_leads_outside() {
        for name in [
            "/a", "../a", "a/../b", "a/..", "..", "C:/a", "a\\..\\b", "a\0b",
        ] {
            assert!(read(name.as_bytes(), true).is_err(), "{name}");
        }
        for name in ["a", "a/b", "..a/b..", "a/.../b", "ab:c/d"] {
            assert!(read(name.as_bytes(), true).is_ok(), "{name}");
        }
    }
}
