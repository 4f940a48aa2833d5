//! [`Operation`]: a request, as far as it is reported.

/// A request, as far as it is reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    /// What it is, in one word.
    pub name: &'static str,
    /// The organization or collection, in lower case.
    pub organization: &'a str,
}
