//! Writes the custom resource definitions that the chart ships.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

/// Writes each definition as a file into the folder that is named, or all of them to standard output.
fn main() -> ExitCode {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    match write(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: Option<PathBuf>) -> io::Result<()> {
    for definition in crds::definitions() {
        let yaml = definition.yaml().map_err(io::Error::other)?;
        match &folder {
            None => print!("---\n{yaml}"),
            Some(folder) => {
                let file = folder.join(format!("{}.yaml", definition.name()));
                fs::create_dir_all(folder)?;
                fs::write(&file, yaml).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
                })?;
            }
        }
    }
    Ok(())
}
