//! The secrets that were sent, and their redaction from what others say.
//!
//! A server that is sent a token may repeat it in an answer, whole or in part, in another encoding or with
//! something in between. So texts are compared by their letters and digits alone, without regard to case,
//! as they stand and with their escapes undone; and a secret is known by itself, in base64 and in
//! hexadecimal.

use std::{borrow::Cow, collections::HashMap, fmt, ops::Range};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD_NO_PAD,
};
use secrecy::zeroize::Zeroizing;

use crate::text::is_unseen;

/// What has fewer letters and digits is no secret: it would be found everywhere.
const SHORTEST: usize = 4;

/// Up to so many letters and digits, the marks between them count as well.
const SHORT: usize = 6;

/// No piece of a secret is shown that has so many letters and digits.
const PIECE: usize = 16;

/// Each such piece holds one of these whole, cut from the secret one after the other.
const BLOCK: usize = PIECE / 2;

/// At how many places the same block is looked at: one that is repeated more often identifies nothing.
const MOST_PLACES: usize = 16;

/// How often escapes are undone that stand in escapes.
const LAYERS: usize = 3;

/// What stands in a secret's place.
const REDACTED: &str = "[redacted]";

/// Base64 as servers read it, with its end filled up or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What was sent in confidence.
#[derive(Clone, Default)]
pub struct Secrets(Vec<Form>);

/// A secret in one encoding.
#[derive(Clone, PartialEq)]
struct Form {
    characters: Zeroizing<Vec<char>>,
    /// Whether marks between letters count.
    has_marks: bool,
}

impl Form {
    /// Whether a text of so many characters may hold it, or a piece of it that is not shown.
    fn may_be_in(&self, room: usize) -> bool {
        room >= self.characters.len().min(PIECE - 1)
    }
}

/// A character of a text, and where it is written there.
#[derive(Clone, Debug)]
struct Written {
    character: char,
    at: Range<usize>,
}

impl Secrets {
    /// Adds one, if it is long enough to be one.
    pub fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.chars().count() < SHORTEST {
            return;
        }
        self.add_form(secret);
        let bytes = secret.as_bytes();
        if !secret.is_ascii() {
            // As it is read where each byte is taken for a character.
            self.add_form(&bytes.iter().copied().map(char::from).collect::<String>());
        }
        self.add_form(&in_hexadecimal(bytes));
        self.add_form(&BASE64_STANDARD_NO_PAD.encode(bytes));
        for before in 0..3 {
            self.add_form(&within_base64(bytes, before));
        }
    }

    /// Adds the value of a header: what stands after the scheme, and the password in it; or all of it, and
    /// what is long enough of its parts, as of cookies.
    pub fn add_header(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        let (scheme, credentials) = value.trim().split_once(' ').unwrap_or_default();
        if ["basic", "bearer"]
            .iter()
            .any(|it| scheme.eq_ignore_ascii_case(it))
        {
            self.add(credentials);
            let user = BASE64.decode(credentials.trim()).unwrap_or_default();
            self.add_user(&String::from_utf8_lossy(&user));
            return;
        }
        self.add(&value);
        for part in value.split([' ', ';', ',']) {
            let (_, named) = part.split_once('=').unwrap_or_default();
            for (part, least) in [(part, PIECE), (named, BLOCK)] {
                if part.len() >= least {
                    self.add(part);
                }
            }
        }
    }

    /// Adds a user's password, or the user where that is all there is.
    pub fn add_user(&mut self, user: &str) {
        match user.split_once(':') {
            Some((user, "")) => self.add(user),
            Some((_, password)) => self.add(password),
            None => {}
        }
    }

    /// Adds all secrets of another set.
    pub fn add_all(&mut self, others: &Self) {
        for form in &others.0 {
            self.push(form.clone());
        }
    }

    fn add_form(&mut self, text: &str) {
        let visible: Vec<char> = characters(text).map(|it| it.character).collect();
        let letters = visible.iter().filter(|it| it.is_alphanumeric()).count();
        let has_marks = letters <= SHORT && letters < visible.len();
        let mut characters = Zeroizing::new(visible);
        if !has_marks {
            characters.retain(|character| character.is_alphanumeric());
        }
        if characters.len() >= SHORTEST {
            self.push(Form {
                characters,
                has_marks,
            });
        }
    }

    fn push(&mut self, form: Form) {
        if !self.0.contains(&form) {
            self.0.push(form);
        }
    }

    /// The text without them; to be asked before it is cut or its blanks are squeezed.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let room = text.chars().count();
        let (with_marks, letters): (Vec<&Form>, Vec<&Form>) = self
            .0
            .iter()
            .filter(|form| form.may_be_in(room))
            .partition(|form| form.has_marks);
        // Most of what a server says is a few words, and a token takes long to look for.
        if with_marks.is_empty() && letters.is_empty() {
            return text.into();
        }
        let blocks = Blocks::of(&letters);
        let mut found = Vec::new();
        let mut layer: Vec<Written> = characters(text).collect();
        for _ in 0..=LAYERS {
            for form in &with_marks {
                find_whole(&form.characters, &layer, &mut found);
            }
            let only_letters: Vec<Written> = layer
                .iter()
                .filter(|it| it.character.is_alphanumeric())
                .cloned()
                .collect();
            blocks.find(&only_letters, &mut found);
            let Some(next) = decoded(&layer) else { break };
            layer = next;
        }
        without(text, found)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secrets({})", self.0.len())
    }
}

/// The pieces of secrets, by which they are found.
struct Blocks<'a> {
    /// Those that are too short to be found by pieces.
    whole: Vec<&'a [char]>,
    blocks: HashMap<&'a [char], Vec<(&'a [char], usize)>>,
}

impl<'a> Blocks<'a> {
    fn of(forms: &[&'a Form]) -> Self {
        let mut own = Self {
            whole: Vec::new(),
            blocks: HashMap::new(),
        };
        for form in forms {
            let form = form.characters.as_slice();
            if form.len() < PIECE {
                own.whole.push(form);
                continue;
            }
            for (number, block) in form.chunks_exact(BLOCK).enumerate() {
                let places = own.blocks.entry(block).or_default();
                if places.len() < MOST_PLACES {
                    places.push((form, number * BLOCK));
                }
            }
        }
        own
    }

    /// Notes where secrets, or pieces of them, are written.
    fn find(&self, text: &[Written], found: &mut Vec<Range<usize>>) {
        for form in &self.whole {
            find_whole(form, text, found);
        }
        let characters: Vec<char> = text.iter().map(|it| it.character).collect();
        let mut from = 0;
        while let Some(block) = characters.get(from..from + BLOCK) {
            let places = self.blocks.get(block).into_iter().flatten();
            let runs = places.map(|(form, at)| common(&characters, from, form, *at));
            let long = runs.filter(|run| run.len() >= PIECE - 1);
            match long.max_by_key(|run| run.end) {
                Some(run) => {
                    from = run.end;
                    note(text, run, found);
                }
                None => from += 1,
            }
        }
    }
}

/// What a text and a secret have in common around a block that they have in common.
fn common(text: &[char], at: usize, form: &[char], at_form: usize) -> Range<usize> {
    let (before, after) = text.split_at(at);
    let (form_before, form_after) = form.split_at(at_form);
    let is_same = |(one, other): &(&char, &char)| one == other;
    let back = before.iter().rev().zip(form_before.iter().rev());
    let on = after.iter().zip(form_after);
    at - back.take_while(is_same).count()..at + on.take_while(is_same).count()
}

fn find_whole(form: &[char], text: &[Written], found: &mut Vec<Range<usize>>) {
    for (start, window) in text.windows(form.len()).enumerate() {
        if window.iter().map(|it| &it.character).eq(form) {
            note(text, start..start + form.len(), found);
        }
    }
}

fn note(text: &[Written], run: Range<usize>, found: &mut Vec<Range<usize>>) {
    if let Some([first, .., last]) = text.get(run) {
        found.push(first.at.start..last.at.end);
    }
}

fn in_hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// What of base64 depends on these bytes alone, where so many others stand before them.
fn within_base64(bytes: &[u8], before: usize) -> String {
    let all = [vec![0; before], bytes.to_vec()].concat();
    let encoded = BASE64_STANDARD_NO_PAD.encode(&all);
    let first = (before * 8).div_ceil(6);
    let end = all.len() * 8 / 6;
    encoded.get(first..end).unwrap_or_default().to_owned()
}

/// The characters of a text that can be seen, in lower case.
fn characters(text: &str) -> impl Iterator<Item = Written> {
    let seen =
        |(_, character): &(usize, char)| !character.is_whitespace() && !is_unseen(*character);
    text.char_indices()
        .filter(seen)
        .map(|(start, character)| Written {
            character: character.to_lowercase().next().unwrap_or(character),
            at: start..start + character.len_utf8(),
        })
}

/// The same with its escapes undone; `None` where there are none.
fn decoded(text: &[Written]) -> Option<Vec<Written>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut is_any = false;
    while let Some((first, others)) = rest.split_first() {
        let Some((length, character)) = escape(rest) else {
            decoded.push(first.clone());
            rest = others;
            continue;
        };
        is_any = true;
        let (escape, after) = rest.split_at(length.min(rest.len()));
        let character = character.and_then(|character| character.to_lowercase().next());
        let visible = character.filter(|it| !it.is_whitespace() && !is_unseen(*it));
        if let (Some(character), [first, .., last]) = (visible, escape) {
            decoded.push(Written {
                character,
                at: first.at.start..last.at.end,
            });
        }
        rest = after;
    }
    is_any.then_some(decoded)
}

/// The escape with which a text begins, of a URL, JSON or HTML: how long it is, and what it stands for,
/// where that can be seen.
fn escape(text: &[Written]) -> Option<(usize, Option<char>)> {
    let character = |index: usize| text.get(index).map(|it| it.character);
    let number = |range: Range<usize>, radix| {
        let digits: String = text.get(range)?.iter().map(|it| it.character).collect();
        let is_number = digits.chars().all(|digit| digit.is_digit(radix));
        let number = is_number.then(|| u32::from_str_radix(&digits, radix).ok());
        char::from_u32(number??)
    };
    match (character(0)?, character(1)?) {
        ('%', _) => percent_escape(text),
        ('\\', 'u') => number(2..6, 16).map(|it| (6, Some(it))),
        ('\\', 'x') => number(2..4, 16).map(|it| (4, Some(it))),
        ('\\', 'n' | 'r' | 't' | 'b' | 'f' | '0') => Some((2, None)),
        ('\\', other) => Some((2, Some(other))),
        ('&', second) => {
            let end = text.iter().take(12).position(|it| it.character == ';')?;
            let name = |end| text.get(1..end).unwrap_or_default().iter();
            let name: String = name(end).map(|it| it.character).collect();
            let found = match name.as_str() {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ if second == '#' && character(2) == Some('x') => number(3..end, 16),
                _ if second == '#' => number(2..end, 10),
                _ => None,
            };
            found.map(|it| (end + 1, Some(it)))
        }
        _ => None,
    }
}

/// The escape of a URL with which a text begins: of a character in UTF-8, else of a byte.
fn percent_escape(text: &[Written]) -> Option<(usize, Option<char>)> {
    let byte = |index: usize| match text.get(3 * index..3 * index + 3)? {
        [percent, high, low] if percent.character == '%' => {
            let digits = [high, low].map(|it| it.character.to_digit(16));
            let [Some(high), Some(low)] = digits else {
                return None;
            };
            u8::try_from(16 * high + low).ok()
        }
        _ => None,
    };
    let first = byte(0)?;
    let bytes: Vec<u8> = (0..4).map_while(byte).collect();
    let longer = (2..=bytes.len()).find_map(|length| {
        let written = str::from_utf8(bytes.get(..length)?).ok()?;
        let mut characters = written.chars();
        let one = characters.next()?;
        (!one.is_ascii() && characters.next().is_none()).then_some((3 * length, Some(one)))
    });
    longer.or(Some((3, Some(char::from(first)))))
}

/// The text without these parts.
fn without(text: &str, mut parts: Vec<Range<usize>>) -> Cow<'_, str> {
    if parts.is_empty() {
        return text.into();
    }
    parts.sort_by_key(|part| part.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for part in parts {
        // What goes on where the last one ended is one with it.
        if part.start > end || end == 0 {
            shown.push_str(text.get(end..part.start).unwrap_or_default());
            shown.push_str(REDACTED);
        }
        end = end.max(part.end);
    }
    shown.push_str(text.get(end..).unwrap_or_default());
    shown.into()
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    const TOKEN: &str = "q7Zk+3vN/xP0_wT-9sLm2Rb8YcHd5Gf1Jt6Ue4Ka";

    fn secrets(add: impl FnOnce(&mut Secrets)) -> Secrets {
        let mut secrets = Secrets::default();
        add(&mut secrets);
        secrets
    }

    fn of_token() -> Secrets {
        let header = format!(
            "Basic {}",
            BASE64_STANDARD_NO_PAD.encode(format!(":{TOKEN}"))
        );
        secrets(|own| own.add_header(header.as_bytes()))
    }

    #[test]
    fn a_token_is_found_however_it_is_repeated() {
        let own = of_token();
        let escaped = utf8_percent_encode(TOKEN, NON_ALPHANUMERIC).to_string();
        let twice = utf8_percent_encode(&escaped, NON_ALPHANUMERIC).to_string();
        let escaped_as = |write: fn(u32) -> String| -> String {
            let codes = TOKEN.chars().map(u32::from);
            codes.map(write).collect::<Vec<_>>().concat()
        };
        let json = escaped_as(|code| format!("\\u{code:04x}"));
        let html = escaped_as(|code| format!("&#{code};"));
        let blanks: String = TOKEN.chars().flat_map(|it| [it, ' ', '\n']).collect();
        let hidden: String = TOKEN
            .chars()
            .flat_map(|it| [it, '\u{202e}', '\u{1b}'])
            .collect();
        let reader = BASE64_STANDARD_NO_PAD.encode(format!("user:{TOKEN}"));
        for echo in [
            TOKEN.to_owned(),
            TOKEN.to_uppercase(),
            escaped.clone(),
            escaped.to_lowercase(),
            twice,
            json,
            html,
            blanks,
            utf8_percent_encode(
                hidden.trim_end_matches(['\u{1b}', '\u{202e}']),
                NON_ALPHANUMERIC,
            )
            .to_string(),
            hidden,
            reader.replace('+', "-").replace('/', "_"),
            BASE64_STANDARD_NO_PAD.encode(TOKEN),
            in_hexadecimal(TOKEN.as_bytes()).to_uppercase(),
            TOKEN[..30].to_owned(),
            TOKEN[10..].to_owned(),
            TOKEN.replace('+', " "),
        ] {
            let said = format!("before {echo} after");
            let shown = own.redact(&said);
            assert!(shown.contains(REDACTED), "{said} became {shown}");
            assert!(
                shown.starts_with("before ") && shown.ends_with(" after"),
                "{shown}"
            );
            let left = shown.len() - "before  after".len();
            // What base64 makes of the user before it stays.
            assert!(left <= REDACTED.len() + 7, "{said} became {shown}");
        }
    }

    #[test]
    fn what_holds_no_secret_stays_as_it_is() {
        let own = of_token();
        for said in [
            "",
            "TF401019: The Git repository with name or identifier r does not exist",
            "100 % sure \\ &amp; {\"a\": 1} \\u0041 %41",
            "Größe \u{202e}",
        ] {
            assert!(matches!(own.redact(said), Cow::Borrowed(same) if same == said));
        }
    }

    #[test]
    fn short_secrets_are_found_as_they_are_and_shorter_ones_are_none() {
        let own = secrets(|own| own.add("p@$$"));
        assert_eq!(own.redact("it is p@$$."), "it is [redacted].");
        assert_eq!(own.redact("it is p%40%24$."), "it is [redacted].");
        assert_eq!(secrets(|own| own.add("abc")).redact("abc"), "abc");
    }

    #[test]
    fn every_part_of_a_header_counts_that_could_be_one() {
        let own = secrets(|own| own.add_header(b"FedAuth=0123456789; Other=abcdefgh"));
        assert_eq!(own.redact("you sent 0123456789"), "you sent [redacted]");
        assert_eq!(own.redact("abcdefgh!"), "[redacted]!");
        let own = secrets(|own| own.add_user("token:"));
        assert_eq!(own.redact("token"), "[redacted]");
    }

    #[test]
    fn a_secret_of_one_letter_and_a_text_of_it_take_no_time() {
        let own = secrets(|own| own.add(&"a".repeat(4_000)));
        assert_eq!(own.redact(&"a".repeat(60_000)), REDACTED);
    }
}
