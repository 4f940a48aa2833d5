//! The other ways to write a path with percent escapes.

use percent_encoding::percent_decode_str;

use crate::glob::literal_folder;

/// Other spellings of a glob with percent escapes: with its literal folder decoded once, then with
/// everything decoded once.
#[must_use]
pub fn pattern_spellings(path: &str) -> Vec<String> {
    let folder = literal_folder(path.trim_start_matches('/'));
    match path.strip_prefix(&folder) {
        Some(rest) if folder != "/" => other_spellings(&folder, rest),
        _ => other_spellings("", path),
    }
}

/// Other spellings of a path with percent escapes, given as a folder and the rest: with the folder decoded
/// once, then with everything decoded once.
#[must_use]
pub fn other_spellings(folder: &str, rest: &str) -> Vec<String> {
    let named = decoded_once(folder).map(|folder| format!("{folder}{rest}"));
    let whole = decoded_once(&[folder, rest].concat());
    let mut paths: Vec<String> = named.into_iter().chain(whole).collect();
    paths.dedup();
    paths
}

/// A path with its percent escapes decoded, where they are UTF-8; `None` where it has none.
#[must_use]
pub fn decoded_once(path: &str) -> Option<String> {
    // Nearly every path has none.
    if !path.contains('%') {
        return None;
    }
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find('%') {
        let (before, escapes) = rest.split_at(start);
        decoded.push_str(before);
        // Bytes that belong together may be some escapes in a row.
        let length = 3 * escapes
            .as_bytes()
            .chunks(3)
            .take_while(|it| is_escape(it))
            .count();
        let (run, after) = escapes.split_at(length.max(1));
        let bytes: Vec<u8> = percent_decode_str(run).collect();
        let mut written = run;
        for chunk in bytes.utf8_chunks() {
            decoded.push_str(chunk.valid());
            // What is no UTF-8 stays as it is written.
            written = written.get(3 * chunk.valid().len()..).unwrap_or_default();
            let (kept, next) = written.split_at((3 * chunk.invalid().len()).min(written.len()));
            decoded.push_str(kept);
            written = next;
        }
        rest = after;
    }
    decoded.push_str(rest);
    (decoded != path).then_some(decoded)
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}
