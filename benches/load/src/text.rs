//! What the small languages of the command line are made of: words, signs, and errors that point
//! at the place.

use std::fmt;
use std::ops::Range;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    text: String,
    place: Range<usize>,
    message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text[..self.place.start].chars().count();
        let marked = self.text[self.place.clone()].chars().count().max(1);
        writeln!(f, "{}", self.message)?;
        writeln!(f, "    {}", self.text)?;
        write!(f, "    {}{}", " ".repeat(before), "^".repeat(marked))
    }
}

impl std::error::Error for Mistake {}

/// A word (a name or a quantity) or a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    text: String,
    place: Range<usize>,
}

/// Reads a text token by token.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, tokens: tokens(text), next: 0 }
    }

    /// The next token, without taking it.
    pub(crate) fn peek(&self) -> Option<&str> {
        self.tokens.get(self.next).map(|token| token.text.as_str())
    }

    /// Takes the next token if it is this one.
    pub(crate) fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.next += usize::from(found);
        found
    }

    /// Takes the next token, which has to be this one.
    pub(crate) fn expect(&mut self, token: &str, why: &str) -> Result<(), Mistake> {
        match self.take(token) {
            true => Ok(()),
            false => Err(self.mistake(format!("expected `{token}` {why}"))),
        }
    }

    /// Takes the next token, which has to be a word.
    pub(crate) fn word(&mut self, what: &str) -> Result<String, Mistake> {
        match self.peek() {
            Some(word) if word.starts_with(in_word) => {
                let word = word.to_owned();
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.mistake(format!("expected {what}"))),
        }
    }

    /// Takes the next word and understands it.
    pub(crate) fn parsed<T>(
        &mut self,
        what: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Mistake> {
        let word = self.word(what)?;
        parse(&word).map_err(|message| self.last(message))
    }

    /// Nothing may be left.
    pub(crate) fn end(&self, or: &str) -> Result<(), Mistake> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.mistake(format!("expected {or} or the end"))),
        }
    }

    /// A mistake at the next token.
    pub(crate) fn mistake(&self, message: String) -> Mistake {
        let end = self.text.len()..self.text.len();
        let place = self.tokens.get(self.next).map_or(end, |token| token.place.clone());
        Mistake { text: self.text.into(), place, message }
    }

    /// A mistake at the token that was taken last.
    pub(crate) fn last(&self, message: String) -> Mistake {
        self.since(self.next.saturating_sub(1), message)
    }

    /// Where the next token stands, for [`Reader::since`].
    pub(crate) fn here(&self) -> usize {
        self.next
    }

    /// A mistake that reaches from an earlier token to the one that was taken last.
    pub(crate) fn since(&self, first: usize, message: String) -> Mistake {
        self.between(first, self.next, message)
    }

    /// A mistake that reaches from one token to the one before another.
    pub(crate) fn between(&self, first: usize, end: usize, message: String) -> Mistake {
        let start = self.tokens.get(first).map_or(self.text.len(), |token| token.place.start);
        let last = end.checked_sub(1).and_then(|n| self.tokens.get(n));
        let end = last.map_or(self.text.len(), |token| token.place.end).max(start);
        Mistake { text: self.text.into(), place: start..end, message }
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        let end = at + c.len_utf8();
        match tokens.last_mut() {
            Some(last) if in_word(c) && last.place.end == at && last.text.ends_with(in_word) => {
                last.text.push(c);
                last.place.end = end;
            }
            _ => tokens.push(Token { text: c.into(), place: at..end }),
        }
    }
    tokens
}

/// A number such as `10000`, `10_000`, `10k` or `1.5M`, not negative.
///
/// # Errors
/// Says what is not understood.
pub fn number(text: &str) -> Result<f64, String> {
    let (digits, factor) = match text.strip_suffix(['k', 'M']) {
        Some(digits) if text.ends_with('k') => (digits, 1e3),
        Some(digits) => (digits, 1e6),
        None => (text, 1.0),
    };
    let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let value = digits.replace('_', "").parse::<f64>().ok().filter(|_| plain);
    value.map(|value| value * factor).filter(|value| value.is_finite()).ok_or_else(|| {
        format!("`{text}` is no number: write it as 10000, 0.5, 10k or 1.5M, not negative")
    })
}

/// Seconds of a duration such as `30s`, `250ms`, `5m`, `1h` or `1m30s`.
///
/// # Errors
/// Says what is not understood.
pub fn seconds(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no duration: write it as 30s, 250ms, 5m, 1h or 1m30s");
    let mut sum = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (amount, unit) = rest.split_at(digits);
        let letters = unit.find(|c: char| !c.is_alphabetic()).unwrap_or(unit.len());
        let factor = match &unit[..letters] {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        sum += amount.parse::<f64>().map_err(|_| wrong())? * factor;
        rest = &unit[letters..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_are_read_as_people_write_them() {
        for (text, value) in [("10000", 1e4), ("10_000", 1e4), ("10k", 1e4), ("1.5M", 1.5e6)] {
            assert_eq!(number(text), Ok(value));
        }
        for (text, value) in [("30s", 30.0), ("250ms", 0.25), ("1m30s", 90.0), ("1.5h", 5400.0)] {
            assert_eq!(seconds(text), Ok(value));
        }
        for wrong in ["", "-1", "ten", "1e400", "inf", "nan", "k", "1kk"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "30", "s", "1x", "1m30", "-1s", "1..0s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mistake_points_at_its_place() {
        let mut reader = Reader::new("è( 5 )");
        assert_eq!(reader.word("a name").unwrap(), "è");
        reader.expect("(", "").unwrap();
        let mistake = reader.parsed("a duration", seconds).unwrap_err().to_string();
        let lines: Vec<&str> = mistake.lines().collect();
        assert!(lines[0].contains("`5` is no duration"), "{mistake}");
        assert_eq!(lines[1..], ["    è( 5 )", "       ^"]);
    }
}
