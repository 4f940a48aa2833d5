//! Any bytes as a zip: refused, or files whose contents are refused or right; and what is written to
//! a folder is in it.
#![no_main]

use std::io::Write;

use backstage_azure_devops_native::archive::{Archive, extract, repack};
use libfuzzer_sys::fuzz_target;

/// More than this is not inflated: zeros take the fuzzer's time.
const MOST: u64 = 1024 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let Some(archive) = opened(bytes) else {
        return;
    };
    let small = || archive.entries().iter().filter(|entry| entry.size <= MOST);
    let sound: Vec<_> = small()
        .filter(|entry| archive.content(entry).is_ok())
        .map(|entry| (entry, entry.path.as_str()))
        .collect();

    let mut packed = Vec::new();
    repack(&archive, &sound, &mut packed).expect("what is sound can be packed again");
    let again = opened(&packed).expect("what was packed can be opened");
    assert_eq!(again.entries().len(), sound.len());
    for (entry, (was, _)) in again.entries().iter().zip(&sound) {
        assert_eq!(again.content(entry).ok(), archive.content(was).ok());
    }

    let parent = tempfile::tempdir().expect("there is room");
    // What cannot be written has a name that files cannot have.
    let _ = extract(&archive, &sound, &parent.path().join("here"), &|| false);
    let beside = std::fs::read_dir(parent.path()).expect("it is there");
    assert!(beside.count() <= 1, "something was written outside");
});

fn opened(bytes: &[u8]) -> Option<Archive> {
    let mut file = tempfile::tempfile().expect("there is room");
    file.write_all(bytes).expect("there is room");
    Archive::open(file).ok()
}
