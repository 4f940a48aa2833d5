//! A host: the way to it, and the certificate that it presents.

use reqwest::StatusCode;
use tokio::time::timeout;

use super::{
    context::{Context, DoctorHost},
    probe::{Trouble, trouble_of},
    report::{CertificateReport, Check, HostReport, State},
    time::iso_8601,
};
use crate::{
    config::PlainHttp,
    credentials::Authorization,
    http::{Answer, route_to, tls::presented_by},
    rest::OrganizationApi,
    text::readable,
    url::OrganizationUrl,
};

/// Asks a host something without any credential: whatever it answers, it was reached.
pub(super) async fn connection(
    context: &Context<'_>,
    host: &DoctorHost,
    places: &[OrganizationUrl],
) -> HostReport {
    let place = origin_of(host, places);
    let url = place.to_connection_data_url();
    let mut report = HostReport {
        host: host.host.clone(),
        route: url.as_ref().map_or_else(|_| String::new(), route_to),
        certificates: Vec::new(),
        checks: Vec::new(),
    };
    let anonymous = Authorization::anonymous();
    let api = OrganizationApi::new(place.clone(), anonymous.clone(), context.retry.clone());
    let call = match api.and_then(|api| api.connection_data()) {
        Ok(call) => call,
        Err(error) => {
            let check = Check::new("connection", State::Problem, error.to_string());
            report.checks.push(check);
            return report;
        }
    };
    let check = match timeout(context.most, call.send()).await {
        Err(_) => Trouble::silent(context.most, &host.host).into_check("connection"),
        Ok(Ok(answer)) => reached(answer.status(), &answer),
        Ok(Err(error)) => match error.status() {
            Some(status) => Check::ok(
                "connection",
                format!("it was reached, and answered {status}"),
            ),
            None => trouble_of(error, &anonymous, &host.host).into_check("connection"),
        },
    };
    report.checks.push(check);
    if let Ok(url) = &url
        && url.scheme() == "http"
        && host.plain_http != Some(PlainHttp::Allow)
    {
        report.checks.push(plain_http());
    }
    if let Ok(url) = &url
        && url.scheme() == "https"
    {
        let presented = presented_by(url.host_str().unwrap_or_default());
        let certificates = presented.into_iter().map(|certificate| CertificateReport {
            subject: readable(certificate.subject),
            issuer: readable(certificate.issuer),
            expires_at: iso_8601(certificate.expires_on),
        });
        report.certificates = certificates.collect();
    }
    report
}

fn plain_http() -> Check {
    let message = "it is asked over plain HTTP: anyone on the network path can read the credential";
    Check::new("plain HTTP", State::Warning, message)
        .advising("write https in its URLs where it speaks that, or set plainHttp of the host to 'allow' where it is meant so")
}

fn reached(status: StatusCode, answer: &Answer) -> Check {
    let version = format!("{:?}", answer.version());
    let version = version.trim_end_matches(".0");
    Check::ok(
        "connection",
        format!(
            "it was reached, by {version} (it answered {})",
            status.as_u16()
        ),
    )
}

/// An organization without a name: the host itself.
fn origin_of(host: &DoctorHost, places: &[OrganizationUrl]) -> OrganizationUrl {
    let mut own = places.iter().filter(|place| place.host() == host.host);
    let known = own.next().and_then(|place| place.to_url().ok());
    let known = known.map(|url| url.origin().ascii_serialization());
    OrganizationUrl::of_host(&known.unwrap_or_else(|| host.origin()))
}
