//! What URLs become.

use super::*;

fn pattern(url: &str) -> Option<Pattern> {
    parse(url).ok().and_then(|url| Pattern::of(&url))
}

fn file_url(url: &str) -> String {
    AzureUrl::from_repo_url(url)
        .and_then(|url| url.to_file_url())
        .map_or_else(|error| error.to_string(), String::from)
}

#[test]
fn a_branch_is_sent_as_a_branch() {
    assert_eq!(
        file_url("https://dev.azure.com/org/project/_git/repo?path=%2Fa.yaml&version=GBmain"),
        "https://dev.azure.com/org/project/_apis/git/repositories/repo/items?api-version=6.0&path=%2Fa.yaml&versionDescriptor.version=main&versionDescriptor.versionType=branch"
    );
}

#[test]
fn a_pattern_is_told_from_where_it_is_looked_for() {
    let url = "https://dev.azure.com/o/_git/r?version=GBmain&path=%2F%2Fa%2F*.yaml";
    let pattern = pattern(url).map(|pattern| {
        let Pattern {
            glob,
            whole,
            folder,
            within,
        } = pattern;
        [glob, whole.into(), folder, within.into()]
    });
    let expected = [
        "a/*.yaml",
        "https://dev.azure.com/o/_git/r?version=GBmain",
        "a/",
        "https://dev.azure.com/o/_git/r?version=GBmain&path=%2Fa",
    ];
    assert_eq!(pattern, Some(expected.map(str::to_owned)));
    assert!(self::pattern("https://dev.azure.com/o/_git/r?path=/a&path=*").is_none());
}

#[test]
fn tags_and_commits_are_sent_with_their_type() {
    for (version, sent) in [
        (
            "GTv1.0",
            "&versionDescriptor.version=v1.0&versionDescriptor.versionType=tag",
        ),
        (
            "GC0a1b",
            "&versionDescriptor.version=0a1b&versionDescriptor.versionType=commit",
        ),
    ] {
        let url = format!("https://dev.azure.com/org/_git/repo?path=/a&version={version}");
        assert!(file_url(&url).ends_with(sent), "{version}");
    }
}

#[test]
fn a_commit_without_its_id_is_not_the_default_branch() {
    let refused = file_url("https://dev.azure.com/o/_git/r?path=/a&version=GC");
    assert_eq!(
        refused,
        "Azure URL version must point to a git branch or git tag"
    );
}

#[test]
fn commits_of_a_tag_are_asked_by_tag() {
    let url = AzureUrl::from_repo_url("https://dev.azure.com/o/_git/r?version=GTv1");
    assert_eq!(
        url.and_then(|url| url.to_commits_url())
            .map_or_else(|error| error.to_string(), String::from),
        "https://dev.azure.com/o/r/_apis/git/repositories/r/commits?api-version=6.0&searchCriteria.itemVersion.version=v1&searchCriteria.itemVersion.versionType=tag"
    );
}

#[test]
fn a_collection_below_tfs_stays_one_segment() {
    assert_eq!(
        file_url("http://server:8080/tfs/Coll/Proj/_git/Repo?path=/a%20b"),
        "http://server:8080/tfs%2FColl/Proj/_apis/git/repositories/Repo/items?api-version=6.0&path=%2Fa+b"
    );
}

#[test]
fn a_project_of_the_repositorys_name_may_be_left_out() {
    let items = "_apis/git/repositories/R/items?api-version=6.0&path=a";
    for (pasted, base) in [
        (
            "https://o.visualstudio.com/_git/R",
            "https://o.visualstudio.com/R",
        ),
        (
            "https://o.visualstudio.com/DefaultCollection/_git/R",
            "https://o.visualstudio.com/R",
        ),
        ("https://server/tfs/C/_git/R", "https://server/tfs%2FC/R"),
        ("https://server/tfs/_git/R", "https://server/tfs/R"),
        (
            "https://server:81/TFS/C/_git/R",
            "https://server:81/TFS%2FC/R",
        ),
        (
            "https://dev.azure.com/tfs/C/_git/R",
            "https://dev.azure.com/tfs/C",
        ),
    ] {
        assert_eq!(
            file_url(&format!("{pasted}?path=a")),
            format!("{base}/{items}")
        );
    }
}

#[test]
fn what_names_no_collection_names_no_repository() {
    let refused = file_url("https://server/tfs//_git/R?path=a");
    assert_eq!(refused, "Azure URL must point to a git repository");
}

#[test]
fn the_page_of_a_commit_is_that_commit() {
    let id = "0a".repeat(20);
    let url = format!("https://dev.azure.com/o/_git/r/commit/{id}?path=/a&version=GBmain");
    let expected = format!("&versionDescriptor.version={id}&versionDescriptor.versionType=commit");
    assert!(file_url(&url).ends_with(&expected));
    for page in ["commit", "commit/", "commit/0a0a", "commit/main"] {
        let url = format!("https://dev.azure.com/o/_git/r/{page}?path=/a");
        assert!(file_url(&url).contains("40 or 64 hex digits"), "{page}");
    }
    assert!(file_url("https://dev.azure.com/o/_git/r/commits?path=/a").starts_with("https:"));
}

#[test]
fn a_path_is_decoded_once_as_far_as_it_can_be() {
    for (path, decoded) in [
        ("/a b/c", None),
        ("/100%/x", None),
        ("/a%zz%2", None),
        ("/%ff", None),
        ("/a%20b", Some("/a b")),
        ("/a%2520b", Some("/a%20b")),
        ("%2Fa%2Fb", Some("/a/b")),
        ("/%C3%A4%ff%20%", Some("/\u{e4}%ff %")),
        ("/%E2%82%20x", Some("/%E2%82 x")),
        ("/\u{e4}%F0%9F%9A%80", Some("/\u{e4}\u{1f680}")),
    ] {
        assert_eq!(decoded_once(path).as_deref(), decoded, "{path}");
    }
}

#[test]
fn a_found_file_stands_encoded_once_in_its_url() {
    for query in [
        "?version=GBmain&path=/*.md",
        "?path=/*.md",
        "?path=/*.md&version=GB%20a&path=b#L1?path=/",
        "?_a=%2f&_a&path=%2f%2F&x=path=/",
        "#path=/",
        "",
    ] {
        let path = "a b%20#?&+\"{}\u{e4}/c";
        let url = parse(&format!("https://dev.azure.com/o/_git/r{query}"));
        let found = url.map(|url| {
            let expected = with_path(&url, &format!("/{path}"));
            (FileUrls::beside(&url).of(path), String::from(expected))
        });
        assert!(
            found.is_ok_and(|(found, expected)| found == expected),
            "{query}"
        );
    }
    let url = parse("https://dev.azure.com/o/_git/r?version=GBmain&path=/*.md");
    let found = url.map(|url| FileUrls::beside(&url).of("a b%20#?&+\"{}"));
    assert_eq!(
        found.unwrap_or_default(),
        "https://dev.azure.com/o/_git/r?version=GBmain&path=%2Fa+b%2520%23%3F%26%2B%22%7B%7D"
    );
}

#[test]
fn what_backstage_does_not_read_is_not_edited() {
    let base = "https://o.visualstudio.com/p/_git/r?path=/a";
    assert_eq!(
        resolve_edit_url(base).as_deref(),
        Some("https://o.visualstudio.com/p/_git/r?path=%2Fa&_a=edit")
    );
    for url in [
        "https://o.visualstudio.com/_git/r?path=/a".to_owned(),
        format!("{base}&version=GC0a"),
        base.replace("=/a", "=/"),
    ] {
        assert_eq!(resolve_edit_url(&url), None, "{url}");
    }
}

#[test]
fn escapes_are_decoded_as_javascript_does() {
    assert_eq!(
        decode_component("a%20%E2%82%AC").ok().as_deref(),
        Some("a €")
    );
    for malformed in ["%", "%2", "%zz", "%ff", "%C3a", "%€"] {
        assert!(decode_component(malformed).is_err(), "{malformed}");
    }
}

#[test]
fn setting_a_parameter_keeps_its_place_and_drops_its_doubles() {
    assert_eq!(
        resolve_url(
            "./b.yaml",
            "https://dev.azure.com/o/_git/r?path=/x/a.yaml&version=GBmain&path=/y",
            None
        )
        .unwrap_or_default()
        .unwrap_or_default(),
        "https://dev.azure.com/o/_git/r?path=%2Fx%2Fb.yaml&version=GBmain"
    );
}

#[test]
fn only_the_organization_may_stand_before_the_host() {
    let shown = |url: &str| without_secrets(url);
    let clone_url = "https://org@dev.azure.com/org/p/_git/r";
    assert_eq!(shown(clone_url), clone_url);
    for secret in [
        "https://org:s3cret@dev.azure.com/org",
        "https://s3cret@dev.azure.com/org",
    ] {
        assert!(!shown(secret).contains("s3cret"), "{secret}");
    }
}

#[test]
fn a_url_is_shown_without_what_lets_its_bearer_in() {
    for secret in [
        "https://user:s3cret@dev.azure.com/org",
        "https://user:%733cret@dev.azure.com/org#x",
        "http:user:s3cret@host/org",
        "https:/\\user:s3cret@host/org",
        "https://host/org?access_token=s3cret",
        "https://host/org?path=/a&Access%5fToken=s3cret&version=GBmain",
        "https://host/org?sig=s3cret",
        "https://host/org?code=s3cret",
        "https://host/org?client_secret=s3cret",
        "https://host/org?X-Amz-Signature=s3cret",
        "https://host/org?pat=s3cret&path=/a",
        "https://host/org?personalAccessToken=s3cret",
        "https://host/org?PASSWORD=s3cret",
        "https://host/org?next=https%3A%2F%2Fu%3As3cret%40h%2F",
        "https://host/org#access_token=s3cret",
        "https://host/org?path=/a#s3cret",
        "mailto:user:s3cret@host",
        "blob:https://user:s3cret@host/x",
        "javascript:x?s3cret",
        "no URL with s3cret",
    ] {
        let shown = without_secrets(secret);
        assert!(!shown.contains("s3cret"), "{secret} is shown as {shown}");
        assert!(!shown.contains("%733cret"), "{secret} is shown as {shown}");
    }
    let url = "https://host/o/p/_git/r?path=/a&access_token=x&version=GBmain";
    let shown = "https://host/o/p/_git/r?path=/a&access_token=***&version=GBmain";
    assert_eq!(without_secrets(url), shown);
}

#[test]
fn a_url_without_secrets_is_shown_as_it_was_given() {
    for url in [
        "HTTPS://Dev.Azure.com/o/p/_git/r?path=/a b&version=GBmain&_a=contents&lineStyle=plain",
        "https://host/o?path=/token/password.md&api-version=6.0&monkey=1&keyboard",
        "https://host/o?versionDescriptor.version=token&zipForUnix=true&searchCriteria.$top=1",
        "https://host/o?token&code=",
        "ftp://host/x",
        "data:text/plain,x",
    ] {
        assert_eq!(without_secrets(url), url);
    }
}
