//! Any bytes as a zip, and zips of any names: refused, or files whose contents are refused or right;
//! and what is written to a folder is in it.
#![no_main]

use std::io::Write;

use backstage_azure_devops_native::archive::{Archive, Entry, extract, repack};
use libfuzzer_sys::fuzz_target;
use rawzip::{Header, ZipArchiveWriter, crc32, extra_fields::ExtraFieldId, path::EntryPath};

/// More than this is not inflated: zeros take the fuzzer's time.
const MOST: u64 = 1024 * 1024;

fuzz_target!(|bytes: &[u8]| {
    if let Some(archive) = opened(bytes) {
        check(&archive);
    }
    if let Some(archive) = made_elsewhere(bytes).and_then(|zip| opened(&zip)) {
        for entry in archive.entries() {
            let path = String::from_utf8(archive.content(entry).expect("it is sound"));
            // What is no UTF-8, or empty, leaves the entry its other name.
            if let Some(path) = path.ok().filter(|path| !path.is_empty()) {
                assert_eq!(entry.path, path.replace('\\', "/"));
            }
        }
        check(&archive);
    }
});

/// A zip in which every two lines are the two names of an entry. The second is in its Unicode Path
/// field, and is its content: no fuzzer finds out the checksum that makes it count.
fn made_elsewhere(bytes: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let mut zip = ZipArchiveWriter::new(Vec::new());
    for names in lines.chunks_exact(2) {
        let [name, path] = names else { continue };
        let field = [&[1], crc32(name).to_le_bytes().as_slice(), path].concat();
        let (mut entry, config) = zip
            .new_file(EntryPath::verbatim(*name))
            .extra_field(
                ExtraFieldId::INFO_ZIP_UNICODE_PATH,
                &field,
                Header::default(),
            )
            .ok()?
            .start()
            .ok()?;
        let mut content = config.wrap(&mut entry);
        content.write_all(path).ok()?;
        let (_, descriptor) = content.finish().ok()?;
        entry.finish(descriptor).ok()?;
    }
    zip.finish().ok()
}

fn check(archive: &Archive) {
    let small = || archive.entries().iter().filter(|entry| entry.size <= MOST);
    // Of two drives at the start of a name one is left, as by Backstage's own reader; no zip may
    // have that.
    let has_drives = |entry: &Entry| entry.path.matches(':').count() > 1;
    let sound: Vec<_> = small()
        .filter(|entry| !has_drives(entry) && archive.content(entry).is_ok())
        .map(|entry| (entry, entry.path.as_str()))
        .collect();

    let mut packed = Vec::new();
    repack(archive, &sound, &mut packed).expect("what is sound can be packed again");
    let again = opened(&packed).expect("what was packed can be opened");
    assert_eq!(again.entries().len(), sound.len());
    for (entry, (was, _)) in again.entries().iter().zip(&sound) {
        assert_eq!(again.content(entry).ok(), archive.content(was).ok());
    }

    let parent = tempfile::tempdir().expect("there is room");
    // What cannot be written has a name that files cannot have.
    let _ = extract(archive, &sound, &parent.path().join("here"), &|| false);
    let beside = std::fs::read_dir(parent.path()).expect("it is there");
    assert!(beside.count() <= 1, "something was written outside");
}

fn opened(bytes: &[u8]) -> Option<Archive> {
    let mut file = tempfile::tempfile().expect("there is room");
    file.write_all(bytes).expect("there is room");
    Archive::open(file).ok()
}
