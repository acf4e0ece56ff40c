use serde::Deserialize;

/// What a worker tells at `/status`, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Report {
    /// Partitions of the input; 0 while the worker does not know.
    pub partitions_total: i32,
    /// The share of its time of late for which it has computed, in percent.
    pub busy_percent: f64,
    /// The partitions that it owns.
    pub partitions: Vec<OfPartition>,
}

/// What a worker tells of a partition that it owns.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OfPartition {
    /// Its number.
    pub partition: i32,
    /// What is done with it.
    pub state: State,
    /// Offset of the next record that is computed.
    pub next_offset: i64,
    /// Offset after the last record.
    pub end_offset: i64,
    /// How long the oldest that is not computed has been there, in seconds; nothing while that cannot be seen.
    pub lag_seconds: Option<f64>,
}

/// What is done with a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum State {
    /// Its windows are rebuilt.
    Replaying,
    /// Its records are computed.
    Running,
    /// Its records wait.
    Waiting,
}

/// A worker whose pod is ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Worker {
    /// Its revision.
    pub revision: String,
    /// What it told; nothing when it did not answer.
    pub report: Option<Report>,
}
