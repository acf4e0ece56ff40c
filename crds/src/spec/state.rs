use super::Topic;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is remembered, where, and what to do when that no longer fits the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The topic in which the workers remember where they were; made, compacted, if it does not
    /// exist. It cannot be changed. Default: `<kafka.input>.checkpoints`.
    pub checkpoints: Option<Topic>,
    /// How often a partition's place is remembered, in milliseconds, up to a day; after a crash, at
    /// most this much is computed again. Default: 5000.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub checkpoint_milliseconds: i32,
    /// What to do when records that are needed were deleted, as by retention. Default: BeginAnew.
    pub on_lost_points: Answer,
    /// What to do when the input is another topic than before, under the same name. Default: Fail.
    pub on_recreated_input: Answer,
}

/// What to do when the world has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Answer {
    /// The worker ends with an error.
    Fail,
    /// The worker says so, and begins anew what is concerned.
    BeginAnew,
}

impl Default for State {
    fn default() -> State {
        State {
            checkpoints: None,
            checkpoint_milliseconds: 5000,
            on_lost_points: Answer::BeginAnew,
            on_recreated_input: Answer::Fail,
        }
    }
}
