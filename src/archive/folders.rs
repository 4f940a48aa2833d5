//! Folders, each made once and from its parent's handle: the work is that of the parts of all paths.

use std::{
    collections::{HashSet, VecDeque},
    io,
};

use cap_std::fs::Dir;

use super::{
    ended::{IsEnded, unless},
    unwritable::unwritable,
};
use crate::{error::Error, limits::Limit};

/// So many folders on the way to the last one stay open.
const MOST_OPEN: usize = 32;

/// Makes folders below one that was empty. Those on the way to the last are kept open, which saves
/// most where the paths come in the order of a tree, as those of git do.
pub(super) struct Folders<'a> {
    root: &'a Dir,
    /// Those with files in them that are there already.
    done: HashSet<&'a str>,
    /// The last that was made.
    path: String,
    /// The last of those on its way, each with how much of the path leads to it.
    open: VecDeque<(usize, Dir)>,
    /// How many there are, and files.
    count: u64,
}

impl<'a> Folders<'a> {
    /// Below `root`, in which there will be so many files.
    pub(super) fn below(root: &'a Dir, files: usize) -> Self {
        Self {
            root,
            done: HashSet::new(),
            path: String::new(),
            open: VecDeque::new(),
            count: files as u64,
        }
    }

    /// Makes the folders on the way to a file.
    ///
    /// # Errors
    /// One cannot be made, or there are more than an archive may have; the work was ended.
    pub(super) fn make_for(&mut self, file: &'a str, is_ended: IsEnded<'_>) -> Result<(), Error> {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !self.done.insert(folder) {
            return Ok(());
        }
        self.return_to(common(&self.path, folder));
        let rest = folder.get(self.path.len()..).unwrap_or_default();
        for name in rest.split('/').filter(|name| !name.is_empty()) {
            unless(is_ended)?;
            let made = self.enter(name);
            if made.map_err(|error| unwritable(file, error))? {
                self.count += 1;
                let what = "what the archive holds, with the folders that its paths need,";
                Limit::ArchiveEntries.check(self.count, what)?;
            }
        }
        Ok(())
    }

    /// Goes back to a folder on the way to the last.
    fn return_to(&mut self, length: usize) {
        while self.open.back().is_some_and(|(end, _)| *end > length) {
            self.open.pop_back();
        }
        self.path.truncate(length);
    }

    /// Goes on to a folder in the last, and says whether it was made.
    fn enter(&mut self, name: &str) -> io::Result<bool> {
        let is_open = self
            .open
            .back()
            .is_some_and(|(end, _)| *end == self.path.len());
        if !is_open && !self.path.is_empty() {
            let last = self.root.open_dir(&self.path)?;
            self.open.push_back((self.path.len(), last));
        }
        let parent = self.open.back().map_or(self.root, |(_, parent)| parent);
        let is_new = match parent.create_dir(name) {
            // Made for another file; or for one whose folder differs in what does not count here.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            made => made.map(|()| true)?,
        };
        let folder = parent.open_dir(name)?;
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(name);
        self.open.push_back((self.path.len(), folder));
        if self.open.len() > MOST_OPEN {
            self.open.pop_front();
        }
        Ok(is_new)
    }
}

/// How much of a folder's path leads to one that is, or has in it, the other folder too.
fn common(path: &str, other: &str) -> usize {
    let same = path.bytes().zip(other.bytes());
    let same = same.take_while(|(one, other)| one == other).count();
    let ends = |path: &str| path.len() == same || path.as_bytes().get(same) == Some(&b'/');
    if ends(path) && ends(other) {
        return same;
    }
    let bytes = path.as_bytes().get(..same).unwrap_or_default();
    let slash = bytes.iter().rposition(|byte| *byte == b'/');
    slash.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_folders_in_common() {
        for (one, other, expected) in [
            ("", "a", ""),
            ("a", "a", "a"),
            ("a", "ab", ""),
            ("a/b", "a", "a"),
            ("a/b", "a/b/c", "a/b"),
            ("a/b/c", "a/bc", "a"),
            ("a/ü/c", "a/ö/c", "a"),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                assert_eq!(common(one, other), expected.len(), "{one} {other}");
            }
        }
    }
}
