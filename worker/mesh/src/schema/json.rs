use super::cell::{Cell, Mapping, Path};
use super::{Fields, Point, Rejection};
use serde_json::Value;

/// The point in a JSON object.
pub(super) fn decode(value: &[u8], fields: &Fields, mapping: &Mapping) -> Result<Point, Rejection> {
    let wrong = |e: serde_json::Error| Rejection::Json(e.to_string());
    if *fields == Fields::default() {
        return serde_json::from_slice(value).map_err(wrong);
    }
    let document: Value = serde_json::from_slice(value).map_err(wrong)?;
    if !document.is_object() {
        return Err(Rejection::Json("expected an object".into()));
    }
    mapping.point(mapping.paths.iter().map(|path| cell(&document, path)).collect())
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
