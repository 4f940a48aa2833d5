//! Small jobs whose instructions `npm run guard` counts, without Node and on one thread.
//!
//! Each passes through [`counted`]: callgrind writes down what was counted when that is entered and
//! when it is left, and the name of the job is printed. What a job is given is made before that.

mod fixtures;
mod jobs;
mod server;

use std::{error::Error, hint::black_box, io, net::SocketAddr};

use backstage_azure_devops_native::{glob::Shape, url::parse};
use tokio::runtime;
use url::Url;

/// What a job gives: its faults are those of the guard, and end it.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    url_translation()?;
    configuration()?;
    listing()?;
    archive()?;
    patterns()?;
    limiter()?;
    reads()
}

/// Where counting begins and ends: not inlined, because callgrind knows it by its name.
#[inline(never)]
fn counted(job: &mut dyn FnMut()) {
    job();
    // So that it is left here, and not by a jump out of its last call.
    black_box(());
}

/// Does a job so that it is counted.
fn count<T>(name: &str, job: impl FnOnce() -> T) -> Outcome<T> {
    let (mut job, mut result) = (Some(job), None);
    counted(&mut || result = job.take().map(|job| job()));
    println!("{name}");
    result.ok_or_else(|| "the job was not done".into())
}

fn url_translation() -> Outcome {
    let urls: Vec<String> = (0..200).map(fixtures::web_url).collect();
    count("URL translation", || jobs::url_translation(&urls))??;
    count("URL resolution", || jobs::url_resolution(&urls))?
}

fn configuration() -> Outcome {
    let written = fixtures::integrations();
    let configs = count("configuration", || jobs::configuration(written))??;
    let credentials = count("credentials", || jobs::credentials(&configs))?;
    let urls = parsed((0..500).map(fixtures::web_url))?;
    let found = count("choice of a credential", || {
        jobs::credential_choice(&credentials, &urls)
    })?;
    check(found == 500, "a URL has no credential")
}

fn listing() -> Outcome {
    let answer = fixtures::list(3000);
    let shape = Shape::of("services/*/catalog-info.yaml").ok_or("the pattern has no shape")?;
    let url = parse(&fixtures::web_url(0))?;
    let items = count("list", || jobs::list(&answer))??;
    let found = count("candidates", || jobs::candidates(&items, &shape, &url))?;
    check(found == 300, "the list has other files")
}

fn archive() -> Outcome {
    let (zip, folder) = (fixtures::zip(500)?, tempfile::tempdir()?);
    let to = folder.path().join("tree");
    let archive = count("index of an archive", || jobs::archive_index(zip))??;
    let size = count("contents of an archive", || {
        jobs::archive_contents(&archive)
    })??;
    check(size == fixtures::size(500), "the contents are not whole")?;
    let packed = count("part of an archive", || jobs::archive_part(&archive))??;
    check(packed > 0, "nothing was packed")?;
    count("extraction", || jobs::archive_extraction(&archive, &to))?
}

fn patterns() -> Outcome {
    let urls = parsed(fixtures::patterns(200))?;
    let weight = count("patterns", || jobs::patterns(&urls))?;
    check(weight > 0.0, "no pattern weighs anything")
}

fn limiter() -> Outcome {
    let headers = fixtures::limit_headers();
    let admitted = count("limiter", || jobs::limiter(&headers, 1000))?;
    check(admitted == 1000, "the limiter holds requests back")
}

/// The first reads open the connection, and are not counted.
fn reads() -> Outcome {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let server = runtime.block_on(server::start())?;
    warm_up(&runtime, server)?;
    let reads = fixtures::reads(server, 1000, 100, None)?;
    let size = count("small files", || jobs::read_url(&runtime, reads))??;
    check(size == 100 * server::CONTENT, "a content is another")?;
    let reads = fixtures::reads(server, 2000, 100, Some(server::ETAG))?;
    let unchanged = count("unchanged files", || jobs::not_modified(&runtime, reads))?;
    check(unchanged == 100, "a file is not known as unchanged")
}

fn warm_up(runtime: &runtime::Runtime, server: SocketAddr) -> Outcome {
    jobs::read_url(runtime, fixtures::reads(server, 0, 10, None)?)?;
    let unchanged = fixtures::reads(server, 0, 10, Some(server::ETAG))?;
    let unchanged = jobs::not_modified(runtime, unchanged);
    check(unchanged == 10, "a file is not known as unchanged")
}

fn parsed(urls: impl Iterator<Item = String>) -> Outcome<Vec<Url>> {
    let urls: Result<Vec<Url>, _> = urls.map(|url| parse(&url)).collect();
    Ok(urls?)
}

fn check(is_right: bool, what: &str) -> Outcome {
    if is_right {
        return Ok(());
    }
    Err(io::Error::other(what).into())
}
