//! The content of an answer as it comes: decoded, and whole or a failure.
//!
//! Nothing downstream sees compressed bytes, nor an end where the server did not say that it is one.

use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};
use http_body::{Frame, SizeHint};
use reqwest::{
    Body, Response, StatusCode, Version,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING},
};

/// What is asked for; a server that sends another encoding ignores the request.
pub(super) const ACCEPTED: &str = "gzip";

/// How much is inflated at once.
const PIECE: usize = 64 * 1024;

/// How often what comes may say nothing until others get their turn.
const TURNS: usize = 32;

/// The codings that are refused by name. An answer may repeat what it was asked with, so that no other
/// name is told.
const REFUSED: [&str; 8] = [
    "br", "bzip2", "compress", "exi", "gzip", "deflate", "lz4", "zstd",
];

/// The most that may follow a content after its end, as some servers leave a line break there.
const MOST_AFTER: usize = 64 * 1024;

/// Why a content is unusable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It ended before its end.
    CutOff,
    /// It does not decode by the coding that it has, in the decoder's words.
    Damaged(String),
    /// It is coded in a way that is not decoded: the header and what it says.
    Coded(HeaderName, String),
}

impl Fault {
    /// The fault behind an error of the client's.
    pub(super) fn behind(error: &reqwest::Error) -> Option<&Self> {
        let mut next = error.source();
        while let Some(cause) = next {
            if let Some(fault) = cause.downcast_ref() {
                return Some(fault);
            }
            next = cause.source();
        }
        None
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => formatter.write_str("it was truncated"),
            Self::Damaged(why) => write!(formatter, "it cannot be decoded: {why}"),
            Self::Coded(header, coding) => {
                let header = match header.as_str() {
                    "transfer-encoding" => "Transfer-Encoding",
                    _ => "Content-Encoding",
                };
                write!(
                    formatter,
                    "its {header} is {coding}, which was not asked for and is not supported"
                )
            }
        }
    }
}

impl StdError for Fault {}

type BoxError = Box<dyn StdError + Send + Sync>;

/// The same answer, whose content comes decoded and ends only where the server says that it does.
///
/// # Errors
/// It is coded in a way that is not decoded. Of what is no success the content is left out then: its
/// status says enough.
pub(super) fn decoded(response: Response) -> Result<Response, Fault> {
    let (mut parts, mut body) = http::Response::<Body>::from(response).into_parts();
    let coding = match coding(&parts.headers) {
        Err(fault) if parts.status == StatusCode::OK => return Err(fault),
        Err(_) => {
            body = Body::default();
            None
        }
        Ok(coding) => coding,
    };
    // HTTP/1 says where a content ends, or closes the connection cleanly, which differs from a broken one.
    if parts.version == Version::HTTP_2 {
        body = Body::wrap(Ended { body });
    }
    if let Some(coding) = coding {
        parts.headers.remove(CONTENT_ENCODING);
        parts.headers.remove(CONTENT_LENGTH);
        body = Body::wrap(Inflated::of(body, coding));
    }
    Ok(http::Response::from_parts(parts, body).into())
}

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// What inflates a content that begins with this byte: what is called `deflate` has a header of zlib's
    /// by the standard, and none by some servers.
    fn inflater(self, first: u8) -> Decompress {
        match self {
            Self::Gzip => Decompress::new_gzip(15),
            Self::Deflate => Decompress::new(first & 15 == 8),
        }
    }
}

/// The coding of a content, if it has any. Several are refused: none were asked for, and what one inflates
/// to before another is done with it would have no bound.
fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Fault> {
    let transfer = named(headers, &TRANSFER_ENCODING);
    if !matches!(transfer.join(" ").as_str(), "" | "chunked" | "identity") {
        return Err(unknown(TRANSFER_ENCODING, &transfer));
    }
    let content = named(headers, &CONTENT_ENCODING);
    // Some write what is no coding at all.
    let is_none = |name: &str| matches!(name, "identity" | "none" | "utf-8" | "utf8" | "binary");
    let mut codings = content.iter().filter(|name| !is_none(name));
    let coding = match (codings.next().map(String::as_str), codings.next()) {
        (None, _) => None,
        (Some("gzip" | "x-gzip"), None) => Some(Coding::Gzip),
        (Some("deflate"), None) => Some(Coding::Deflate),
        _ => return Err(unknown(CONTENT_ENCODING, &content)),
    };
    Ok(coding)
}

/// What all lines of a header name, in lower case.
fn named(headers: &HeaderMap, header: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(header).iter();
    let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    let lines: Vec<String> = lines.collect();
    let names = lines.iter().flat_map(|line| line.split(','));
    let names = names.map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty()).collect()
}

fn unknown(header: HeaderName, names: &[String]) -> Fault {
    let known = |name: &String| {
        let known = REFUSED.iter().find(|known| *known == name);
        known.copied().unwrap_or("an unknown coding")
    };
    let names: Vec<&str> = names.iter().take(REFUSED.len()).map(known).collect();
    Fault::Coded(header, names.join(", "))
}

/// A content of HTTP/2, which is whole only if its stream was ended: one that was reset without an error
/// looks like one that has ended.
struct Ended {
    body: Body,
}

impl http_body::Body for Ended {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None if !self.body.is_end_stream() => Poll::Ready(Some(Err(Fault::CutOff.into()))),
            frame => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// A compressed content, inflated piece by piece.
struct Inflated {
    body: Body,
    coding: Coding,
    /// What inflates; nothing before the first byte, and after the end of a part until another begins.
    inflater: Option<Decompress>,
    /// Whether a part has ended; several of gzip may follow each other.
    has_ended: bool,
    /// How many bytes have followed the last.
    after: usize,
    /// Whether the inflater may hold more output.
    has_more: bool,
    compressed: Bytes,
}

impl Inflated {
    const fn of(body: Body, coding: Coding) -> Self {
        Self {
            body,
            coding,
            inflater: None,
            has_ended: false,
            after: 0,
            has_more: false,
            compressed: Bytes::new(),
        }
    }

    /// The next that comes of the bytes that are there; perhaps nothing.
    fn inflate(&mut self) -> Result<Bytes, Fault> {
        let Some(inflater) = self.inflater.as_mut() else {
            self.begin()?;
            return Ok(Bytes::new());
        };
        let mut piece = Vec::with_capacity(PIECE);
        let before = inflater.total_in();
        let status = inflater.decompress_vec(&self.compressed, &mut piece, FlushDecompress::None);
        let status = status.map_err(|error| damaged(self.coding, &error.to_string()))?;
        let used = inflater.total_in() - before;
        let used = usize::try_from(used).unwrap_or(usize::MAX);
        self.compressed.advance(used.min(self.compressed.len()));
        self.has_more = piece.len() == piece.capacity();
        if status == Status::StreamEnd {
            self.inflater = None;
            self.has_ended = true;
            self.has_more = false;
        } else if used == 0 && piece.is_empty() && !self.compressed.is_empty() {
            return Err(damaged(self.coding, "it does not go on"));
        }
        Ok(piece.into())
    }

    /// Begins a part: the first, or another one of gzip, after which there may be zeros and line breaks.
    fn begin(&mut self) -> Result<(), Fault> {
        let Some(&first) = self.compressed.first() else {
            return Ok(());
        };
        let is_part = self.coding == Coding::Gzip && first == 0x1f && self.after == 0;
        if self.has_ended && !is_part {
            self.after += self.compressed.len();
            let is_blank = |byte: &u8| matches!(byte, 0 | b'\n' | b'\r' | b' ');
            if self.after > MOST_AFTER || !self.compressed.iter().all(is_blank) {
                return Err(damaged(self.coding, "something follows its end"));
            }
            self.compressed.clear();
            return Ok(());
        }
        self.inflater = Some(self.coding.inflater(first));
        Ok(())
    }
}

fn damaged(coding: Coding, why: &str) -> Fault {
    Fault::Damaged(format!(
        "its Content-Encoding is {}, and {why}",
        coding.name()
    ))
}

impl http_body::Body for Inflated {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        for _ in 0..TURNS {
            if self.has_more || !self.compressed.is_empty() {
                match self.inflate() {
                    Ok(piece) if piece.is_empty() => continue,
                    Ok(piece) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                    Err(fault) => return Poll::Ready(Some(Err(fault.into()))),
                }
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.compressed = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                // Not a byte is how an empty content may come.
                None if self.inflater.is_none() => return Poll::Ready(None),
                None => return Poll::Ready(Some(Err(Fault::CutOff.into()))),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
