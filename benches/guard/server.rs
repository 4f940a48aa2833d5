//! A server in the same thread, whose instructions are taken off the count.
//!
//! In a process of its own it would answer now before and now after it is waited for, which takes
//! other instructions each time.

use std::{
    hint::black_box,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// About what a `catalog-info.yaml` weighs.
pub(crate) const CONTENT: usize = 1600;

/// The etag of every file.
pub(crate) const ETAG: &str = "\"0a1b\"";

/// What the server does, whose instructions are taken off the count.
struct Uncounted(Pin<Box<dyn Future<Output = io::Result<()>> + Send>>);

impl Future for Uncounted {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        uncounted(self.0.as_mut(), context)
    }
}

/// Not inlined, because `scripts/guard.mjs` takes off what callgrind counted in a function of this name.
#[inline(never)]
fn uncounted(
    work: Pin<&mut (dyn Future<Output = io::Result<()>> + Send)>,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    black_box(work.poll(context))
}

/// Starts it on the runtime that asks.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(Uncounted(Box::pin(serve(listener))));
    Ok(address)
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(Uncounted(Box::pin(answer_all(stream))));
    }
}

/// Requests have no bodies, and none is sent before the last is answered.
async fn answer_all(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (whole, unchanged) = (whole(), unchanged());
    let mut received = Vec::with_capacity(4096);
    while stream.read_buf(&mut received).await? > 0 {
        if !received.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&received).to_ascii_lowercase();
        let is_had = head.contains("if-none-match");
        stream
            .write_all(if is_had { &unchanged } else { &whole })
            .await?;
        received.clear();
    }
    Ok(())
}

fn whole() -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nETag: {ETAG}\r\nContent-Length: {CONTENT}\r\n\r\n"
    )
    .into_bytes();
    answer.extend(std::iter::repeat_n(b'x', CONTENT));
    answer
}

fn unchanged() -> Vec<u8> {
    format!("HTTP/1.1 304 Not Modified\r\nETag: {ETAG}\r\n\r\n").into_bytes()
}
