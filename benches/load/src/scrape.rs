//! What a worker tells of itself over HTTP.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The metrics of the worker at an address, by name and labels; the buckets of histograms left
/// out.
///
/// # Errors
/// When it does not answer.
pub fn metrics(address: SocketAddr) -> io::Result<BTreeMap<String, f64>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(parse(body)),
        _ => Err(io::Error::other(format!("{address} has no /metrics"))),
    }
}

fn parse(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let values = lines.filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    values.filter(|(name, _)| !name.contains("_bucket{")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_prometheus_is_understood() {
        let text = "# HELP a A.\n# TYPE a counter\na_total 5\nb{x=\"1 2\"} 0.25\n\
                    c_bucket{le=\"1\"} 3\nc_sum 7\n# EOF\n";
        let found = parse(text);
        assert_eq!(found["b{x=\"1 2\"}"], 0.25);
        assert_eq!((found["a_total"], found["c_sum"], found.len()), (5.0, 7.0, 3));
    }

    #[test]
    fn an_address_where_nobody_listens_is_an_error() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(metrics(closed).is_err());
    }
}
