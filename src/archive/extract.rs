//! Entries as files in a directory.

use std::{
    collections::BTreeSet,
    io,
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
    fs::{Dir, File, OpenOptions},
};

use super::{Archive, Entry, inflate::Inflater};
use crate::error::Error;

/// More threads than this wait for the disk, and each has memory for one content.
const MOST_THREADS: usize = 4;

/// An entry, and its path below the directory.
pub type Placed<'a> = (&'a Entry, &'a str);

/// Writes entries to files below `directory`, which is made where it is not there.
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
    std::fs::create_dir_all(directory).map_err(unusable)?;
    let root = Dir::open_ambient_dir(directory, ambient_authority()).map_err(unusable)?;
    make_folders(&root, entries)?;
    let (links, files): (Vec<Placed<'_>>, Vec<_>) =
        entries.iter().partition(|(entry, _)| entry.is_symlink);
    in_parallel(&files, is_ended, |inflater, (entry, path)| {
        let file = create(&root, path, entry.is_executable)?;
        inflater.write(archive, entry, file)
    })?;
    // Last, so that no file is written through one.
    let mut inflater = Inflater::new();
    for (entry, path) in links {
        link(&root, &mut inflater, archive, entry, path)?;
    }
    Ok(())
}

fn make_folders(root: &Dir, entries: &[Placed<'_>]) -> Result<(), Error> {
    let folders: BTreeSet<&str> = entries
        .iter()
        .filter_map(|(_, path)| path.rsplit_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    for folder in folders {
        root.create_dir_all(folder)
            .map_err(|error| unwritable(folder, error))?;
    }
    Ok(())
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
            scope.spawn(run);
        }
        run();
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn create(root: &Dir, path: &str, is_executable: bool) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.mode(if is_executable { 0o777 } else { 0o666 });
    }
    let file = root
        .open_with(path, &options)
        .map_err(|error| unwritable(path, error))?;
    #[cfg(not(unix))]
    let _ = is_executable;
    Ok(file)
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
    io::Write::write_all(&mut file, target).map_err(|error| unwritable(path, error))
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
