use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The libraries that a program is linked with, its loader included; none when it is static.
pub(super) fn of(program: &Path) -> Result<Vec<PathBuf>> {
    let mut ldd = Command::new("ldd");
    let output =
        ldd.arg(program).output().context("cannot run ldd: it is part of the C library")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(missing) = said.lines().find(|line| line.contains("not found")) {
        bail!("{} is not whole: {}", program.display(), missing.trim());
    }
    Ok(paths(&said))
}

/// What is followed by an address: `name => /path (0x…)`, or `/path (0x…)`.
fn paths(said: &str) -> Vec<PathBuf> {
    let path = |line: &str| {
        let (path, _) = line.split_once(" (0x")?;
        let path = path.rsplit(' ').next()?.trim();
        path.starts_with('/').then(|| path.into())
    };
    said.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_what_the_kernel_gives() {
        let said = "\tlinux-vdso.so.1 (0x00007ffc)\n\
                    \tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f12)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f34)\n";
        let expected = ["/lib/x86_64-linux-gnu/libz.so.1", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(paths(said), expected.map(PathBuf::from));
        assert!(paths("\tnot a dynamic executable\n").is_empty());
    }
}
