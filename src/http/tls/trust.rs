//! What TLS trusts in this process, in words.

use super::{
    roots::{EXTRA, Extra, Roots},
    verifier::{REJECT, rejects_unauthorized},
};
use crate::text::readable;

/// What TLS trusts in this process, in words.
#[must_use]
pub fn trusted() -> String {
    if !rejects_unauthorized() {
        return format!("no certificate is checked, because {REJECT} is 0");
    }
    let roots = Roots::of_process();
    let count = roots.count();
    let whose = if Roots::are_of_openssl() {
        "OpenSSL (--use-openssl-ca)"
    } else {
        "the system and of Node"
    };
    let extra = match &roots.extra {
        Extra::NotSet => format!("{EXTRA} is not set"),
        Extra::Unreadable(file, why) => {
            let file = file.display();
            format!("{EXTRA} names {file}, which cannot be read: {why}")
        }
        Extra::Read(file, count) => {
            let file = file.display();
            format!("{count} of {EXTRA} ({file}) among them")
        }
    };
    readable(format!("{count} authorities of {whose}; {extra}"))
}
