//! The worker: one thread polls, some compute, one delivers, one answers HTTP.

use crate::batching::Batching;
use crate::compute::Thread;
use crate::config::{Config, Guarantee};
use crate::gate::Gate;
use crate::http::Server;
use crate::metrics::Metrics;
use crate::ownership::Ownership;
use crate::queue::bounded;
use crate::reach::await_brokers;
use crate::schemas::{Schemas, Unread};
use crate::series::Blueprint;
use crate::shutdown::Shutdown;
use crate::status::About;
use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};
use mesh::checkpoint::Reader;
use mesh::schema::Kind;
use mesh::topics::{self, Policy, Topic};
use mesh::{Connection, Delivery, Source, Topics};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Reads points and delivers results until it is told to stop; then finishes what is in hand,
/// remembers where it was, and returns.
///
/// # Errors
/// When the configuration is wrong, a topic is missing, or Kafka refuses something for good. The
/// work can be taken up again by another run, which loses nothing.
pub fn run(config: &Config, shutdown: &Shutdown) -> Result<()> {
    run_revision(None, config, shutdown)
}

/// The same as [`run`], for a revision of a resource, of which `/status` tells.
///
/// # Errors
/// As [`run`].
pub fn run_revision(revision: Option<&str>, config: &Config, shutdown: &Shutdown) -> Result<()> {
    config.validate()?;
    let blueprint = Arc::new(Blueprint::new(config.clone())?);
    let metrics = Arc::new(Metrics::default());
    let http = config.http.listen;
    let _server = Server::start(http, metrics.clone(), about(revision, config))
        .with_context(|| format!("cannot serve metrics and health at {http}"))?;
    tracing::info!(address = %http, "metrics and health");
    let connection = config.kafka.connection();
    if !await_brokers(&config.kafka.brokers, shutdown)? {
        return Ok(());
    }
    let partitions = topics::partitions(&connection, &config.kafka.input)?;
    metrics.partitions(partitions);
    require_outputs(&connection, config, partitions)?;
    let policy = policy(&connection, &config.kafka.input)?;
    ensure_checkpoints(&connection, &config.kafka.checkpoints(), partitions)?;
    if config.kafka.delivery == Guarantee::ExactlyOnce {
        insist(&connection, &config.kafka.checkpoints(), partitions)?;
    }
    if let Some(dead_letters) = config.kafka.dead_letters() {
        ensure_dead_letters(&connection, &dead_letters, &policy, partitions)?;
    }
    let delivery = Arc::new(deliver(&blueprint, &connection, &metrics)?);
    let (ask, unread) = unbounded();
    let batching = Arc::new(Batching::new(config.compute.latency_goal(), metrics.clone()));
    let (threads, inlets) = compute(config, &metrics, &batching, &ask)?;
    drop(ask);
    let (group, input) = (&config.kafka.group, &config.kafka.input);
    let membership = config.kafka.membership();
    let ownership = Arc::new(Ownership {
        blueprint: blueprint.clone(),
        partitions,
        policy,
        past: Mutex::new(Box::new(Reader::new(&connection, group, &config.kafka.checkpoints())?)),
        delivery: delivery.clone(),
        threads: inlets,
        metrics: metrics.clone(),
        drain: membership.drain(),
        gate: Gate::new(config.kafka.breaker, metrics.clone()),
        batching,
        holds: Mutex::default(),
        commits: Mutex::default(),
    });
    ask_for_schemas(&blueprint, unread, &ownership, &metrics)?;
    let source = Source::join(&connection, &membership, input, ownership.clone(), metrics.pulse())?;
    let polled = source.run(|| {
        metrics.in_flight(delivery.in_flight());
        match delivery.failure() {
            Some(error) => Err(error),
            None => {
                let ends = shutdown.is_triggered() || threads.iter().any(JoinHandle::is_finished);
                Ok((!ends).then(|| ownership.gate.pace(ownership.waiting())))
            }
        }
    });
    metrics.ready(false);
    // The threads end when nobody can tell them anything any more.
    drop(ownership);
    if threads.into_iter().map(JoinHandle::join).any(|joined| joined.is_err()) {
        bail!("a thread that computes has panicked; see the message above");
    }
    polled?;
    tracing::info!("stopped");
    Ok(())
}

fn about(revision: Option<&str>, config: &Config) -> About {
    About {
        group: config.kafka.group.clone(),
        topic: config.kafka.input.clone(),
        revision: revision.map(str::to_owned),
        threads: config.compute.threads(),
    }
}

/// Results go to topics whose retention and replication others decide about.
fn require_outputs(connection: &Connection, config: &Config, partitions: i32) -> Result<()> {
    let outputs = Kind::ALL.map(|kind| config.kafka.output(kind));
    let topics = topics::missing(connection, &outputs)?;
    if topics.is_empty() {
        return Ok(());
    }
    Err(mesh::Error::NoOutputs { topics, partitions }.into())
}

/// Makes a topic of the worker's own, unless there is one.
fn ensure(connection: &Connection, topic: Topic<'_>) -> Result<()> {
    if !topics::exists(connection, topic.name)? {
        topics::create(connection, &[topic])?;
    }
    Ok(())
}

/// Makes the topic of the dead letters, unless there is one. A dead letter is larger than its
/// record by the headers that are added, but brokers may have a policy for how large records are.
fn ensure_dead_letters(
    connection: &Connection,
    name: &str,
    input: &Policy,
    partitions: i32,
) -> Result<()> {
    const HEADERS: usize = 64 << 10;
    let largest = input.largest.map(|bytes| bytes.saturating_add(HEADERS).min(i32::MAX as usize));
    let topic = Topic { name, partitions, compacted: false, largest };
    match ensure(connection, topic) {
        Err(error) if largest.is_some() => {
            tracing::warn!("dead letters may have as many bytes as is usual: {error}");
            ensure(connection, Topic { largest: None, ..topic })
        }
        done => done,
    }
}

/// Makes the topic of the checkpoints, unless there is one that keeps them.
fn ensure_checkpoints(connection: &Connection, name: &str, partitions: i32) -> Result<()> {
    ensure(connection, Topic { name, partitions, compacted: true, largest: None })?;
    let keeps = |policy: &Option<Policy>| {
        policy.as_ref().is_none_or(|p| p.compacted && p.kept.is_none() && !p.bounded)
    };
    match topics::once_known(|| topics::policy(connection, name), keeps) {
        Ok(policy) if !keeps(&policy) => {
            let reason = "its records would be deleted, and with them the memory of series at \
                          rest: set cleanup.policy to compact"
                .into();
            Err(mesh::Error::Topic { topic: name.into(), reason }.into())
        }
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::warn!("it is taken for granted that {name} is compacted: {error}");
            Ok(())
        }
    }
}

/// Whoever takes a partition over by transactions would not see its checkpoint behind the open
/// transaction of another partition: each partition needs one of its own in the topic.
fn insist(connection: &Connection, name: &str, partitions: i32) -> Result<()> {
    let there = topics::partitions(connection, name)?;
    if there >= partitions {
        return Ok(());
    }
    let reason = format!(
        "it has {there} partitions, the input has {partitions}, and exactly_once needs as many: add \
         partitions to it"
    );
    Err(mesh::Error::Topic { topic: name.into(), reason }.into())
}

/// How long the input keeps its records. A compacted one cannot be replayed.
fn policy(connection: &Connection, input: &str) -> Result<Policy> {
    match topics::policy(connection, input) {
        Ok(Some(policy)) if policy.compacted => {
            let reason = "it is compacted, so that windows cannot be rebuilt from it: set \
                          cleanup.policy to delete, or read a topic that is not compacted"
                .into();
            Err(mesh::Error::Topic { topic: input.into(), reason }.into())
        }
        Ok(policy) => Ok(policy.unwrap_or_default()),
        Err(error) => {
            tracing::warn!("it is taken for granted that {input} keeps its records: {error}");
            Ok(Policy::default())
        }
    }
}

fn deliver(
    blueprint: &Blueprint,
    connection: &Connection,
    metrics: &Arc<Metrics>,
) -> Result<Delivery> {
    let Blueprint { config, postmark, .. } = blueprint;
    let topics = Topics {
        outputs: Kind::ALL.map(|kind| (kind, config.kafka.output(kind))).into(),
        dead_letters: config.kafka.dead_letters().zip(postmark.clone()),
        checkpoints: config.kafka.checkpoints(),
    };
    let (group, input) = (&config.kafka.group, &config.kafka.input);
    let guarantee = config.kafka.delivery.into();
    Ok(Delivery::start(connection, (group, input), &topics, guarantee, metrics.clone())?)
}

type Threads = (Vec<JoinHandle<()>>, Vec<crate::queue::Inlet<crate::compute::Task>>);

fn ask_for_schemas(
    blueprint: &Blueprint,
    unread: Receiver<Unread>,
    ownership: &Arc<Ownership>,
    metrics: &Arc<Metrics>,
) -> Result<()> {
    let (decoder, metrics) = (blueprint.decoder.clone(), metrics.clone());
    let schemas = Schemas { decoder, unread, owner: Arc::downgrade(ownership), metrics };
    // Nobody waits for its end: it may be in the middle of a request.
    std::thread::Builder::new().name("schemas".into()).spawn(|| schemas.run())?;
    Ok(())
}

fn compute(
    config: &Config,
    metrics: &Arc<Metrics>,
    batching: &Arc<Batching>,
    unread: &Sender<Unread>,
) -> Result<Threads> {
    let count = config.compute.threads();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(|i| format!("scale-{i}"))
        .build()
        .context("cannot start the threads that compute")?;
    let pool = Arc::new(pool);
    let (mut threads, mut inlets) = (Vec::new(), Vec::new());
    for index in 0..count {
        let (inlet, outlet) = bounded(config.compute.queue_bytes());
        let thread = Thread {
            index,
            outlet,
            pool: pool.clone(),
            metrics: metrics.clone(),
            busy: metrics.thread(index),
            batching: batching.clone(),
            unread: unread.clone(),
            checkpoint: Duration::from_millis(config.kafka.checkpoint_ms),
            scales: config.scales.iter().map(|s| s.name.clone()).collect(),
        };
        let name = format!("compute-{index}");
        threads.push(std::thread::Builder::new().name(name).spawn(|| thread.run())?);
        inlets.push(inlet);
    }
    Ok((threads, inlets))
}
