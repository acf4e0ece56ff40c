//! Records that claim more than they hold take neither memory nor the stack. Alone in its process,
//! since the memory of the whole process is what is measured.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

use mesh::schema::{Admission, Codec, Decoder, Incoming, Input};
use std::path::PathBuf;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name)
}

/// The most memory that the process ever had, bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// The golden with every run of eight bytes replaced by a large number.
fn swollen(file: &str) -> impl Iterator<Item = Vec<u8>> {
    let value = std::fs::read(golden(file)).unwrap();
    let numbers = [1i64 << 62, 1 << 40, 0x7fff_ffff_7fff_ffff, -1];
    (0..value.len() - 8).flat_map(move |at| {
        let value = value.clone();
        numbers.into_iter().map(move |number| {
            let mut value = value.clone();
            value[at..at + 8].copy_from_slice(&number.to_le_bytes());
            value
        })
    })
}

#[test]
fn what_a_record_claims_takes_no_memory() {
    let admission = Admission { dimension: 2, max_bytes: 1 << 20 };
    let before = peak();
    for (codec, schema, file, repeated) in [
        (Codec::Json, None, "point.json", &b"["[..]),
        (Codec::Json, None, "point.json", b"{\"a\":"),
        (Codec::Avro, Some("point.avsc"), "point.avro", b"\xfe\xff\xff\xff\x0f"),
        (Codec::Avro, Some("nested.avsc"), "nested.avro", b"\x02"),
        (Codec::Protobuf, Some("point.proto"), "point.pb", b"\x2b"),
        (Codec::Protobuf, Some("point.proto"), "point.pb", b"\x22\xff\xff\xff\xff\x07"),
        (Codec::ArrowIpc, None, "points.arrows", b"\xff\xff\xff\xff\xff\xff\xff\x7f"),
    ] {
        let mut input = Input { codec, schema_file: schema.map(golden), ..Input::default() };
        if schema == Some("nested.avsc") {
            input.fields.values = mesh::schema::Values::Each(vec!["at".into(), "reading.y".into()]);
        }
        let decoder = Decoder::new(&input, admission).unwrap();
        let read = |value: &[u8]| {
            let incoming =
                Incoming { key: None, value: Some(value), timestamp: None, headers: &[] };
            decoder.decode(&incoming)
        };
        read(&repeated.repeat((1 << 20) / repeated.len())).unwrap_err();
        swollen(file).for_each(|value| drop(read(&value)));
    }
    let taken = peak() - before;
    assert!(taken < 64 << 20, "{taken} bytes");
}
