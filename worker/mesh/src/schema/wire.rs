//! Confluent's wire format: which schema a value follows.

use super::{Header, Rejection};
use std::fmt;

/// How a registry knows a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SchemaId {
    /// A number: magic 0.
    Id(u32),
    /// A GUID: magic 1.
    Guid(u128),
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaId::Id(id) => write!(f, "{id}"),
            SchemaId::Guid(guid) => {
                let hex = format!("{guid:032x}");
                let (a, b, c) = (&hex[..8], &hex[8..12], &hex[12..16]);
                write!(f, "{a}-{b}-{c}-{}-{}", &hex[16..20], &hex[20..])
            }
        }
    }
}

/// The header that holds the id of a value.
const HEADER: &str = "__value_schema_id";

/// What was framed.
#[derive(Debug, PartialEq)]
pub(super) struct Framed<'a> {
    pub(super) id: SchemaId,
    /// Which message of the Protobuf file: an index at each level of nesting.
    pub(super) message: Vec<usize>,
    pub(super) payload: &'a [u8],
}

/// Takes the id off a value, or reads it from its header; with `protobuf`, the message indexes
/// behind it too.
pub(super) fn unframe<'a>(
    value: &'a [u8],
    headers: &[Header],
    protobuf: bool,
) -> Result<Framed<'a>, Rejection> {
    let header = headers.iter().rev().find(|(name, _)| name == HEADER);
    let Some((_, header)) = header else {
        let mut rest = value;
        let id = take_id(&mut rest)?;
        let message = if protobuf { take_indexes(&mut rest)? } else { Vec::new() };
        return Ok(Framed { id, message, payload: rest });
    };
    let mut rest = header.as_deref().unwrap_or_default();
    let id = take_id(&mut rest)?;
    let message = if protobuf { take_indexes(&mut rest)? } else { Vec::new() };
    Ok(Framed { id, message, payload: value })
}

fn take_id(rest: &mut &[u8]) -> Result<SchemaId, Rejection> {
    let (&magic, after) =
        rest.split_first().ok_or_else(|| Rejection::Wire("it is empty".into()))?;
    let short = || Rejection::Wire("it ends within the schema id".into());
    let (id, after) = match magic {
        0 => {
            let (id, after) = after.split_first_chunk().ok_or_else(short)?;
            (SchemaId::Id(u32::from_be_bytes(*id)), after)
        }
        1 => {
            let (guid, after) = after.split_first_chunk().ok_or_else(short)?;
            (SchemaId::Guid(u128::from_be_bytes(*guid)), after)
        }
        other => return Err(Rejection::Wire(format!("it begins with {other}, expected 0 or 1"))),
    };
    *rest = after;
    Ok(id)
}

/// Messages that are nested in each other at most.
const NESTED: i64 = 16;

/// A count and as many indexes, all zigzag; a count of 0 stands for the first message.
fn take_indexes(rest: &mut &[u8]) -> Result<Vec<usize>, Rejection> {
    let wrong = || Rejection::Wire("the message indexes cannot be read".into());
    let count = take_long(rest).filter(|n| (0..=NESTED).contains(n)).ok_or_else(wrong)?;
    if count == 0 {
        return Ok(vec![0]);
    }
    (0..count)
        .map(|_| take_long(rest).and_then(|i| usize::try_from(i).ok()).ok_or_else(wrong))
        .collect()
}

/// A zigzag variable-length integer, as Avro and Protobuf write it; at most 10 bytes.
pub(super) fn take_long(rest: &mut &[u8]) -> Option<i64> {
    let mut number = 0u64;
    for (index, &byte) in rest.iter().take(10).enumerate() {
        if index == 9 && byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *rest = &rest[index + 1..];
            return Some((number >> 1) as i64 ^ -((number & 1) as i64));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_before_the_value_or_in_its_header() {
        let framed = unframe(&[0, 0, 0, 1, 2, 9], &[], false).unwrap();
        assert_eq!((framed.id, framed.payload), (SchemaId::Id(258), &[9][..]));
        let guid = 0x89791762_2336_4186_9674_299b90a802e2u128;
        let mut header = vec![1];
        header.extend(guid.to_be_bytes());
        header.extend([4, 2, 0]);
        let headers = [(HEADER.to_owned(), Some(header))];
        let framed = unframe(&[9], &headers, true).unwrap();
        assert_eq!(framed.id.to_string(), "89791762-2336-4186-9674-299b90a802e2");
        assert_eq!((framed.message, framed.payload), (vec![1, 0], &[9][..]));
    }

    #[test]
    fn what_is_not_framed_is_rejected() {
        let code = |value: &[u8]| unframe(value, &[], true).unwrap_err().code();
        for value in [&b""[..], b"{}", &[0, 0, 0, 1], &[1; 9], &[0, 0, 0, 0, 1, 255, 255]] {
            assert_eq!(code(value), "decode.wire-format");
        }
    }

    #[test]
    fn longs_are_zigzag() {
        let long = |mut bytes: &[u8]| take_long(&mut bytes);
        assert_eq!((long(&[1]), long(&[0x80, 1]), long(&[0x7f])), (Some(-1), Some(64), Some(-64)));
        let least = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!((long(&least), long(&[0x80]), long(&[0xff; 11])), (Some(i64::MIN), None, None));
    }
}
