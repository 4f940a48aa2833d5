//! Entries as files in a directory.

use std::{
    collections::HashMap,
    io::{self, Write},
    num::NonZero,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use cap_std::fs::{Dir, File, OpenOptions};
use parking_lot::Mutex;

use super::{
    ended::{IsEnded, unless},
    folders::Folders,
    index::{Archive, Placed},
    inflate::{Inflater, check_size},
    install::install,
    link::points_inside,
    name::Shown,
    staging::{Staging, Target},
    unwritable::unwritable,
};
use crate::{error::Error, fault};

/// More threads than this wait for the disk, and each has memory for one content.
const MOST_THREADS: usize = 4;

/// How many bytes a path may have that is opened by its name, as systems have it.
const LONGEST_PATH: usize = if cfg!(windows) {
    32_000
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    4095
} else {
    1023
};

/// Writes entries to files below `directory`, which is made where it is not there and there are any.
///
/// Nothing is written outside of it: every path is opened relative to the directory by the operating system
/// itself, which follows no link that leads out, even one that was there before. Files keep their executable
/// bit. Links that point inside stay links; what else is a link, or cannot be made one, becomes a file with
/// the place in it, as all links do in Backstage's own reader. Of several entries of one name it is the last
/// that is written.
///
/// All is made in a folder of its own in the directory, and moved when it is whole.
///
/// # Errors
/// An entry is damaged or larger than it may be, or cannot be written; the work was ended. Then files
/// and folders that were made are gone again, and a file that was to be overwritten is either the old
/// one or the whole new one.
pub fn extract(
    archive: &Archive,
    entries: &[Placed<'_>],
    directory: &Path,
    is_ended: IsEnded<'_>,
) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let entries = last_of_each(entries, is_ended)?;
    for placed in &entries {
        unless(is_ended)?;
        check(placed, directory)?;
    }
    let target = Target::open(directory)?;
    let staging = Staging::below(&target.dir);
    let staging = staging.map_err(|error| unwritable(&directory.to_string_lossy(), error))?;
    write(archive, &entries, &staging.new, is_ended)?;
    install(&staging, &target.dir, &entries, is_ended)?;
    drop(staging);
    target.keep();
    Ok(())
}

/// Of several entries for one path the last.
fn last_of_each<'a>(
    entries: &[Placed<'a>],
    is_ended: IsEnded<'_>,
) -> Result<Vec<Placed<'a>>, Error> {
    let mut last = HashMap::with_capacity(entries.len());
    for (index, (_, path)) in entries.iter().enumerate() {
        unless(is_ended)?;
        last.insert(*path, index);
    }
    let all = entries.iter().enumerate();
    let lasting = all.filter(|(index, (_, path))| last.get(path) == Some(index));
    Ok(lasting.map(|(_, placed)| *placed).collect())
}

/// Makes sure, before anything is written, that an entry can be.
fn check((entry, path): &Placed<'_>, directory: &Path) -> Result<(), Error> {
    check_size(entry)?;
    let length = directory.as_os_str().len() + 1 + path.len();
    let (shown, directory) = (Shown(path), directory.display());
    if length > LONGEST_PATH {
        return Err(Error::other(format!(
            "{shown} could not be written: below {directory} its path has {length} bytes, and the system opens none of more than {LONGEST_PATH}"
        )));
    }
    if cfg!(windows) && !is_possible_on_windows(path) {
        return Err(Error::other(format!(
            "{shown} could not be written: Windows has no such name"
        )));
    }
    Ok(())
}

/// Whether Windows takes a path for what it is: not for a device, a stream of another file, or a name
/// without the dots and spaces at its end.
fn is_possible_on_windows(path: &str) -> bool {
    path.split('/').all(|name| {
        let stem = name.split('.').next().unwrap_or_default();
        let stem = stem.trim_end().to_ascii_uppercase();
        let is_device = matches!(
            stem.as_str(),
            "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
        ) || ["COM", "LPT"].iter().any(|port| {
            let number = stem.strip_prefix(port);
            number.is_some_and(|number| {
                matches!(
                    number,
                    "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
                )
            })
        });
        !is_device && !name.contains(':') && !name.ends_with(['.', ' '])
    })
}

/// Writes all entries to files and links below a directory that is empty.
fn write(
    archive: &Archive,
    entries: &[Placed<'_>],
    root: &Dir,
    is_ended: IsEnded<'_>,
) -> Result<(), Error> {
    let mut folders = Folders::below(root, entries.len());
    for (_, path) in entries {
        unless(is_ended)?;
        folders.make_for(path, is_ended)?;
    }
    drop(folders);
    let of_path = |path: &str, error| unwritable_beside(path, entries, error);
    let (links, files): (Vec<Placed<'_>>, Vec<_>) =
        entries.iter().partition(|(entry, _)| entry.is_symlink);
    in_parallel(&files, is_ended, |inflater, (entry, path)| {
        let file = create(root, path, entry.is_executable).map_err(|error| of_path(path, error))?;
        inflater.write(archive, entry, file, is_ended)
    })?;
    unless(is_ended)?;
    // Last, so that no file is written through one.
    let mut inflater = Inflater::new();
    for (entry, path) in links {
        let target = inflater.take(archive, entry, is_ended)?;
        link(root, path, &target).map_err(|error| of_path(path, error))?;
    }
    Ok(())
}

/// Does the work for every entry on several threads, until one fails.
fn in_parallel<'a>(
    entries: &[Placed<'a>],
    is_ended: IsEnded<'_>,
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
                failure.lock().get_or_insert(error);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 1..threads.min(MOST_THREADS).min(entries.len()) {
            // Where no other thread can be started, this one does the work.
            let _ = thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
    match failure.into_inner() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// A new file.
fn create(root: &Dir, path: &str, is_executable: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.mode(if is_executable { 0o777 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = is_executable;
    root.open_with(path, &options)
}

/// A new link where it points inside, else a file with the place in it.
fn link(root: &Dir, path: &str, target: &[u8]) -> io::Result<()> {
    let inside = std::str::from_utf8(target)
        .ok()
        .filter(|target| points_inside(path, target));
    #[cfg(unix)]
    if let Some(target) = inside {
        // Git has links that are longer than the operating system takes.
        if root.symlink(target, path).is_ok() {
            return Ok(());
        }
    }
    let _ = inside;
    create(root, path, false)?.write_all(target)
}

/// Says that a path could not be written, and which other entry is in its place, if that is why: the
/// directory had nothing in it.
fn unwritable_beside(path: &str, entries: &[Placed<'_>], error: io::Error) -> Error {
    use io::ErrorKind::{AlreadyExists, IsADirectory};
    if !matches!(error.kind(), AlreadyExists | IsADirectory) {
        return unwritable(path, error);
    }
    let own = path.to_lowercase();
    let is_there = |other: &str| {
        let lower = other.to_lowercase();
        let below = lower.strip_prefix(&own);
        other != path && below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    let mut others = entries.iter().map(|(_, other)| *other);
    let other = others.find(|other| is_there(other));
    let other = other.map_or("another entry of the archive".into(), |other| {
        Shown(other).to_string()
    });
    let path = Shown(path);
    Error::other(format!(
        "{path} could not be written: it would take the place of {other}, for both have one name here"
    ))
    .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_takes_for_others_are_known() {
        for path in ["a/b", ".a", "com/x", "nul_", "COM10", "a b/c.d", "ü"] {
            assert!(is_possible_on_windows(path), "{path}");
        }
        for path in [
            "NUL",
            "a/con.txt",
            "aux .b",
            "lpt1",
            "com¹.x/y",
            "a:b",
            "a.",
            "a /b",
        ] {
            assert!(!is_possible_on_windows(path), "{path}");
        }
    }

    /// An archive of empty files.
    fn archive_of(names: &[&str]) -> Result<Archive, Box<dyn std::error::Error>> {
        let mut zip = rawzip::ZipArchiveWriter::new(Vec::new());
        for name in names {
            let (mut file, config) = zip.new_file(*name).start()?;
            let (_, descriptor) = config.wrap(&mut file).finish()?;
            file.finish(descriptor)?;
        }
        let mut file = tempfile::tempfile()?;
        file.write_all(&zip.finish()?)?;
        Ok(Archive::open(file, &|| false)?)
    }

    #[test]
    fn names_that_are_one_where_case_does_not_count_are_told()
    -> Result<(), Box<dyn std::error::Error>> {
        let archive = archive_of(&["other", "D/Ä", "d/ä", "d/É/x", "d/é"])?;
        let entries = archive.entries().iter();
        let entries: Vec<Placed<'_>> = entries.map(|entry| (entry, &*entry.path)).collect();
        for (path, other) in [
            ("d/ä", "D/Ä"),
            ("D/Ä", "d/ä"),
            ("d/é", "d/É/x"),
            ("other", "another entry of the archive"),
        ] {
            let error = io::Error::from(io::ErrorKind::AlreadyExists);
            let told = unwritable_beside(path, &entries, error).to_string();
            let place = format!("{path} could not be written: it would take the place of {other},");
            assert!(told.starts_with(&place), "{told}");
        }
        Ok(())
    }

    #[test]
    fn a_directory_has_nothing_but_what_was_whole() -> Result<(), Box<dyn std::error::Error>> {
        let archive = archive_of(&["d/e/f", "d/g", "d/g/h"])?;
        let entries = archive.entries().iter();
        let entries: Vec<Placed<'_>> = entries.map(|entry| (entry, &*entry.path)).collect();
        let parent = tempfile::tempdir()?;
        let directory = parent.path().join("a/b");
        assert!(extract(&archive, &entries, &directory, &|| false).is_err());
        assert_eq!(std::fs::read_dir(parent.path())?.count(), 0);
        let whole = entries.get(..2).unwrap_or_default();
        extract(&archive, whole, &directory, &|| false)?;
        assert_eq!(std::fs::read_dir(&directory)?.count(), 1);
        assert!(extract(&archive, whole, &directory, &|| true).is_err());
        assert!(directory.join("d/e/f").exists());
        Ok(())
    }
}
