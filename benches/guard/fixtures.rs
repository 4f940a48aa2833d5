//! What the jobs are given: the same in every run.

use std::{
    fs::File,
    io::{Seek, Write},
    net::SocketAddr,
    sync::Arc,
};

use backstage_azure_devops_native::{
    config::{CredentialFields, IntegrationConfig, IntegrationFields, PlainHttp},
    credentials::Credentials,
    reader::{CredentialSource, HostPolicy, ReadRequest},
    rest::Conditions,
    url::SafeUrl,
};
use flate2::{Compression, write::DeflateEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio_util::sync::CancellationToken;

use super::Outcome;

/// Files to read, and what the caller has of each.
pub(crate) type Reads = Vec<(ReadRequest, Conditions)>;

/// How many organizations have a credential of their own.
const ORGANIZATIONS: usize = 1000;

/// The URL of a file as the address bar of a browser shows it.
pub(crate) fn web_url(number: usize) -> String {
    let organization = number % ORGANIZATIONS;
    format!(
        "https://dev.azure.com/Organization-{organization}/a%20project/_git/repository-{number}?path=%2Fservices%2Fservice-{number}%2Fcatalog-info.yaml&version=GBmain"
    )
}

/// Services with many organizations, and many servers with a few.
pub(crate) fn integrations() -> Vec<IntegrationFields> {
    let services = (0..ORGANIZATIONS).map(|number| CredentialFields {
        client_id: Some(format!("client-{number}")),
        client_secret: Some(format!("secret-{number}")),
        tenant_id: Some("tenant".to_owned()),
        ..serving(format!("organization-{number}"))
    });
    let services = IntegrationFields {
        credentials: Some(services.collect()),
        ..IntegrationFields::default()
    };
    let servers = (0..100).map(|server| IntegrationFields {
        host: Some(format!("server-{server}.example.com:8080")),
        credentials: Some((0..5).map(token).collect()),
        ..IntegrationFields::default()
    });
    std::iter::once(services).chain(servers).collect()
}

fn token(number: usize) -> CredentialFields {
    CredentialFields {
        personal_access_token: Some(format!("token-{number}")),
        ..serving(format!("collection-{number}"))
    }
}

fn serving(organization: String) -> CredentialFields {
    CredentialFields {
        organizations: Some(vec![organization]),
        ..CredentialFields::default()
    }
}

/// The list of a repository in JSON, of whose files each tenth is a `catalog-info.yaml`.
pub(crate) fn list(files: usize) -> Vec<u8> {
    let items: Vec<String> = (0..files)
        .map(|number| {
            let name = if number % 10 == 0 { "catalog-info" } else { "values" };
            format!(
                r#"{{"objectId":"{number:040x}","gitObjectType":"blob","commitId":"0123456789abcdef0123456789abcdef01234567","path":"/services/service-{number}/{name}.yaml","url":"https://dev.azure.com/organization/_apis/git/repositories/repository/items/services/service-{number}/{name}.yaml"}}"#
            )
        })
        .collect();
    format!(r#"{{"count":{files},"value":[{}]}}"#, items.join(",")).into_bytes()
}

/// A zip of files, in a file without a name.
pub(crate) fn zip(files: usize) -> Outcome<File> {
    let mut zip = ZipArchiveWriter::new(Vec::new());
    for number in 0..files {
        let name = format!("services/service-{}/file-{number}.txt", number % 20);
        let (mut entry, config) = zip
            .new_file(&name)
            .compression_method(CompressionMethod::DEFLATE)
            .start()?;
        let mut packed = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        packed.write_all(&content(number))?;
        let (encoder, descriptor) = packed.finish()?;
        encoder.finish()?;
        entry.finish(descriptor)?;
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(&zip.finish()?)?;
    file.rewind()?;
    Ok(file)
}

/// How many bytes the files of a zip have together.
pub(crate) fn size(files: usize) -> usize {
    (0..files).map(|number| content(number).len()).sum()
}

fn content(number: usize) -> Vec<u8> {
    let lines = (0..40).map(|line| format!("{number}: line {line} of some text\n"));
    lines.collect::<String>().into_bytes()
}

/// The URLs of patterns of several forms.
pub(crate) fn patterns(count: usize) -> impl Iterator<Item = String> {
    let globs = [
        "/services/*/catalog-info.yaml",
        "/**/catalog-info.yaml",
        "/{services,libraries}/*/{catalog-info,api}.yaml",
        "/teams/team-?/**/docs/*.md",
    ];
    (0..count).map(move |number| {
        let glob = globs.get(number % globs.len()).copied().unwrap_or("/*");
        format!("https://dev.azure.com/organization/project/_git/repository-{number}?path={glob}")
    })
}

/// The headers of an answer of which much of the budget is left.
pub(crate) fn limit_headers() -> HeaderMap {
    let headers = [
        ("x-ratelimit-limit", "200"),
        ("x-ratelimit-remaining", "199"),
        ("x-ratelimit-reset", "60"),
    ];
    let typed = headers.map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    HeaderMap::from_iter(typed)
}

/// Reads of files of a server, all of them different.
pub(crate) fn reads(
    server: SocketAddr,
    first: usize,
    count: usize,
    etag: Option<&str>,
) -> Outcome<Reads> {
    let config = IntegrationConfig::read(IntegrationFields {
        host: Some(server.to_string()),
        credentials: Some((0..5).map(token).collect()),
        ..IntegrationFields::default()
    })?;
    let credentials = Arc::new(Credentials::from_integrations(&[config]));
    let policy = Arc::new(HostPolicy {
        plain_http: Some(PlainHttp::Allow),
        ..HostPolicy::default()
    });
    let read = |number: usize| -> Outcome<_> {
        let url = format!(
            "http://{server}/collection-{}/project/_git/repository?path=/services/service-{number}/catalog-info.yaml",
            number % 5
        );
        let request = ReadRequest {
            url: SafeUrl::parse(&url)?,
            source: CredentialSource::Configured(Arc::clone(&credentials)),
            policy: Arc::clone(&policy),
            cancellation: CancellationToken::new(),
        };
        Ok((request, Conditions::new(etag, None)?))
    };
    (first..first + count).map(read).collect()
}
