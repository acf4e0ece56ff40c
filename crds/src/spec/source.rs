use crate::schema::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A key of a Secret or a ConfigMap in the namespace of the resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "self.key.matches('^[-._a-zA-Z0-9]+$') && self.key != '.' && self.key != '..'",
    "a key of a Secret or a ConfigMap has letters, digits, '-', '_' and '.'",
), rule(
    "self.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    "the name of a Secret or a ConfigMap has lower-case letters, digits, '-' and '.'",
)]))]
pub struct KeyRef {
    /// The name of the Secret or the ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key whose value is meant.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Where something secret is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretSource {
    /// A key of a Secret in the namespace of the resource.
    pub secret_key_ref: KeyRef,
}

/// Where the content of a file is found: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "has(self.configMapKeyRef) != has(self.secretKeyRef)",
    "name either configMapKeyRef or secretKeyRef, each with name and key",
)]))]
pub struct FileSource {
    /// A key of a ConfigMap in the namespace of the resource.
    pub config_map_key_ref: Option<KeyRef>,
    /// A key of a Secret in the namespace of the resource.
    pub secret_key_ref: Option<KeyRef>,
}
