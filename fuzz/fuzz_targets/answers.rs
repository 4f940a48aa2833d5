//! Any bytes as an answer of the REST API: refused, or ids that git can have and paths that lead nowhere
//! else.
#![no_main]

use backstage_azure_devops_native::rest::{
    Item, ItemList, MOST_FOLDERS, commit_id_in, described, item_batches_in, item_list_in, items_in,
    message_in,
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
        lists.iter().for_each(check_list);
    }
    if let Ok((list, commit)) = item_list_in(answer) {
        check_list(&list);
        // What the one reads, the other reads too.
        let items = items_in(answer).expect("it is a list");
        assert_eq!(items.len(), list.len());
        for (item, listed) in items.iter().zip(list.iter()) {
            assert_eq!(item.path, listed.path());
            assert_eq!(item.id.to_lowercase(), listed.id());
        }
        assert!(commit.is_none_or(|commit| commit.len() <= answer.len()));
    }
    if let Some(what) = described(answer, "/a/b") {
        assert!(matches!(what, "folder" | "submodule"));
    }
    if let Some(message) = message_in(answer, &Secrets::default()) {
        assert!(!message.is_empty() && !message.contains(['\n', '\r']));
    }
}

fn check_list(list: &ItemList) {
    for listed in list.iter() {
        check(&Item {
            path: listed.path(),
            id: listed.id(),
            is_folder: listed.is_folder,
        });
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
