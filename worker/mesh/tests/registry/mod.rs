//! A schema registry that speaks the HTTP API of Confluent, for the tests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is answered to a path: a status and a body.
pub(crate) type Answers = BTreeMap<String, (u16, String)>;

/// The registry, on a port of its own.
pub(crate) struct Registry {
    pub(crate) url: String,
    pub(crate) answers: Arc<Mutex<Answers>>,
    /// The paths that were asked for, each with the header `authorization`.
    pub(crate) asked: Arc<Mutex<Vec<(String, String)>>>,
    /// How long an answer takes.
    pub(crate) delay: Arc<Mutex<Duration>>,
}

impl Registry {
    pub(crate) fn start() -> Registry {
        Registry::serve("http", None)
    }

    /// Behind TLS, with the certificate of this folder.
    pub(crate) fn start_tls() -> Registry {
        let (certificate, key) = (include_bytes!("certificate.pem"), include_bytes!("key.pem"));
        let identity = native_tls::Identity::from_pkcs8(certificate, key).unwrap();
        Registry::serve("https", Some(native_tls::TlsAcceptor::new(identity).unwrap()))
    }

    fn serve(scheme: &str, tls: Option<native_tls::TlsAcceptor>) -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let registry =
            Registry { url, answers: Arc::default(), asked: Arc::default(), delay: Arc::default() };
        let (answers, asked, delay) =
            (registry.answers.clone(), registry.asked.clone(), registry.delay.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let _ = match &tls {
                    None => serve(stream, &answers, &asked, &delay),
                    Some(tls) => match tls.accept(stream) {
                        Ok(stream) => serve(stream, &answers, &asked, &delay),
                        Err(_) => Ok(()),
                    },
                };
            }
        });
        registry
    }

    /// Registers a schema under an id.
    pub(crate) fn put(&self, id: u32, kind: &str, schema: &str, references: &str) {
        let body = answer(kind, schema, references);
        self.set(&format!("/schemas/ids/{id}"), 200, &body);
    }

    /// Registers a version of a subject.
    pub(crate) fn put_subject(&self, subject: &str, kind: &str, schema: &str) {
        let body = answer(kind, schema, "[]");
        self.set(&format!("/subjects/{subject}/versions/1"), 200, &body);
    }

    pub(crate) fn set(&self, path: &str, status: u16, body: &str) {
        self.answers.lock().unwrap().insert(path.into(), (status, body.into()));
    }
}

fn answer(kind: &str, schema: &str, references: &str) -> String {
    let schema = serde_json::to_string(schema).unwrap();
    format!(r#"{{"schema":{schema},"schemaType":"{kind}","references":{references}}}"#)
}

fn serve(
    stream: impl Read + Write,
    answers: &Mutex<Answers>,
    asked: &Mutex<Vec<(String, String)>>,
    delay: &Mutex<Duration>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut lines = stream.by_ref().lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut authorization = String::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(value) = line.to_lowercase().strip_prefix("authorization: ") {
            authorization = line[line.len() - value.len()..].to_owned();
        }
    }
    asked.lock().unwrap().push((path.clone(), authorization));
    std::thread::sleep(*delay.lock().unwrap());
    let unknown = (404, r#"{"error_code":40403,"message":"Schema not found"}"#.to_owned());
    let (status, body) = answers.lock().unwrap().get(&path).cloned().unwrap_or(unknown);
    write!(
        stream.get_mut(),
        "HTTP/1.1 {status} Status\r\ncontent-type: application/vnd.schemaregistry.v1+json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.get_mut().flush()
}
