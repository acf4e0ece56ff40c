use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Feature flags, which change without a new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Flags {
    /// The ConfigMap, in the namespace of the resource, whose keys hold flags in the JSON of flagd.
    #[schemars(length(min = 1, max = 253))]
    pub config_map_name: String,
}
