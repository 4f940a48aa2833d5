//! Contents by their git object ids, which are their hashes.

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// The id that git gives to a content, in the hash that `like` is in.
///
/// <https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>
pub(super) fn id(content: &[u8], like: &str) -> String {
    let is_sha256 = like.len() == 64;
    let algorithm = if is_sha256 {
        &SHA256
    } else {
        &SHA1_FOR_LEGACY_USE_ONLY
    };
    let mut hash = Context::new(algorithm);
    hash.update(format!("blob {}\0", content.len()).as_bytes());
    hash.update(content);
    let digest = hash.finish();
    let bytes = digest.as_ref().iter();
    bytes.fold(String::new(), |mut id, byte| {
        for digit in [byte >> 4, byte & 15] {
            id.extend(char::from_digit(u32::from(digit), 16));
        }
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        let empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        assert_eq!(id(b"", empty), empty);
        let hello = "ce013625030ba8dba906f756967f9e9ca394464a";
        assert_eq!(id(b"hello\n", hello), hello);
    }
}
