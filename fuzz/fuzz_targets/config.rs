//! Anything as an entry of `integrations.azure`: it is refused or valid, and neither shows a secret.
#![no_main]

use std::fmt;

use backstage_azure_devops_native::config::{
    CredentialFields, IntegrationConfig, IntegrationFields, RetryFields,
};
use libfuzzer_sys::{
    arbitrary::{Arbitrary, Result, Unstructured},
    fuzz_target,
};

/// What no message and no `Debug` may show.
const SECRET: &str = "s3cret-of-the-fuzzer";

struct Entry(IntegrationFields);

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Entry")
    }
}

impl<'a> Arbitrary<'a> for Entry {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let credentials: Option<u8> = input.arbitrary()?;
        let credentials = credentials.map(|count| {
            let count = 0..count % 5;
            count.map(|_| credential(input)).collect::<Result<Vec<_>>>()
        });
        let has_retry: bool = input.arbitrary()?;
        Ok(Self(IntegrationFields {
            host: host(input)?,
            credentials: credentials.transpose()?,
            retry: has_retry.then(|| retry(input)).transpose()?,
            plain_http: match input.int_in_range(0..=3)? {
                0 => None,
                1 => Some("allow".to_owned()),
                2 => Some("refuse".to_owned()),
                _ => input.arbitrary()?,
            },
            max_stale: input.arbitrary()?,
            has_removed_keys: input.ratio(1, 50)?,
        }))
    }
}

fn host(input: &mut Unstructured<'_>) -> Result<Option<String>> {
    Ok(match input.int_in_range(0..=4)? {
        0 => None,
        1 => Some("dev.azure.com".to_owned()),
        2 => Some("o.visualstudio.com".to_owned()),
        3 => Some("server:8080".to_owned()),
        _ => input.arbitrary()?,
    })
}

fn retry(input: &mut Unstructured<'_>) -> Result<RetryFields> {
    Ok(RetryFields {
        max_retries: input.arbitrary()?,
        status_codes: input.arbitrary()?,
        requests_per_minute: input.arbitrary()?,
    })
}

fn credential(input: &mut Unstructured<'_>) -> Result<CredentialFields> {
    Ok(CredentialFields {
        organizations: input.arbitrary()?,
        client_id: input.arbitrary()?,
        client_secret: secret(input)?,
        client_certificate: secret(input)?,
        client_certificate_path: secret(input)?,
        managed_identity_client_id: input.arbitrary()?,
        tenant_id: input.arbitrary()?,
        personal_access_token: secret(input)?,
    })
}

fn secret(input: &mut Unstructured<'_>) -> Result<Option<String>> {
    let is_there: bool = input.arbitrary()?;
    let before: String = input.arbitrary()?;
    Ok(is_there.then(|| format!("{before}{SECRET}")))
}

fuzz_target!(|entry: Entry| {
    let shown = match IntegrationConfig::read(entry.0) {
        Ok(config) => format!("{config:?}"),
        Err(error) => {
            let message = error.to_string();
            assert!(
                message.starts_with("Invalid Azure integration config"),
                "{message}"
            );
            format!("{error:?}{message}")
        }
    };
    assert!(!shown.contains(SECRET), "{shown}");
});
