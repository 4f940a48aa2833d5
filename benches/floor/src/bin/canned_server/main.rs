//! A server that answers as Azure DevOps does, as fast as a socket allows: with files of the size that
//! their path begins with, `304` to who has them, one commit, and zips of a folder.
//!
//! It stands in for Azure DevOps where a reader is measured, so that the server is not what is
//! measured. It prints its addresses as JSON and serves until its standard input ends:
//!
//! ```sh
//! canned-server ZIPS [CERTIFICATE KEY]
//! ```

mod answer;
mod counted;
mod http1;
mod http2;

use std::{env, io, sync::Arc, time::Duration};

use answer::Answers;
use counted::{Counted, Counts};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What passes between a request and its answer where the server is far away.
const DISTANCE: Duration = Duration::from_millis(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let (zips, tls) = match &arguments[..] {
        [zips] => (zips, None),
        [zips, certificate, key] => (zips, Some(acceptor(certificate, key)?)),
        _ => return Err(io::Error::other("canned-server ZIPS [CERTIFICATE KEY]")),
    };
    let answers = Arc::new(Answers::of(zips));
    let counts = Arc::default();
    let mut addresses = json!({});
    for (name, distance, tls) in [
        ("plain", Duration::ZERO, None),
        ("distant", DISTANCE, None),
        ("tls", Duration::ZERO, tls.clone()),
        ("distantTls", DISTANCE, tls),
    ] {
        if name.to_lowercase().ends_with("tls") && tls.is_none() {
            continue;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        addresses[name] = json!(listener.local_addr()?.port());
        let service = Service {
            answers: Arc::clone(&answers),
            counts: Arc::clone(&counts),
            distance,
        };
        tokio::spawn(serve(listener, service, tls));
    }
    println!("{addresses}");
    end_of_input().await
}

/// What answers on one address.
#[derive(Clone)]
struct Service {
    answers: Arc<Answers>,
    counts: Arc<Counts>,
    distance: Duration,
}

fn acceptor(certificate: &str, key: &str) -> io::Result<TlsAcceptor> {
    let certificates = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn end_of_input() -> io::Result<()> {
    let mut input = tokio::io::stdin();
    while input.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

async fn serve(listener: TcpListener, service: Service, tls: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer_all(stream, service.clone(), tls.clone()));
    }
}

async fn answer_all(
    stream: TcpStream,
    service: Service,
    tls: Option<TlsAcceptor>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = Counted::new(stream, Arc::clone(&service.counts));
    let Some(tls) = tls else {
        return http1::serve(stream, &service).await;
    };
    let stream = tls.accept(stream).await?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        http2::serve(stream, service).await
    } else {
        http1::serve(stream, &service).await
    }
}
