//! The doctor across the boundary.

use std::{sync::Arc, time::Duration};

use napi::{Either, Env, bindgen_prelude::PromiseRaw};
use napi_derive::napi;

use super::{
    cancellation::{Cancellation, child_of},
    config::{IntegrationConfig, configs_of, plain_http_of},
    crossing::{Failure, cross},
};
use crate::{
    credentials,
    doctor::{self, DoctorHost, Questions},
    error::Error,
    http::tls,
};

/// Looks at hosts, organizations, credentials and URLs.
#[napi(custom_finalize)]
pub struct Doctor {
    doctor: Arc<doctor::Doctor>,
}

/// What is to be looked at.
#[napi(object, object_to_js = false)]
pub struct DoctorQuestions {
    /// URLs that are to be read.
    pub urls: Vec<String>,
    /// URLs whose organizations are to be looked at, and nothing else of them.
    pub known: Vec<String>,
    /// The longest that one check may take, in milliseconds.
    pub timeout_ms: f64,
}

/// How a configured host is asked.
#[napi(object, object_to_js = false)]
pub struct DoctorHostOptions {
    /// The host, with its port.
    pub host: String,
    /// Whether it is asked over plain HTTP; missing where nothing is configured.
    pub plain_http: Option<String>,
}

#[napi]
impl Doctor {
    /// A doctor for these integrations, and how their hosts are asked.
    #[napi(catch_unwind)]
    pub fn of(
        integrations: Vec<IntegrationConfig>,
        hosts: Vec<DoctorHostOptions>,
    ) -> Either<Doctor, Failure> {
        match doctor_of(integrations, &hosts) {
            Ok(doctor) => Either::A(Self {
                doctor: Arc::new(doctor),
            }),
            Err(error) => Either::B(error.into()),
        }
    }

    /// Looks at everything; what is found comes as JSON.
    #[napi(catch_unwind)]
    pub fn examine<'env>(
        &self,
        env: &'env Env,
        questions: DoctorQuestions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Either<String, Failure>>> {
        let doctor = Arc::clone(&self.doctor);
        let cancellation = child_of(cancellation);
        let most = Duration::try_from_secs_f64(questions.timeout_ms / 1000.0);
        let questions = Questions {
            urls: questions.urls,
            known: questions.known,
            most: most.unwrap_or(Duration::MAX),
        };
        cross(env, async move {
            let findings = doctor.examine(questions, cancellation).await?;
            serde_json::to_string(&findings).map_err(|error| Error::other(error.to_string()))
        })
    }
}

/// What TLS trusts, in words.
#[napi(catch_unwind)]
pub fn trusted() -> String {
    tls::trusted()
}

fn doctor_of(
    integrations: Vec<IntegrationConfig>,
    hosts: &[DoctorHostOptions],
) -> Result<doctor::Doctor, Error> {
    let configs = configs_of(integrations)?;
    let hosts = configs.iter().map(|config| {
        let options = hosts.iter().find(|options| options.host == config.host);
        let plain_http = options.and_then(|options| options.plain_http.as_deref());
        Ok(DoctorHost {
            host: config.host.clone(),
            plain_http: plain_http_of(plain_http)?,
            is_listed: config.place.is_some(),
        })
    });
    let hosts: Result<Vec<DoctorHost>, Error> = hosts.collect();
    let credentials = credentials::Credentials::from_integrations(&configs);
    doctor::Doctor::new(credentials, hosts?)
}
