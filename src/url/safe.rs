//! [`SafeUrl`]: a URL that shows no secret, however it is displayed.

use std::{borrow::Cow, fmt, ops::Deref, sync::Arc};

use percent_encoding::percent_decode_str;
use url::Url;

use super::parse::parse;
use crate::error::Error;

/// A URL that shows no secret, however it is displayed.
///
/// `Display` and `Debug` show [`without_secrets`] of it; where it holds none, they show it as it was written.
/// It derefs to [`Url`], whose parts are at hand without another look at the text.
#[derive(Clone)]
pub struct SafeUrl {
    /// Shared, since a read hands its URLs on many times.
    url: Arc<Url>,
    /// As the caller wrote it, where it is not one of ours.
    written: Option<Arc<str>>,
}

impl SafeUrl {
    /// Parses what a caller gave.
    ///
    /// # Errors
    /// The text is no URL.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self {
            url: parse(text)?.into(),
            written: Some(text.into()),
        })
    }

    /// What displays show.
    fn shown(&self) -> Cow<'_, str> {
        let text = self.written.as_deref().unwrap_or(self.url.as_str());
        hidden(&self.url, text)
    }
}

impl From<Url> for SafeUrl {
    fn from(url: Url) -> Self {
        Self {
            url: url.into(),
            written: None,
        }
    }
}

impl Deref for SafeUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.url
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.shown())
    }
}

/// The URL as a message may show it: what could let its bearer in is left out.
///
/// That is user information, unless it is the organization's name, as in the clone URLs that Azure DevOps
/// shows; the values of query parameters that are called as secrets are; and the fragment, in which sign-in
/// pages hand over tokens. A URL without any of these stays as it was given.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => hidden(&url, text).into_owned(),
        Err(_) => "what is no URL".to_owned(),
    }
}

/// The text of a URL without what could let its bearer in.
fn hidden<'a>(url: &Url, text: &'a str) -> Cow<'a, str> {
    if url.cannot_be_a_base() {
        return hidden_of_any_kind(url, text);
    }
    let is_user_secret = hides_user(url);
    let query = url.query().and_then(without_secret_parameters);
    if !is_user_secret && query.is_none() {
        let end = text.find('#').unwrap_or(text.len());
        return text.get(..end).unwrap_or_default().into();
    }
    let mut url = url.clone();
    if is_user_secret {
        // Both fail only for URLs that can have no user information.
        let _ = url.set_password(None);
        let _ = url.set_username(HIDDEN);
    }
    url.set_fragment(None);
    if let Some(query) = query {
        url.set_query(Some(&query));
    }
    String::from(url).into()
}

/// What stands in a secret's place.
const HIDDEN: &str = "***";

/// A URL without a host may be anything, also another URL.
fn hidden_of_any_kind<'a>(url: &Url, text: &'a str) -> Cow<'a, str> {
    let is_open = url.fragment().is_none() && url.query().is_none() && !url.path().contains('@');
    if is_open {
        return text.into();
    }
    format!("{}:{HIDDEN}", url.scheme()).into()
}

/// Whether a URL's user information could be a token.
fn hides_user(url: &Url) -> bool {
    let user = url.username();
    let is_clone_url = url.path().split('/').nth(1) == Some(user);
    url.password().is_some() || (!user.is_empty() && !is_clone_url)
}

/// The query with the values of secret parameters hidden; `None` where it has none.
fn without_secret_parameters(query: &str) -> Option<String> {
    let mut is_any = false;
    let parameters = query.split('&').map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let is_secret = !value.is_empty() && is_called_secret(&decoded(name));
        if is_secret || holds_user(&decoded(value)) {
            is_any = true;
            return format!("{name}={HIDDEN}");
        }
        parameter.to_owned()
    });
    let parameters: Vec<String> = parameters.collect();
    is_any.then(|| parameters.join("&"))
}

/// Names of parameters that let their bearer in, without case and marks; and the ends of such names.
const SECRET_NAMES: [&str; 13] = [
    "auth", "bearer", "code", "jwt", "key", "pass", "pat", "pwd", "sas", "session", "sid", "sig",
    "ticket",
];

const SECRET_ENDS: [&str; 16] = [
    "accesskey",
    "apikey",
    "assertion",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "sessionid",
    "signature",
    "subscriptionkey",
    "token",
];

fn is_called_secret(name: &str) -> bool {
    let name: String = name.chars().filter(|it| it.is_alphanumeric()).collect();
    let name = name.to_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a value is a URL with user information.
fn holds_user(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| hides_user(&url))
}
