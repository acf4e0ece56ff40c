//! The bodies of the output records.

use crate::emission::Emission;
use detection::{Alert, Features, Outcome, Score};
use mesh::schema::{Envelope, Kind, Message, Origin, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `streaming-tda.diagrams/v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagrams {
    /// The diagrams, byte for byte the line that `diagrams` prints for the same points.
    pub emission: Emission,
}

/// The body of `streaming-tda.features/v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// 0-based index of the newest point of the window in the scale's stream of points.
    pub end: u64,
    /// Points in the window.
    pub window: usize,
    /// The features.
    pub features: Features,
    /// How unusual the emission is; `null` in the warm-up.
    pub score: Option<Score>,
}

/// An emission and what the detector says about it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) emission: persistence::Emission,
    pub(crate) outcome: Option<Outcome>,
}

/// With what an emission became due.
#[derive(Clone, Debug)]
pub(crate) struct Cause<'a> {
    pub(crate) origin: Origin,
    pub(crate) series: &'a str,
    pub(crate) scale: &'a str,
    /// Time of the sample.
    pub(crate) time: f64,
    /// Timestamp of the record.
    pub(crate) timestamp: Option<i64>,
    /// Whether the outputs are CloudEvents too.
    pub(crate) cloud_events: bool,
}

impl Found {
    /// The records that tell of it.
    pub(crate) fn outputs(self, cause: &Cause<'_>) -> Vec<Output> {
        let (end, window) = (self.emission.end, self.emission.window);
        let emission = Emission::from(&self.emission);
        let mut outputs = vec![cause.output(Kind::Diagrams, Diagrams { emission })];
        if let Some(Outcome { features, score, alert }) = self.outcome {
            let judged = Judged { end, window, features, score };
            outputs.push(cause.output(Kind::Features, judged));
            outputs.extend(alert.map(|alert| cause.output::<Alert>(Kind::Alerts, alert)));
        }
        outputs
    }
}

impl Cause<'_> {
    fn output<B: Serialize>(&self, kind: Kind, body: B) -> Output {
        let origin = self.origin.clone();
        let envelope = Envelope::new(kind, origin, self.series, self.scale, self.time);
        let message = Message { envelope, body };
        let mut output = Output::new(kind, &message, self.timestamp);
        if self.cloud_events {
            output.event = mesh::schema::cloud_events(&message.envelope);
        }
        output
    }
}
