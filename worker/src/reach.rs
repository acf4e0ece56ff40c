//! Whether there are brokers at all: told soon and in plain words, where Kafka's client would go on
//! trying.

use crate::shutdown::Shutdown;
use anyhow::{Context, Result, bail};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How long brokers may take to come up beside a worker.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait before the next try.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits until one of the brokers takes connections; `false` when it was told to stop meanwhile.
///
/// # Errors
/// When none does in time.
pub(crate) fn await_brokers(addresses: &str, shutdown: &Shutdown) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = false;
    while let Err(error) = reach(addresses) {
        if Instant::now() > deadline {
            bail!("{error}; start Kafka, or correct kafka.brokers");
        }
        if !told {
            tracing::warn!("{error}; trying for {} s", PATIENCE.as_secs());
            told = true;
        }
        std::thread::sleep(PAUSE);
        if shutdown.is_triggered() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether one of the brokers takes connections now.
///
/// # Errors
/// Says of each why it does not.
pub(crate) fn reach(addresses: &str) -> Result<()> {
    let mut reasons = Vec::new();
    for address in addresses.split(',').map(str::trim) {
        match knock(address) {
            Ok(()) => return Ok(()),
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    bail!("no broker can be reached: {}", reasons.join("; "))
}

fn knock(address: &str) -> Result<()> {
    let named = || address.to_owned();
    let mut found = address.to_socket_addrs().with_context(named)?;
    let first = found.next().with_context(named)?;
    let timeout = Duration::from_secs(3);
    let answers =
        std::iter::once(first).chain(found).map(|a| TcpStream::connect_timeout(&a, timeout));
    let mut last = None;
    for answer in answers {
        match answer {
            Ok(_) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    last.map_or(Ok(()), |error| Err(error).with_context(named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_broker_that_is_not_there_is_told_soon() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for wrong in [closed.to_string(), "localhost".into(), String::new()] {
            let error = reach(&wrong).unwrap_err().to_string();
            assert!(error.contains("no broker") && error.contains(&wrong), "{error}");
        }
    }

    #[test]
    fn one_broker_of_several_is_enough() {
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        reach(&format!("nowhere, {}", open.local_addr().unwrap())).unwrap();
    }

    #[test]
    fn a_broker_that_comes_up_late_is_waited_for_and_a_signal_ends_the_wait() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let shutdown = Shutdown::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| await_brokers(&free.to_string(), &shutdown));
            std::thread::sleep(2 * PAUSE);
            let _open = TcpListener::bind(free).unwrap();
            assert!(waiting.join().unwrap().unwrap());
        });
        shutdown.trigger();
        assert!(!await_brokers(&free.to_string(), &shutdown).unwrap());
    }
}
