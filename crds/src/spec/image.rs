use crate::schema::rule_at;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The image of the workers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule_at(
        "repository",
        "!has(self.repository) || self.repository.matches('^[a-z0-9]([a-z0-9._/:-]*[a-z0-9])?$') \
         && !self.repository.matches(':[^/]*$')",
        "repository is a name such as registry.example/tda/worker; the tag and the digest have \
         fields of their own",
    ),
    rule_at(
        "tag",
        "!has(self.tag) || self.tag.matches('^[a-zA-Z0-9_][a-zA-Z0-9._-]*$')",
        "a tag has letters, digits, '_', '.' and '-', such as 0.1.0",
    ),
    rule_at(
        "digest",
        "!has(self.digest) || self.digest.matches('^sha256:[0-9a-f]{64}$')",
        "a digest is sha256: and 64 hexadecimal digits",
    ),
]))]
pub struct Image {
    /// Where the image is, without tag and digest. Default: that of the operator's choice.
    #[schemars(length(min = 1, max = 255))]
    pub repository: Option<String>,
    /// Which version. Default: that of the operator.
    #[schemars(length(min = 1, max = 128))]
    pub tag: Option<String>,
    /// Which bytes: `sha256:…`; it decides, whatever the tag is. Default: those that the tag names.
    #[schemars(length(max = 71))]
    pub digest: Option<String>,
    /// When a node asks for the image. Default: IfNotPresent.
    pub pull_policy: PullPolicy,
    /// Names of Secrets in the namespace of the resource with which the image is pulled, at most 8.
    /// Default: none.
    #[schemars(
        length(max = 8),
        inner(length(min = 1, max = 253)),
        extend("x-kubernetes-list-type" = "set")
    )]
    pub pull_secrets: Vec<String>,
}

/// When a node asks for the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// When it does not have it.
    #[default]
    IfNotPresent,
    /// At every start.
    Always,
    /// Never: it must be there.
    Never,
}
