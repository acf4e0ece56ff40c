use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the points are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Series {
    /// Numbers in a point, from 1 to 65536. Default: 1.
    #[schemars(range(min = 1, max = 65_536))]
    pub dimension: i32,
    /// Filters before everything else.
    pub preprocess: Preprocess,
    /// Series that are held at once, over all partitions of the input. Each partition holds an
    /// equal share and forgets the series that it has not seen for longest. Default: 1000.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub max: i32,
    /// Bytes in the largest record that is read. Default: 65536.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub max_record_bytes: i32,
}

/// Filters before everything else, in this order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Preprocess {
    /// Keep every n-th sample of the low-passed series, from 1 to 10000. Default: none.
    #[schemars(range(min = 1, max = 10_000))]
    pub decimate: Option<i32>,
    /// Subtract the running median of so many samples, from 2 to 100000, counted after `decimate`.
    /// Default: none.
    #[schemars(range(min = 2, max = 100_000))]
    pub high_pass: Option<i32>,
}

impl Default for Series {
    fn default() -> Series {
        Series {
            dimension: 1,
            preprocess: Preprocess::default(),
            max: 1000,
            max_record_bytes: 65_536,
        }
    }
}
