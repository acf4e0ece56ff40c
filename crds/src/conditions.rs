use std::fmt;

/// The types of the conditions in the status of a [`StreamingTDA`](crate::StreamingTDA), by the
/// contract of kstatus: each is bound to a generation by its own `observedGeneration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionType {
    /// The spec of this generation is in force and serves.
    Ready,
    /// Work towards the spec goes on.
    Progressing,
    /// Work towards the spec cannot go on by itself.
    Stalled,
    /// Every partition is owned and moves, whatever a rollout does.
    Serving,
}

impl ConditionType {
    /// All of them, in the order in which they are shown.
    pub const ALL: [ConditionType; 4] = [
        ConditionType::Ready,
        ConditionType::Progressing,
        ConditionType::Stalled,
        ConditionType::Serving,
    ];

    /// The name in `conditions[].type`.
    pub fn name(self) -> &'static str {
        match self {
            ConditionType::Ready => "Ready",
            ConditionType::Progressing => "Progressing",
            ConditionType::Stalled => "Stalled",
            ConditionType::Serving => "Serving",
        }
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
