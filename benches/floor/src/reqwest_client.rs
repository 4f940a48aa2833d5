//! A bare `reqwest` behind napi.

use napi::{
    Env,
    bindgen_prelude::{Buffer, PromiseRaw},
};
use napi_derive::napi;
use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH},
    redirect::Policy,
};

use crate::{HEADERS, failed, tls};

/// Gets URLs with `reqwest`.
#[napi]
pub struct ReqwestClient {
    client: Client,
}

#[napi]
impl ReqwestClient {
    /// A client that trusts the certificates of a file, where it is given one.
    #[napi(constructor)]
    pub fn new(ca_file: Option<String>) -> napi::Result<Self> {
        let headers = HEADERS.map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let builder = Client::builder()
            .default_headers(HeaderMap::from_iter(headers))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy();
        let config = tls::trusting(ca_file.as_deref())?;
        let client = builder
            .tls_backend_preconfigured(config)
            .build()
            .map_err(failed)?;
        Ok(Self { client })
    }

    /// Gets the body of a URL; empty where it has not changed since the `ETag`.
    #[napi]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        url: String,
        etag: Option<String>,
    ) -> napi::Result<PromiseRaw<'env, Buffer>> {
        let request = self.client.get(url);
        let request = match etag {
            Some(etag) => request.header(IF_NONE_MATCH, etag),
            None => request,
        };
        env.spawn_future(async move {
            let answer = request.send().await.map_err(failed)?;
            let body = answer.bytes().await.map_err(failed)?;
            Ok(Vec::from(body).into())
        })
    }
}
