//! Any text as a repository URL: refused, or made into URLs that are some, and into itself again.
#![no_main]

use backstage_azure_devops_native::url::{
    AzureUrl, FileUrls, Pattern, decoded_once, is_visual_studio, origin, with_path,
};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|text: &str| {
    let Ok(url) = Url::parse(text) else {
        return;
    };
    let _ = Pattern::spellings(&url);
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
        assert!(Url::parse(url.as_str()).is_ok(), "{url} of {text}");
    }
    // A file that is found reads back by its URL, whatever it is called.
    let found = FileUrls::beside(&url).of(text);
    let found = AzureUrl::from_repo_url(&found).expect("it names the same repository");
    assert_eq!(found.path(), Some(format!("/{text}").as_str()));
    assert_eq!(found.version(), repository.version(), "{text}");
    if let Some(decoded) = repository.path().and_then(decoded_once) {
        let url = with_path(&url, &decoded);
        let url = AzureUrl::of(&url).expect("it names the same repository");
        assert_eq!(url.path(), Some(decoded.as_str()), "{text}");
    }
    let Ok(again) = repository.to_repo_url() else {
        return;
    };
    let is_older = is_visual_studio(&origin(&url));
    // An older host that names no organization is nobody's; upstream writes such a URL as we do.
    if is_older && url.host_str().is_some_and(|host| host.starts_with('.')) {
        return;
    }
    let again = AzureUrl::of(&again).expect("what we wrote is a repository URL");
    // On the older hosts the organization is the host's, whatever stands before the project.
    if !is_older {
        assert_eq!(again.owner(), repository.owner(), "{text}");
    }
    assert_eq!(again.repo(), repository.repo(), "{text}");
    // An empty path is not written, as upstream does not.
    let path = repository.path().filter(|path| !path.is_empty());
    assert_eq!(again.path(), path, "{text}");
});
