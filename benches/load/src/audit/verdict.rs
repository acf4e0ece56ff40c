use serde::Serialize;
use std::fmt;

/// What the audit found. It [passes](Verdict::passes) when every output that had to come has come
/// once, in order, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Points sent and acknowledged.
    pub inputs: u64,
    /// Outputs that had to come.
    pub expected: u64,
    /// Outputs that came, each counted once.
    pub arrived: u64,
    /// Outputs that had to come and did not.
    pub lost: u64,
    /// Arrivals of outputs that had come before.
    pub duplicated: u64,
    /// Those of them that had other bytes than at first.
    pub differing: u64,
    /// Outputs that came first after a later one of their series, kind and scale.
    pub out_of_order: u64,
    /// Outputs that nothing asked for.
    pub unexpected: u64,
    /// Alerts that came, each with features that had to come.
    pub alerts: u64,
    /// Outputs of scales that find out from the values when they put something out; of these, it
    /// is not known whether a single one is missing.
    pub unforeseen: u64,
    /// Series, for each such scale, whose outputs stopped well before their points, or never
    /// began although others did much sooner.
    pub silent: u64,
    /// Ids of some of what is wrong.
    pub examples: Examples,
}

/// Ids of some of what is wrong, at most [`Examples::MOST`] of each sort.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Examples {
    /// Of those that did not come.
    pub lost: Vec<String>,
    /// Of those that came again.
    pub duplicated: Vec<String>,
    /// Of those that came too late.
    pub out_of_order: Vec<String>,
    /// Of those that nothing asked for.
    pub unexpected: Vec<String>,
    /// `<series>/<scale>` of those that fell silent.
    pub silent: Vec<String>,
}

impl Examples {
    /// Ids that are kept of each sort.
    pub const MOST: usize = 20;

    pub(super) fn keep(list: &mut Vec<String>, id: impl FnOnce() -> String) {
        if list.len() < Examples::MOST {
            list.push(id());
        }
    }
}

impl Verdict {
    /// Whether nothing is wrong. Repetitions with the same bytes are no fault where they are
    /// `allowed`, as at-least-once delivery does.
    pub fn passes(&self, repetitions: Repetitions) -> bool {
        let repeated = match repetitions {
            Repetitions::Forbidden => self.duplicated,
            Repetitions::Allowed => self.differing,
        };
        self.lost + repeated + self.out_of_order + self.unexpected + self.silent == 0
    }
}

/// Whether an output may come again, with the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repetitions {
    /// It may, as after a crash under at-least-once delivery.
    Allowed,
    /// It may not.
    Forbidden,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { inputs, expected, arrived, .. } = self;
        write!(f, "{inputs} points, {arrived} outputs of {expected} expected")?;
        if self.unforeseen > 0 {
            write!(f, " and {} unforeseen", self.unforeseen)?;
        }
        let Verdict { lost, duplicated, differing, out_of_order, unexpected, .. } = self;
        write!(f, ": {lost} lost, {duplicated} duplicated")?;
        if *differing > 0 {
            write!(f, " ({differing} with other bytes)")?;
        }
        write!(f, ", {out_of_order} out of order, {unexpected} unexpected")?;
        match self.silent {
            0 => Ok(()),
            silent => write!(f, ", {silent} series fell silent before their points ended"),
        }
    }
}
