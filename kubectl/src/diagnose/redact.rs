//! Takes secrets out of what leaves the cluster.
//!
//! Too much is taken out rather than too little: whatever is said under a name that sounds like a secret,
//! the values of all environment variables, credentials in URLs, keys, certificates and tokens. What only
//! names a secret, as `secretKeyRef` does, stays, since a report is about such things.

use regex::{Captures, Regex};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// What stands where a secret stood.
const REDACTED: &str = "<redacted>";

/// Parts of names under which secrets are kept.
const SENSITIVE: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "token",
    "secret",
    "key",
    "sasl",
    "jaas",
    "credential",
    "auth",
    "cookie",
    "cert",
    "bundle",
    "signature",
];

/// Whether what is under a name that sounds so only names other things, as Kubernetes has it.
fn is_reference(name: &str, value: &Value, parent: Place) -> bool {
    const OF_VOLUME: [&str; 4] = ["secretName", "items", "defaultMode", "optional"];
    match (name, value) {
        ("secretKeyRef" | "configMapKeyRef" | "secretRef" | "serviceAccountToken", value) => {
            value.is_object()
        }
        ("secret", Value::Object(fields)) => fields.keys().all(|f| OF_VOLUME.contains(&f.as_str())),
        ("secrets" | "imagePullSecrets", Value::Array(items)) => items.iter().all(Value::is_object),
        ("pullSecrets", value) => value.is_array(),
        ("secretName" | "topologyKey", value) => value.is_string(),
        ("key", value) => value.is_string() && parent == Place::Reference,
        _ => false,
    }
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Under no name that sounds like a secret.
    Open,
    /// Under one that does.
    Secret,
    /// Under one that names a secret, or in a list whose items have keys of labels and the like.
    Reference,
    /// A variable of an environment, or the like.
    Environment,
}

fn is_sensitive(name: &str) -> bool {
    let name = name.to_lowercase();
    SENSITIVE.iter().any(|part| name.contains(part))
}

/// Where what is under a name is.
fn place(name: &str, value: &Value, parent: Place) -> Place {
    match name {
        _ if is_reference(name, value, parent) => Place::Reference,
        // All of a secret is one, whatever its parts are called.
        _ if parent == Place::Secret => Place::Secret,
        "env" if value.is_array() => Place::Environment,
        "env" => Place::Secret,
        "items" | "tolerations" | "matchExpressions" if value.is_array() => Place::Reference,
        // The file that holds a secret is not one.
        _ if is_sensitive(name) => match value {
            Value::String(path)
                if path.starts_with('/') && name.to_lowercase().ends_with("file") =>
            {
                Place::Open
            }
            _ => Place::Secret,
        },
        _ if parent == Place::Reference => Place::Open,
        _ => parent,
    }
}

/// An object without its secrets.
pub(super) fn object(mut value: Value) -> Value {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        // A copy of the object, as text.
        let applied = "kubectl.kubernetes.io/last-applied-configuration";
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        annotations.and_then(|annotations| annotations.remove(applied));
    }
    // Files in the configuration are read as what they are.
    if value["kind"] == "ConfigMap" {
        for (_, file) in value["data"].as_object_mut().into_iter().flatten() {
            let read = file.as_str().and_then(|text| serde_saphyr::from_str::<Value>(text).ok());
            if let Some(read) = read.filter(|read| read.is_object() || read.is_array()) {
                *file = read;
            }
        }
        if let Some(binary) = value.get_mut("binaryData") {
            *binary = REDACTED.into();
        }
        return within_files(value);
    }
    within(value, Place::Open)
}

fn within_files(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let part = |(name, part): (String, Value)| {
        let part = match (name.as_str(), part) {
            ("data", Value::Object(files)) => {
                let file = |(name, file): (String, Value)| {
                    let place = if is_sensitive(&name) { Place::Secret } else { Place::Open };
                    (name, within(file, place))
                };
                Value::Object(files.into_iter().map(file).collect())
            }
            (_, part) => within(part, Place::Open),
        };
        (name, part)
    };
    Value::Object(fields.into_iter().map(part).collect())
}

fn within(value: Value, at: Place) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields_within(fields, at)),
        Value::Array(items) => Value::Array(items_within(items, at)),
        Value::Null | Value::Bool(_) => value,
        Value::String(_) | Value::Number(_) if at == Place::Secret => REDACTED.into(),
        Value::String(said) => text(&said).into(),
        Value::Number(_) => value,
    }
}

fn fields_within(fields: Map<String, Value>, at: Place) -> Map<String, Value> {
    // A header or a variable: what it is called says what it holds.
    let named = fields.get("name").and_then(Value::as_str).is_some_and(is_sensitive);
    // A key of a label or of a file has something beside it.
    let beside =
        ["name", "path", "operator", "effect"].iter().any(|name| fields.contains_key(*name));
    let at = if at == Place::Reference && !beside { Place::Open } else { at };
    let field = |(name, value): (String, Value)| {
        let hidden = name == "value" && (named || at == Place::Environment);
        let at = if hidden { Place::Secret } else { place(&name, &value, at) };
        // An environment is a list; what is in its variables is like everything else.
        let value = within(value, at);
        (name, value)
    };
    fields.into_iter().map(field).collect()
}

fn items_within(items: Vec<Value>, at: Place) -> Vec<Value> {
    let mut follows = false;
    let item = |item: Value| {
        let hidden = follows && item.is_string();
        // An argument that says what the next one is: `--password`.
        follows = item.as_str().is_some_and(|item| {
            item.starts_with('-') && !item.contains(['=', ' ']) && is_sensitive(item)
        });
        match item.as_str().and_then(assignment) {
            Some(name) => format!("{name}={REDACTED}").into(),
            None => within(item, if hidden { Place::Secret } else { at }),
        }
    };
    items.into_iter().map(item).collect()
}

/// What an argument gives a secret to, all of which is behind the `=`, blanks too.
fn assignment(argument: &str) -> Option<&str> {
    let (name, _) = argument.split_once('=')?;
    (name.starts_with('-') && !name.contains(' ') && is_sensitive(name)).then_some(name)
}

/// Something in single or double quotes, which may be escaped, or in such as are not closed.
const QUOTED: &str = r#""(?:[^"\\]|\\.)*"|\\"(?:\\\\\\"|[^"])*"|'[^']*'|\\?["'].*"#;

/// Patterns of secrets in text, and what takes their place.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let sensitive =
        "(?:password|passwd|passphrase|pwd|token|secret|key|sasl|jaas|credential|auth|cookie)";
    let patterns = [
        (
            r"(?s)-----BEGIN ([A-Z0-9 ]+)-----.*?(?:-----END [A-Z0-9 ]+-----|\z)".to_owned(),
            "<redacted $1>",
        ),
        // The same in base64.
        (r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+".to_owned(), REDACTED),
        (r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s'\x22]+@".to_owned(), "$1<redacted>@"),
        (r"(?i)\b(bearer|basic)\s+[^\s'\x22]+".to_owned(), "$1 <redacted>"),
        (r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?".to_owned(), REDACTED),
        // In quotes, or as far as the next blank: any other character may be part of a password.
        (
            format!(r#"(?i)([\w.-]*{sensitive}[\w.-]*\\?["']?\s*(?:=>|=|:)\s*)(?:{QUOTED}|\S+)"#),
            "$1<redacted>",
        ),
        (format!(r"(?i)(--?[\w-]*{sensitive}[\w-]*\s+)(?:{QUOTED}|-?[^\s-]\S*)"), "$1<redacted>"),
    ];
    // They are constant, and a test uses each.
    patterns.iter().filter_map(|(of, with)| Some((Regex::new(of).ok()?, *with))).collect()
});

/// Text without its secrets.
pub(super) fn text(said: &str) -> String {
    PATTERNS.iter().fold(said.to_owned(), |said, (pattern, with)| {
        let replaced = pattern.replace_all(&said, |found: &Captures<'_>| {
            let mut place = String::new();
            found.expand(with, &mut place);
            place
        });
        replaced.into_owned()
    })
}

#[cfg(test)]
mod tests;
