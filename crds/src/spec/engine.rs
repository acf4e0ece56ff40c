use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How diagrams are computed, and what that may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Engine {
    /// How the diagrams of a window come from those before. Default: Incremental.
    pub mode: EngineMode,
    /// Threads that compute, from 1 to 1024. Default: as many as `resources.limits.cpu` says, or as
    /// the node has cores.
    #[schemars(range(min = 1, max = 1024))]
    pub threads: Option<i32>,
    /// Bytes of records that may wait for one thread, up to a gibibyte. Default: 4194304.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub queue_bytes: i32,
    /// How long the records of a batch may take to be computed, in milliseconds, up to a minute;
    /// batches become smaller when they take longer, and larger when they do not. Default: 5.
    #[schemars(range(min = 1, max = 60_000))]
    pub latency_goal_milliseconds: i32,
}

/// How the diagrams of a window come from those before. Both give the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EngineMode {
    /// They are updated.
    #[default]
    Incremental,
    /// They are computed anew.
    Batch,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine {
            mode: EngineMode::Incremental,
            threads: None,
            queue_bytes: 4 << 20,
            latency_goal_milliseconds: 5,
        }
    }
}
