//! How many globs the braces of a glob expand to, and how long these are together, without expanding them.
//!
//! minimatch expands before it matches, and its time and memory grow with both. The glob comes from whoever
//! registers a URL, so both are computed here in one pass over it. Neither is ever too low; where braces do
//! not pair, or have a meaning only after inner ones were expanded, they may be too high.
//!
//! <https://github.com/juliangruber/brace-expansion>

use crate::{error::Error, limits::Limit};

/// The characters of a pattern that a message shows.
const SHOWN: usize = 100;

/// Every whole number up to here has a neighbour in JavaScript, where numbers are doubles.
const MOST_EXACT: f64 = 9_007_199_254_740_991.0;

/// How many texts there are, and how many characters they have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// How many patterns there are at most.
    pub alternatives: u64,
    /// How many characters they have together at most.
    pub characters: u64,
}

impl Expansion {
    const EMPTY: Self = Self {
        alternatives: 1,
        characters: 0,
    };
    const CHARACTER: Self = Self {
        alternatives: 1,
        characters: 1,
    };
    const NONE: Self = Self {
        alternatives: 0,
        characters: 0,
    };
    const ENDLESS: Self = Self {
        alternatives: u64::MAX,
        characters: u64::MAX,
    };

    /// What a pattern expands to.
    #[must_use]
    pub fn of(pattern: &str) -> Self {
        let mut sets = Sets::default();
        let mut is_escaped = false;
        for (index, character) in pattern.char_indices() {
            match character {
                '{' if !is_escaped => sets.open(index + 1),
                '}' if !is_escaped => sets.close(pattern, index),
                ',' if !is_escaped => sets.last().comma(),
                _ => sets.last().then(Self::CHARACTER),
            }
            is_escaped = character == '\\' && !is_escaped;
        }
        sets.end()
    }

    /// What the braces of a pattern expand to, if that is no more than may be.
    ///
    /// # Errors
    /// It is more; the message names the limit.
    pub fn within_limit(pattern: &str) -> Result<Self, Error> {
        let expansion = Self::of(pattern);
        let shown: String = pattern.chars().take(SHOWN).collect();
        let more = if shown.len() < pattern.len() {
            "…"
        } else {
            ""
        };
        Limit::PatternAlternatives.check(
            expansion.alternatives,
            format_args!("the pattern '{shown}{more}'"),
        )?;
        Ok(expansion)
    }

    /// Each of these, followed by each of those.
    fn then(self, next: Self) -> Self {
        let one = self.characters.saturating_mul(next.alternatives);
        let other = next.characters.saturating_mul(self.alternatives);
        Self {
            alternatives: self.alternatives.saturating_mul(next.alternatives),
            characters: one.saturating_add(other),
        }
    }

    /// These, and those.
    const fn or(self, other: Self) -> Self {
        Self {
            alternatives: self.alternatives.saturating_add(other.alternatives),
            characters: self.characters.saturating_add(other.characters),
        }
    }

    /// The numbers or letters of a sequence, such as `1..9`, `a..z` or `0..100..5`; `None` for anything else.
    fn of_sequence(body: &str) -> Option<Self> {
        let mut parts = body.split("..");
        let (first, last, step) = (parts.next()?, parts.next()?, parts.next());
        let step = step.map_or(Some(1.0), number)?;
        if parts.next().is_some() {
            return None;
        }
        let both = |read: fn(&str) -> Option<f64>| read(first).zip(read(last));
        let (from, to) = both(number).or_else(|| both(letter))?;
        let width = first.len().max(last.len()) as u64;
        if from.abs() > MOST_EXACT || to.abs() > MOST_EXACT {
            return Some(Self::ENDLESS);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is no less than nothing, and what is too much becomes the most"
        )]
        let alternatives = ((from - to).abs() / step.abs().max(1.0)) as u64 + 1;
        Some(Self {
            alternatives,
            characters: alternatives.saturating_mul(width),
        })
    }
}

/// A whole number, signed or not.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn letter(text: &str) -> Option<f64> {
    let mut bytes = text
        .bytes()
        .map(|byte| byte.is_ascii_alphabetic().then_some(byte));
    let letter = bytes.next()??;
    bytes.next().is_none().then(|| f64::from(letter))
}

/// What stands between two braces, as far as it was read.
struct Set {
    /// Where it begins.
    start: usize,
    /// What stands before the last comma.
    before: Expansion,
    /// What stands after it.
    current: Expansion,
    /// All of it, where its commas are characters.
    literal: Expansion,
    commas: u64,
    has_sets: bool,
}

impl Set {
    const fn at(start: usize) -> Self {
        Self {
            start,
            before: Expansion::NONE,
            current: Expansion::EMPTY,
            literal: Expansion::EMPTY,
            commas: 0,
            has_sets: false,
        }
    }

    fn then(&mut self, next: Expansion) {
        self.current = self.current.then(next);
        self.literal = self.literal.then(next);
    }

    fn comma(&mut self) {
        self.before = self.before.or(self.current);
        self.current = Expansion::EMPTY;
        self.literal = self.literal.then(Expansion::CHARACTER);
        self.commas = self.commas.saturating_add(1);
    }

    /// What it expands to, now that it is closed.
    fn expansion(&self, body: &str) -> Expansion {
        if self.commas > 0 {
            return self.before.or(self.current);
        }
        if let Some(sequence) = Expansion::of_sequence(body) {
            return sequence;
        }
        // `{1..{2,3}}` becomes the sequences `{1..2}` and `{1..3}`.
        if self.has_sets && body.bytes().filter(|byte| *byte == b'.').count() > 1 {
            return Expansion::ENDLESS;
        }
        let brace = Expansion::CHARACTER;
        brace.then(self.current).then(brace)
    }
}

/// The sets of a pattern that are open, from the outermost on.
struct Sets {
    /// What stands in none.
    outside: Set,
    open: Vec<Set>,
}

impl Default for Sets {
    fn default() -> Self {
        Self {
            outside: Set::at(0),
            open: Vec::new(),
        }
    }
}

impl Sets {
    fn last(&mut self) -> &mut Set {
        self.open.last_mut().unwrap_or(&mut self.outside)
    }

    fn open(&mut self, start: usize) {
        self.open.push(Set::at(start));
    }

    fn close(&mut self, pattern: &str, end: usize) {
        let Some(set) = self.open.pop() else {
            // A brace before may be closed here: `{a},b}` is a set of `a}` and `b`.
            let members = std::mem::take(&mut self.outside.commas).saturating_add(1);
            self.outside.then(Expansion {
                alternatives: members,
                characters: members,
            });
            return;
        };
        let expansion = set.expansion(pattern.get(set.start..end).unwrap_or_default());
        let outer = self.last();
        outer.then(expansion);
        outer.has_sets = true;
    }

    /// All of it: braces that nothing closes are characters, as are the commas behind them.
    fn end(self) -> Expansion {
        let open = self.open.into_iter();
        open.fold(self.outside.literal, |before, set| {
            before.then(Expansion::CHARACTER).then(set.literal)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alternatives(pattern: &str) -> u64 {
        Expansion::of(pattern).alternatives
    }

    #[test]
    fn sets_multiply_and_their_members_add_up() {
        for (pattern, number) in [
            ("", 1),
            ("a/*", 1),
            ("{a,b}/{c,d,}", 6),
            ("{a,{b,c}/{d,e}}", 5),
            ("{x{a,b}}", 2),
            ("\\{a,b\\}{c\\,d,e}", 2),
            ("\\\\{a,b}", 2),
            ("{a}", 1),
            ("{{a,b},{c,d}", 4),
            ("{{a,b}{c,d}{e,f}", 8),
            ("{{a,b},{c,d},{e,f}", 8),
            ("{a},b}", 2),
            ("{1..9}", 9),
            ("{9..1..-4}", 3),
            ("{a..e}{-1..1}", 15),
            ("{1..2,3}", 2),
            ("{1.5}", 1),
        ] {
            assert_eq!(alternatives(pattern), number, "{pattern}");
        }
        assert_eq!(alternatives(&"{a,b}/".repeat(17)), 1 << 17);
    }

    #[test]
    fn what_is_too_much_to_count_is_the_most() {
        for pattern in [
            "{a,b}".repeat(10_000),
            "{1..99999999999999999999}".to_owned(),
            "{1..{2,99999}}".to_owned(),
            format!("{{1..1{}}}", "0".repeat(400)),
            format!("{{1..2..1{}}}{{1..9}}", "{a,b}".repeat(100)),
        ] {
            assert_eq!(alternatives(&pattern), u64::MAX, "{pattern}");
        }
        assert_eq!(alternatives(&"{".repeat(60_000)), 1);
    }

    #[test]
    fn characters_are_those_of_all_alternatives() {
        let characters = |pattern| Expansion::of(pattern).characters;
        assert_eq!(characters("a/*"), 3);
        assert_eq!(characters("{a,bc}d"), 5);
        assert_eq!(characters("{1..3}/x"), 9);
    }

    #[test]
    fn an_error_names_the_limit_and_what_can_be_shown_of_the_pattern() {
        assert!(Expansion::within_limit("{1..1000}").is_ok());
        let error = Expansion::within_limit(&"{a,b}/".repeat(50));
        let message = error.map_or_else(|error| error.to_string(), |_| String::new());
        let start = "the pattern '{a,b}/{a,b}/";
        assert!(
            message.starts_with(start) && message.len() < 300,
            "{message}"
        );
        assert!(
            message.contains("/{a,b…' has more than 1000 alternatives"),
            "{message}"
        );
    }
}
