//! The jobs whose instructions are counted, a function each.

use std::{fs::File, hint::black_box, path::Path, time::SystemTime};

use backstage_azure_devops_native::{
    archive::{Archive, Placed, extract, repack},
    config::{IntegrationConfig, IntegrationFields},
    credentials::{Credentials, Selection},
    error::ErrorKind,
    glob::{Expansion, Shape, weight},
    http::limiter::{
        headers::LimitHeaders,
        policy::{Admission, Policy},
    },
    reader::read_url as read,
    rest::{ItemList, item_list_in},
    url::{AzureUrl, FileUrls, Pattern, resolve_url},
};
use reqwest::header::HeaderMap;
use tokio::{runtime::Runtime, time::Instant};
use url::Url;

use super::{Outcome, fixtures::Reads};

/// Web URLs to REST URLs, and back.
pub(crate) fn url_translation(urls: &[String]) -> Outcome {
    for url in urls {
        let url = AzureUrl::from_repo_url(black_box(url))?;
        black_box(url.to_file_url()?);
        black_box(url.to_archive_url()?);
        black_box(url.to_commits_url()?);
        black_box(url.to_repo_url()?);
    }
    Ok(())
}

/// References, resolved against the URL of the file that has them.
pub(crate) fn url_resolution(urls: &[String]) -> Outcome {
    for url in urls {
        black_box(resolve_url("./docs/index.md", black_box(url), None)?);
    }
    Ok(())
}

/// A configuration of many credentials, checked.
pub(crate) fn configuration(written: Vec<IntegrationFields>) -> Outcome<Vec<IntegrationConfig>> {
    let configs: Result<Vec<_>, _> = written.into_iter().map(IntegrationConfig::read).collect();
    Ok(configs?)
}

/// The same credentials, made ready to be chosen from.
pub(crate) fn credentials(configs: &[IntegrationConfig]) -> Credentials {
    Credentials::from_integrations(black_box(configs))
}

/// How many URLs have a credential of many.
pub(crate) fn credential_choice(credentials: &Credentials, urls: &[Url]) -> usize {
    let is_served = |url: &&Url| matches!(credentials.for_url(url), Selection::Configured(_));
    urls.iter().filter(is_served).count()
}

/// The files of a repository, out of JSON.
pub(crate) fn list(answer: &[u8]) -> Outcome<ItemList> {
    let (list, _) = item_list_in(black_box(answer)).map_err(|error| error.0)?;
    Ok(list)
}

/// The files that a pattern may match, and their URLs.
pub(crate) fn candidates(items: &ItemList, shape: &Shape, url: &Url) -> usize {
    let urls = FileUrls::beside(url);
    let matching = items.iter().filter(|item| shape.may_match(item.name));
    matching
        .map(|item| black_box(urls.of(&item.path())).len())
        .sum()
}

/// The index of a zip.
pub(crate) fn archive_index(zip: File) -> Outcome<Archive> {
    Ok(Archive::open(zip, &|| false)?)
}

/// The contents of a zip, inflated and verified.
pub(crate) fn archive_contents(archive: &Archive) -> Outcome<usize> {
    let mut size = 0;
    for content in archive.contents(archive.entries().iter(), &|| false) {
        size += content?.len();
    }
    Ok(size)
}

/// A part of a zip as another zip.
pub(crate) fn archive_part(archive: &Archive) -> Outcome<usize> {
    let mut packed = Vec::new();
    repack(archive, &placed(archive), &mut packed, &|| false)?;
    Ok(packed.len())
}

/// A zip as files in a folder.
pub(crate) fn archive_extraction(archive: &Archive, folder: &Path) -> Outcome {
    Ok(extract(archive, &placed(archive), folder, &|| false)?)
}

fn placed(archive: &Archive) -> Vec<Placed<'_>> {
    let entries = archive.entries().iter();
    entries.map(|entry| (entry, entry.path.as_str())).collect()
}

/// What URLs with patterns say before they are run.
pub(crate) fn patterns(urls: &[Url]) -> f64 {
    let mut sum = 0.0;
    for pattern in urls.iter().flat_map(Pattern::spellings) {
        black_box(Expansion::of(&pattern.glob));
        let shape = Shape::of(&pattern.glob);
        black_box(shape.as_ref().and_then(Shape::levels));
        sum += weight(&pattern.glob);
    }
    sum
}

/// Requests that are let through and answered with what is left of a budget.
pub(crate) fn limiter(headers: &HeaderMap, requests: usize) -> usize {
    let now = Instant::now();
    let mut policy = Policy::new(now);
    let admit = |_: &usize| {
        let admission = policy.admit(now, None);
        let limits = LimitHeaders::read(black_box(headers), SystemTime::UNIX_EPOCH);
        policy.finish();
        policy.observe(&limits, None, (now, now), 0.5);
        admission == Admission::Now
    };
    (0..requests).filter(admit).count()
}

/// Small files over a connection that is there, one after the other.
pub(crate) fn read_url(runtime: &Runtime, reads: Reads) -> Outcome<usize> {
    runtime.block_on(async {
        let mut size = 0;
        for (request, conditions) in reads {
            let mut response = read(request, conditions).await?;
            let content = response.body.take_whole().ok_or("it came in pieces")?;
            size += content.len();
        }
        Ok(size)
    })
}

/// The same where the caller has them already: how many are known as unchanged.
pub(crate) fn not_modified(runtime: &Runtime, reads: Reads) -> usize {
    runtime.block_on(async {
        let mut unchanged = 0;
        for (request, conditions) in reads {
            let outcome = read(request, conditions).await;
            let is_unchanged = |error| error == ErrorKind::NotModified;
            unchanged += usize::from(outcome.is_err_and(|error| is_unchanged(error.kind())));
        }
        unchanged
    })
}
