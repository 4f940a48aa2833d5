//! A folder in which files are made before they go to where they belong, so that nothing of them is
//! left where that fails.

use std::{
    io,
    path::{Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};

use crate::error::Error;

/// What the name of the folder begins with.
const PREFIX: &str = ".backstage-";

/// What the folders are called in it while they are removed.
const REMOVED: &str = "removed-";

/// Where files are to go. What had to be made for it is gone again unless it is kept.
pub(super) struct Target {
    pub(super) dir: Dir,
    made: Vec<PathBuf>,
}

impl Target {
    /// Opens a folder, and makes it where it is not there.
    ///
    /// # Errors
    /// It cannot be made, or not be opened.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unusable = |error: io::Error| {
            let path = path.display();
            Error::other(format!("{path} cannot be written to: {error}")).because(error)
        };
        let mut made = Made(Vec::new());
        made.make(path).map_err(unusable)?;
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(unusable)?;
        Ok(Self {
            dir,
            made: std::mem::take(&mut made.0),
        })
    }

    /// Leaves it there.
    pub(super) fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(Made(std::mem::take(&mut self.made)));
    }
}

/// Folders that were made, and go again where they are empty.
struct Made(Vec<PathBuf>);

impl Made {
    fn make(&mut self, path: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> = path
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .collect();
        while let Some(folder) = missing.pop() {
            match std::fs::create_dir(folder) {
                Ok(()) => self.0.push(folder.to_owned()),
                Err(_) if folder.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        while let Some(folder) = self.0.pop() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// A folder of our own in the target, so on the same disk. It is removed in the end, with all that
/// is in it.
pub(super) struct Staging<'a> {
    target: &'a Dir,
    name: String,
    /// What is to go to the target.
    pub(super) new: Dir,
    /// What had to give way there.
    pub(super) old: Dir,
}

impl<'a> Staging<'a> {
    pub(super) fn below(target: &'a Dir) -> io::Result<Self> {
        let name = format!("{PREFIX}{:016x}", fastrand::u64(..));
        target.create_dir(&name)?;
        let made = Self::open(target, &name);
        if made.is_err() {
            remove(target, &name);
        }
        let (new, old) = made?;
        Ok(Self {
            target,
            name,
            new,
            old,
        })
    }

    fn open(target: &Dir, name: &str) -> io::Result<(Dir, Dir)> {
        let own = target.open_dir(name)?;
        let open = |name| own.create_dir(name).and_then(|()| own.open_dir(name));
        Ok((open("new")?, open("old")?))
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        remove(self.target, &self.name);
    }
}

/// Removes a folder with all that is in it, as well as that can be done: each folder in it is first
/// moved to its top, so that no path is too long and few folders are open, however deep they are.
pub(super) fn remove(parent: &Dir, name: &str) {
    let Ok(top) = parent.open_dir(name) else {
        return;
    };
    let mut moved = 0;
    empty(&top, &top, &mut moved);
    let mut removed = 0_u64;
    while removed < moved {
        let name = format!("{REMOVED}{removed}");
        if let Ok(folder) = top.open_dir(&name) {
            empty(&folder, &top, &mut moved);
        }
        let _ = top.remove_dir(&name);
        removed += 1;
    }
    drop(top);
    let _ = parent.remove_dir(name);
}

/// Removes the files of a folder, and moves the folders in it to the top.
fn empty(folder: &Dir, top: &Dir, moved: &mut u64) {
    let Ok(entries) = folder.entries() else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(REMOVED) && std::ptr::eq(folder, top) {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let to = format!("{REMOVED}{moved}");
            if folder.rename(&name, top, to).is_ok() {
                *moved += 1;
            }
        } else {
            let _ = folder.remove_file(&name);
        }
    }
}
