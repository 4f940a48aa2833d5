//! What a glob rules out without being run.
//!
//! minimatch decides what matches, as elsewhere in Backstage. This module only rules out what cannot match;
//! what it does not understand may match everything.
//!
//! <https://github.com/isaacs/minimatch#features>

use super::expansion::Expansion;
use crate::error::Error;

/// Characters with which a segment is more than a name.
const MAGIC: [char; 13] = [
    '*', '?', '[', ']', '{', '}', '(', ')', '!', '+', '@', '\\', '#',
];

/// The folder that stands before the first segment with a meaning of its own; `/` where none does,
/// and where the pattern goes up again.
#[must_use]
pub fn literal_folder(pattern: &str) -> String {
    if may_go_up(pattern) {
        return "/".to_owned();
    }
    format!(
        "/{}",
        literal_segments(pattern).collect::<Vec<_>>().join("/")
    )
}

/// Whether `..` may be a segment, once braces are expanded: some part is nothing but dots.
fn may_go_up(pattern: &str) -> bool {
    pattern
        .split(['/', '{', ',', '}'])
        .any(|part| part.starts_with('.') && part.trim_start_matches('.').is_empty())
}

fn literal_segments(pattern: &str) -> impl Iterator<Item = &str> {
    let mut segments = segments(pattern).peekable();
    let mut is_literal = true;
    std::iter::from_fn(move || {
        let segment = segments.next()?;
        is_literal &= !segment.contains(MAGIC) && !matches!(segment, "." | "..");
        // What is last names files, and no folder.
        (is_literal && segments.peek().is_some()).then_some(segment)
    })
}

fn segments(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter(|segment| !segment.is_empty())
}

/// What a step takes through groups, and braces that become groups, where each character may lead to a
/// combination of places that was not seen before; measured beside a step without.
const GROUP_STEP: f64 = 40.0;

/// The most characters that may be looked at for the ends of classes: minimatch looks from each `[` to the
/// end of the pattern when it reads it.
const MOST_LOOKED_AT: f64 = 20_000.0;

/// The most negated groups of a pattern: with dozens, one in the other, minimatch takes more memory than
/// there is, at once and without an end that could be waited for.
const MOST_NEGATED: usize = 10;

/// Refuses a pattern with more negated groups than are matched.
///
/// # Errors
/// It has more. What braces may put together counts as well.
pub fn check_groups(pattern: &str) -> Result<(), Error> {
    let marks = pattern.matches('!').count();
    if pattern.contains('(') && marks > MOST_NEGATED {
        let message = format!("the pattern has more than {MOST_NEGATED} negated groups, '!(…)'");
        return Err(Error::other(message));
    }
    Ok(())
}

/// How many steps it takes minimatch to match a character of a path with a pattern, at most.
///
/// It follows all places of a pattern at once, so that time goes with the characters of the pattern and the
/// path; but for negated groups, which are infinite here unless the only one begins a segment: what was
/// begun at each character is followed apart. Infinite are also those that take long to be read.
#[must_use]
pub fn weight(pattern: &str) -> f64 {
    let mut negated = pattern.match_indices("!(");
    let is_first = |index| {
        let before = pattern.get(..index).unwrap_or_default();
        before.is_empty() || before.ends_with('/')
    };
    // `{!,a}(b)` has one, once it is expanded.
    let may_get_one = pattern.contains('{') && pattern.contains('!');
    let is_bounded = negated.next().is_none_or(|(index, _)| is_first(index)) && !may_get_one;
    if !is_bounded || negated.next().is_some() {
        return f64::INFINITY;
    }
    #[expect(clippy::cast_precision_loss, reason = "about how many is enough")]
    let (characters, classes) = (
        Expansion::of(pattern).characters as f64,
        pattern.matches('[').count() as f64,
    );
    if characters * classes > MOST_LOOKED_AT {
        return f64::INFINITY;
    }
    if pattern.contains(['{', '(']) {
        characters * GROUP_STEP
    } else {
        characters
    }
}

/// The segments of a pattern whose slashes are all between them: a path that matches has as many,
/// but for `**`.
#[derive(Debug)]
pub struct Shape {
    folder: String,
    segments: Vec<Segment>,
}

/// What may stand between two slashes.
#[derive(Debug, PartialEq, Eq)]
pub enum Segment {
    /// Any number of folders, or none.
    Globstar,
    /// Any one name.
    Any,
    /// One name that has these parts in this order, and anything between them.
    Parts(Vec<String>),
}

impl Shape {
    /// The shape; `None` where the glob is too complex for one.
    #[must_use]
    pub fn of(pattern: &str) -> Option<Self> {
        let is_simple =
            !pattern.starts_with(['!', '#']) && !pattern.contains('\\') && !pattern.ends_with('/');
        let segments: Option<Vec<Segment>> = segments(pattern).map(Segment::read).collect();
        segments
            .filter(|segments| is_simple && !segments.is_empty())
            .map(|segments| Self {
                folder: literal_folder(pattern),
                segments,
            })
    }

    /// Whether a file's path may match, going by its name alone.
    #[must_use]
    pub fn may_match(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        self.segments.last().is_none_or(|last| last.may_match(name))
    }

    /// The literal folder, and the segments below it, where there are as many as a path must have.
    #[must_use]
    pub fn levels(&self) -> Option<(&str, &[Segment])> {
        let above = segments(&self.folder).count();
        let below = self.segments.get(above..)?;
        (!below.contains(&Segment::Globstar)).then_some((self.folder.as_str(), below))
    }
}

impl Segment {
    fn read(segment: &str) -> Option<Self> {
        if segment == "**" {
            return Some(Self::Globstar);
        }
        if matches!(segment, "." | "..") || !is_balanced(segment) || !is_one_name(segment) {
            return None;
        }
        let has_more_than_stars = segment.contains(MAGIC.map(|c| if c == '*' { '?' } else { c }));
        Some(if has_more_than_stars {
            Self::Any
        } else {
            Self::Parts(segment.split('*').map(str::to_owned).collect())
        })
    }

    /// Whether a name may match.
    #[must_use]
    pub fn may_match(&self, name: &str) -> bool {
        let Self::Parts(parts) = self else {
            return true;
        };
        match parts.as_slice() {
            [] => true,
            [only] => only == name,
            [first, between @ .., last] => {
                let rest = name.strip_prefix(first.as_str());
                let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last.as_str())) else {
                    return false;
                };
                for part in between {
                    let Some((_, after)) = rest.split_once(part.as_str()) else {
                        return false;
                    };
                    rest = after;
                }
                true
            }
        }
    }
}

/// Whether braces and parentheses that open in a segment close in it, so that no slash is in them.
fn is_balanced(segment: &str) -> bool {
    let balance = |open, close| {
        let mut depth = 0_i32;
        let mut is_balanced = true;
        for c in segment.chars() {
            depth += i32::from(c == open) - i32::from(c == close);
            is_balanced &= depth >= 0;
        }
        is_balanced && depth == 0
    };
    balance('{', '}') && balance('(', ')')
}

/// Whether all that braces expand to are names: neither nothing, nor dots, nor `**`.
fn is_one_name(segment: &str) -> bool {
    if !segment.contains('{') {
        return true;
    }
    if segment.contains(['[', '(']) {
        return false;
    }
    let mut depth = 0_i32;
    let has_name_outside = segment.chars().any(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0 && !matches!(c, '}' | '*' | '?' | '.')
    });
    let may_be_none = ["{,", ",,", ",}", "{}", ".", "*"]
        .iter()
        .any(|part| segment.contains(part));
    has_name_outside || !may_be_none
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_ends_where_the_pattern_begins() {
        for (pattern, folder) in [
            ("**/catalog-info.yaml", "/"),
            ("services/*/catalog-info.yaml", "/services"),
            ("a/b.c/{d,e}/f", "/a/b.c"),
            ("a/!(b)/c", "/a"),
            ("/a/@(b)/*.yaml", "/a"),
            ("*", "/"),
            ("a/../b/*", "/"),
            ("a/*/{b,..}/../../c", "/"),
            ("a/{b/.,c}./*", "/"),
            ("a/.b/..c/*.md", "/a/.b/..c"),
            ("a?/b", "/"),
        ] {
            assert_eq!(literal_folder(pattern), folder, "{pattern}");
        }
    }

    #[test]
    fn what_is_not_bounded_weighs_infinitely_much() {
        for (pattern, is_bounded) in [
            ("**/*.yaml", true),
            ("!(node_modules)/**", true),
            ("a/!(b)/*", true),
            ("a/b!(c)", false),
            ("{a,!(b)}*", false),
            ("*{!,a}(b)", false),
            ("!(a)/!(b)", false),
            ("!(a!(b))", false),
        ] {
            assert_eq!(weight(pattern).is_finite(), is_bounded, "{pattern}");
        }
        assert!(weight("*.yaml") < weight("*.y?(a)ml"));
        assert!(weight("*.{a,b}") < weight("*.{a,b,c}"));
    }

    #[test]
    fn patterns_with_slashes_that_come_and_go_have_no_shape() {
        for pattern in [
            "!a/*",
            "#a/*",
            "a\\/b*",
            "{a/b,c}/*",
            "@(a/b)/*",
            "{,a}/*",
            "{a,,b}*",
            "{.,a}/*",
            "{**,a}/b",
            "*{*,a}/b",
            "a/./*",
            "a/../*",
            "a/*/",
            "{[a],b}*",
            "",
        ] {
            assert!(Shape::of(pattern).is_none(), "{pattern}");
        }
        for pattern in ["a/*/c-i.{yaml,yml}", "{a,b}/*", "*.md", "**/x", "!(a)b/*"] {
            let is_negation = pattern.starts_with('!');
            assert_eq!(Shape::of(pattern).is_none(), is_negation, "{pattern}");
        }
    }

    #[test]
    fn levels_are_what_comes_below_the_folder() {
        let levels = |pattern: &str| {
            let shape = Shape::of(pattern)?;
            shape.levels().map(|(_, levels)| levels.len())
        };
        assert_eq!(levels("services/*/catalog-info.yaml"), Some(2));
        assert_eq!(levels("*.yaml"), Some(1));
        assert_eq!(levels("a/b/*"), Some(1));
        assert_eq!(levels("a/**/b"), None);
    }

    #[test]
    fn names_that_cannot_match_are_left_out() {
        let may = |pattern: &str, path: &str| {
            Shape::of(pattern).is_none_or(|shape| shape.may_match(path))
        };
        for (pattern, path) in [
            ("**/catalog-info.yaml", "a/catalog-info.yaml"),
            ("**/*.y*ml", "a/b.yaml"),
            ("**/{a,b}.md", "a.md"),
            ("**", "a/b"),
            ("*/*a*b*", "x/aab"),
            ("?", "\u{1f600}"),
        ] {
            assert!(may(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("**/catalog-info.yaml", "a/catalog-info.yml"),
            ("**/*.yaml", "a.yaml/b"),
            ("*aa*aa*", "aaa"),
            ("a*a", "a"),
        ] {
            assert!(!may(pattern, path), "{pattern} {path}");
        }
    }
}
