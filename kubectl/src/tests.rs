//! What the unit tests share: resources as an API server has them, and golden files.
#![allow(clippy::unwrap_used)]

use crate::cluster::Seen;
use crate::text::Line;
use kube::{Client, Config};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// When the tests look.
pub(crate) const NOW: &str = "2026-03-01T12:00:00Z";

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// The documents of a file of `tests/resources`.
pub(crate) fn documents<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let file = folder("resources").join(format!("{name}.yaml"));
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// The resource of this name in `resources.yaml`.
pub(crate) fn seen(name: &str) -> Seen {
    let all: Vec<Seen> = documents("resources");
    all.into_iter().find(|seen| seen.metadata.name.as_deref() == Some(name)).unwrap()
}

/// That lines are those of a golden file; `GOLDEN=write` in the environment makes the file again.
pub(crate) fn golden(name: &str, lines: &[Line]) {
    let text: String = lines.iter().map(|line| line.text(false) + "\n").collect();
    golden_text(name, &text);
}

pub(crate) fn golden_text(name: &str, text: &str) {
    let file = folder("golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|how| how == "write") {
        fs::write(&file, text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{} is another; GOLDEN=write writes it", file.display());
}

/// The client of a server that gives these answers, each a code and a body, to paths that are asked for.
pub(crate) async fn server(
    mut answer: impl FnMut(&str) -> (u16, String) + Send + 'static,
) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            let asked = String::from_utf8(asked).unwrap();
            let (code, body) = answer(asked.split(' ').nth(1).unwrap());
            let length = body.len();
            let head =
                format!("HTTP/1.1 {code} X\r\nconnection: close\r\ncontent-length: {length}");
            stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
        }
    });
    Client::try_from(Config::new(format!("http://{address}").parse().unwrap())).unwrap()
}

/// How an API server says that it does not do what is asked for.
pub(crate) fn failure(code: u16) -> (u16, String) {
    let message = format!("it answers with {code}");
    let status = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": "Refused", "code": code,
    });
    (code, status.to_string())
}
