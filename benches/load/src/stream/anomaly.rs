use crate::random::Random;
use serde::Serialize;
use std::fmt;

/// Something that happens to a form, and that its diagrams show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anomaly {
    /// A third of the loop stays empty.
    Open,
    /// One becomes two: two loops instead of one, two clusters of every cluster, every other
    /// period half as high.
    Split,
    /// The loop is filled or collapses; the clusters fall together.
    Die,
    /// Half as large; clusters and noise three times as wide.
    Radius,
    /// It does not move on.
    Stop,
    /// It moves twice as fast.
    Frequency,
}

impl Anomaly {
    /// All of them.
    pub const ALL: [Anomaly; 6] = [
        Anomaly::Open,
        Anomaly::Split,
        Anomaly::Die,
        Anomaly::Radius,
        Anomaly::Stop,
        Anomaly::Frequency,
    ];

    /// The name on the command line and in labels.
    pub fn name(self) -> &'static str {
        match self {
            Anomaly::Open => "open",
            Anomaly::Split => "split",
            Anomaly::Die => "die",
            Anomaly::Radius => "radius",
            Anomaly::Stop => "stop",
            Anomaly::Frequency => "frequency",
        }
    }

    /// How many points further it turns with each point than it would.
    fn ahead(self) -> f64 {
        match self {
            Anomaly::Stop => -1.0,
            Anomaly::Frequency => 1.0,
            _ => 0.0,
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which anomalies there are in each series, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomalies {
    /// What may happen; each as likely.
    pub kinds: Vec<Anomaly>,
    /// There is one in so many points of a series, somewhere in them.
    pub every: u64,
    /// How many points it lasts; at most `every`.
    pub lasting: u64,
    /// Points of a series before the first of these stretches.
    pub after: u64,
}

/// Points of a series in which something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which one of the series it is, counted from 0.
    pub number: u64,
    /// What happens.
    pub anomaly: Anomaly,
    /// Index of the first point.
    pub begin: u64,
    /// Index after the last point.
    pub end: u64,
}

impl Anomalies {
    /// Stretch `number` of the series with these random numbers.
    pub fn stretch(&self, random: Random, number: u64) -> Stretch {
        let random = random.part(number);
        let room = self.every - self.lasting + 1;
        let begin = self.after + number * self.every + random.below(0, room);
        let kind = random.below(1, self.kinds.len() as u64) as usize;
        Stretch { number, anomaly: self.kinds[kind], begin, end: begin + self.lasting }
    }
}

impl Stretch {
    /// How many points further the series has turned before `index` because of this stretch.
    pub(super) fn ahead(&self, index: u64) -> f64 {
        let inside = index.clamp(self.begin, self.end) - self.begin;
        self.anomaly.ahead() * inside as f64
    }
}
