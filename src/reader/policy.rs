//! How a host is read, as its integration says.

use std::{path::PathBuf, time::Duration};

use crate::config::{PlainHttp, Retry};

/// How a host is read: the same for all reads of one reader.
#[derive(Clone, Debug, Default)]
pub struct HostPolicy {
    /// How often and for how long a request is retried.
    pub retry: Retry,
    /// Whether the host is read over plain HTTP, where its integration says it.
    pub plain_http: Option<PlainHttp>,
    /// How old a stale answer may be that stands in while a principal is throttled; `None` where none may.
    pub max_stale: Option<Duration>,
    /// Where archives are stored while they are read.
    pub directory: PathBuf,
}
