//! What the results of a partition depend on, and what of a checkpoint is still good.

use crate::config::Config;
use crate::series::Blueprint;
use mesh::checkpoint::{Settings, fingerprint};
use std::collections::BTreeSet;

/// Raised when a sample of a series gives another filtered sample than before.
const FILTERS: u32 = 1;

/// What still fits of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Whether the same records give the same samples as then.
    pub(crate) records: bool,
    /// Whether the same samples give the same filtered samples as then.
    pub(crate) filters: bool,
    /// The scales that see the same as then.
    pub(crate) scales: BTreeSet<String>,
    /// Whether anything is not as it was.
    pub(crate) changed: bool,
    /// Whether the engine is another one.
    pub(crate) engine: bool,
}

impl Blueprint {
    /// Fingerprints of what results depend on.
    pub(crate) fn settings(&self) -> Settings {
        let Config { series, scales, .. } = &self.config;
        let records = (series.dimension, series.max_record_bytes, self.decoder.meaning());
        let scale = |scale| (persisted(scale), print(&(detection::REVISION, scale)));
        let fixed = [
            ("engine".to_owned(), persistence::REVISION.to_string()),
            ("records".to_owned(), print(&records)),
            ("filters".to_owned(), print(&(FILTERS, &series.preprocess))),
        ];
        scales.iter().map(scale).chain(fixed).collect()
    }

    /// What still fits of a checkpoint with these settings.
    pub(crate) fn fit(&self, then: &Settings) -> Fit {
        let now = self.settings();
        let same = |key: &str| now.get(key) == then.get(key);
        // Version 1 does not tell, and its series are rebuilt from samples only.
        let records = same("records") || !then.contains_key("records");
        let filters = same("filters");
        let scales = self.config.scales.iter();
        let scales = scales.filter(|scale| filters && same(&persisted(scale)));
        Fit {
            records,
            filters,
            scales: scales.map(|scale| scale.name.clone()).collect(),
            changed: now != *then,
            engine: same("engine"),
        }
    }
}

/// The name of a scale among the settings.
fn persisted(scale: &crate::config::Scale) -> String {
    format!("scale.{}", scale.name)
}

fn print(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).expect("a configuration has string keys only");
    fingerprint(text.as_bytes())
}
