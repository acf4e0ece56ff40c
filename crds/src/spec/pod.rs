use crate::schema::rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What else worker pods are given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "self.labels.all(name, !name.contains('streamingtda.io/') && \
     !name.startsWith('app.kubernetes.io/')) && \
     self.annotations.all(name, !name.contains('streamingtda.io/'))",
    "labels and annotations of streamingtda.io, and labels of app.kubernetes.io, are the \
     operator's: choose other names",
)]))]
pub struct Pod {
    /// Labels besides those of the operator, at most 32. Default: none.
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {
        "type": "string", "maxLength": 63
    }))]
    pub labels: BTreeMap<String, String>,
    /// Annotations, at most 32. Default: none.
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {
        "type": "string", "maxLength": 4096
    }))]
    pub annotations: BTreeMap<String, String>,
    /// Labels that a node must have, at most 32. Default: none.
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {
        "type": "string", "maxLength": 63
    }))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that do not keep the pods away, at most 16. Default: none.
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub tolerations: Vec<Toleration>,
    /// The PriorityClass of the pods. Default: that of the cluster.
    #[schemars(length(min = 1, max = 253))]
    pub priority_class_name: Option<String>,
    /// How long a pod that is told to end may take to finish what is in hand, in seconds, up to an
    /// hour. Default: 30.
    #[schemars(range(min = 1, max = 3600))]
    pub termination_grace_period_seconds: i32,
}

/// A taint that does not keep the pods away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "self.operator != 'Exists' || !has(self.value)",
        "operator Exists asks for no value: remove value, or set operator: Equal",
    ),
    rule(
        "has(self.key) || self.operator == 'Exists'",
        "a toleration without a key is one of every taint: set operator: Exists, or name a key",
    ),
    rule(
        "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        "tolerationSeconds means something for NoExecute only: set effect: NoExecute, or remove it",
    ),
]))]
pub struct Toleration {
    /// The key of the taint. Default: any.
    #[schemars(length(min = 1, max = 316))]
    pub key: Option<String>,
    /// How the value is compared. Default: Equal.
    pub operator: TolerationOperator,
    /// The value of the taint. Default: the empty one.
    #[schemars(length(max = 63))]
    pub value: Option<String>,
    /// The effect of the taint. Default: any.
    pub effect: Option<TolerationEffect>,
    /// How long the pod stays once the taint is there, in seconds. Default: for ever.
    #[schemars(range(min = 0, max = 2_592_000))]
    pub toleration_seconds: Option<i64>,
}

/// How the value of a taint is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationOperator {
    /// It is the value here.
    #[default]
    Equal,
    /// It may be any.
    Exists,
}

/// What a taint does to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationEffect {
    /// None is placed there.
    NoSchedule,
    /// None is placed there if there is another node.
    PreferNoSchedule,
    /// Those that are there have to leave.
    NoExecute,
}

/// How many pods may be missing when nodes are emptied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DisruptionBudget {
    /// Pods that may be missing at once: a number, or a share such as `25%`. Default: 1.
    pub max_unavailable: Unavailable,
}

/// A number of pods, or a percentage of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Unavailable {
    /// So many.
    Pods(i32),
    /// Such as `25%`.
    Share(String),
}

impl Default for Unavailable {
    fn default() -> Unavailable {
        Unavailable::Pods(1)
    }
}

impl JsonSchema for Unavailable {
    fn schema_name() -> Cow<'static, str> {
        "Unavailable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "x-kubernetes-validations": [rule(
                "type(self) == int ? int(self) >= 0 : string(self).size() <= 4 && \
                 string(self).matches('^(100|[0-9]{1,2})%$')",
                "this is a number of pods, or a share of them from 0% to 100%",
            )],
        })
    }
}

impl Default for Pod {
    fn default() -> Pod {
        Pod {
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            priority_class_name: None,
            termination_grace_period_seconds: 30,
        }
    }
}
