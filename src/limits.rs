//! Bounds on what a server may send and an archive may hold, so that neither takes the memory, the disk
//! or the time of the process.
//!
//! They hold for the process, as what it keeps of repositories does. Each has a default, a key under
//! `backend.reading.azureDevOps.limits` with another value, and an error that names both.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::error::{Error, ErrorKind};

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The bytes of one answer in JSON, inflated; and of the names in an archive, together.
    JsonBytes,
    /// The bytes of one file that is held in memory by `buffer()`, or comes out of an archive, inflated.
    FileBytes,
    /// The bytes of an archive as it comes.
    ArchiveBytes,
    /// The bytes of all files of an archive together, inflated.
    InflatedBytes,
    /// How many files and folders an archive has, those that its paths need included.
    ArchiveEntries,
    /// The bytes of a path in an archive.
    PathBytes,
    /// How many names a path in an archive has.
    PathDepth,
    /// How many milliseconds are waited, all together, for the content of one answer.
    ContentWait,
    /// Into how many patterns the braces of one expand.
    PatternAlternatives,
}

/// What is bounded, in the order of the enumeration, and by how much where nothing is configured.
const DEFAULTS: [(Limit, u64); 9] = [
    (Limit::JsonBytes, 256 * MIB),
    (Limit::FileBytes, 2 * GIB),
    (Limit::ArchiveBytes, 8 * GIB),
    (Limit::InflatedBytes, 32 * GIB),
    (Limit::ArchiveEntries, 2_000_000),
    (Limit::PathBytes, 4096),
    (Limit::PathDepth, 256),
    (Limit::ContentWait, 30 * 60 * 1000),
    (Limit::PatternAlternatives, 1000),
];

static CONFIGURED: [AtomicU64; DEFAULTS.len()] = {
    let mut configured = [const { AtomicU64::new(0) }; DEFAULTS.len()];
    let mut index = 0;
    while index < DEFAULTS.len() {
        configured[index] = AtomicU64::new(DEFAULTS[index].1);
        index += 1;
    }
    configured
};

impl Limit {
    /// Its key in the configuration.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::JsonBytes => "backend.reading.azureDevOps.limits.jsonBytes",
            Self::FileBytes => "backend.reading.azureDevOps.limits.fileBytes",
            Self::ArchiveBytes => "backend.reading.azureDevOps.limits.archiveBytes",
            Self::InflatedBytes => "backend.reading.azureDevOps.limits.inflatedBytes",
            Self::ArchiveEntries => "backend.reading.azureDevOps.limits.archiveEntries",
            Self::PathBytes => "backend.reading.azureDevOps.limits.pathBytes",
            Self::PathDepth => "backend.reading.azureDevOps.limits.pathDepth",
            Self::ContentWait => "backend.reading.azureDevOps.limits.contentWait",
            Self::PatternAlternatives => "backend.reading.azureDevOps.limits.patternAlternatives",
        }
    }

    /// Reads a configured number.
    ///
    /// # Errors
    /// It is no whole number from 1 on, or, of a time, not above 0; the message names the key.
    pub fn read(self, number: f64) -> Result<u64, Error> {
        let expected = match self {
            Self::ContentWait if number >= 1.0 => return Ok(whole(number)),
            Self::ContentWait => {
                "a time above 0 was expected, as '5m' or { minutes: 5 }".to_owned()
            }
            _ if number >= 1.0 && is_safe_integer(number) => return Ok(whole(number)),
            _ => format!("a whole number from 1 to {MOST_EXACT} was expected, but it is {number}"),
        };
        Err(invalid(self.key(), &expected))
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::JsonBytes
            | Self::FileBytes
            | Self::ArchiveBytes
            | Self::InflatedBytes
            | Self::PathBytes => "bytes",
            Self::ArchiveEntries => "entries",
            Self::PathDepth => "names",
            Self::ContentWait => "milliseconds",
            Self::PatternAlternatives => "alternatives",
        }
    }

    /// The most that there may be, for a message.
    fn in_words(self) -> String {
        if self == Self::ContentWait {
            return format!("{:?}", Duration::from_millis(self.most()));
        }
        format!("{} {}", self.most(), self.unit())
    }

    /// What it is of something to be too much.
    const fn verb(self) -> &'static str {
        match self {
            Self::ContentWait => "took",
            _ => "has",
        }
    }

    /// The most that there may be.
    #[must_use]
    pub fn most(self) -> u64 {
        self.configured().load(Ordering::Relaxed)
    }

    /// Lets there be more or less, from now on and in the whole process; the default where it is nothing.
    pub fn set(self, most: Option<u64>) {
        let default = DEFAULTS.get(self as usize).map_or(0, |(_, most)| *most);
        let most = most.unwrap_or(default);
        self.configured().store(most, Ordering::Relaxed);
    }

    fn configured(self) -> &'static AtomicU64 {
        static NONE: AtomicU64 = AtomicU64::new(0);
        CONFIGURED.get(self as usize).unwrap_or(&NONE)
    }

    /// Checks that something is within the limit.
    ///
    /// # Errors
    /// There is: the error is [`Self::exceeded`].
    pub fn check(self, number: u64, what: impl fmt::Display) -> Result<(), Error> {
        if number > self.most() {
            return Err(self.exceeded(what));
        }
        Ok(())
    }

    /// Says that something is more than it may be, how much that is, and which key changes it.
    pub fn exceeded(self, what: impl fmt::Display) -> Error {
        let (most, key, verb) = (self.in_words(), self.key(), self.verb());
        Error::other(format!(
            "{what} {verb} more than {most}, which is the limit that {key} sets"
        ))
    }
}

/// The largest whole number that JavaScript holds exactly.
const MOST_EXACT: u64 = (1 << 53) - 1;

/// Reads a configured number of bytes, which may be 0.
///
/// # Errors
/// It is no whole number; the message names the key.
pub fn read_bytes(key: &str, number: f64) -> Result<u64, Error> {
    if is_safe_integer(number) {
        return Ok(whole(number));
    }
    let expected = "a number of bytes was expected, or 0 to keep nothing";
    Err(invalid(key, expected))
}

#[expect(clippy::cast_precision_loss, reason = "it is exact")]
fn is_safe_integer(number: f64) -> bool {
    number.fract() == 0.0 && (0.0..=MOST_EXACT as f64).contains(&number)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate"
)]
const fn whole(number: f64) -> u64 {
    number as u64
}

fn invalid(key: &str, expected: &str) -> Error {
    let message = format!("Invalid value in config for '{key}', {expected}");
    Error::new(ErrorKind::Input, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_stands_in_its_own_place() {
        for (index, (limit, most)) in DEFAULTS.into_iter().enumerate() {
            assert_eq!(limit as usize, index);
            assert_eq!(limit.most(), most, "{limit:?}");
        }
    }

    #[test]
    fn an_error_names_limit_and_key() {
        assert!(Limit::PathDepth.check(256, "a/b").is_ok());
        let error = Limit::PathDepth
            .check(257, "a/b")
            .map_err(|error| error.to_string());
        let message = "a/b has more than 256 names, which is the limit that backend.reading.azureDevOps.limits.pathDepth sets";
        assert_eq!(error.as_ref().err().map(String::as_str), Some(message));
    }
}
