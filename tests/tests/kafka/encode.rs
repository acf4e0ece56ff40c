//! Writes points as producers do.

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, StringArray};
use std::sync::Arc;

/// A point: series, time, values.
pub(crate) type Point = (String, f64, [f32; 2]);

/// The schema of [`avro`].
pub(crate) const AVRO: &str = r#"{"type":"record","name":"Point","fields":[
    {"name":"series","type":"string"},{"name":"time","type":"double"},
    {"name":"values","type":{"type":"array","items":"float"}}]}"#;

/// The schema of [`protobuf`].
pub(crate) const PROTOBUF: &str = r#"syntax = "proto3"; message Other {}
    message Point { string series = 1; optional double time = 2; repeated float values = 3; }"#;

pub(crate) fn json((series, time, [x, y]): &Point) -> Vec<u8> {
    format!(r#"{{"series":"{series}","time":{time},"values":[{x},{y}]}}"#).into_bytes()
}

/// In Confluent's wire format, with the id before the value. (Lengths are zigzag.)
pub(crate) fn avro(id: u8, (series, time, values): &Point) -> Vec<u8> {
    let length = 2 * series.len() as u8;
    let values: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let head = [0, 0, 0, 0, id, length];
    [&head, series.as_bytes(), &time.to_le_bytes(), &[4], &values, &[0]].concat()
}

/// Without its schema's id.
pub(crate) fn protobuf((series, time, values): &Point) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let name = [&[10, series.len() as u8], series.as_bytes()].concat();
    [&name[..], &[17], &time.to_le_bytes(), &[26, 8], &values].concat()
}

pub(crate) fn arrow(points: &[Point]) -> Vec<u8> {
    let series: StringArray = points.iter().map(|(series, ..)| Some(series.as_str())).collect();
    let times: Float64Array = points.iter().map(|(_, time, _)| Some(*time)).collect();
    let values = points.iter().map(|(.., values)| Some(values.map(Some)));
    let values = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(values, 2);
    let columns: [(&str, ArrayRef); 3] =
        [("series", Arc::new(series)), ("time", Arc::new(times)), ("values", Arc::new(values))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}
