//! Names of entries: decoded, and only such as lead inside.

use rawzip::{ZipFileHeaderRecord, extra_fields::ExtraFieldId};

use super::damaged;
use crate::error::Error;

/// What code page 437, in which names stand that are not marked as UTF-8, has in the place of ASCII's
/// control characters.
const CONTROLS_437: &str = "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
const DELETE_437: char = '⌂';

/// Its characters above ASCII.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The version of the Unicode Path field that is known; another may say something else.
const UNICODE_PATH: u8 = 1;

/// The name of an entry, with `/` between its parts: of two that it has, the one in UTF-8.
///
/// # Errors
/// It is absolute, or has a part `..`, so it would lead outside.
pub(super) fn of(record: &ZipFileHeaderRecord<'_>) -> Result<String, Error> {
    let path = record.file_path();
    let name = path.as_bytes();
    let mut fields = record
        .extra_fields()
        .filter(|(id, _)| *id == ExtraFieldId::INFO_ZIP_UNICODE_PATH);
    match fields.find_map(|(_, field)| unicode_path(field, name)) {
        Some(path) => read(path.as_bytes(), true),
        None => read(name, record.flags().is_utf8()),
    }
}

/// What an Info-ZIP Unicode Path field says. It is as if it were not there where it is not as it
/// should be, or belongs to another name: whatever renamed the entry did not know of the field.
///
/// <https://pkware.cachefly.net/webdocs/APPNOTE/APPNOTE-6.3.10.TXT>, 4.6.9
fn unicode_path<'a>(field: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let (version, field) = field.split_first()?;
    let (checksum, path) = field.split_first_chunk()?;
    let is_of_name = u32::from_le_bytes(*checksum) == libdeflater::crc32(name);
    let path = std::str::from_utf8(path).ok()?;
    (*version == UNICODE_PATH && is_of_name && !path.is_empty()).then_some(path)
}

fn read(bytes: &[u8], is_utf8: bool) -> Result<String, Error> {
    let name = if is_utf8 || is_printable(bytes) {
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

/// Whether the bytes are the same text in UTF-8 and in code page 437.
fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn decode(bytes: &[u8]) -> String {
    let lower: Vec<char> = CONTROLS_437.chars().collect();
    let upper: Vec<char> = CODE_PAGE_437.chars().collect();
    let decoded = bytes.iter().map(|byte| match byte {
        ..b' ' => lower.get(usize::from(*byte)).copied(),
        b' '..=b'~' => Some(char::from(*byte)),
        0x7f => Some(DELETE_437),
        0x80.. => upper.get(usize::from(*byte - 0x80)).copied(),
    });
    decoded
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_utf_8_or_of_the_code_page() {
        assert_eq!(read("ä/b".as_bytes(), true).ok().as_deref(), Some("ä/b"));
        assert_eq!(read(b"\x84/\xe1", false).ok().as_deref(), Some("ä/ß"));
        assert_eq!(read(b"\x01\x7f", false).ok().as_deref(), Some("☺⌂"));
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(CONTROLS_437.chars().count(), 32);
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
