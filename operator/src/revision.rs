//! What makes one revision another.

use crds::StreamingTDA;
use crds::spec::Image;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt;

/// The version of what is hashed; a part of it, so that a change of the rules is one on purpose.
const SCHEMA: u32 = 1;
/// Hexadecimal digits of a name: 40 bits, so that fifty revisions collide once in 10⁹ resources.
const DIGITS: usize = 10;

/// What the operator was installed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the workers' image is when a resource does not say so, without tag and digest.
    pub image_repository: String,
    /// The tag of it when a resource names neither tag nor digest.
    pub image_tag: String,
    /// The digest of it, which decides when a resource names nothing of an image.
    pub image_digest: Option<String>,
}

impl Settings {
    /// The image that the workers of a resource run.
    pub fn image(&self, image: &Image) -> String {
        let repository = image.repository.as_ref().unwrap_or(&self.image_repository);
        // That of one image says nothing of another.
        let ours = self.image_digest.as_ref().filter(|_| image.repository.is_none());
        match (&image.digest, &image.tag, ours) {
            (Some(digest), ..) | (None, None, Some(digest)) => format!("{repository}@{digest}"),
            (None, tag, _) => format!("{repository}:{}", tag.as_ref().unwrap_or(&self.image_tag)),
        }
    }
}

/// The name of a revision: ten hexadecimal digits of a hash of its [content].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(String);

impl Revision {
    /// The revision that a resource asks for.
    pub fn of(resource: &StreamingTDA, settings: &Settings) -> Revision {
        let mut name = hash(&content(resource, settings));
        name.truncate(DIGITS);
        Revision(name)
    }

    /// The name in a label or in the status.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Revision {
    fn from(name: &str) -> Revision {
        Revision(name.into())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All that changes results or processes, and so the hash. How many pods there are, how a spec comes
/// into force, what is promised and who may see the workers is not among it.
pub fn content(resource: &StreamingTDA, settings: &Settings) -> Value {
    let spec = &resource.spec;
    canonical(json!({
        "schema": SCHEMA,
        "image": {
            "name": settings.image(&spec.image),
            "pullPolicy": spec.image.pull_policy,
            "pullSecrets": spec.image.pull_secrets,
        },
        "kafka": spec.kafka,
        "input": spec.input,
        "series": spec.series,
        "scales": spec.scales,
        "engine": spec.engine,
        "state": spec.state,
        "resources": spec.resources,
        "pod": spec.pod,
        "observability": {
            "port": spec.observability.port,
            "logLevel": spec.observability.log_level,
            "tracing": spec.observability.tracing,
        },
    }))
}

/// The hash of a value in canonical JSON, in hexadecimal digits.
pub fn hash(canonical: &Value) -> String {
    let digest = Sha256::digest(canonical.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sorted by keys, and without what is null.
pub(crate) fn canonical(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().filter(|(_, v)| !v.is_null()).collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(fields.into_iter().map(|(k, v)| (k, canonical(v))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(canonical).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crds::spec::Image;

    #[test]
    fn the_digest_of_the_installation_is_of_its_own_image_only() {
        let settings = Settings {
            image_repository: "ours".into(),
            image_tag: "1".into(),
            image_digest: Some("sha256:aa".into()),
        };
        let image = |repository: Option<&str>, tag: Option<&str>, digest: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            let (repository, tag, digest) = (text(repository), text(tag), text(digest));
            settings.image(&Image { repository, tag, digest, ..Image::default() })
        };
        assert_eq!(image(None, None, None), "ours@sha256:aa");
        assert_eq!(image(None, Some("2"), None), "ours:2");
        assert_eq!(image(Some("other"), None, None), "other:1");
        assert_eq!(image(Some("other"), None, Some("sha256:bb")), "other@sha256:bb");
        let by_tag = Settings { image_digest: None, ..settings.clone() };
        assert_eq!(by_tag.image(&Image::default()), "ours:1");
    }
}
