//! Which hosts are asked over plain HTTP, where whoever is on the way reads the credential along.
//!
//! The scheme of a URL is chosen by the one who registers it. Azure DevOps Services is asked over TLS
//! alone; a Server as its integration says, and with a warning where that says nothing.

use url::Url;

use crate::{
    config::PlainHttp,
    error::{Error, ErrorKind},
    log::{self, Line, Often},
    url::is_azures_own,
};

/// Checks that a request may be sent as its scheme has it.
///
/// # Errors
/// It would go over plain HTTP to a host that is not asked so; the message says what to do.
pub(super) fn check(request: &Url, plain_http: Option<PlainHttp>) -> Result<(), Error> {
    if request.scheme() == "https" {
        return Ok(());
    }
    let host = request.host_str().unwrap_or_default();
    if is_azures_own(host) {
        let message = format!("{host} is not asked in plain text: write https in place of http");
        return Err(Error::new(ErrorKind::Input, message));
    }
    match plain_http {
        Some(PlainHttp::Allow) => Ok(()),
        Some(PlainHttp::Refuse) => {
            let message = format!(
                "{host} is not asked in plain text, as 'plainHttp' of its integration says: write https in place of http"
            );
            Err(Error::new(ErrorKind::Input, message))
        }
        None => {
            warn(request, host);
            Ok(())
        }
    }
}

fn warn(request: &Url, host: &str) {
    let host = request
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    log::tell(Often::Once, &format!("plain http {host}"), || {
        let message = format!(
            "{host} is asked over plain HTTP: whoever is on the way can read the credential and what is read. Write https in its URLs, or set plainHttp of its integration to 'allow' where that is meant, or to 'refuse'"
        );
        Line::warning("plain http", message).with("host", host)
    });
}
