use crate::spec::{FileSource, KeyRef, SecretSource, StreamingTDASpec};
use std::collections::BTreeSet;
use std::fmt;

/// Where the files of a worker pod are.
const FOLDER: &str = "/etc/streaming-tda";

/// What holds a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// A key of a Secret or a ConfigMap that the worker reads as a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey {
    /// What holds the content.
    pub origin: Origin,
    /// The name of the Secret or the ConfigMap.
    pub name: String,
    /// The key.
    pub key: String,
}

impl FileKey {
    /// Where the file has to be in the worker's container.
    pub fn path(&self) -> String {
        let FileKey { origin, name, key } = self;
        format!("{FOLDER}/{origin}/{name}/{key}")
    }

    pub(super) fn of(source: &FileSource) -> Option<FileKey> {
        let secret = source.secret_key_ref.as_ref().map(|key| FileKey::new(Origin::Secret, key));
        let map = source.config_map_key_ref.as_ref();
        secret.or_else(|| Some(FileKey::new(Origin::ConfigMap, map?)))
    }

    pub(super) fn secret(source: &SecretSource) -> FileKey {
        FileKey::new(Origin::Secret, &source.secret_key_ref)
    }

    fn new(origin: Origin, KeyRef { name, key }: &KeyRef) -> FileKey {
        FileKey { origin, name: name.clone(), key: key.clone() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::ConfigMap => "config-maps",
            Origin::Secret => "secrets",
        })
    }
}

/// All keys that the workers read as files, for the volumes of their pods.
pub fn files(spec: &StreamingTDASpec) -> BTreeSet<FileKey> {
    let tls = spec.kafka.security.tls.as_ref();
    let sasl = spec.kafka.security.sasl.as_ref();
    let registry = spec.input.registry.as_ref();
    let public = [
        tls.and_then(|t| t.ca.as_ref()),
        registry.and_then(|r| r.ca.as_ref()),
        spec.input.schema.as_ref(),
    ];
    let secret = [
        tls.and_then(|t| t.certificate.as_ref()),
        tls.and_then(|t| t.key.as_ref()),
        tls.and_then(|t| t.key_password.as_ref()),
        sasl.map(|s| &s.password),
        registry.and_then(|r| r.password.as_ref()),
    ];
    let public = public.into_iter().flatten().filter_map(FileKey::of);
    public.chain(secret.into_iter().flatten().map(FileKey::secret)).collect()
}
