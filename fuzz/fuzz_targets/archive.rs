//! Any bytes as a zip, and zips of any names and links: refused, or files whose contents are refused
//! or right; paths are relative, and what is written to a folder is in it, and leads nowhere else.
#![no_main]

use std::{
    collections::VecDeque,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use backstage_azure_devops_native::archive::{Archive, Placed, extract, names_drive, repack};
use libfuzzer_sys::fuzz_target;
use rawzip::{Header, ZipArchiveWriter, crc32, extra_fields::ExtraFieldId, path::EntryPath};

/// More than this is not inflated: zeros take the fuzzer's time.
const MOST: u64 = 1024 * 1024;

/// What names and targets of links are put together of, by a byte each.
const PARTS: [&str; 16] = [
    "/", "/", "/", "a", "b", "a/", "b/", "..", "../", ".", "./", "//", "\\", "C:", "w:", "/a/./",
];

/// More links than this on the way of one path go round in a circle.
const MOST_LINKS: usize = 100;

fuzz_target!(|bytes: &[u8]| {
    if let Some(archive) = opened(bytes) {
        check(&archive);
    }
    if let Some(archive) = made_elsewhere(bytes).and_then(|zip| opened(&zip)) {
        check(&archive);
    }
    if let Some(archive) = made_of_parts(bytes).and_then(|zip| opened(&zip)) {
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

/// A zip in which every two lines are the name of an entry and its content, put together of parts;
/// most of the entries are links.
fn made_of_parts(bytes: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').take(40).collect();
    let mut zip = ZipArchiveWriter::new(Vec::new());
    for entry in lines.chunks_exact(2) {
        let [name, target] = entry else { continue };
        let is_link = name.len() % 4 != 0;
        let (name, target) = (of_parts(name), of_parts(target));
        let (mut entry, config) = zip
            .new_file(EntryPath::verbatim(name.as_bytes()))
            .unix_permissions(if is_link { 0o120_777 } else { 0o100_644 })
            .start()
            .ok()?;
        let mut content = config.wrap(&mut entry);
        content.write_all(target.as_bytes()).ok()?;
        let (_, descriptor) = content.finish().ok()?;
        entry.finish(descriptor).ok()?;
    }
    zip.finish().ok()
}

fn of_parts(line: &[u8]) -> String {
    let parts = line
        .iter()
        .map(|byte| PARTS[usize::from(*byte) % PARTS.len()]);
    parts.take(20).collect()
}

fn check(archive: &Archive) {
    for entry in archive.entries() {
        assert!(is_relative(&entry.path), "{}", entry.path);
    }
    let sound: Vec<Placed<'_>> = archive
        .entries()
        .iter()
        .filter(|entry| entry.size <= MOST && archive.content(entry, &|| false).is_ok())
        .map(|entry| (entry, entry.path.as_str()))
        .collect();
    check_packed(archive, &sound);
    check_extracted(archive, &sound);
    // As in the tree of a folder, of which such a path makes an error.
    let below = sound.iter().filter_map(|(entry, path)| {
        let path = path.strip_prefix("a/").filter(|path| !names_drive(path))?;
        Some((*entry, path))
    });
    let below: Vec<Placed<'_>> = below.collect();
    check_packed(archive, &below);
    check_extracted(archive, &below);
}

/// Whether a path has a name between any two slashes, and none that leads elsewhere.
fn is_relative(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(is_name) && !names_drive(path) && !path.contains(['\\', '\0'])
}

fn check_packed(archive: &Archive, entries: &[Placed<'_>]) {
    let mut packed = Vec::new();
    // Two names may be one without their drives.
    if repack(archive, entries, &mut packed, &|| false).is_err() {
        assert!(entries.iter().any(|(_, path)| path.contains(':')));
        return;
    }
    // A drive of one letter may stay where nothing is left without it; no zip may have that.
    let Some(again) = opened(&packed) else {
        assert!(entries.iter().any(|(_, path)| path.contains(':')));
        return;
    };
    assert_eq!(again.entries().len(), entries.len());
    for (entry, (was, _)) in again.entries().iter().zip(entries) {
        let content = |archive: &Archive, entry| archive.content(entry, &|| false).ok();
        assert_eq!(content(&again, entry), content(archive, was));
    }
}

/// Writes entries to a folder, twice, for the second time might write through what the first made.
fn check_extracted(archive: &Archive, entries: &[Placed<'_>]) {
    let parent = tempfile::tempdir().expect("there is room");
    let here = parent.path().join("here");
    for _ in 0..2 {
        // What cannot be written has a name that files cannot have, or the place of another.
        let written = extract(archive, entries, &here, &|| false);
        let beside = fs::read_dir(parent.path()).expect("it is there");
        let expected = usize::from(written.is_ok() && !entries.is_empty());
        assert_eq!(beside.count(), expected, "{written:?}");
    }
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let Ok(found) = fs::read_dir(here.join(&folder)) else {
            continue;
        };
        for entry in found.flatten() {
            let path = folder.join(entry.file_name());
            assert!(stays_inside(&here, &path), "{}", path.display());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
        }
    }
}

/// Whether each step on the way to where a path leads, through all links, is below a folder.
fn stays_inside(root: &Path, path: &Path) -> bool {
    let mut left: VecDeque<_> = path.iter().map(PathBuf::from).collect();
    let (mut at, mut links) = (PathBuf::new(), 0);
    while let Some(part) = left.pop_front() {
        if part.is_absolute() {
            return false;
        }
        match part.to_str() {
            Some("" | ".") => {}
            Some("..") if !at.pop() => return false,
            Some("..") => {}
            _ => match fs::read_link(root.join(&at).join(&part)) {
                Ok(target) if links < MOST_LINKS => {
                    links += 1;
                    let steps: Vec<_> = target.iter().map(PathBuf::from).collect();
                    steps
                        .into_iter()
                        .rev()
                        .for_each(|step| left.push_front(step));
                }
                _ => at.push(part),
            },
        }
    }
    true
}

fn opened(bytes: &[u8]) -> Option<Archive> {
    let mut file = tempfile::tempfile().expect("there is room");
    file.write_all(bytes).expect("there is room");
    Archive::open(file, &|| false).ok()
}
