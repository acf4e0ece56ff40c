//! The images of our own programs.

use super::{Image, MAX_SIZE};
use crate::binary::{self, Profile};
use crate::command::run;
use anyhow::{Result, ensure};
use std::path::Path;
use std::process::Command;

/// Where systems keep the certificates of public authorities.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// Names are looked up in /etc/hosts before they are asked for.
const NAMES: &str = "passwd: files\ngroup: files\nhosts: files dns\n";

impl Image {
    /// The worker, under the name that the chart gives it by default.
    ///
    /// # Errors
    /// When it cannot be built, or has become too large.
    pub fn worker(profile: Profile) -> Result<Image> {
        Image::of_ours("streaming-tda-worker", profile)
    }

    /// The operator, likewise.
    ///
    /// # Errors
    /// When it cannot be built, or has become too large.
    pub fn operator(profile: Profile) -> Result<Image> {
        Image::of_ours("streaming-tda-operator", profile)
    }

    fn of_ours(package: &'static str, profile: Profile) -> Result<Image> {
        let program = binary::built(package, profile)?;
        let folder = tempfile::tempdir()?;
        let stripped = folder.path().join(package);
        let mut strip = Command::new("strip");
        run(strip.arg("-o").arg(&stripped).arg(program), "it comes with the compiler")?;
        // By its full name, since nodes look for `NAME:TAG` under it.
        let name = format!("docker.io/library/{package}:{}", env!("CARGO_PKG_VERSION"));
        let image = Image::of_program(&name, &stripped)?;
        let size = image.size();
        ensure!(size < MAX_SIZE, "the image {name} has become {size} bytes, of {MAX_SIZE}");
        Ok(image)
    }

    /// A program alone, as nobody in particular, with what it needs to check certificates.
    ///
    /// # Errors
    /// When a file is missing.
    fn of_program(name: &str, program: &Path) -> Result<Image> {
        let file = program.file_name().unwrap_or_default().to_string_lossy();
        let at = format!("/usr/local/bin/{file}");
        let mut image = Image::new(name).entrypoint(&[&at]).user("65532:65532");
        image = image.text("/etc/nsswitch.conf", NAMES);
        if let Some(authorities) = AUTHORITIES.iter().map(Path::new).find(|path| path.exists()) {
            image = image.file(AUTHORITIES[0], authorities)?;
        }
        image.program(&at, program)
    }
}
