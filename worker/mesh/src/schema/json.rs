use super::cell::{Cell, Mapping, Path};
use super::{Fields, Point, Rejection};
use serde_json::Value;

/// The point in a JSON object.
pub(super) fn decode(value: &[u8], fields: &Fields, mapping: &Mapping) -> Result<Point, Rejection> {
    // A point that is written as usual needs no document. All else is judged by the document, so
    // that a record is admitted or rejected alike whether its fields are mapped or not.
    let usual = (*fields == Fields::default() && may_be_object(value))
        .then(|| serde_json::from_slice(value).ok());
    if let Some(point) = usual.flatten() {
        return Ok(point);
    }
    let wrong = |e: serde_json::Error| Rejection::Json(e.to_string());
    let document: Value = serde_json::from_slice(value).map_err(wrong)?;
    if !document.is_object() {
        return Err(Rejection::Json("expected an object".into()));
    }
    mapping.point(mapping.paths.iter().map(|path| cell(&document, path)).collect())
}

/// Whether it begins as an object does: serde would take the parts of a point from a list, too.
fn may_be_object(value: &[u8]) -> bool {
    value.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

fn cell(document: &Value, path: &Path) -> Cell {
    let field = path.steps.iter().try_fold(document, |value, step| value.get(step));
    match field {
        None | Some(Value::Null) => Cell::Null,
        Some(Value::Bool(_)) => Cell::Other("true or false"),
        Some(Value::Number(number)) => match number.as_i128() {
            Some(integer) => Cell::Integer(integer),
            None => Cell::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Some(Value::String(text)) => Cell::Text(text.clone()),
        Some(Value::Array(items)) => numbers(items),
        Some(Value::Object(_)) => Cell::Other("an object"),
    }
}

fn numbers(items: &[Value]) -> Cell {
    let numbers = items.iter().map(|item| item.as_f64().map(|v| v as f32));
    numbers.collect::<Option<Vec<f32>>>().map_or(Cell::Other("a list of others"), Cell::Numbers)
}
