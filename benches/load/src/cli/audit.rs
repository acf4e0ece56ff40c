use super::arguments::Audit;
use super::run::configuration;
use crate::history;
use anyhow::Result;

/// Matches all outputs in Kafka with the inputs there; gives the exit code.
pub(super) fn audit(arguments: &Audit) -> Result<u8> {
    let config = configuration(&arguments.config)?;
    let verdict = history::audit(&config)?;
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&verdict)?),
        false => println!("{verdict}"),
    }
    let passes = verdict.passes(super::run::repetitions(arguments.allow_repetitions));
    Ok(if passes { 0 } else { crate::report::Finding::Faulty.exit_code() })
}
