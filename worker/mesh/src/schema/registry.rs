//! The HTTP API of Confluent's schema registry, as far as a reader needs it.

use super::Rejection;
use super::cloud_events::percent_encoded;
use super::config::Registry;
use super::decoder::{Failure, Unusable};
use super::protobuf::ROOT;
use super::wire::SchemaId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// A schema and those that it refers to.
#[derive(Debug)]
pub(super) struct Registered {
    /// `AVRO`, `PROTOBUF` or `JSON`.
    pub(super) kind: String,
    /// The names that they are referred to by, and their texts: before each those that it refers
    /// to, and the schema itself last, as [`ROOT`].
    pub(super) files: Vec<(String, String)>,
}

impl Registered {
    pub(super) fn texts(&self) -> Vec<&str> {
        self.files.iter().map(|(_, text)| text.as_str()).collect()
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    schema: String,
    #[serde(rename = "schemaType", default = "Answer::avro")]
    kind: String,
    #[serde(default)]
    references: Vec<Reference>,
}

impl Answer {
    fn avro() -> String {
        "AVRO".into()
    }
}

#[derive(Debug, Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: i64,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    error_code: i64,
}

/// Bytes in the largest answer.
const ANSWER: u64 = 4 << 20;
/// Schemas that a schema may refer to, itself included.
const REFERENCES: usize = 256;
/// References that follow each other.
const DEPTH: usize = 32;

/// Asks a registry.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    url: String,
    /// The name, and the file with the password: read for every request, so that a new password
    /// counts at once.
    credentials: Option<(String, PathBuf)>,
}

impl Client {
    pub(super) fn new(registry: &Registry) -> Result<Client, Unusable> {
        let url = registry.url.trim_end_matches('/').to_owned();
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let message = format!("{url:?} does not begin with http:// or https://");
            return Err(Unusable::new("registry.url", message));
        }
        let authority = url.split('/').nth(2).unwrap_or_default();
        if authority.contains('@') {
            // The address is logged.
            let message = "it holds a name or a password, which belong into registry.username and \
                           a file that registry.password_file names";
            return Err(Unusable::new("registry.url", message));
        }
        let tls =
            TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(roots(registry)?);
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(registry.timeout_ms)))
            .http_status_as_error(false)
            .max_redirects(3)
            .tls_config(tls.build());
        let agent = config.build().new_agent();
        let credentials = registry.username.clone().zip(registry.password_file.clone());
        let client = Client { agent, url, credentials };
        let wrong = |message| Unusable::new("registry.password_file", message);
        client.authorization().map_err(wrong)?;
        Ok(client)
    }

    /// The schema of an id.
    pub(super) fn schema(&self, id: SchemaId) -> Result<Registered, Failure> {
        let path = match id {
            SchemaId::Id(_) => format!("/schemas/ids/{id}"),
            SchemaId::Guid(_) => format!("/schemas/guids/{id}"),
        };
        let answer: Answer = self.get(&path, &id.to_string())?;
        let mut files = Vec::new();
        self.follow(&answer.references, DEPTH, &mut HashSet::new(), &mut files)?;
        files.push((ROOT.to_owned(), answer.schema));
        Ok(Registered { kind: answer.kind, files })
    }

    fn follow(
        &self,
        references: &[Reference],
        depth: usize,
        seen: &mut HashSet<String>,
        files: &mut Vec<(String, String)>,
    ) -> Result<(), Failure> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Rejection::Schema("its references follow too deep".into()).into());
        };
        for Reference { name, subject, version } in references {
            if !seen.insert(name.clone()) {
                continue;
            }
            if seen.len() > REFERENCES {
                return Err(Rejection::Schema("it has too many references".into()).into());
            }
            let path = format!("/subjects/{}/versions/{version}", percent_encoded(subject));
            let answer: Answer = self.get(&path, &format!("{subject}, version {version}"))?;
            self.follow(&answer.references, depth, seen, files)?;
            files.push((name.clone(), answer.schema));
        }
        Ok(())
    }

    /// The header of HTTP basic authentication (RFC 7617).
    fn authorization(&self) -> Result<Option<String>, String> {
        let Some((name, file)) = &self.credentials else { return Ok(None) };
        let password = std::fs::read_to_string(file);
        let password = password.map_err(|e| format!("{}: {e}", file.display()))?;
        let pair = format!("{name}:{}", password.trim_end_matches(['\r', '\n']));
        Ok(Some(format!("Basic {}", base64(pair.as_bytes()))))
    }

    fn get<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, Failure> {
        let url = format!("{}{path}", self.url);
        let unavailable =
            |e: &dyn ToString| Failure::Unavailable(format!("{url}: {}", e.to_string()));
        let accept = "application/vnd.schemaregistry.v1+json, application/json";
        let mut request = self.agent.get(&url).header("accept", accept);
        if let Some(authorization) = self.authorization().map_err(|e| unavailable(&e))? {
            request = request.header("authorization", authorization);
        }
        let mut response = request.call().map_err(|e| unavailable(&e))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(ANSWER).read_to_vec();
        let body = body.map_err(|e| unavailable(&e))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|e| unavailable(&e));
        }
        // What is no registry says 404 too, but without the code.
        let refusal = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.error_code);
        match (status.as_u16(), refusal) {
            (404, Ok(40401..=40499)) => Err(Rejection::SchemaUnknown(what.into()).into()),
            _ => Err(unavailable(&format!("HTTP status {status}"))),
        }
    }
}

/// The certificates of `ca_file`, or the system's.
fn roots(registry: &Registry) -> Result<RootCerts, Unusable> {
    let Some(file) = &registry.ca_file else { return Ok(RootCerts::PlatformVerifier) };
    let wrong = |e: &dyn ToString| {
        Unusable::new("registry.ca_file", format!("{}: {}", file.display(), e.to_string()))
    };
    let text = std::fs::read(file).map_err(|e| wrong(&e))?;
    let certificates = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let certificates: Vec<Certificate<'static>> =
        certificates.collect::<Result<_, _>>().map_err(|e| wrong(&e))?;
    match certificates.is_empty() {
        true => Err(wrong(&"it holds no certificate")),
        false => Ok(RootCerts::from(certificates)),
    }
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let quad = |chunk: &[u8]| {
        let byte = |i: usize| chunk.get(i).map_or(0, |&b| u32::from(b));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = move |i: usize| char::from(DIGITS[(bits >> (18 - 6 * i) & 63) as usize]);
        let length = chunk.len();
        (0..4).map(move |i| if i <= length { digit(i) } else { '=' })
    };
    bytes.chunks(3).flat_map(quad).collect()
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let encoded =
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|s| base64(s.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }
}
