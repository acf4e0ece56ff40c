//! Properties of librdkafka, as people write them: `linger.ms: 5` means the same as `'5'`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// What the value of a property may be written as.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Scalar {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

pub(super) fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let written = BTreeMap::<String, Scalar>::deserialize(deserializer)?;
    Ok(written.into_iter().map(|(name, value)| (name, value.text())).collect())
}

impl Scalar {
    fn text(self) -> String {
        match self {
            Scalar::Flag(flag) => flag.to_string(),
            Scalar::Whole(number) => number.to_string(),
            Scalar::Number(number) => number.to_string(),
            Scalar::Text(text) => text,
        }
    }
}
