//! Names of entries: decoded, canonical, and only such as lead inside.

use std::{borrow::Cow, fmt};

use rawzip::{ZipFileHeaderRecord, extra_fields::ExtraFieldId};

use super::damaged::damaged;
use crate::error::Error;

/// The characters of code page 437, the encoding of names that are not marked as UTF-8, in place of ASCII's
/// control characters.
const CONTROLS_437: &str = "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
const DELETE_437: char = '⌂';

/// Its characters above ASCII.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The version of the Unicode Path field that is known; another may say something else.
const UNICODE_PATH: u8 = 1;

/// The most of a path that a message shows, from its start and from its end.
const SHOWN: usize = 500;

/// The name of an entry: a path of one or more parts with `/` between them, none of them empty, `.`
/// or `..`, the first no drive of Windows.
pub(super) struct Name {
    /// Empty for the folder that all are in.
    pub(super) path: String,
    /// Whether it is that of a folder.
    pub(super) is_folder: bool,
    /// How it stands in the zip, where that is not its path.
    pub(super) original: Option<Box<str>>,
}

/// The name of an entry: of two that it has, the one in UTF-8.
///
/// # Errors
/// It is absolute, or has a part `..`, so it would lead outside; or it names no file and no folder.
pub(super) fn of(record: &ZipFileHeaderRecord<'_>) -> Result<Name, Error> {
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

/// Whether a path begins with a drive of Windows: `C:/x` is absolute wherever it is joined to
/// something. Other names with colons are such as git has on other systems.
#[must_use]
pub fn names_drive(path: &str) -> bool {
    let drive = starts_with_letter(path).then(|| path.get(2..));
    match drive.flatten() {
        Some(rest) => cfg!(windows) || rest.starts_with('/'),
        None => false,
    }
}

/// Whether a path begins with a letter and a colon.
fn starts_with_letter(path: &str) -> bool {
    let mut start = path.chars();
    start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':')
}

/// What an Info-ZIP Unicode Path field says. It is as if it were not there where it is not as it
/// should be, or belongs to another name: a tool that renamed the entry did not know the field.
///
/// <https://pkware.cachefly.net/webdocs/APPNOTE/APPNOTE-6.3.10.TXT>, 4.6.9
fn unicode_path<'a>(field: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let (version, field) = field.split_first()?;
    let (checksum, path) = field.split_first_chunk()?;
    let is_of_name = u32::from_le_bytes(*checksum) == libdeflater::crc32(name);
    let path = std::str::from_utf8(path).ok()?;
    (*version == UNICODE_PATH && is_of_name && !path.is_empty()).then_some(path)
}

fn read(bytes: &[u8], is_utf8: bool) -> Result<Name, Error> {
    let (decoded, is_lossy) = if is_utf8 || is_printable(bytes) {
        let text = String::from_utf8_lossy(bytes);
        let is_lossy = matches!(text, Cow::Owned(_));
        (text, is_lossy)
    } else {
        (decode(bytes).into(), false)
    };
    let name = decoded.replace('\\', "/");
    let path = without_empty(&name);
    check(&name, &path)?;
    let is_folder = name.ends_with('/');
    if !is_folder && (path.is_empty() || name.ends_with("/.")) {
        let name = Shown(&name);
        return Err(damaged(format!("it has a file without a name: \"{name}\"")));
    }
    let original = if is_lossy {
        Some(bytes.escape_ascii().to_string().into())
    } else {
        (path != decoded).then(|| decoded.into())
    };
    Ok(Name {
        path,
        is_folder,
        original,
    })
}

/// The one form of a path: with `/` between its parts, and without those that lead nowhere.
#[must_use]
pub fn canonical(path: &str) -> String {
    without_empty(&path.replace('\\', "/"))
}

fn without_empty(name: &str) -> String {
    let is_part = |part: &&str| !matches!(*part, "" | ".");
    if name.split('/').all(|part| is_part(&part)) {
        return name.to_owned();
    }
    let parts: Vec<&str> = name.split('/').filter(is_part).collect();
    parts.join("/")
}

fn check(name: &str, path: &str) -> Result<(), Error> {
    let shown = Shown(name);
    if name.starts_with('/') || starts_with_letter(path) {
        return Err(damaged(format!("it has an absolute path: {shown}")));
    }
    if path.split('/').any(|part| part == "..") {
        return Err(damaged(format!(
            "it has a path that leads outside: {shown}"
        )));
    }
    if path.contains('\0') {
        return Err(damaged("it has a path with a NUL"));
    }
    Ok(())
}

/// A path as a message shows it: not the middle of a very long one.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(path) = self;
        if path.len() <= 2 * SHOWN + 100 {
            return formatter.write_str(path);
        }
        let is_early = |at: usize| at <= SHOWN;
        let is_late = |at: usize| at + SHOWN >= path.len();
        let mut places = path.char_indices().map(|(at, _)| at);
        let start = places.by_ref().take_while(|at| is_early(*at)).last();
        let end = places.find(|at| is_late(*at));
        let start = path.get(..start.unwrap_or_default()).unwrap_or_default();
        let end = path.get(end.unwrap_or_default()..).unwrap_or_default();
        let left_out = path.len() - start.len() - end.len();
        write!(formatter, "{start} … {left_out} bytes … {end}")
    }
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

    fn path(bytes: &[u8], is_utf8: bool) -> Option<String> {
        read(bytes, is_utf8).ok().map(|name| name.path)
    }

    #[test]
    fn names_are_utf_8_or_of_the_code_page() {
        assert_eq!(path("ä/b".as_bytes(), true).as_deref(), Some("ä/b"));
        assert_eq!(path(b"\x84/\xe1", false).as_deref(), Some("ä/ß"));
        assert_eq!(path(b"\x01\x7f", false).as_deref(), Some("☺⌂"));
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(CONTROLS_437.chars().count(), 32);
    }

    #[test]
    fn names_have_one_form() {
        for name in [
            "d/a/b",
            "d/a//b",
            "d/./a/b",
            "./d/a/b",
            "d\\a\\b",
            ".//d///a/././b",
        ] {
            let read = read(name.as_bytes(), true).ok();
            assert_eq!(read.as_ref().map(|name| name.path.as_str()), Some("d/a/b"));
            let original = read.and_then(|name| name.original);
            let expected = (name != "d/a/b").then_some(name);
            assert_eq!(original.as_deref(), expected);
        }
        let lossy = read(b"a\xff", true).ok();
        let original = lossy.and_then(|name| name.original);
        assert_eq!(original.as_deref(), Some("a\\xff"));
    }

    #[test]
    fn folders_are_known_however_they_are_spelled() {
        for (name, expected) in [("a/", "a"), ("./", ""), ("a//", "a"), ("a/./", "a")] {
            let read = read(name.as_bytes(), true).ok();
            let read = read.map(|name| (name.is_folder, name.path));
            assert_eq!(read, Some((true, expected.to_owned())), "{name}");
        }
    }

    #[test]
    fn nothing_leads_outside() {
        for name in [
            "/a", "//a", "\\a", "../a", "a/../b", "a/..", "..", "C:/a", "C:a", "./C:/a", ".\\c:a",
            "a\\..\\b", "a\0b", "", ".", "a/.",
        ] {
            assert!(read(name.as_bytes(), true).is_err(), "{name}");
        }
        for name in ["a", "a/b", "..a/b..", "a/.../b", "ab:c/d", "a/C:/b"] {
            assert_eq!(path(name.as_bytes(), true).as_deref(), Some(name));
        }
    }

    #[test]
    fn drives_are_told_from_other_colons() {
        for path in ["C:/x", "z:/"] {
            assert!(names_drive(path), "{path}");
        }
        for path in ["a", "ab:/c", "1:/c", "ü:/c", ":/c"] {
            assert!(!names_drive(path), "{path}");
        }
        assert_eq!(names_drive("C:x"), cfg!(windows));
    }

    #[test]
    fn a_long_path_is_shown_in_part() {
        let long = "ü/".repeat(20_000);
        let shown = Shown(&long).to_string();
        assert!(shown.len() < 1100, "{shown}");
        assert!(shown.contains(" … 59001 bytes … "), "{shown}");
    }
}
