//! Files and folders on their way from where they were made to where they belong: all of them, or
//! none that was not there before.

use std::{
    io,
    path::{Path, PathBuf},
};

use cap_std::fs::Dir;

use super::{
    ended::{IsEnded, unless},
    index::Placed,
    staging::Staging,
    unwritable::unwritable,
};
use crate::error::Error;

/// A file, or a folder with all that is in it, that is to be moved.
struct Step {
    path: PathBuf,
    is_folder: bool,
    /// Whether there is something in its place.
    is_taken: bool,
}

/// Moves what was staged to the target: folders that are not there yet as they are, files over files.
/// A link gives way to a folder: what is below it would stand elsewhere.
///
/// # Errors
/// There is a folder where a file should be, or a file where a folder should be; something cannot be
/// moved; the work was ended. Then what was not there before is not there, and a file that was is
/// either the old one or the new one.
pub(super) fn install(
    staging: &Staging<'_>,
    target: &Dir,
    entries: &[Placed<'_>],
    is_ended: IsEnded<'_>,
) -> Result<(), Error> {
    let mut installed = Installed {
        staging,
        target,
        new: Vec::new(),
        replaced: Vec::new(),
    };
    let mut steps = plan(staging, target, Path::new(""), is_ended)?;
    while let Some(step) = steps.pop() {
        let done = unless(is_ended).and_then(|()| installed.take(&step, is_ended));
        match done {
            Ok(more) => steps.extend(more),
            Err(error) => {
                installed.undo(entries);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// What is to be moved, of a folder that is there in both.
fn plan(
    staging: &Staging<'_>,
    target: &Dir,
    folder: &Path,
    is_ended: IsEnded<'_>,
) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: io::Error| unwritable(&folder.to_string_lossy(), error);
        let new = open(&staging.new, &folder).map_err(failed)?;
        let old = open(target, &folder).map_err(failed)?;
        for entry in new.entries().map_err(failed)? {
            unless(is_ended)?;
            let entry = entry.map_err(failed)?;
            let path = folder.join(entry.file_name());
            let is_folder = entry.file_type().map_err(failed)?.is_dir();
            let there = match old.symlink_metadata(entry.file_name()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                there => Some(there.map_err(failed)?),
            };
            let is_taken = there.is_some();
            match there {
                Some(there) if there.is_dir() && is_folder => folders.push(path),
                Some(there) if there.is_dir() => return Err(in_the_way(&path, "a folder")),
                Some(there) if is_folder && !there.is_symlink() => {
                    return Err(in_the_way(&path, "a file"));
                }
                _ => steps.push(Step {
                    path,
                    is_folder,
                    is_taken,
                }),
            }
        }
    }
    Ok(steps)
}

fn open(root: &Dir, folder: &Path) -> io::Result<Dir> {
    if folder.as_os_str().is_empty() {
        root.try_clone()
    } else {
        root.open_dir(folder)
    }
}

fn in_the_way(path: &Path, what: &str) -> Error {
    let needed = if what == "a file" {
        "a folder"
    } else {
        "a file"
    };
    let path = path.display();
    Error::other(format!(
        "{path} could not be written: the archive has {needed} of that name, and there is {what}"
    ))
}

/// What has been moved.
struct Installed<'a> {
    staging: &'a Staging<'a>,
    target: &'a Dir,
    /// To where nothing was.
    new: Vec<Step>,
    /// Links that gave way, each kept under the number of its place here.
    replaced: Vec<PathBuf>,
}

impl Installed<'_> {
    /// Takes a step, or says which to take in its place.
    fn take(&mut self, step: &Step, is_ended: IsEnded<'_>) -> Result<Vec<Step>, Error> {
        let Step {
            path,
            is_folder,
            is_taken,
        } = step;
        let failed = |error: io::Error| unwritable(&path.to_string_lossy(), error);
        if *is_folder && *is_taken {
            let kept = self.replaced.len().to_string();
            let put_away = self.target.rename(path, &self.staging.old, kept);
            put_away.map_err(failed)?;
            self.replaced.push(path.clone());
        }
        let moved = self.staging.new.rename(path, self.target, path);
        // Another process writes to the same target, and was faster.
        if moved.is_err() && *is_folder && self.target.is_dir(path) {
            return plan(self.staging, self.target, path, is_ended);
        }
        moved.map_err(failed)?;
        if *is_folder || !is_taken {
            self.new.push(Step {
                path: path.clone(),
                is_folder: *is_folder,
                is_taken: *is_taken,
            });
        }
        Ok(Vec::new())
    }

    /// Removes what was not there before, and nothing that others have put beside it.
    fn undo(&self, entries: &[Placed<'_>]) {
        for step in self.new.iter().rev() {
            if step.is_folder {
                self.remove_folder(&step.path, entries);
            } else {
                let _ = self.target.remove_file(&step.path);
            }
        }
        for (number, path) in self.replaced.iter().enumerate() {
            let old = &self.staging.old;
            let _ = old.rename(number.to_string(), self.target, path);
        }
    }

    fn remove_folder(&self, folder: &Path, entries: &[Placed<'_>]) {
        let paths = entries.iter().map(|(_, path)| Path::new(path));
        for path in paths.filter(|path| path.starts_with(folder)) {
            let _ = self.target.remove_file(path);
            for parent in path.ancestors().skip(1) {
                let is_ours = parent.starts_with(folder);
                if !is_ours || self.target.remove_dir(parent).is_err() {
                    break;
                }
            }
        }
    }
}
