//! Any secret in any text: it is found, nothing else is lost, and what nobody sees is written out.
#![no_main]

use std::borrow::Cow;

use backstage_azure_devops_native::{
    secrets::Secrets,
    text::{is_unseen, readable},
    url::without_secrets,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (secret, before, after) = input;
    let mut secrets = Secrets::default();
    secrets.add_header(secret.as_bytes());
    secrets.add(secret);
    for text in [before, after] {
        if let Cow::Borrowed(same) = secrets.redact(text) {
            assert_eq!(same, text);
        }
    }
    let said = format!("{before}{secret}{after}");
    let shown = secrets.redact(&said);
    let letters = secret
        .chars()
        .filter(|it| it.is_ascii_alphanumeric())
        .count();
    // What stands in a secret's place could be a part of one.
    if letters >= 16 && !secret.to_lowercase().contains("redacted") {
        assert!(!shown.contains(secret), "{shown}");
    }
    let _ = without_secrets(&said);
    assert!(!readable(said).contains(is_unseen));
});
