//! Any text as a repository URL: refused, or made into URLs that are some, and into itself again.
#![no_main]

use backstage_azure_devops_native::url::{AzureUrl, Pattern};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|text: &str| {
    let _ = Pattern::of(text);
    let Ok(repository) = AzureUrl::from_repo_url(text) else {
        return;
    };
    for url in [
        repository.to_file_url(),
        repository.to_archive_url(),
        repository.to_commits_url(),
    ]
    .into_iter()
    .flatten()
    {
        assert!(Url::parse(&url).is_ok(), "{url} of {text}");
    }
    let Ok(again) = repository.to_repo_url() else {
        return;
    };
    let again = AzureUrl::from_repo_url(&again).expect("what we wrote is a repository URL");
    assert_eq!(again.owner(), repository.owner(), "{text}");
    assert_eq!(again.repo(), repository.repo(), "{text}");
    assert_eq!(again.path(), repository.path(), "{text}");
});
