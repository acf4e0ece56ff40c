use super::cell::{Cell, Mapping, Path};
use super::config::TimeUnit;
use super::{Point, Rejection};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{DataType, TimeUnit as Unit};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The points in an Arrow IPC stream: one a row.
pub(super) fn decode(
    value: &[u8],
    mapping: &Mapping,
    max_points: usize,
) -> Result<Vec<Point>, Rejection> {
    // The library checks a stream before it trusts it, but not for every arithmetic overflow.
    let decoded = catch_unwind(AssertUnwindSafe(|| rows(value, mapping, max_points)));
    decoded.unwrap_or_else(|_| Err(Rejection::Arrow("it contradicts itself".into())))
}

/// Whether every message, and every buffer in it, is within the value, and none is compressed.
fn check(mut value: &[u8]) -> Option<()> {
    // A row takes at least a bit.
    let rows = 0..=8 * value.len() as i64;
    while let Some((head, rest)) = value.split_first_chunk() {
        value = rest;
        let size = match u32::from_le_bytes(*head) {
            u32::MAX => continue,
            0 => return Some(()),
            size => size as usize,
        };
        let (message, rest) = value.split_at_checked(size)?;
        let message = arrow_ipc::root_as_message(message).ok()?;
        let length = message.bodyLength();
        value = rest.get(usize::try_from(length).ok()?..)?;
        let dictionary = message.header_as_dictionary_batch().and_then(|d| d.data());
        for batch in message.header_as_record_batch().into_iter().chain(dictionary) {
            let within = |b: &arrow_ipc::Buffer| {
                let end = b.offset().checked_add(b.length());
                b.offset() >= 0 && b.length() >= 0 && end.is_some_and(|end| end <= length)
            };
            let all = batch.buffers().is_none_or(|buffers| buffers.iter().all(within));
            let counted =
                batch.nodes().is_none_or(|nodes| nodes.iter().all(|n| rows.contains(&n.length())));
            if batch.compression().is_some() || !all || !counted {
                return None;
            }
        }
    }
    Some(())
}

fn rows(value: &[u8], mapping: &Mapping, max_points: usize) -> Result<Vec<Point>, Rejection> {
    let wrong = |e: arrow_schema::ArrowError| Rejection::Arrow(e.to_string());
    check(value).ok_or_else(|| {
        let message = "it is cut off, compressed, or points outside of itself";
        Rejection::Arrow(message.into())
    })?;
    let mut bytes = Buffer::from(value);
    let mut decoder = StreamDecoder::new();
    let mut points = Vec::new();
    while !bytes.is_empty() {
        if let Some(batch) = decoder.decode(&mut bytes).map_err(wrong)? {
            let count = points.len().saturating_add(batch.num_rows());
            if count > max_points {
                return Err(Rejection::Points(count, max_points));
            }
            add(&batch, mapping, &mut points)?;
        }
    }
    decoder.finish().map_err(wrong)?;
    match points.is_empty() {
        true => Err(Rejection::Empty),
        false => Ok(points),
    }
}

fn add(batch: &RecordBatch, mapping: &Mapping, points: &mut Vec<Point>) -> Result<(), Rejection> {
    let columns = mapping.paths.iter().map(|path| column(batch, path));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let cell = |column: &Option<ArrayRef>| column.as_ref().map_or(Cell::Null, |c| cell(c, row));
        let point = mapping.point(columns.iter().map(cell).collect());
        let number = points.len();
        points.push(point.map_err(|r| Rejection::Row(number, Box::new(r)))?);
    }
    Ok(())
}

fn column(batch: &RecordBatch, path: &Path) -> Result<Option<ArrayRef>, Rejection> {
    let named = path.steps.split_first().and_then(|(first, rest)| {
        let first = batch.column_by_name(first).cloned()?;
        // The nulls of a struct hide those within it: only structs without are walked into.
        rest.iter().try_fold(first, |column, step| {
            let inner = column.as_struct_opt().filter(|s| s.null_count() == 0)?;
            inner.column_by_name(step).cloned()
        })
    });
    match named {
        None if !path.optional => Err(path.missing()),
        column => Ok(column),
    }
}

fn cell(column: &ArrayRef, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    match column.data_type() {
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).into()),
        DataType::LargeUtf8 => Cell::Text(column.as_string::<i64>().value(row).into()),
        DataType::Utf8View => Cell::Text(column.as_string_view().value(row).into()),
        DataType::Timestamp(unit, _) => instant(column, *unit, row),
        DataType::Dictionary(key, _) => dictionary(column, key, row),
        DataType::FixedSizeList(..) => list(&column.as_fixed_size_list().value(row)),
        DataType::List(_) => list(&column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(row)),
        _ => number(column, row),
    }
}

fn number(column: &ArrayRef, row: usize) -> Cell {
    macro_rules! integer {
        ($kind:ty) => {
            Cell::Integer(column.as_primitive::<$kind>().value(row).into())
        };
    }
    match column.data_type() {
        DataType::Float32 => Cell::Float(column.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Cell::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Int8 => integer!(Int8Type),
        DataType::Int16 => integer!(Int16Type),
        DataType::Int32 => integer!(Int32Type),
        DataType::Int64 => integer!(Int64Type),
        DataType::UInt8 => integer!(UInt8Type),
        DataType::UInt16 => integer!(UInt16Type),
        DataType::UInt32 => integer!(UInt32Type),
        DataType::UInt64 => integer!(UInt64Type),
        _ => Cell::Other("a column of another type"),
    }
}

fn instant(column: &ArrayRef, unit: Unit, row: usize) -> Cell {
    let (count, unit) = match unit {
        Unit::Second => (column.as_primitive::<TimestampSecondType>().value(row), TimeUnit::S),
        Unit::Millisecond => {
            (column.as_primitive::<TimestampMillisecondType>().value(row), TimeUnit::Ms)
        }
        Unit::Microsecond => {
            (column.as_primitive::<TimestampMicrosecondType>().value(row), TimeUnit::Us)
        }
        Unit::Nanosecond => {
            (column.as_primitive::<TimestampNanosecondType>().value(row), TimeUnit::Ns)
        }
    };
    Cell::Instant(count.into(), unit)
}

fn dictionary(column: &ArrayRef, key: &DataType, row: usize) -> Cell {
    fn look_up<K: ArrowDictionaryKeyType>(column: &ArrayRef, row: usize) -> Cell {
        let column = column.as_dictionary::<K>();
        match (column.key(row), column.values().data_type()) {
            // Dictionaries do not nest.
            (_, DataType::Dictionary(..)) | (None, _) => Cell::Other("a column of another type"),
            (Some(key), _) => cell(column.values(), key),
        }
    }
    match key {
        DataType::Int8 => look_up::<Int8Type>(column, row),
        DataType::Int16 => look_up::<Int16Type>(column, row),
        DataType::Int32 => look_up::<Int32Type>(column, row),
        DataType::Int64 => look_up::<Int64Type>(column, row),
        DataType::UInt8 => look_up::<UInt8Type>(column, row),
        DataType::UInt16 => look_up::<UInt16Type>(column, row),
        DataType::UInt32 => look_up::<UInt32Type>(column, row),
        _ => look_up::<UInt64Type>(column, row),
    }
}

fn list(items: &ArrayRef) -> Cell {
    if items.null_count() > 0 {
        return Cell::Other("a list with nulls");
    }
    if let Some(items) = items.as_primitive_opt::<Float32Type>() {
        return Cell::Numbers(items.values().to_vec());
    }
    let number = |row| match number(items, row) {
        Cell::Float(number) => Some(number as f32),
        Cell::Integer(number) => Some(number as f32),
        _ => None,
    };
    let numbers = (0..items.len()).map(number).collect::<Option<Vec<f32>>>();
    numbers.map_or(Cell::Other("a list of others"), Cell::Numbers)
}
