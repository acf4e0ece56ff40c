use crate::schema::rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a worker pod asks of its node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule(&covers("cpu"), "a limit must be at least what is requested: raise limits.cpu"),
    rule(&covers("memory"), "a limit must be at least what is requested: raise limits.memory"),
]))]
pub struct Resources {
    /// What is set aside for the pod. Default: from what the scales need.
    pub requests: Amounts,
    /// What the pod may take at most. Default: no limit.
    pub limits: Amounts,
}

/// Amounts of what a node has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Amounts {
    /// Cores, such as `2` or `500m`. Default: none.
    pub cpu: Option<Quantity>,
    /// Bytes, such as `512Mi` or `2Gi`. Default: none.
    pub memory: Option<Quantity>,
}

/// A number with a suffix, as elsewhere in Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Quantity {
    /// Without a suffix.
    Whole(i64),
    /// Such as `500m` or `2Gi`.
    Text(String),
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "x-kubernetes-validations": [rule(
                "isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))",
                "this is no amount: write a number above 0, with a suffix if need be, such as 500m \
                 for half a core or 2Gi for two gibibytes",
            )],
        })
    }
}

/// A limit that is there is at least the request that is there.
fn covers(name: &str) -> String {
    format!(
        "!has(self.limits.{name}) || !has(self.requests.{name}) || \
         !isQuantity(string(self.limits.{name})) || !isQuantity(string(self.requests.{name})) || \
         quantity(string(self.limits.{name})).compareTo(quantity(string(self.requests.{name}))) >= 0"
    )
}
