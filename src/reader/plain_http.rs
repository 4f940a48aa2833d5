//! Which hosts are read over plain HTTP, where anyone on the network path can read the credential.
//!
//! The scheme of a URL is chosen by the one who registers it. Azure DevOps Services is asked over TLS
//! alone; a Server as its integration says, and with a warning where that says nothing.

use url::{Url, quirks};

use crate::{
    config::PlainHttp,
    error::{Error, ErrorKind},
    telemetry::log::{self, Event, Repeat},
    url::is_azures_own,
};

/// Checks that a request may be sent as its scheme has it.
///
/// # Errors
/// It would go over plain HTTP to a host that is not asked so; the message says what to do.
pub fn check(request: &Url, plain_http: Option<PlainHttp>) -> Result<(), Error> {
    if request.scheme() == "https" {
        return Ok(());
    }
    if is_azures_own(request.host_str().unwrap_or_default()) {
        let host = quirks::host(request);
        let message = format!("{host} is not asked in plain text: write https in place of http");
        return Err(Error::new(ErrorKind::Input, message));
    }
    match plain_http {
        Some(PlainHttp::Allow) => Ok(()),
        Some(PlainHttp::Refuse) => {
            let host = quirks::host(request);
            let message = format!(
                "{host} is not asked in plain text, as integrations.azure[].plainHttp of the host says: write https in place of http"
            );
            Err(Error::new(ErrorKind::Input, message))
        }
        None => {
            warn(quirks::host(request));
            Ok(())
        }
    }
}

fn warn(host: &str) {
    log::emit(Repeat::Once, &format!("plain http {host}"), || {
        let message = format!(
            "{host} is read over plain HTTP: anyone on the network path can read the credential and the content. Write https in its URLs where it speaks that, or set integrations.azure[].plainHttp of the host to 'allow' where it is meant so, or to 'refuse'"
        );
        Event::warning("plain http", message).with("host", host)
    });
}
