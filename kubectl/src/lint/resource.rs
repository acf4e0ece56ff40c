//! All that is wrong with one resource.

use super::document::{Content, Node};
use super::{Finding, schema};
use crate::near::near;
use crds::{Definition, GROUP, StreamingTDASpec, VERSION, definitions, metadata};
use kube_cel::{Validator, apply_defaults};
use serde_json::{Value, json};

/// What a document is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Document {
    /// A resource of ours, of this kind.
    Ours(String),
    /// Something else, by its kind, that is for others to look at.
    Other(String),
}

/// The definitions, with what no definition says of itself.
pub(super) struct Rules {
    definitions: Vec<Definition>,
    metadata: Value,
    validator: Validator,
}

impl Rules {
    pub(super) fn new() -> Rules {
        Rules {
            definitions: definitions().into(),
            metadata: metadata(),
            validator: Validator::new(),
        }
    }

    /// What a document is, or what is wrong with how it says that.
    pub(super) fn document(&self, node: &Node) -> Result<Document, Finding> {
        let Some(kind) = node.text("kind") else {
            let missing = Finding::new("kind", "this is no resource: it has no kind".into());
            return Err(missing.mended("write kind: StreamingTDA, or remove the document".into()));
        };
        let version = node.text("apiVersion").unwrap_or_default();
        let ours = version.split('/').next() == Some(GROUP);
        let kinds = || self.definitions.iter().map(Definition::kind);
        match (ours, kinds().find(|known| *known == kind)) {
            (true, Some(_)) if version == format!("{GROUP}/{VERSION}") => {
                Ok(Document::Ours(kind.to_owned()))
            }
            (false, None) => Ok(Document::Other(kind.to_owned())),
            (_, Some(_)) => {
                let what = format!("no version {version:?} of {kind} is known");
                Err(Finding::new("apiVersion", what)
                    .mended(format!("write apiVersion: {GROUP}/{VERSION}")))
            }
            (true, None) => {
                let finding = Finding::new("kind", format!("{GROUP} has no kind {kind:?}"));
                Err(match near(kind, kinds()) {
                    Some(near) => finding.mended(format!("did you mean {near}?")),
                    None => finding
                        .mended(format!("there are {}", kinds().collect::<Vec<_>>().join(", "))),
                })
            }
        }
    }

    /// All that the API server would refuse of a resource that is created, or that takes the place of
    /// another, and what its operator could not read. Rules are looked at once the schema is kept, as
    /// the API server does.
    pub(super) fn check(&self, kind: &str, node: &Node, before: Option<&Value>) -> Vec<Finding> {
        let Some(definition) = self.definitions.iter().find(|d| d.kind() == kind) else {
            return Vec::new();
        };
        let mut found = schema::check(&self.whole(definition), node, "");
        found.extend(named(node));
        if found.iter().all(Finding::leaves_rules) {
            found.extend(self.broken(definition.schema(), &node.value(), before));
        }
        if found.is_empty() && kind == "StreamingTDA" {
            found.extend(unreadable(&node.value()));
        }
        found
    }

    /// The schema with what every resource has.
    fn whole(&self, definition: &Definition) -> Value {
        let mut schema = definition.schema().clone();
        let text = json!({"type": "string"});
        schema["properties"]["apiVersion"] = text.clone();
        schema["properties"]["kind"] = text;
        schema["properties"]["metadata"] = self.metadata.clone();
        schema
    }

    /// The rules that do not hold.
    fn broken(&self, schema: &Value, object: &Value, before: Option<&Value>) -> Vec<Finding> {
        let object = called(apply_defaults(schema, object));
        let before = before.map(|before| apply_defaults(schema, before));
        let schema = evaluable(schema.clone());
        let Err(broken) = self.validator.validate(&schema, &object, before.as_ref()) else {
            return Vec::new();
        };
        let finding = |error: &kube_cel::ValidationError| {
            Finding::new(error.field_path.trim_start_matches('.'), error.message.clone())
        };
        broken.as_slice().iter().map(finding).collect()
    }
}

/// With a name like the one that the API server makes of a `generateName`: its first 58 characters, and
/// five others.
fn called(mut object: Value) -> Value {
    let metadata = &object["metadata"];
    if let (None, Some(prefix)) = (metadata.get("name"), metadata["generateName"].as_str()) {
        let prefix: String = prefix.chars().take(58).collect();
        object["metadata"]["name"] = format!("{prefix}xxxxx").into();
    }
    object
}

/// A schema in whose rules numbers are told from text without `type`, which the evaluator here does not
/// have; the other way is beyond what the API server lets a rule cost. It says of a rule that it cannot
/// evaluate that it does not hold.
fn evaluable(schema: Value) -> Value {
    match schema {
        Value::String(text) => text.replace("type(self) == int", "self != string(self)").into(),
        Value::Array(items) => items.into_iter().map(evaluable).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, part)| (name, evaluable(part))).collect())
        }
        other => other,
    }
}

/// What is wrong with how a resource is named. The rules say what a name may be.
fn named(node: &Node) -> Option<Finding> {
    let metadata = node.field("metadata").map(|metadata| &metadata.node);
    let there = metadata.is_some_and(|metadata| {
        ["name", "generateName"].iter().any(|name| metadata.text(name).is_some())
    });
    let misread = metadata.is_some_and(|metadata| !matches!(metadata.content, Content::Map(_)));
    let missing = "metadata.name: Required value: name or generateName is required";
    (!there && !misread).then(|| Finding::new("metadata.name", missing.into()))
}

/// What the operator cannot read of a spec that keeps the schema and the rules.
fn unreadable(object: &Value) -> Option<Finding> {
    let spec = object.get("spec").cloned().unwrap_or_default();
    let error = serde_json::from_value::<StreamingTDASpec>(spec).err()?;
    Some(Finding::new("spec", format!("the operator cannot read it: {error}")))
}
