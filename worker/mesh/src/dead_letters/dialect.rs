use super::{Facts, text};
use crate::schema::Header;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Headers by which other tools know a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `__connect.errors.*` of Kafka Connect: text.
    KafkaConnect,
    /// `kafka_dlt-*` of Spring for Apache Kafka: text, and numbers in big-endian bytes.
    Spring,
}

impl Dialect {
    pub(super) fn headers(self, facts: &Facts<'_>) -> Vec<Header> {
        match self {
            Dialect::KafkaConnect => connect(facts),
            Dialect::Spring => spring(facts),
        }
    }
}

fn connect(facts: &Facts<'_>) -> Vec<Header> {
    let header = |name: &str, value: &str| text(&format!("__connect.errors.{name}"), value);
    vec![
        header("topic", facts.topic),
        header("partition", &facts.partition.to_string()),
        header("offset", &facts.offset.to_string()),
        header("connector.name", facts.pipeline),
        header("task.id", &facts.partition.to_string()),
        header("stage", stage(facts)),
        header("class.name", "streaming-tda-worker"),
        header("exception.class.name", facts.code),
        header("exception.message", &facts.message),
    ]
}

/// The stage of Kafka Connect that is nearest.
fn stage(facts: &Facts<'_>) -> &'static str {
    match facts.stage {
        "decode" => "VALUE_CONVERTER",
        "admit" => "TRANSFORMATION",
        _ => "TASK_PUT",
    }
}

fn spring(facts: &Facts<'_>) -> Vec<Header> {
    let name = |name: &str| format!("kafka_dlt-{name}");
    let timestamp = facts.timestamp.map(|t| t.to_be_bytes().to_vec());
    let mut headers = vec![
        text(&name("exception-fqcn"), facts.code),
        text(&name("exception-message"), &facts.message),
        text(&name("original-topic"), facts.topic),
        (name("original-partition"), Some(facts.partition.to_be_bytes().to_vec())),
        (name("original-offset"), Some(facts.offset.to_be_bytes().to_vec())),
        text(&name("original-consumer-group"), facts.pipeline),
    ];
    headers.extend(timestamp.map(|timestamp| (name("original-timestamp"), Some(timestamp))));
    headers
}
