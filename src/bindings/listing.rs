//! Searches across the boundary.

use std::{path::PathBuf, sync::Arc};

use napi::{
    Either, Env,
    bindgen_prelude::{Buffer, Null, PromiseRaw},
};
use napi_derive::napi;

use super::{
    Failure,
    config::{plain_http_of, retry_of},
    credentials::Credentials,
    cross,
    limits::buffer,
    reader::{Cancellation, duration, source_of},
    tree::ReadTreeOptions,
    url::Pattern,
};
use crate::reader;

/// The files of a repository at a commit, as far as a pattern may match them.
#[napi(custom_finalize)]
pub struct Listing {
    listing: Arc<reader::Listing>,
}

/// Lists what may match the pattern in the URL's path, at the newest commit; `null` where the server
/// does not list.
#[napi(catch_unwind)]
pub fn list<'env>(
    env: &'env Env,
    options: ReadTreeOptions,
    credentials: Option<&Credentials>,
    cancellation: Option<&Cancellation>,
) -> napi::Result<PromiseRaw<'env, Either<Either<Listing, Null>, Failure>>> {
    let cancellation = cancellation.map(|cancellation| cancellation.token.child_token());
    let retry = retry_of(options.retry);
    let plain_http = plain_http_of(options.plain_http.as_deref());
    let search = retry.and_then(|retry| {
        Ok(reader::Search {
            url: options.url,
            source: source_of(credentials, options.headers, options.token),
            retry,
            plain_http: plain_http?,
            max_age: options.max_age.and_then(duration),
            etag: options.etag,
            cancellation: cancellation.unwrap_or_default(),
            directory: PathBuf::from(options.directory),
        })
    });
    cross(env, async move {
        let listing = reader::list(search?).await?.map(Arc::new);
        Ok(listing.map_or(Either::B(Null), |listing| Either::A(Listing { listing })))
    })
}

#[napi]
impl Listing {
    /// The commit.
    #[napi(getter, catch_unwind)]
    pub fn etag(&self) -> &str {
        &self.listing.etag
    }

    /// The pattern to match paths with, by the way to write it whose folder is there.
    #[napi(getter, catch_unwind)]
    pub fn pattern(&self) -> Pattern {
        self.listing.pattern.clone().into()
    }

    /// The list by another way to write the pattern, for where nothing matches it by this way; `null`
    /// where there is none.
    #[napi(catch_unwind)]
    pub fn otherwise<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<Listing, Null>, Failure>>> {
        let listing = Arc::clone(&self.listing);
        cross(env, async move {
            let listing = listing.otherwise().await?.map(Arc::new);
            Ok(listing.map_or(Either::B(Null), |listing| Either::A(Listing { listing })))
        })
    }

    /// Whether the commit is the newest, and does not stand in for that.
    #[napi(getter, catch_unwind)]
    pub fn is_newest(&self) -> bool {
        self.listing.age.is_none()
    }

    /// The REST URL that was asked for the commit.
    #[napi(getter, catch_unwind)]
    pub fn request(&self) -> String {
        self.listing.commits.to_string()
    }

    /// The kind of credential in plain words.
    #[napi(getter, catch_unwind)]
    pub fn credential(&self) -> &str {
        self.listing.exchange.authorization.identity().title()
    }

    /// The credential's place in the app-config, or where else it comes from.
    #[napi(getter, catch_unwind)]
    pub fn place(&self) -> String {
        self.listing.exchange.authorization.place().to_string()
    }

    /// The host, and the organization or collection on it.
    #[napi(getter, catch_unwind)]
    pub fn scope(&self) -> String {
        self.listing.exchange.scope()
    }

    /// The answer's status; 0 where an earlier answer stands in.
    #[napi(getter, catch_unwind)]
    pub fn status(&self) -> u16 {
        self.listing.exchange.status
    }

    /// How many files there are in the pattern's folder, where all of them were listed.
    #[napi(getter, catch_unwind)]
    pub fn total(&self) -> Option<u32> {
        self.listing.total
    }

    /// The paths of the files, without a slash before them.
    #[napi(catch_unwind)]
    pub fn paths(&self) -> Vec<&str> {
        self.listing.paths().collect()
    }

    /// Reads the contents of the files at these places; `null` where an earlier search may stand in
    /// for this one, because whoever reads is blocked meanwhile.
    #[napi(catch_unwind)]
    pub fn read<'env>(
        &self,
        env: &'env Env,
        places: Vec<u32>,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<Contents, Null>, Failure>>> {
        let listing = Arc::clone(&self.listing);
        cross(env, async move {
            let contents = listing.contents(places).await?.map(Arc::new);
            Ok(contents.map_or(Either::B(Null), |contents| Either::A(Contents { contents })))
        })
    }
}

/// The contents of files that were chosen.
#[napi(custom_finalize)]
pub struct Contents {
    contents: Arc<reader::Contents>,
}

#[napi]
impl Contents {
    /// The content of the file at a place in the list.
    #[napi(catch_unwind)]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        place: u32,
    ) -> napi::Result<PromiseRaw<'env, Either<Buffer, Failure>>> {
        let contents = Arc::clone(&self.contents);
        cross(env, async move { buffer(contents.get(place).await?) })
    }
}
