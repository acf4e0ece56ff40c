//! The input codecs: what reference implementations wrote is read, hostile bytes are refused, and
//! a registry that fails is told from a record that is at fault.
#![allow(clippy::unwrap_used)]

mod registry;

use mesh::schema::{Admission, Codec, Decoder, Failure, Incoming, Input, Sample, TimeUnit, Values};
use proptest::prelude::*;
use registry::Registry;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const ADMISSION: Admission = Admission { dimension: 2, max_bytes: 1 << 20 };

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).unwrap()
}

fn incoming(value: &[u8]) -> Incoming<'_> {
    Incoming { key: Some(b"key"), value: Some(value), timestamp: Some(7), headers: &[] }
}

fn decoder(input: &Input) -> Decoder {
    Decoder::new(input, ADMISSION).unwrap()
}

fn sample(series: &str, time: f64, values: [f32; 2]) -> Sample {
    Sample { series: series.into(), time, values: values.into() }
}

fn code(failure: Failure) -> &'static str {
    match failure {
        Failure::Rejected(rejection) => rejection.code(),
        Failure::Unavailable(_) => "unavailable",
    }
}

fn plain(codec: Codec, schema: Option<&str>) -> Input {
    Input { codec, schema_file: schema.map(golden), ..Input::default() }
}

/// A codec, its schema, and what was written with it.
const SAMPLES: [(Codec, Option<&str>, &str); 5] = [
    (Codec::Json, None, "point.json"),
    (Codec::Avro, Some("point.avsc"), "point.avro"),
    (Codec::Avro, Some("nested.avsc"), "nested.avro"),
    (Codec::Protobuf, Some("point.proto"), "point.pb"),
    (Codec::ArrowIpc, None, "points.arrows"),
];

fn input(codec: Codec, schema: Option<&str>) -> Input {
    let mut input = plain(codec, schema);
    if schema == Some("nested.avsc") {
        input.fields.series = Some("device.name".into());
        input.fields.time = Some("at".into());
        input.fields.values = Values::Each(vec!["reading.x".into(), "reading.y".into()]);
    }
    input
}

#[test]
fn every_codec_reads_what_its_reference_implementation_wrote() {
    for (codec, schema, file) in SAMPLES {
        let decoded = decoder(&input(codec, schema)).decode(&incoming(&bytes(file))).unwrap();
        let first = sample("pump-7", 1_790_000_000_123.5, [0.25, -1.5]);
        assert_eq!(decoded[0], first, "{file}");
        if codec == Codec::ArrowIpc {
            let second = sample("pump-8", 1_790_000_000_124.5, [0.5, 3.0]);
            assert_eq!(decoded[1..], [second, sample("key", 7.0, [1.0, 2.0])]);
        }
    }
}

#[test]
fn fields_of_json_are_mapped() {
    let mut input = Input::default();
    input.fields.series = Some("device.id".into());
    input.fields.time = Some("at".into());
    input.fields.time_unit = TimeUnit::Rfc3339;
    input.fields.values = Values::Each(vec!["x".into(), "y".into()]);
    let value = br#"{"device":{"id":5},"at":"2026-09-21T14:13:20.25+00:00","x":1,"y":2.5}"#;
    let found = decoder(&input).decode(&incoming(value)).unwrap();
    assert_eq!(found, [sample("5", 1_790_000_000_250.0, [1.0, 2.5])]);
    let wrong = br#"{"device":{"id":5},"at":"yesterday","x":1,"y":2.5}"#;
    assert_eq!(code(decoder(&input).decode(&incoming(wrong)).unwrap_err()), "decode.field");
}

#[test]
fn json_is_judged_alike_whether_fields_are_mapped_or_not() {
    let mut mapped = Input::default();
    mapped.fields.values = Values::List("values".into());
    mapped.fields.series = Some("series".into());
    let table = [
        (r#" {"series":"s","time":1.5,"values":[1,2],"unit":"mV"}"#, Ok(("s", 1.5))),
        (r#"{"series":7,"values":[1,2]}"#, Ok(("7", 7.0))),
        (r#"{"series":18446744073709551615,"values":[1,2]}"#, Ok(("18446744073709551615", 7.0))),
        (r#"{"series":null,"time":null,"values":[1,2]}"#, Ok(("key", 7.0))),
        (r#"["s",1795770000000,[1,2]]"#, Err("decode.json")),
        (r#""s""#, Err("decode.json")),
        (r#"{"values":[1,2"#, Err("decode.json")),
        (r#"{"values":[1,NaN]}"#, Err("decode.json")),
        (r#"{"series":1.5,"values":[1,2]}"#, Err("decode.field")),
        (r#"{"series":true,"values":[1,2]}"#, Err("decode.field")),
        (r#"{"time":"noon","values":[1,2]}"#, Err("decode.field")),
        (r#"{"time":1}"#, Err("decode.field")),
        (r#"{"values":null}"#, Err("decode.field")),
        (r#"{"values":3}"#, Err("decode.field")),
        (r#"{"values":[1,"2"]}"#, Err("decode.field")),
        (r#"{"values":[1,null]}"#, Err("decode.field")),
        (r#"{"values":[1]}"#, Err("admit.dimension")),
        (r#"{"values":[1,1e39]}"#, Err("admit.not-finite")),
        (r#"{"series":"","values":[1,2]}"#, Err("admit.series")),
    ];
    for input in [Input::default(), mapped] {
        let decoder = decoder(&input);
        for (value, expected) in table {
            let found = decoder.decode(&incoming(value.as_bytes())).map_err(code);
            let expected = expected.map(|(series, time)| vec![sample(series, time, [1.0, 2.0])]);
            assert_eq!(found, expected, "{value} with {:?}", input.fields);
        }
    }
    let array = decoder(&Input::default()).decode(&incoming(b"[1]")).unwrap_err().to_string();
    assert!(array.contains("expected an object"), "{array}");
}

#[test]
fn records_without_bytes_and_with_too_many_are_rejected() {
    let decoder = decoder(&Input::default());
    let nothing = Incoming { value: None, ..incoming(b"") };
    assert_eq!(code(decoder.decode(&nothing).unwrap_err()), "decode.empty");
    let large = vec![b' '; ADMISSION.max_bytes + 1];
    assert_eq!(code(decoder.decode(&incoming(&large)).unwrap_err()), "decode.size");
}

#[test]
fn what_samples_depend_on_is_in_the_meaning_of_a_decoder() {
    let meaning = |input: &Input| decoder(input).meaning().to_owned();
    let point = plain(Codec::Avro, Some("point.avsc"));
    let nested = input(Codec::Avro, Some("nested.avsc"));
    let mut bounded = point.clone();
    bounded.time.earliest_ms = Some(0);
    let all = [&Input::default(), &point, &nested, &bounded].map(meaning);
    assert!((1..4).all(|i| !all[..i].contains(&all[i])), "{all:?}");
    let registry = Registry::start();
    let mut elsewhere = registered(&registry, Codec::Avro);
    let here = meaning(&elsewhere);
    elsewhere.registry.as_mut().unwrap().url = "http://other".into();
    assert_eq!(meaning(&elsewhere), here);
}

#[test]
fn times_are_admitted_within_bounds_of_the_record() {
    let mut input = Input::default();
    input.time.earliest_ms = Some(-1);
    input.time.max_ahead_ms = Some(10);
    input.time.max_behind_ms = Some(5);
    let read = |time: &str| {
        let value = format!(r#"{{"time":{time},"values":[1,2]}}"#);
        decoder(&input).decode(&incoming(value.as_bytes())).map_err(code).map(|s| s[0].time)
    };
    assert_eq!([read("2"), read("17")], [Ok(2.0), Ok(17.0)]);
    assert_eq!([read("1.5"), read("17.5")], [Err("admit.too-early"), Err("admit.too-late")]);
}

#[test]
fn a_record_of_many_points_is_admitted_as_a_whole() {
    let (value, mut input) = (bytes("points.arrows"), plain(Codec::ArrowIpc, None));
    let dimension = Admission { dimension: 3, ..ADMISSION };
    let failure = Decoder::new(&input, dimension).unwrap().decode(&incoming(&value)).unwrap_err();
    assert_eq!(failure.to_string(), "row 0: the point has 2 values, expected 3");
    assert_eq!(code(failure), "admit.dimension");
    input.max_points = Some(2);
    assert_eq!(code(decoder(&input).decode(&incoming(&value)).unwrap_err()), "decode.points");
}

fn registered(registry: &Registry, codec: Codec) -> Input {
    let json = serde_json::json!({ "url": registry.url, "timeout_ms": 300 });
    Input { codec, registry: Some(serde_json::from_value(json).unwrap()), ..Input::default() }
}

fn framed(id: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 0, id], payload].concat()
}

#[test]
fn a_schema_is_asked_for_once() {
    let registry = Registry::start();
    registry.put(3, "AVRO", &String::from_utf8(bytes("point.avsc")).unwrap(), "[]");
    let (decoder, value) =
        (decoder(&registered(&registry, Codec::Avro)), framed(3, &bytes("point.avro")));
    let known = || decoder.decode_known(&incoming(&value)).map_err(code).map(|s| s.len());
    assert_eq!(known(), Err("unavailable"));
    assert_eq!(registry.asked.lock().unwrap().len(), 0);
    for _ in 0..3 {
        assert_eq!(decoder.decode(&incoming(&value)).unwrap()[0].series, "pump-7");
    }
    assert_eq!(known(), Ok(1));
    assert_eq!(registry.asked.lock().unwrap().len(), 1);
    let unknown = framed(4, &bytes("point.avro"));
    let known = || decoder.decode_known(&incoming(&unknown)).map_err(code).map(|s| s.len());
    assert_eq!(known(), Err("unavailable"));
    assert_eq!(code(decoder.decode(&incoming(&unknown)).unwrap_err()), "decode.schema-unknown");
    assert_eq!(known(), Err("decode.schema-unknown"), "what was answered is not asked again");
}

#[test]
fn references_are_followed() {
    let registry = Registry::start();
    let references = r#"[{"name":"org.Reading","subject":"values","version":1}]"#;
    registry.put_subject(
        "values",
        "AVRO",
        r#"{"type":"record","name":"Reading","namespace":"org","fields":[{"name":"values","type":{"type":"array","items":"double"}}]}"#,
    );
    registry.put(
        9,
        "AVRO",
        r#"{"type":"record","name":"P","fields":[{"name":"r","type":"org.Reading"}]}"#,
        references,
    );
    let mut input = registered(&registry, Codec::Avro);
    input.fields.values = Values::List("r.values".into());
    let mut datum = vec![4];
    datum.extend(1.5f64.to_le_bytes());
    datum.extend((-2.0f64).to_le_bytes());
    datum.push(0);
    let found = decoder(&input).decode(&incoming(&framed(9, &datum))).unwrap();
    assert_eq!(found, [sample("key", 7.0, [1.5, -2.0])]);

    let file = String::from_utf8(bytes("point.proto")).unwrap();
    registry.put_subject("point", "PROTOBUF", &file);
    let outer = r#"syntax = "proto3"; package outer; import "point.proto";
        message Other {} message Outer { message In { Point p = 1; } }"#
        .replace("Point p", "telemetry.Point p");
    let references = r#"[{"name":"point.proto","subject":"point","version":1}]"#;
    registry.put(10, "PROTOBUF", &outer, references);
    let mut input = registered(&registry, Codec::Protobuf);
    input.fields.series = Some("p.series".into());
    input.fields.values = Values::List("p.values".into());
    let inner = bytes("point.pb");
    let datum = [&[4, 2, 0, 10, inner.len() as u8], &inner[..]].concat();
    let found = decoder(&input).decode(&incoming(&framed(10, &datum))).unwrap();
    assert_eq!(found, [sample("pump-7", 7.0, [0.25, -1.5])]);
}

#[test]
fn a_registry_that_fails_is_no_fault_of_the_record() {
    let registry = Registry::start();
    let decoder = decoder(&registered(&registry, Codec::Avro));
    let value = framed(1, &bytes("point.avro"));
    let read = || decoder.decode(&incoming(&value)).map_err(code).map(|s| s.len());
    assert_eq!(read(), Err("decode.schema-unknown"));
    for (status, body) in [(404, "no such page"), (401, "{}"), (500, "{}"), (200, "<html>")] {
        registry.set("/schemas/ids/1", status, body);
        assert_eq!(read(), Err("unavailable"), "{status}");
    }
    *registry.delay.lock().unwrap() = Duration::from_secs(1);
    let start = Instant::now();
    assert_eq!(read(), Err("unavailable"));
    assert!(start.elapsed() < Duration::from_millis(900));
    *registry.delay.lock().unwrap() = Duration::ZERO;
    registry.put(1, "JSON", "{}", "[]");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(read(), Err("decode.schema"));
}

#[test]
fn the_registry_is_told_who_asks() {
    let registry = Registry::start();
    let mut input = registered(&registry, Codec::Avro);
    let file = std::env::temp_dir().join(format!("password-{}", std::process::id()));
    std::fs::write(&file, "open sesame\n").unwrap();
    let settings = input.registry.as_mut().unwrap();
    settings.username = Some("Aladdin".into());
    settings.password_file = Some(file.clone());
    let decoder = decoder(&input);
    decoder.decode(&incoming(&framed(1, &[]))).unwrap_err();
    // A new password counts from the next request on.
    std::fs::write(&file, "close sesame").unwrap();
    decoder.decode(&incoming(&framed(2, &[]))).unwrap_err();
    std::fs::remove_file(file).unwrap();
    let told: Vec<String> = registry.asked.lock().unwrap().iter().map(|a| a.1.clone()).collect();
    // The first is the example of RFC 7617 §2.
    let wanted = ["QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "QWxhZGRpbjpjbG9zZSBzZXNhbWU="];
    assert_eq!(told, wanted.map(|pair| format!("Basic {pair}")));
}

#[test]
fn an_address_with_a_password_is_refused_without_showing_it() {
    let registry = Registry::start();
    let mut input = registered(&registry, Codec::Avro);
    input.registry.as_mut().unwrap().url = "https://Aladdin:sesame@registry.example/x@y".into();
    let error = Decoder::new(&input, ADMISSION).unwrap_err();
    assert_eq!(error.path, "registry.url");
    let told = error.message;
    assert!(told.contains("password_file") && !told.contains("sesame"), "{told}");
}

#[test]
fn the_registry_must_have_a_certificate_that_is_trusted() {
    let registry = Registry::start_tls();
    registry.put(1, "AVRO", &String::from_utf8(bytes("point.avsc")).unwrap(), "[]");
    let mut input = registered(&registry, Codec::Avro);
    let value = framed(1, &bytes("point.avro"));
    let read = |input: &Input| decoder(input).decode(&incoming(&value)).map_err(code);
    assert_eq!(read(&input), Err("unavailable"));
    let certificate = golden("../registry/certificate.pem");
    input.registry.as_mut().unwrap().ca_file = Some(certificate);
    assert_eq!(read(&input).unwrap()[0].series, "pump-7");
    let settings = input.registry.as_mut().unwrap();
    settings.url = settings.url.replace("127.0.0.1", "127.0.0.2");
    assert_eq!(read(&input), Err("unavailable"));
}

#[test]
fn values_without_bytes_and_deep_values_are_refused() {
    let list = r#"{"type":"record","name":"N","fields":[
        {"name":"next","type":["null","N"]},{"name":"nothing","type":{"type":"array","items":"null"}},
        {"name":"values","type":{"type":"array","items":"float"}}]}"#;
    let registry = Registry::start();
    registry.put(1, "AVRO", list, "[]");
    let decoder = decoder(&registered(&registry, Codec::Avro));
    let deep = vec![2; 1 << 19];
    assert_eq!(code(decoder.decode(&incoming(&framed(1, &deep))).unwrap_err()), "decode.avro");
    let mut many = vec![0];
    many.extend([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    assert_eq!(code(decoder.decode(&incoming(&framed(1, &many))).unwrap_err()), "decode.avro");
}

/// As Avro and Protobuf's `sint64` write it.
fn zigzag(number: i64) -> Vec<u8> {
    varint((number << 1 ^ number >> 63) as u64)
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn as_avro(sample: &Sample, blocks: bool) -> Vec<u8> {
    let name = sample.series.as_bytes();
    let values = sample.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let tags = [zigzag(-1), zigzag(5), zigzag(1), b"k".to_vec(), zigzag(1), zigzag(9), vec![0, 0]];
    let header = if blocks { [zigzag(-2), zigzag(8)].concat() } else { zigzag(2) };
    let time = sample.time.to_le_bytes();
    let parts = [&[0][..], &[2], &zigzag(name.len() as i64), name, &tags.concat(), &time];
    [&parts.concat()[..], &header, &values, &[0]].concat()
}

fn as_protobuf(sample: &Sample, packed: bool) -> Vec<u8> {
    let name = sample.series.as_bytes();
    let head = [&[10][..], &varint(name.len() as u64), name, &[17], &sample.time.to_le_bytes()];
    let value = |v: &f32| [&[29][..], &v.to_le_bytes()].concat();
    let values: Vec<u8> = if packed {
        [26, 8].into_iter().chain(sample.values.iter().flat_map(|v| v.to_le_bytes())).collect()
    } else {
        sample.values.iter().flat_map(value).collect()
    };
    // An unknown field, as a newer producer writes.
    [head.concat(), values, vec![0x78, 1]].concat()
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        series in ".{1,20}",
        time in -1e15..1e15f64,
        values in prop::array::uniform2(prop::num::f32::NORMAL),
        other in any::<bool>(),
    ) {
        let sample = sample(&series, time, values);
        let json = serde_json::json!({ "series": series, "time": time, "values": values });
        for (codec, schema, value) in [
            (Codec::Json, None, json.to_string().into_bytes()),
            (Codec::Avro, Some("point.avsc"), as_avro(&sample, other)),
            (Codec::Protobuf, Some("point.proto"), as_protobuf(&sample, other)),
        ] {
            let found = decoder(&input(codec, schema)).decode(&incoming(&value)).unwrap();
            prop_assert_eq!(&found[..], std::slice::from_ref(&sample));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(value in prop::collection::vec(any::<u8>(), 0..300)) {
        for (codec, schema, _) in SAMPLES {
            let _ = decoder(&input(codec, schema)).decode(&incoming(&value));
        }
    }

    #[test]
    fn damaged_records_are_read_or_refused(
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        for (codec, schema, file) in SAMPLES {
            let mut value = bytes(file);
            for (index, byte) in &at {
                *index.get_mut(&mut value) = *byte;
            }
            if !whole {
                value.truncate(cut.index(value.len()));
            }
            let _ = decoder(&input(codec, schema)).decode(&incoming(&value));
        }
    }
}
