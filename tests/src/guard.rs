//! Processes that do not outlive the tests, however those end.

use crate::command::run;
use anyhow::Result;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Ends the process when the other end of its first standard input is closed, which the kernel
/// does for a process that was killed. A signal at the parent's death would come at the end of
/// the thread that started it, and tests are threads.
const WATCH: &str =
    r#"exec 3<&0; (read -r _ <&3; kill -KILL $$) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-"#;

/// A command whose process is killed when this process ends; its child must be kept whole, with
/// its standard input. What interrupts this process from its terminal does not reach it, so that
/// it can be ended in order.
pub fn guarded(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, "sh"]).arg(program).stdin(Stdio::piped()).process_group(0);
    command
}

/// Kills a guarded process, and waits until it is gone.
pub fn kill(process: &mut Child) {
    drop(process.stdin.take());
    let _ = process.kill();
    let _ = process.wait();
}

/// Sends a signal, such as `STOP`.
pub(crate) fn signal(process: &Child, name: &str) -> Result<()> {
    let mut kill = Command::new("kill");
    run(kill.arg(format!("-{name}")).arg(process.id().to_string()), "it is in POSIX")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_guarded_process_ends_with_the_one_that_holds_its_input() {
        let mut process = guarded("sleep").arg("100").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert!(process.try_wait().unwrap().is_none());
        drop(process.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(5);
        while process.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it outlives its guard");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
