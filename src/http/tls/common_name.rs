//! A name that stands in a certificate's common name, compared as Node compares it.

/// Whether a common name is that of a host.
///
/// A `*` may stand in the leftmost label, alone or with letters around it, where two more follow; it
/// stands for no part of an international name. It is what `tls.checkServerIdentity` does.
///
/// <https://nodejs.org/api/tls.html#tlscheckserveridentityhostname-cert>
pub(super) fn is_of(common_name: &str, host: &str) -> bool {
    let own = without_root(common_name).to_ascii_lowercase();
    let host = without_root(host).to_ascii_lowercase();
    let is_plain = |character: char| ('\u{21}'..='\u{7f}').contains(&character);
    if !own.chars().all(is_plain) {
        return false;
    }
    let (own, host): (Vec<_>, Vec<_>) = (own.split('.').collect(), host.split('.').collect());
    if own.len() != host.len() || own.contains(&"") || own[1..] != host[1..] {
        return false;
    }
    match own[0].split('*').collect::<Vec<_>>()[..] {
        [_] => own[0] == host[0],
        _ if own[0].contains("xn--") => own[0] == host[0],
        [start, end] => {
            own.len() > 2
                && start.len() + end.len() <= host[0].len()
                && host[0].starts_with(start)
                && host[0].ends_with(end)
        }
        _ => false,
    }
}

/// Whether a host is the one that a name constraint names, or below it. One that begins with a dot
/// names what is below it alone; an empty one names all.
///
/// <https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10>
pub(super) fn is_below(host: &str, constraint: &str) -> bool {
    let host = without_root(host).to_ascii_lowercase();
    let constraint = without_root(constraint).to_ascii_lowercase();
    let Some(before) = host.strip_suffix(&constraint) else {
        return false;
    };
    before.is_empty()
        || constraint.is_empty()
        || constraint.starts_with('.')
        || before.ends_with('.')
}

fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_is_that_of_its_host_and_of_no_other() {
        let names = [
            ("tfs.corp.example", "tfs.corp.example", true),
            ("TFS.Corp.Example", "tfs.corp.EXAMPLE.", true),
            ("tfs", "tfs", true),
            ("tfs.corp.example", "corp.example", false),
            ("corp.example", "tfs.corp.example", false),
            ("", "tfs", false),
            ("tfs..example", "tfs..example", false),
            ("*.corp.example", "tfs.corp.example", true),
            ("*.corp.example", "a.b.corp.example", false),
            ("*.corp.example", "corp.example", false),
            ("t*s.corp.example", "tfs.corp.example", true),
            ("t*fs.corp.example", "tfs.corp.example", true),
            ("tf*fs.corp.example", "tfs.corp.example", false),
            ("*", "tfs", false),
            ("*.example", "tfs.example", false),
            ("*.*.example", "tfs.corp.example", false),
            ("**.corp.example", "tfs.corp.example", false),
            ("tfs.*.example", "tfs.corp.example", false),
            ("xn--*.corp.example", "xn--a.corp.example", false),
            ("tfs.corp.example\0.evil", "tfs.corp.example", false),
            ("tfs corp.corp.example", "tfs corp.corp.example", false),
            ("tfs.corp.exämple", "tfs.corp.exämple", false),
        ];
        for (common_name, host, is_of_it) in names {
            assert_eq!(is_of(common_name, host), is_of_it, "{common_name} {host}");
        }
    }

    #[test]
    fn a_constraint_holds_for_what_is_below_it() {
        for (host, constraint, is_below_it) in [
            ("a.example", "a.example", true),
            ("b.a.example", "a.example", true),
            ("b.A.example", "a.EXAMPLE", true),
            ("ba.example", "a.example", false),
            ("a.example", ".a.example", false),
            ("b.a.example", ".a.example", true),
            ("a.example", "b.a.example", false),
            ("a.example", "", true),
        ] {
            assert_eq!(
                is_below(host, constraint),
                is_below_it,
                "{host} {constraint}"
            );
        }
    }
}
