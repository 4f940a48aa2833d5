//! HTTP/2, through `h2`.

use std::{future::poll_fn, io};

use bytes::Bytes;
use h2::{
    RecvStream, SendStream,
    server::{self, SendResponse},
};
use http::{
    HeaderMap, Request as Head, Response,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG as ETAG_HEADER, IF_NONE_MATCH},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};

use crate::{
    Service,
    answer::{Answer, Body, ETAG, Request},
};

/// What a body is filled with, in pieces of at most this size.
static FILLING: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// Answers the requests of a connection, all at once.
pub(crate) async fn serve<S>(stream: S, service: Service) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = server::handshake(stream).await.map_err(io::Error::other)?;
    while let Some(next) = connection.accept().await {
        let (request, respond) = next.map_err(io::Error::other)?;
        tokio::spawn(respond_to(request, respond, service.clone()));
    }
    Ok(())
}

async fn respond_to(
    head: Head<RecvStream>,
    mut respond: SendResponse<Bytes>,
    service: Service,
) -> Result<(), h2::Error> {
    let answer = service.answer(request_of(&head));
    if !service.distance.is_zero() {
        sleep(service.distance).await;
    }
    let is_empty = answer.body.len() == 0;
    let mut stream = respond.send_response(head_of(&answer), is_empty)?;
    match answer.body {
        _ if is_empty => Ok(()),
        Body::Whole(bytes) => send(&mut stream, bytes, true).await,
        Body::Filled(mut left) => {
            while left > 0 {
                let piece = &FILLING[..left.min(FILLING.len())];
                left -= piece.len();
                send(&mut stream, Bytes::from_static(piece), left == 0).await?;
            }
            Ok(())
        }
    }
}

fn request_of(head: &Head<RecvStream>) -> Request<'_> {
    let has = |headers: &HeaderMap, name, part: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains(part))
    };
    Request {
        target: head.uri().path_and_query().map_or("/", |it| it.as_str()),
        has_etag: has(head.headers(), IF_NONE_MATCH, ETAG),
        accepts_zip: has(head.headers(), ACCEPT, "application/zip"),
    }
}

fn head_of(answer: &Answer) -> Response<()> {
    let mut head = Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = head.headers_mut();
    headers.insert(ETAG_HEADER, http::HeaderValue::from_static(ETAG));
    if answer.status != 304 {
        let content_type = http::HeaderValue::from_static(answer.content_type);
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CONTENT_LENGTH, answer.body.len().into());
    }
    head
}

/// Sends bytes as the other side has room for them.
async fn send(
    stream: &mut SendStream<Bytes>,
    mut bytes: Bytes,
    is_end: bool,
) -> Result<(), h2::Error> {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        let Some(capacity) = poll_fn(|context| stream.poll_capacity(context)).await else {
            return Ok(());
        };
        let piece = bytes.split_to(capacity?.min(bytes.len()));
        let is_last = is_end && bytes.is_empty();
        stream.send_data(piece, is_last)?;
    }
    Ok(())
}
