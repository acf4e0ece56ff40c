use super::Shape;
use crate::text::{Mistake, Reader, number, seconds};
use std::str::FromStr;

const NAMES: &str = "constant(RATE), ramp(FROM, TO, OVER), step(AT, RATE), spike(AT, RATE, \
                     LASTING) or wave(MEAN, AMPLITUDE, PERIOD)";

/// The grammar, from the loosest to the tightest:
///
/// ```text
/// chain = phase { "then" phase }
/// phase = sum [ "for" duration ]
/// sum   = term { "+" term }
/// term  = number "*" term | name "(" … ")" | "(" chain ")"
/// ```
impl FromStr for Shape {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Shape, Mistake> {
        let mut reader = Reader::new(text);
        let shape = chain(&mut reader)?;
        reader.end("`+`, `for`, `then`")?;
        Ok(shape)
    }
}

fn chain(reader: &mut Reader<'_>) -> Result<Shape, Mistake> {
    let first = reader.here();
    let mut shape = phase(reader)?;
    loop {
        let part = reader.here();
        if !reader.take("then") {
            return Ok(shape);
        }
        if shape.end().is_none() {
            let message = format!(
                "`{shape}` never ends, so that nothing can follow: say how long, as in \
                 `{shape} for 5m then …`"
            );
            return Err(reader.between(first, part, message));
        }
        shape = Shape::Then(shape.into(), phase(reader)?.into());
    }
}

fn phase(reader: &mut Reader<'_>) -> Result<Shape, Mistake> {
    let shape = sum(reader)?;
    match reader.take("for") {
        true => {
            checked(reader, reader.here(), |reader| Ok(Shape::For(shape.into(), duration(reader)?)))
        }
        false => Ok(shape),
    }
}

fn sum(reader: &mut Reader<'_>) -> Result<Shape, Mistake> {
    let mut shape = term(reader)?;
    while reader.take("+") {
        shape = Shape::Sum(shape.into(), term(reader)?.into());
    }
    Ok(shape)
}

fn term(reader: &mut Reader<'_>) -> Result<Shape, Mistake> {
    if reader.take("(") {
        let shape = chain(reader)?;
        reader.expect(")", "after the shape in brackets")?;
        return Ok(shape);
    }
    let first = reader.here();
    let word = reader.word(&format!("a shape: {NAMES}"))?;
    if word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        let factor = number(&word).map_err(|message| reader.last(message))?;
        let hint = format!("after a factor; a rate alone is written constant({word})");
        reader.expect("*", &hint)?;
        return Ok(Shape::Scaled(factor, term(reader)?.into()));
    }
    checked(reader, first, |reader| named(&word, reader))
}

fn named(name: &str, reader: &mut Reader<'_>) -> Result<Shape, Mistake> {
    let known = ["constant", "ramp", "step", "spike", "wave"];
    if !known.contains(&name) {
        return Err(reader.last(format!("there is no shape `{name}`: there is {NAMES}")));
    }
    reader.expect("(", &format!("after `{name}`"))?;
    let shape = match name {
        "constant" => Shape::Constant(rate(reader)?),
        "ramp" => {
            let (from, to) = (rate(reader)?, comma(reader).and_then(rate)?);
            Shape::Ramp { from, to, over: comma(reader).and_then(duration)? }
        }
        "step" => Shape::Step { at: duration(reader)?, rate: comma(reader).and_then(rate)? },
        "spike" => {
            let (at, rate) = (duration(reader)?, comma(reader).and_then(rate)?);
            Shape::Spike { at, rate, lasting: comma(reader).and_then(duration)? }
        }
        _ => {
            let (mean, amplitude) = (rate(reader)?, comma(reader).and_then(rate)?);
            Shape::Wave { mean, amplitude, period: comma(reader).and_then(duration)? }
        }
    };
    reader.expect(")", &format!("after the numbers of `{name}`: {NAMES}"))?;
    Ok(shape)
}

/// A part that has a meaning.
fn checked<'a>(
    reader: &mut Reader<'a>,
    first: usize,
    part: impl FnOnce(&mut Reader<'a>) -> Result<Shape, Mistake>,
) -> Result<Shape, Mistake> {
    let shape = part(reader)?;
    shape.check().map_err(|wrong| reader.since(first, wrong.to_string()))?;
    Ok(shape)
}

fn comma<'r, 'a>(reader: &'r mut Reader<'a>) -> Result<&'r mut Reader<'a>, Mistake> {
    reader.expect(",", "and another number")?;
    Ok(reader)
}

fn rate(reader: &mut Reader<'_>) -> Result<f64, Mistake> {
    reader.parsed("a number of points a second", number)
}

fn duration(reader: &mut Reader<'_>) -> Result<f64, Mistake> {
    reader.parsed("a duration such as 30s", seconds)
}
