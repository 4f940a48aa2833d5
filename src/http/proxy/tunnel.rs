//! What a proxy says to `CONNECT`.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use http::{
    Request, StatusCode,
    header::{HOST, PROXY_AUTHORIZATION},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::environment::Proxy;

/// How long the proxy may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The status with which a proxy refuses a tunnel to a server: it is asked for one, because the client
/// that was refused does not report the status. `None` where it does not refuse, or does not answer.
pub(in crate::http) async fn answer_to_connect(
    proxy: &Proxy,
    url: &Url,
    tls: Arc<ClientConfig>,
) -> Option<StatusCode> {
    let asked = timeout(LIMIT, ask(proxy, url, tls));
    asked.await.ok().flatten()
}

async fn ask(proxy: &Proxy, url: &Url, tls: Arc<ClientConfig>) -> Option<StatusCode> {
    let host = proxy.url.host_str()?;
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let port = proxy.url.port_or_known_default()?;
    let stream = TcpStream::connect((address, port)).await.ok()?;
    let request = connect(proxy, url)?;
    if proxy.url.scheme() == "https" {
        let name = ServerName::try_from(address.to_owned()).ok()?;
        let stream = TlsConnector::from(tls).connect(name, stream).await.ok()?;
        // On the heap: it holds a connection, and is rare.
        Box::pin(status(stream, request)).await
    } else {
        // On the heap: it holds a connection, and is rare.
        Box::pin(status(stream, request)).await
    }
}

fn connect(proxy: &Proxy, url: &Url) -> Option<Request<String>> {
    let authority = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let mut request = Request::connect(&authority).header(HOST, &authority);
    if let Some(user) = proxy.user() {
        request = request.header(PROXY_AUTHORIZATION, user);
    }
    request.body(String::new()).ok()
}

async fn status(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<String>,
) -> Option<StatusCode> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let answer = pin!(sender.send_request(request));
    // The connection may end with the answer, which counts all the same.
    let answer = match select(answer, pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, answer)) => answer.await,
    };
    let status = answer.ok()?.status();
    (!status.is_success()).then_some(status)
}
