//! A network that misbehaves when it is told to, between the worker and a broker that gives the
//! proxy's address as its own.

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_linger;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(5);

/// How the network is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Network {
    /// Time that every byte takes, in each direction.
    pub latency: Duration,
    /// Bytes a second in each direction of a connection; no limit when `None`.
    pub bandwidth: Option<u32>,
    /// Largest piece in which bytes arrive; as they were sent when `None`.
    pub piece: Option<usize>,
    /// What becomes of the bytes.
    pub fate: Fate,
}

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// They arrive.
    #[default]
    Arrive,
    /// They wait until the network is well again.
    Wait,
    /// They wait on connections on which something is appended, and arrive on the others: Kafka
    /// takes no records, and gives them.
    HoldAppends,
    /// They vanish, and nobody is told. A connection that lost some is reset when the network is
    /// well again, since what follows would have no meaning.
    Vanish,
    /// There is no way: every connection is reset, old and new.
    Reset,
}

/// A proxy of one port of localhost before another.
pub struct Proxy {
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

struct State {
    network: Mutex<Network>,
    /// Connections made before this many cuts are to be reset.
    cuts: AtomicU64,
    accepted: AtomicU64,
    ended: AtomicBool,
}

impl Proxy {
    /// Forwards connections to `port` to `target`, both of localhost.
    ///
    /// # Errors
    /// When `port` is taken.
    pub fn start(port: u16, target: u16) -> Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .with_context(|| format!("a proxy cannot listen on port {port}"))?;
        listener.set_nonblocking(true)?;
        let state = Arc::new(State {
            network: Mutex::default(),
            cuts: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let shared = state.clone();
        let listener = thread::spawn(move || listen(&listener, target, &shared));
        Ok(Proxy { state, listener: Some(listener) })
    }

    /// Makes the network so from now on, for connections that there are too.
    pub fn set(&self, network: Network) {
        *self.state.network.lock().unwrap_or_else(PoisonError::into_inner) = network;
    }

    /// Makes the network well again.
    pub fn heal(&self) {
        self.set(Network::default());
    }

    /// Resets the connections that there are; new ones are served.
    pub fn cut(&self) {
        self.state.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// Connections taken so far.
    pub fn accepted(&self) -> u64 {
        self.state.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl State {
    fn network(&self) -> Network {
        *self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen(listener: &TcpListener, target: u16, state: &Arc<State>) {
    while !state.ended.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((near, _)) => {
                state.accepted.fetch_add(1, Ordering::Relaxed);
                // A target that is down refuses; so does the proxy, by closing.
                let _ = join(near, target, state);
            }
            Err(_) => thread::sleep(TICK),
        }
    }
}

fn join(near: TcpStream, target: u16, state: &Arc<State>) -> Result<()> {
    near.set_nonblocking(false)?;
    let far = TcpStream::connect(("127.0.0.1", target))?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
    }
    let connection = Arc::new(Connection {
        born: state.cuts.load(Ordering::SeqCst),
        lame: AtomicBool::new(false),
        appends: AtomicBool::new(false),
        state: state.clone(),
    });
    let (near, far) = (Arc::new(near), Arc::new(far));
    carry(near.clone(), far.clone(), connection.clone(), Some(Requests::default()));
    carry(far, near, connection, None);
    Ok(())
}

struct Connection {
    born: u64,
    /// Bytes of it have vanished.
    lame: AtomicBool,
    /// Something was appended on it.
    appends: AtomicBool,
    state: Arc<State>,
}

/// Bytes, and when they are to arrive.
type Parcel = (Instant, Vec<u8>);

/// The requests of Kafka's protocol in the bytes of a client.
#[derive(Default)]
struct Requests {
    /// The length of a request and the number of its kind, as far as they have come.
    head: Vec<u8>,
    /// Bytes of the request that have not come.
    rest: usize,
}

impl Requests {
    /// Whether one of the requests that begin in these bytes appends records.
    fn append(&mut self, mut bytes: &[u8]) -> bool {
        let mut appends = false;
        while !bytes.is_empty() {
            let rest = self.rest.min(bytes.len());
            (self.rest, bytes) = (self.rest - rest, &bytes[rest..]);
            let head = (6 - self.head.len()).min(bytes.len());
            if self.rest == 0 {
                self.head.extend(&bytes[..head]);
                bytes = &bytes[head..];
            }
            if let [a, b, c, d, kind, number] = self.head[..] {
                // The first kind, Produce, has the number 0.
                appends |= [kind, number] == [0, 0];
                self.rest = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(2);
                self.head.clear();
            }
        }
        appends
    }
}

fn carry(
    from: Arc<TcpStream>,
    to: Arc<TcpStream>,
    connection: Arc<Connection>,
    mut requests: Option<Requests>,
) {
    let (sender, receiver) = sync_channel(64);
    let reads = (from.clone(), connection.clone());
    thread::spawn(move || read(&reads.0, &reads.1, &sender));
    thread::spawn(move || write(&from, &to, &connection, &receiver, &mut requests));
}

fn read(from: &TcpStream, connection: &Connection, parcels: &SyncSender<Parcel>) {
    let mut buffer = vec![0; 64 << 10];
    while !connection.is_reset() {
        let count = match (&*from).read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return connection.reset(),
        };
        let due = Instant::now() + connection.state.network().latency;
        if parcels.send((due, buffer[..count].to_vec())).is_err() {
            return;
        }
    }
}

fn write(
    from: &TcpStream,
    to: &TcpStream,
    connection: &Connection,
    parcels: &Receiver<Parcel>,
    requests: &mut Option<Requests>,
) {
    loop {
        if connection.is_reset() {
            // Without lingering, the last close sends a reset in place of an end.
            let _ = set_socket_linger(from, Some(Duration::ZERO));
            let _ = set_socket_linger(to, Some(Duration::ZERO));
            return;
        }
        match parcels.recv_timeout(TICK) {
            Ok((due, bytes)) => {
                if requests.as_mut().is_some_and(|requests| requests.append(&bytes)) {
                    connection.appends.store(true, Ordering::SeqCst);
                }
                connection.deliver(to, due, &bytes);
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            // Whoever reads may have ended because of the reset: that is no end of the bytes.
            Err(_) if connection.is_reset() => {}
            Err(_) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
        }
    }
}

impl Connection {
    fn is_reset(&self) -> bool {
        let fate = self.state.network().fate;
        self.state.ended.load(Ordering::Relaxed)
            || fate == Fate::Reset
            || self.born < self.state.cuts.load(Ordering::SeqCst)
            || fate == Fate::Arrive && self.lame.load(Ordering::Relaxed)
    }

    fn reset(&self) {
        self.lame.store(true, Ordering::Relaxed);
    }

    fn deliver(&self, to: &TcpStream, due: Instant, bytes: &[u8]) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_reset() {
            let network = self.state.network();
            match network.fate {
                Fate::Vanish => return self.reset(),
                Fate::Wait => thread::sleep(TICK),
                Fate::HoldAppends if self.appends.load(Ordering::SeqCst) => thread::sleep(TICK),
                Fate::Arrive | Fate::HoldAppends | Fate::Reset => {
                    rest = self.send(to, network, rest)
                }
            }
        }
    }

    /// Sends the first piece, and gives the rest.
    fn send<'a>(&self, mut to: &TcpStream, network: Network, bytes: &'a [u8]) -> &'a [u8] {
        // A limit is kept by small steps, so that it can be lifted in between.
        let step = network.bandwidth.map_or(usize::MAX, |b| (b as usize / 50).max(1));
        let (piece, rest) =
            bytes.split_at(bytes.len().min(network.piece.unwrap_or(step)).min(step));
        if to.write_all(piece).is_err() {
            self.reset();
            return &[];
        }
        if let Some(bandwidth) = network.bandwidth {
            thread::sleep(Duration::from_secs_f64(piece.len() as f64 / f64::from(bandwidth)));
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::command::stable_port;

    /// A client of a proxy before a server that sends back what it gets.
    fn echo() -> (Proxy, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = server.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in server.incoming() {
                let stream = stream.unwrap();
                thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
            }
        });
        let port = stable_port().unwrap();
        let proxy = Proxy::start(port, target).unwrap();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        (proxy, client)
    }

    fn round_trip(mut client: &TcpStream, bytes: &[u8]) -> std::io::Result<Duration> {
        let began = Instant::now();
        client.write_all(bytes)?;
        let mut back = vec![0; bytes.len()];
        client.read_exact(&mut back)?;
        assert!(back == bytes, "other bytes came back");
        Ok(began.elapsed())
    }

    #[test]
    fn bytes_arrive_late_in_pieces_and_slowly_but_they_arrive() {
        let (proxy, client) = echo();
        let bytes: Vec<u8> = (0..100_000u32).map(|i| (i * 31 % 251) as u8).collect();
        round_trip(&client, &bytes).unwrap();
        proxy.set(Network { latency: Duration::from_millis(60), ..Network::default() });
        assert!(round_trip(&client, b"late").unwrap() >= Duration::from_millis(120));
        proxy.set(Network { piece: Some(7), ..Network::default() });
        round_trip(&client, &bytes[..10_000]).unwrap();
        proxy.set(Network { bandwidth: Some(200_000), ..Network::default() });
        assert!(round_trip(&client, &bytes).unwrap() >= Duration::from_millis(490));
    }

    #[test]
    fn what_waits_arrives_later_and_what_vanished_resets_the_connection() {
        let (proxy, client) = echo();
        proxy.set(Network { fate: Fate::Wait, ..Network::default() });
        round_trip(&client, b"wait").unwrap_err();
        proxy.heal();
        (&client).read_exact(&mut [0; 4]).unwrap();
        proxy.set(Network { fate: Fate::Vanish, ..Network::default() });
        let lost = round_trip(&client, b"gone").unwrap_err();
        assert!(matches!(lost.kind(), ErrorKind::WouldBlock), "half-open: {lost}");
        proxy.heal();
        thread::sleep(Duration::from_millis(200));
        let reset = round_trip(&client, b"back").unwrap_err();
        assert!(
            matches!(reset.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{reset}"
        );
    }

    /// A request of this kind, with so many bytes behind its head.
    fn request(kind: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, length + 2, 0, kind];
        bytes.extend(vec![0; length.into()]);
        bytes
    }

    #[test]
    fn appends_wait_and_other_connections_do_not() {
        let (proxy, client) = echo();
        let other = TcpStream::connect(client.peer_addr().unwrap()).unwrap();
        other.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        proxy.set(Network { fate: Fate::HoldAppends, ..Network::default() });
        round_trip(&client, &request(18, 20)).unwrap();
        round_trip(&client, &request(0, 20)).unwrap_err();
        round_trip(&other, &request(1, 20)).unwrap();
        proxy.heal();
        (&client).read_exact(&mut [0; 26]).unwrap();
    }

    #[test]
    fn requests_are_told_apart_however_their_bytes_come() {
        let harmless = [request(18, 9), request(1, 0), request(3, 200)].concat();
        let appending = [harmless.clone(), request(0, 7), harmless.clone()].concat();
        for size in [1, 2, 5, 6, 7, 64, 1000] {
            let appends = |bytes: &[u8]| {
                let mut requests = Requests::default();
                bytes.chunks(size).filter(|piece| requests.append(piece)).count()
            };
            assert_eq!((appends(&harmless), appends(&appending)), (0, 1), "pieces of {size}");
        }
    }

    #[test]
    fn a_cut_resets_connections_and_takes_new_ones() {
        let (proxy, client) = echo();
        round_trip(&client, b"well").unwrap();
        let address = client.peer_addr().unwrap();
        proxy.cut();
        let reset = (&client).read(&mut [0]).unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
        let again = TcpStream::connect(address).unwrap();
        round_trip(&again, b"again").unwrap();
        assert_eq!(proxy.accepted(), 2);
    }
}
