//! A bare `hyper` behind napi: idle connections in a list, or one connection of HTTP/2.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Request, Response, Uri,
    header::{HOST, IF_NONE_MATCH},
};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use napi::{
    Env,
    bindgen_prelude::{Buffer, PromiseRaw},
};
use napi_derive::napi;
use parking_lot::Mutex;
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, sync::OnceCell};
use tokio_rustls::TlsConnector;

use crate::{HEADERS, failed, tls};

/// Gets URLs of one host with `hyper`.
#[napi]
pub struct HyperClient {
    connections: Arc<Connections>,
}

#[napi]
impl HyperClient {
    /// A client of a host with its port: over HTTP/1.1, or over TLS and HTTP/2 where it is given a
    /// file with the certificates to trust.
    #[napi(constructor)]
    pub fn new(host: String, ca_file: Option<String>) -> napi::Result<Self> {
        let config = ca_file
            .as_deref()
            .map(|file| tls::trusting(Some(file)))
            .transpose()?;
        let tls = config.map(|config| TlsConnector::from(Arc::new(config)));
        let connections = Connections {
            host,
            tls,
            idle: Mutex::default(),
            shared: OnceCell::new(),
        };
        Ok(Self {
            connections: Arc::new(connections),
        })
    }

    /// Gets the body of a URL; empty where it has not changed since the `ETag`.
    #[napi]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        url: String,
        etag: Option<String>,
    ) -> napi::Result<PromiseRaw<'env, Buffer>> {
        let connections = Arc::clone(&self.connections);
        env.spawn_future(async move {
            let url = url.parse().map_err(failed)?;
            let body = match connections.tls {
                Some(_) => connections.get_shared(url, etag).await,
                None => connections.get_alone(url, etag).await,
            };
            Ok(body?.into())
        })
    }
}

type Body = Empty<Bytes>;

struct Connections {
    host: String,
    tls: Option<TlsConnector>,
    idle: Mutex<Vec<http1::SendRequest<Body>>>,
    shared: OnceCell<http2::SendRequest<Body>>,
}

impl Connections {
    async fn get_alone(&self, url: Uri, etag: Option<String>) -> napi::Result<Vec<u8>> {
        let path = url.path_and_query().map_or("/", |it| it.as_str());
        let request = request(path.parse().map_err(failed)?, etag)?;
        let idle = self.idle.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let answer = connection.send_request(request).await.map_err(failed)?;
        let body = collect(answer).await?;
        self.idle.lock().push(connection);
        Ok(body)
    }

    async fn get_shared(&self, url: Uri, etag: Option<String>) -> napi::Result<Vec<u8>> {
        let connection = self.shared.get_or_try_init(|| self.connect_shared());
        let mut connection = connection.await?.clone();
        let request = request(url, etag)?;
        connection.ready().await.map_err(failed)?;
        let answer = connection.send_request(request).await.map_err(failed)?;
        collect(answer).await
    }

    async fn connect(&self) -> napi::Result<http1::SendRequest<Body>> {
        let stream = TokioIo::new(self.stream().await?);
        let (sender, connection) = http1::handshake(stream).await.map_err(failed)?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn connect_shared(&self) -> napi::Result<http2::SendRequest<Body>> {
        let stream = self.stream().await?;
        let (Some(tls), Some((name, _))) = (&self.tls, self.host.rsplit_once(':')) else {
            return Err(failed("HTTP/2 is spoken over TLS alone"));
        };
        let name = ServerName::try_from(name.to_owned()).map_err(failed)?;
        let stream = tls.connect(name, stream).await.map_err(failed)?;
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(failed)?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn stream(&self) -> napi::Result<TcpStream> {
        let stream = TcpStream::connect(&self.host).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        Ok(stream)
    }
}

fn request(url: Uri, etag: Option<String>) -> napi::Result<Request<Body>> {
    let mut request = Request::new(Empty::new());
    let headers = request.headers_mut();
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
    if url.host().is_none() {
        headers.insert(HOST, HeaderValue::from_static("localhost"));
    }
    if let Some(etag) = etag {
        headers.insert(IF_NONE_MATCH, etag.parse().map_err(failed)?);
    }
    *request.uri_mut() = url;
    Ok(request)
}

async fn collect(answer: Response<Incoming>) -> napi::Result<Vec<u8>> {
    let body = answer.into_body().collect().await.map_err(failed)?;
    Ok(Vec::from(body.to_bytes()))
}
