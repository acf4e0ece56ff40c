use super::arguments::Show;
use super::{Archive, moment};
use anyhow::{Context, Result};
use mesh::dead_letters::Letter;
use mesh::schema::Header;
use std::fmt::Write as _;
use std::io::{self, Write as _};

pub(super) fn run(show: &Show) -> Result<()> {
    let archive = Archive::of(&show.of.config)?;
    let letter = archive.one(show.place)?;
    let mut out = io::stdout().lock();
    if show.raw {
        let value = letter.value.as_deref().context("the record has no value")?;
        out.write_all(value)?;
    } else {
        out.write_all(told(&letter).as_bytes())?;
    }
    Ok(out.flush()?)
}

fn told(letter: &Letter) -> String {
    let Letter { code, message, topic, partition, offset, .. } = letter;
    let (place, at) = letter.place;
    let mut text = String::new();
    for (name, value) in [
        ("place", format!("{place}/{at}")),
        ("sent", moment(letter.sent)),
        ("code", code.clone()),
        ("message", bytes(message.as_bytes())),
        ("record", format!("{topic}/{partition}/{offset}")),
        ("timestamp", moment(letter.timestamp)),
        ("pipeline", letter.pipeline.clone()),
        ("worker", letter.worker.clone()),
        ("attempts", letter.attempts.to_string()),
    ] {
        let _ = writeln!(text, "{name:<10} {value}");
    }
    section(&mut text, "headers", &headers(&letter.headers));
    section(&mut text, "added headers", &headers(&letter.added));
    section(&mut text, "key", &value(letter.key.as_deref()));
    let left_out = letter.left_out.map(|bytes| format!("(left out, {bytes} bytes)"));
    let value = left_out.unwrap_or_else(|| value(letter.value.as_deref()));
    section(&mut text, "value", &value);
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "\n{title}\n");
    for line in body.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

fn headers(headers: &[Header]) -> String {
    let line = |(name, value): &Header| {
        format!("{}: {}", bytes(name.as_bytes()), value.as_deref().map_or("(none)".into(), bytes))
    };
    match headers.is_empty() {
        true => "(none)".into(),
        false => headers.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

/// JSON with its indents, other text as it is, bytes as a dump.
fn value(value: Option<&[u8]>) -> String {
    let Some(value) = value else { return "(none)".into() };
    if let Ok(json) = serde_json::from_slice::<Box<serde_json::value::RawValue>>(value)
        && json.get().starts_with(['{', '['])
        && let Ok(parsed) = serde_json::from_str::<serde_json::Value>(json.get())
        && let Ok(pretty) = serde_json::to_string_pretty(&parsed)
    {
        return pretty;
    }
    match plain(value) {
        Some(text) => text.to_owned(),
        None => dump(value),
    }
}

/// Text on one line, or its bytes in hex.
fn bytes(value: &[u8]) -> String {
    match plain(value) {
        Some(text) if !text.contains('\n') => text.to_owned(),
        _ => value.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" "),
    }
}

/// Text that does nothing to a terminal.
fn plain(value: &[u8]) -> Option<&str> {
    let harmless = |c: char| !c.is_control() || c == '\n' || c == '\t';
    std::str::from_utf8(value).ok().filter(|text| text.chars().all(harmless))
}

/// Sixteen bytes a line: where they are, in hex, and as ASCII.
fn dump(value: &[u8]) -> String {
    let line = |(index, chunk): (usize, &[u8])| {
        let hex: Vec<String> = chunk.iter().map(|b| format!("{b:02x}")).collect();
        let shown = |&b: &u8| if b.is_ascii_graphic() || b == b' ' { char::from(b) } else { '.' };
        let text: String = chunk.iter().map(shown).collect();
        format!("{:08x}  {:<47}  {text}", 16 * index, hex.join(" "))
    };
    value.chunks(16).enumerate().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_for_people() {
        assert_eq!(value(Some(br#"{"a":[1]}"#)), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(value(Some("grüße\nan {".as_bytes())), "grüße\nan {");
        assert_eq!(value(None), "(none)");
        let binary: Vec<u8> = (0x1b..0x2d).collect();
        assert_eq!(
            value(Some(&binary)),
            "00000000  1b 1c 1d 1e 1f 20 21 22 23 24 25 26 27 28 29 2a  ..... !\"#$%&'()*\n\
             00000010  2b 2c                                            +,"
        );
        assert_eq!(bytes(b"\x1b[2J"), "1b 5b 32 4a", "nothing reaches the terminal");
    }
}
