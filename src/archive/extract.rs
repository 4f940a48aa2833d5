//! Entries as files in a directory.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    io::{self, Write},
    num::NonZero,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, File, Metadata, OpenOptions},
};

use super::{Archive, Entry, inflate::Inflater};
use crate::{error::Error, fault};

/// More threads than this wait for the disk, and each has memory for one content.
const MOST_THREADS: usize = 4;

/// An entry, and its path below the directory.
pub type Placed<'a> = (&'a Entry, &'a str);

/// Writes entries to files below `directory`, which is made where it is not there and there are any.
///
/// Nothing is written outside of it: every path is opened relative to the directory by the
/// operating system itself, which follows no link that leads out, whoever made it. Files keep their
/// executable bit. Links that point inside stay links; what else is a link, or cannot be made one,
/// becomes a file with the place in it, as all links do in Backstage's own reader.
///
/// # Errors
/// An entry is damaged, or cannot be written; the read was ended. What was written stays.
pub fn extract(
    archive: &Archive,
    entries: &[Placed<'_>],
    directory: &Path,
    is_ended: &(impl Fn() -> bool + Sync),
) -> Result<(), Error> {
    let unusable = |error: io::Error| {
        Error::other(format!(
            "{} cannot be written to: {error}",
            directory.display()
        ))
        .because(error)
    };
    if entries.is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(directory).map_err(unusable)?;
    let root = Dir::open_ambient_dir(directory, ambient_authority()).map_err(unusable)?;
    make_folders(&root, entries)?;
    let (links, files): (Vec<Placed<'_>>, Vec<_>) = last_of_each(entries)
        .into_iter()
        .partition(|(entry, _)| entry.is_symlink);
    in_parallel(&files, is_ended, |inflater, (entry, path)| {
        let file = create(&root, path, entry.is_executable)?;
        inflater.write(archive, entry, UntilEnded { file, is_ended })
    })?;
    // Last, so that no file is written through one.
    let mut inflater = Inflater::new();
    for (entry, path) in links {
        if is_ended() {
            break;
        }
        link(&root, &mut inflater, archive, entry, path)?;
    }
    Ok(())
}

/// Of several entries for one path the last.
fn last_of_each<'a>(entries: &[Placed<'a>]) -> Vec<Placed<'a>> {
    let last: HashMap<Cow<'_, str>, usize> = entries
        .iter()
        .enumerate()
        .map(|(index, (_, path))| (place(path), index))
        .collect();
    let all = entries.iter().enumerate();
    all.filter(|(index, (_, path))| last.get(&place(path)) == Some(index))
        .map(|(_, entry)| *entry)
        .collect()
}

/// Where a path leads, however it is spelled.
fn place(path: &str) -> Cow<'_, str> {
    let is_name = |part: &&str| !matches!(*part, "" | ".");
    if path.split('/').all(|part| is_name(&part)) {
        return path.into();
    }
    let names: Vec<&str> = path.split('/').filter(is_name).collect();
    names.join("/").into()
}

/// Makes the folders of the entries. A link from before gives way to one: what is below it would
/// stand elsewhere, where links that point inside may not do so.
fn make_folders(root: &Dir, entries: &[Placed<'_>]) -> Result<(), Error> {
    let folders = entries.iter().flat_map(|(_, path)| folders_of(path));
    // In their order, so that each is made before those in it.
    for folder in folders.collect::<BTreeSet<&str>>() {
        let there = root.symlink_metadata(folder);
        if there.as_ref().is_ok_and(Metadata::is_symlink) {
            let removed = root.remove_file(folder);
            removed.map_err(|error| unwritable(folder, error))?;
        } else if there.is_ok_and(|there| there.is_dir()) {
            continue;
        }
        root.create_dir(folder)
            .map_err(|error| unwritable(folder, error))?;
    }
    Ok(())
}

/// The folders on the way to a path.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// A file that takes nothing more when the read was ended.
struct UntilEnded<'a, F> {
    file: File,
    is_ended: &'a F,
}

impl<F: Fn() -> bool> Write for UntilEnded<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.is_ended)() {
            return Err(io::Error::other("the read was ended"));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Does the work for every entry on several threads, until one fails.
fn in_parallel<'a>(
    entries: &[Placed<'a>],
    is_ended: &(impl Fn() -> bool + Sync),
    work: impl Fn(&mut Inflater, Placed<'a>) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let failure = Mutex::new(None);
    let run = || {
        let mut inflater = Inflater::new();
        while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
            if has_failed.load(Ordering::Relaxed) || is_ended() {
                return;
            }
            fault::point("extraction");
            if let Err(error) = work(&mut inflater, *entry) {
                has_failed.store(true, Ordering::Relaxed);
                failure
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(error);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 1..threads.min(MOST_THREADS).min(entries.len()) {
            // Where there is no other thread to be had, this one does the work.
            let _ = thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// A new file. What is there from before gives way: it may be a link, or have another mode.
fn create(root: &Dir, path: &str, is_executable: bool) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.mode(if is_executable { 0o777 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = is_executable;
    let file = match root.open_with(path, &options) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => root
            .remove_file(path)
            .and_then(|()| root.open_with(path, &options)),
        file => file,
    };
    file.map_err(|error| unwritable(path, error))
}

fn link(
    root: &Dir,
    inflater: &mut Inflater,
    archive: &Archive,
    entry: &Entry,
    path: &str,
) -> Result<(), Error> {
    let target = inflater.content(archive, entry)?;
    let inside = std::str::from_utf8(target)
        .ok()
        .filter(|target| points_inside(path, target));
    #[cfg(unix)]
    if let Some(target) = inside {
        // What is there from before gives way, as a file does.
        let _ = root.remove_file(path);
        // Git has links that are longer than the operating system takes.
        if root.symlink(target, path).is_ok() {
            return Ok(());
        }
    }
    let _ = inside;
    let mut file = create(root, path, false)?;
    file.write_all(target)
        .map_err(|error| unwritable(path, error))
}

/// Whether a link at `path` leads to a place inside, whatever other links there are on the way:
/// it goes up only at its start, and no further than its own folders.
fn points_inside(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\0', '\\']) {
        return false;
    }
    let depth = path.split('/').count() - 1;
    let ups = target
        .split('/')
        .take_while(|part| matches!(*part, ".." | "."));
    let ups = ups.filter(|part| *part == "..").count();
    let goes_up_later = target
        .split('/')
        .skip_while(|part| matches!(*part, ".." | "."))
        .any(|part| part == "..");
    ups <= depth && !goes_up_later
}

fn unwritable(path: &str, error: io::Error) -> Error {
    Error::other(format!("{path} could not be written: {error}")).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_however_they_are_spelled() {
        for path in ["d/a/b", "d/a//b", "d/./a/b", "./d/a/b"] {
            assert_eq!(place(path), "d/a/b", "{path}");
        }
    }

    #[test]
    fn links_that_lead_outside_are_known() {
        for (path, target) in [
            ("a", "b"),
            ("d/a", "../b"),
            ("d/e/a", "./../../b/c"),
            ("d/a", ".."),
        ] {
            assert!(points_inside(path, target), "{path} → {target}");
        }
        for (path, target) in [
            ("a", "../b"),
            ("a", "/etc/passwd"),
            ("d/a", "../../b"),
            ("d/a", "s/../../b"),
            ("a", ""),
        ] {
            assert!(!points_inside(path, target), "{path} → {target}");
        }
    }
}
