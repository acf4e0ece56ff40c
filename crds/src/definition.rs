use crate::schema::{rule, structural};
use crate::spec::{StreamingTDA, StreamingTDASpec};
use crate::status::StreamingTDAStatus;
use crate::{PartitionAssignment, PartitionAssignmentSpec, PartitionAssignmentStatus};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::CustomResourceExt;
use schemars::JsonSchema;
use serde_json::{Value, json};

/// A custom resource definition, as it is sent to an API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition(pub Value);

impl Definition {
    /// The name of the definition, such as `streamingtdas.streamingtda.io`.
    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The kind of its resources, such as `StreamingTDA`.
    pub fn kind(&self) -> &str {
        self.0["spec"]["names"]["kind"].as_str().unwrap_or_default()
    }

    /// The structural schema of its resources, with the rules of each part.
    pub fn schema(&self) -> &Value {
        &self.0["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    }

    /// As a document of YAML.
    ///
    /// # Errors
    /// When it cannot be written as such.
    pub fn yaml(&self) -> Result<String, serde_saphyr::SerializeError> {
        serde_saphyr::to_string(&self.0)
    }

    /// The definition of a resource with these two sections.
    fn of<Resource: CustomResourceExt, Spec: JsonSchema, Status: JsonSchema>(
        description: &str,
        rules: &[Value],
    ) -> Definition {
        let mut definition = json(&Resource::crd());
        let mut schema = json!({
            "type": "object",
            "description": description,
            "required": ["spec"],
            "properties": {"spec": structural::<Spec>(), "status": structural::<Status>()},
        });
        if !rules.is_empty() {
            schema["x-kubernetes-validations"] = rules.into();
        }
        definition["spec"]["versions"][0]["schema"] = json!({"openAPIV3Schema": schema});
        Definition(definition)
    }
}

/// The definitions of all resources.
pub fn definitions() -> [Definition; 2] {
    // Names of pods and Services are made from it, with a revision and a suffix behind.
    let name = rule(
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && \
         self.metadata.name.size() <= 40",
        "the name begins with a letter, has lower-case letters, digits and '-', and is at most 40 \
         characters long, since names of pods and Services are made from it",
    );
    [
        Definition::of::<StreamingTDA, StreamingTDASpec, StreamingTDAStatus>(
            "Watches the shape of live data: a topic of points in, persistence diagrams, features \
             and alerts out.",
            &[name],
        ),
        Definition::of::<PartitionAssignment, PartitionAssignmentSpec, PartitionAssignmentStatus>(
            "Which revision does what on which partition. The operator writes it, and the workers \
             watch it.",
            &[],
        ),
    ]
}

/// The schema of the metadata of every resource, which no definition has.
pub fn metadata() -> Value {
    structural::<ObjectMeta>()
}

fn json(crd: &CustomResourceDefinition) -> Value {
    // Its keys are strings, and its numbers finite.
    serde_json::to_value(crd).unwrap_or_default()
}
