use super::{Anomalies, Anomaly, Form};
use crate::text::{Mistake, Reader, number};
use std::fmt;
use std::str::FromStr;

const FORMS: &str = "circle, torus, clusters, signal or noise";

/// A parameter of a form.
struct Parameter<'a> {
    name: &'static str,
    value: &'a mut f64,
    least: f64,
}

impl Form {
    /// A circle as it is when nothing more is said.
    pub fn circle() -> Form {
        Form::Circle { radius: 1.0, period: 100.0, noise: 0.05 }
    }

    /// A torus as it is when nothing more is said.
    pub fn torus() -> Form {
        Form::Torus { radius: 2.0, tube: 0.8, period: 100.0, noise: 0.02 }
    }

    /// A signal as it is when nothing more is said.
    pub fn signal() -> Form {
        Form::Signal { amplitude: 1.0, period: 50.0, harmonics: 2.0, noise: 0.05 }
    }

    /// The form of that name, as it is when nothing more is said.
    fn named(name: &str) -> Option<Form> {
        let clusters = Form::Clusters { count: 3.0, distance: 1.0, spread: 0.1, period: 100_000.0 };
        Some(match name {
            "circle" => Form::circle(),
            "torus" => Form::torus(),
            "clusters" => clusters,
            "signal" => Form::signal(),
            "noise" => Form::Noise { dimension: 2.0, spread: 1.0 },
            _ => return None,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Form::Circle { .. } => "circle",
            Form::Torus { .. } => "torus",
            Form::Clusters { .. } => "clusters",
            Form::Signal { .. } => "signal",
            Form::Noise { .. } => "noise",
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let named = |name, value, least| Parameter { name, value, least };
        let size = |name, value| named(name, value, 0.0);
        let count = |name, value| named(name, value, 1.0);
        match self {
            Form::Circle { radius, period, noise } => {
                vec![size("radius", radius), count("period", period), size("noise", noise)]
            }
            Form::Torus { radius, tube, period, noise } => vec![
                size("radius", radius),
                size("tube", tube),
                count("period", period),
                size("noise", noise),
            ],
            Form::Clusters { count: many, distance, spread, period } => vec![
                count("count", many),
                size("distance", distance),
                size("spread", spread),
                count("period", period),
            ],
            Form::Signal { amplitude, period, harmonics, noise } => vec![
                size("amplitude", amplitude),
                count("period", period),
                count("harmonics", harmonics),
                size("noise", noise),
            ],
            Form::Noise { dimension, spread } => {
                vec![count("dimension", dimension), size("spread", spread)]
            }
        }
    }

    fn set(&mut self, name: &str, reader: &mut Reader<'_>) -> Result<(), Mistake> {
        let form = self.name();
        let parameters = self.parameters();
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
        let names = names.join(", ");
        let Some(found) = parameters.into_iter().find(|parameter| parameter.name == name) else {
            return Err(reader.last(format!("`{form}` has no `{name}`: it has {names}")));
        };
        reader.expect("=", &format!("and a number after `{name}`"))?;
        let given = reader.parsed("a number", number)?;
        let whole = ["count", "harmonics", "dimension"].contains(&name);
        if given < found.least || (whole && given.fract() != 0.0) {
            let sort = if whole { "a whole number, " } else { "" };
            return Err(reader.last(format!("`{name}` is {sort}at least {}", found.least)));
        }
        *found.value = given;
        Ok(())
    }
}

/// `circle`, or with some of its parameters, `circle(period=50, noise=0.1)`.
impl FromStr for Form {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Form, Mistake> {
        let mut reader = Reader::new(text);
        let name = reader.word(&format!("a form: {FORMS}"))?;
        let mut form = Form::named(&name)
            .ok_or_else(|| reader.last(format!("there is no form `{name}`: there is {FORMS}")))?;
        if reader.take("(") && !reader.take(")") {
            loop {
                let parameter = reader.word("the name of a parameter, as in circle(period=50)")?;
                form.set(&parameter, &mut reader)?;
                if !reader.take(",") {
                    reader.expect(")", "or `,` after a parameter")?;
                    break;
                }
            }
        }
        reader.end("nothing more")?;
        Ok(form)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut form = self.clone();
        let written = form.parameters().into_iter().map(|p| format!("{}={}", p.name, p.value));
        write!(f, "{}({})", self.name(), written.collect::<Vec<_>>().join(", "))
    }
}

/// `open + stop every 5000 lasting 300`, and if need be `after 2000`.
impl FromStr for Anomalies {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Anomalies, Mistake> {
        let mut reader = Reader::new(text);
        let mut kinds = vec![reader.parsed("an anomaly", kind)?];
        while reader.take("+") {
            kinds.push(reader.parsed("an anomaly", kind)?);
        }
        reader.expect("every", "and how many points there are to one anomaly, as in every 5000")?;
        let every = reader.parsed("a number of points", points)?;
        reader.expect("lasting", "and how many points an anomaly lasts, as in lasting 300")?;
        let lasting = reader.parsed("a number of points", points)?;
        if lasting == 0 || lasting > every {
            return Err(reader.last(format!("an anomaly lasts from 1 to {every} points here")));
        }
        let after = match reader.take("after") {
            true => reader.parsed("a number of points", points)?,
            false => 0,
        };
        reader.end("`after`")?;
        Ok(Anomalies { kinds, every, lasting, after })
    }
}

impl fmt::Display for Anomalies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<String> = self.kinds.iter().map(Anomaly::to_string).collect();
        let Anomalies { every, lasting, after, .. } = self;
        write!(f, "{} every {every} lasting {lasting} after {after}", kinds.join(" + "))
    }
}

fn kind(text: &str) -> Result<Anomaly, String> {
    Anomaly::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
        let all: Vec<String> = Anomaly::ALL.iter().map(Anomaly::to_string).collect();
        format!("there is no anomaly `{text}`: there is {}", all.join(", "))
    })
}

fn points(text: &str) -> Result<u64, String> {
    let whole = number(text)?;
    match whole.fract() == 0.0 && whole < 1e15 {
        true => Ok(whole as u64),
        false => Err(format!("`{text}` is no whole number of points")),
    }
}
