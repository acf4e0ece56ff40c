use crate::schema::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a topic.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "self.matches('^[a-zA-Z0-9._-]+$') && self != '.' && self != '..'",
    "this cannot be the name of a topic: use letters, digits, '.', '_' and '-'",
)]))]
pub struct Topic(#[schemars(length(min = 1, max = 249))] pub String);

/// `host:port` of a broker.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "!self.contains('://')",
        "leave the scheme with its :// out: a broker is host:port, such as kafka:9092",
    ),
    rule(
        "self.matches('^[^,[:space:]]+:[0-9]{1,5}$') && \
         int(self.substring(self.lastIndexOf(':') + 1)) >= 1 && \
         int(self.substring(self.lastIndexOf(':') + 1)) <= 65535",
        "a broker is host:port, such as kafka:9092, with a port from 1 to 65535; each broker is an \
         item of its own",
    ),
]))]
pub struct Broker(#[schemars(length(min = 1, max = 261))] pub String);

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Topic {
    fn from(name: &str) -> Topic {
        Topic(name.into())
    }
}
