use super::Cadence;
use mesh::schema::Kind;
use worker::config::Config;

/// The input record, or the point in it, with which an output became due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// The partition of the input topic; 0 when outputs tell the number of a point instead.
    pub partition: i32,
    /// The offset of the record, or the number of the point.
    pub offset: i64,
    /// Which of the points of the record.
    pub row: u32,
}

/// What tells one output from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// With what it became due.
    pub cause: Cause,
    /// What it is about.
    pub kind: Kind,
    /// Index of the scale.
    pub scale: u16,
}

/// What a scale puts out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name of the scale.
    pub scale: String,
    /// When; `None` when the worker finds that out from the values. The outputs of such a scale
    /// are checked for repetition and order, and for whether they go on as long as the inputs.
    pub cadence: Option<Cadence>,
    /// Whether there are features, and may be alerts, besides diagrams.
    pub judged: bool,
}

/// How an output says what caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// By an `id` of the worker: `<topic>/<partition>/<offset>/<kind>/<scale>`.
    Id,
    /// By the number of the point, in the field `id` of a JSON value, as in the input.
    Number,
}

/// Which outputs there must be, given the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The input topic.
    pub topic: String,
    /// What each scale puts out.
    pub rules: Vec<Rule>,
    /// How an output says what caused it.
    pub matching: Matching,
    /// Series that are remembered in a partition; one that was not seen for longer than so many
    /// others begins anew.
    pub most_series: Option<usize>,
}

impl Expectation {
    /// That of a worker whose input topic has so many partitions.
    pub fn of(config: &Config, partitions: i32) -> Expectation {
        let preprocess = &config.series.preprocess;
        let rules = config.scales.iter().map(|scale| Rule {
            scale: scale.name.clone(),
            cadence: Cadence::of(scale, preprocess),
            judged: scale.detection.is_some(),
        });
        Expectation {
            topic: config.kafka.input.clone(),
            rules: rules.collect(),
            matching: Matching::Id,
            most_series: Some((config.series.max / partitions.max(1) as usize).max(1)),
        }
    }

    /// That of another program which puts out diagrams of windows, each with the number of the
    /// newest point in the window.
    pub fn numbered(topic: &str, cadence: Cadence) -> Expectation {
        let rule = Rule { scale: "numbered".into(), cadence: Some(cadence), judged: false };
        Expectation {
            topic: topic.into(),
            rules: vec![rule],
            matching: Matching::Number,
            most_series: None,
        }
    }

    /// Whether it is known of every scale when it has outputs.
    pub fn foresees_all(&self) -> bool {
        self.rules.iter().all(|rule| rule.cadence.is_some())
    }

    /// The output with that id.
    pub fn name(&self, id: &str) -> Option<Name> {
        let mut parts = id.strip_prefix(&self.topic)?.strip_prefix('/')?.splitn(4, '/');
        let (partition, offset) = (parts.next()?.parse().ok()?, parts.next()?);
        let (kind, scale) = (parts.next()?, parts.next()?);
        let (offset, row) = match offset.split_once('.') {
            Some((offset, row)) => (offset, row.parse().ok()?),
            None => (offset, 0),
        };
        let cause = Cause { partition, offset: offset.parse().ok()?, row };
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind)?;
        let scale = self.rules.iter().position(|rule| rule.scale == scale)?;
        Some(Name { cause, kind, scale: scale as u16 })
    }

    /// The id of an output, as the worker writes it.
    pub fn id(&self, name: &Name) -> String {
        let Name { cause: Cause { partition, offset, row }, kind, scale } = name;
        let Expectation { topic, rules, matching, .. } = self;
        let scale = &rules[usize::from(*scale)].scale;
        match (matching, row) {
            (Matching::Number, _) => format!("point {offset}"),
            (Matching::Id, 0) => format!("{topic}/{partition}/{offset}/{kind}/{scale}"),
            (Matching::Id, row) => format!("{topic}/{partition}/{offset}.{row}/{kind}/{scale}"),
        }
    }
}
