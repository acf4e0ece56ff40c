//! What a codec finds in a field, and the point that is made of the cells of its fields.

use super::config::{Fields, TimeUnit, Values};
use super::{Point, Rejection};

/// What stands in a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i128),
    Float(f64),
    Text(String),
    /// A time whose type says its unit.
    Instant(i128, TimeUnit),
    Numbers(Vec<f32>),
    /// What no part of a point can be.
    Other(&'static str),
}

/// The paths of the fields, in the order of the cells: series, time, values.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    pub(super) paths: Vec<Path>,
    unit: TimeUnit,
    list: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) name: String,
    pub(super) steps: Vec<String>,
    /// Whether a schema may lack it.
    pub(super) optional: bool,
}

impl Path {
    fn new(name: &str, optional: bool) -> Path {
        let steps = name.split('.').map(str::to_owned).collect();
        Path { name: name.to_owned(), steps, optional }
    }

    /// What is said when a schema lacks the field.
    pub(super) fn missing(&self) -> Rejection {
        Rejection::Schema(format!("it has no field {:?}", self.name))
    }
}

impl Mapping {
    pub(super) fn new(fields: &Fields) -> Mapping {
        let or = |given: &Option<String>, default: &str| {
            Path::new(given.as_deref().unwrap_or(default), given.is_none())
        };
        let mut paths = vec![or(&fields.series, "series"), or(&fields.time, "time")];
        let list = match &fields.values {
            Values::List(name) => {
                paths.push(Path::new(name, false));
                true
            }
            Values::Each(names) => {
                paths.extend(names.iter().map(|name| Path::new(name, false)));
                false
            }
        };
        Mapping { paths, unit: fields.time_unit, list }
    }

    /// As many empty cells as there are paths.
    pub(super) fn cells(&self) -> Vec<Cell> {
        vec![Cell::Null; self.paths.len()]
    }

    /// The point that the cells make.
    pub(super) fn point(&self, mut cells: Vec<Cell>) -> Result<Point, Rejection> {
        let values = cells.split_off(2);
        let time = cells.pop().unwrap_or(Cell::Null);
        let series = cells.pop().unwrap_or(Cell::Null);
        Ok(Point {
            series: self.series(series)?,
            time: self.time(time)?,
            values: self.values(values)?,
        })
    }

    fn series(&self, cell: Cell) -> Result<Option<String>, Rejection> {
        match cell {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            Cell::Integer(number) => Ok(Some(number.to_string())),
            other => Err(self.wrong(0, "text or an integer", &other)),
        }
    }

    fn time(&self, cell: Cell) -> Result<Option<f64>, Rejection> {
        match (cell, self.unit) {
            (Cell::Null, _) => Ok(None),
            (Cell::Instant(count, unit), _) => Ok(Some(millis(count, unit))),
            (Cell::Text(text), TimeUnit::Rfc3339) => {
                match chrono::DateTime::parse_from_rfc3339(&text) {
                    Ok(time) => Ok(Some(instant(&time.to_utc()))),
                    Err(error) => Err(self.field(1, format!("{text:?} is not a time: {error}"))),
                }
            }
            (other, TimeUnit::Rfc3339) => Err(self.wrong(1, "text", &other)),
            (Cell::Integer(count), unit) => Ok(Some(millis(count, unit))),
            (Cell::Float(count), TimeUnit::S) => Ok(Some(count * 1000.0)),
            (Cell::Float(count), unit) => Ok(Some(count / (per_second(unit) / 1000) as f64)),
            (other, _) => Err(self.wrong(1, "a number", &other)),
        }
    }

    fn values(&self, cells: Vec<Cell>) -> Result<Vec<f32>, Rejection> {
        if self.list {
            return match cells.into_iter().next() {
                Some(Cell::Numbers(values)) => Ok(values),
                Some(other) => Err(self.wrong(2, "a list of numbers", &other)),
                None => Ok(Vec::new()),
            };
        }
        let number = |(index, cell)| match cell {
            Cell::Integer(number) => Ok(number as f32),
            Cell::Float(number) => Ok(number as f32),
            other => Err(self.wrong(2 + index, "a number", &other)),
        };
        cells.into_iter().enumerate().map(number).collect()
    }

    fn wrong(&self, index: usize, expected: &str, found: &Cell) -> Rejection {
        self.field(index, format!("expected {expected}, found {}", found.kind()))
    }

    fn field(&self, index: usize, message: String) -> Rejection {
        Rejection::Field(self.paths[index].name.clone(), message)
    }
}

impl Cell {
    fn kind(&self) -> &'static str {
        match self {
            Cell::Null => "nothing",
            Cell::Integer(_) => "an integer",
            Cell::Float(_) => "a number",
            Cell::Text(_) => "text",
            Cell::Instant(..) => "a time",
            Cell::Numbers(_) => "a list of numbers",
            Cell::Other(kind) => kind,
        }
    }
}

fn per_second(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::S => 1,
        TimeUnit::Ms | TimeUnit::Rfc3339 => 1000,
        TimeUnit::Us => 1_000_000,
        TimeUnit::Ns => 1_000_000_000,
    }
}

/// Whole milliseconds and the rest are converted apart: nanoseconds of today have more digits than
/// an `f64`.
fn millis(count: i128, unit: TimeUnit) -> f64 {
    if unit == TimeUnit::S {
        return (count * 1000) as f64;
    }
    let per_milli = per_second(unit) / 1000;
    count.div_euclid(per_milli) as f64 + count.rem_euclid(per_milli) as f64 / per_milli as f64
}

fn instant(time: &chrono::DateTime<chrono::Utc>) -> f64 {
    let nanos = i128::from(time.timestamp()) * 1_000_000_000;
    millis(nanos + i128::from(time.timestamp_subsec_nanos()), TimeUnit::Ns)
}
