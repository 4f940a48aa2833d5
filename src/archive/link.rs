//! Links of an archive, and where they lead.

/// Whether a link at a canonical path leads to a place inside, whatever other links there are on the
/// way: it goes up only at its start, where it is in its own folders, and no further than these.
pub(super) fn points_inside(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\0', '\\']) {
        return false;
    }
    let is_up = |part: &&str| matches!(*part, ".." | ".");
    let depth = path.split('/').count() - 1;
    let ups = target.split('/').take_while(is_up);
    let ups = ups.filter(|part| *part == "..").count();
    let mut rest = target.split('/').skip_while(is_up);
    ups <= depth && rest.all(|part| part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_outside_are_known() {
        for (path, target) in [
            ("a", "b"),
            ("d/a", "../b"),
            ("d/e/a", "./../../b/c"),
            ("d/a", ".."),
            ("d/a", "b//./c/"),
        ] {
            assert!(points_inside(path, target), "{path} → {target}");
        }
        for (path, target) in [
            ("a", "../b"),
            ("a", "/etc/passwd"),
            ("d/a", "../../b"),
            ("d/a", "./.././../b"),
            ("d/a", "s/../../b"),
            ("d/a", "..//../b"),
            ("d/a", "s/.."),
            ("a", ""),
        ] {
            assert!(!points_inside(path, target), "{path} → {target}");
        }
    }
}
