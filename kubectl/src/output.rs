//! What programs read.

use crate::Trouble;
use serde::Serialize;

/// A format for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// JSON
    Json,
    /// YAML
    Yaml,
}

impl Format {
    /// A value in this format.
    pub(crate) fn write(self, value: &impl Serialize) -> Result<String, Trouble> {
        let failed = |error: String| Trouble(format!("this cannot be written: {error}"));
        match self {
            Format::Json => {
                let json = serde_json::to_string_pretty(value);
                Ok(json.map_err(|error| failed(error.to_string()))? + "\n")
            }
            Format::Yaml => {
                serde_saphyr::to_string(value).map_err(|error| failed(error.to_string()))
            }
        }
    }
}
