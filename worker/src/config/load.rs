use super::{Config, Problem, Problems};

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// Lists all that is wrong.
    pub fn from_yaml(text: &str) -> Result<Config, Problems> {
        // serde-saphyr: maintained, parses into the types without `unsafe`, and is fuzzed;
        // serde_yaml is archived, and its forks are either quiet or have advisories.
        let config: Config = serde_saphyr::from_str(text)
            .map_err(|e| Problems(vec![Problem { path: String::new(), message: e.to_string() }]))?;
        config.validate()?;
        Ok(config)
    }
}
