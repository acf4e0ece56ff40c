//! The images of our own programs.

use super::Image;
use crate::binary;
use anyhow::Result;
use std::path::Path;

/// Where systems keep the certificates of public authorities.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

impl Image {
    /// The worker, built in the profile of this.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn worker() -> Result<Image> {
        Image::of_program("localhost/streaming-tda-worker:test", &binary::worker()?)
    }

    /// A program alone, as nobody in particular, with what it needs to check certificates.
    ///
    /// # Errors
    /// When a file is missing.
    pub fn of_program(name: &str, program: &Path) -> Result<Image> {
        let file = program.file_name().unwrap_or_default().to_string_lossy();
        let at = format!("/usr/local/bin/{file}");
        let mut image = Image::new(name).entrypoint(&[&at]).user("65532:65532");
        if let Some(authorities) = AUTHORITIES.iter().map(Path::new).find(|path| path.exists()) {
            image = image.file(AUTHORITIES[0], authorities)?;
        }
        image.program(&at, program)
    }
}
