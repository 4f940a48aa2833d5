//! Any bytes as an answer of the REST API: refused, or ids that git can have and paths that lead nowhere
//! else.
#![no_main]

use backstage_azure_devops_native::rest::{
    Item, MOST_FOLDERS, commit_id_in, described, item_batches_in, items_in, message_in,
};
use backstage_azure_devops_native::secrets::Secrets;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|answer: &[u8]| {
    for json in [answer.to_vec(), as_commits(answer), as_items(answer)] {
        read(&json);
    }
});

/// The same bytes at the places that matter, which no fuzzer finds by itself in the time that it has.
fn as_commits(answer: &[u8]) -> Vec<u8> {
    [br#"{"value":[{"commitId":""#, answer, br#""}]}"#].concat()
}

/// Each line an item: its path, and after a tab its id.
fn as_items(answer: &[u8]) -> Vec<u8> {
    let items = answer.split(|byte| *byte == b'\n').map(|line| {
        let mut parts = line.splitn(2, |byte| *byte == b'\t');
        let path = parts.next().unwrap_or_default();
        let id = parts
            .next()
            .unwrap_or(b"0123456789abcdef0123456789abcdef01234567");
        let start = br#"{"gitObjectType":"blob","path":""#;
        [start, path, br#"","objectId":""#, id, br#""}"#].concat()
    });
    let items: Vec<Vec<u8>> = items.collect();
    [br#"{"value":["#.as_slice(), &items.join(&b','), b"]}"].concat()
}

fn read(answer: &[u8]) {
    if let Ok(Some(id)) = commit_id_in(answer) {
        check_id(&id);
    }
    for item in items_in(answer).into_iter().flatten() {
        check(&item);
    }
    if let Ok(lists) = item_batches_in(answer) {
        assert!(lists.len() <= MOST_FOLDERS);
        lists.iter().flatten().for_each(check);
    }
    if let Some(what) = described(answer, "/a/b") {
        assert!(matches!(what, "folder" | "submodule"));
    }
    if let Some(message) = message_in(answer, &Secrets::default()) {
        assert!(!message.is_empty() && !message.contains(['\n', '\r']));
    }
}

fn check(item: &Item) {
    check_id(&item.id);
    let path = item.path.as_str();
    assert!(path.len() <= 4096 && path.split('/').count() <= 256);
    assert!(!path.starts_with('/') && !path.contains('\0'), "{path}");
    if path.is_empty() {
        assert!(item.is_folder);
        return;
    }
    for name in path.split('/') {
        assert!(!matches!(name, "" | "." | ".."), "{path}");
    }
}

fn check_id(id: &str) {
    assert!(matches!(id.len(), 40 | 64), "{id}");
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
}
