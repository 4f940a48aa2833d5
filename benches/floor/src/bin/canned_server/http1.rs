//! HTTP/1.1, as far as clients speak it that send no bodies.

use std::{io, io::Write};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::sleep,
};

use crate::{
    Service,
    answer::{Answer, Body, ETAG, Request},
};

/// What a body is filled with, in pieces of this size.
const PIECE: usize = 256 * 1024;

/// Up to this size an answer is written at once.
const SMALL: usize = 16 * 1024;

/// Answers the requests of a connection, one after the other.
pub(crate) async fn serve<S>(mut stream: S, service: &Service) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut received = Vec::with_capacity(4096);
    while stream.read_buf(&mut received).await? > 0 {
        // Requests have no bodies: each ends with its head.
        while let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).into_owned();
            received.drain(..end + 4);
            let answer = service.answer(request_in(&head));
            if !service.distance.is_zero() {
                sleep(service.distance).await;
            }
            write(&mut stream, &answer).await?;
        }
    }
    Ok(())
}

fn request_in(head: &str) -> Request<'_> {
    let mut lines = head.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1));
    let mut request = Request {
        target: target.unwrap_or_default(),
        has_etag: false,
        accepts_zip: false,
    };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request.has_etag |= name.eq_ignore_ascii_case("if-none-match") && value.contains(ETAG);
        request.accepts_zip |=
            name.eq_ignore_ascii_case("accept") && value.contains("application/zip");
    }
    request
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), answer: &Answer) -> io::Result<()> {
    let mut head = Vec::with_capacity(256 + answer.body.len().min(SMALL));
    let Answer {
        status,
        content_type,
        body,
    } = answer;
    write!(head, "HTTP/1.1 {status} Canned\r\nETag: {ETAG}\r\n")?;
    if *status != 304 {
        let length = body.len();
        write!(
            head,
            "Content-Type: {content_type}\r\nContent-Length: {length}\r\n"
        )?;
    }
    head.extend(b"\r\n");
    match body {
        Body::Filled(size) if *size <= SMALL => {
            head.resize(head.len() + size, b'x');
            stream.write_all(&head).await
        }
        Body::Filled(size) => {
            stream.write_all(&head).await?;
            let piece = vec![b'x'; PIECE];
            let mut left = *size;
            while left > 0 {
                let next = left.min(PIECE);
                stream.write_all(&piece[..next]).await?;
                left -= next;
            }
            Ok(())
        }
        Body::Whole(bytes) => {
            stream.write_all(&head).await?;
            stream.write_all(bytes).await
        }
    }?;
    stream.flush().await
}
