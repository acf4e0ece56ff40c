//! The product at work, from nothing: a cluster and a Kafka come up, the chart is installed, the
//! example is applied, and its alerts arrive while it is watched. All of it goes in the end.

mod alerts;
mod watch;

use crate::images;
use alerts::Alerts;
use anyhow::{Context, Result, bail};
use harness::cache;
use harness::cluster::{Client, Cluster};
use harness::ecg::Ward;
use harness::installation::{Installation, kafka_service};
use harness::kafka::{self, Kafka};
use http::Method;
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use watch::{Watch, say};

const NAMESPACE: &str = "default";
const RESOURCE: &str = "/apis/streamingtda.io/v1alpha1/namespaces/default/streamingtdas/ecg";
const EXAMPLE: &str = "examples/ecg.yaml";
/// The input of the example, and what the names of its outputs begin with.
const TOPIC: &str = "ecg";
/// Series, each in a partition of its own.
const BEDS: i32 = 4;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// End by itself after so many seconds of alerts, instead of by Ctrl-C
    #[arg(long)]
    seconds: Option<u64>,
    /// How many nodes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: u8,
    /// How many times faster than real time the electrocardiograms are played
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if !(options.speed > 0.0 && options.speed <= 100.0) {
        bail!("--speed {}: give a number above 0, up to 100", options.speed);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())?;
    }
    Cluster::prepare()?;
    let images = images::build()?;
    let began = Instant::now();
    let cluster = Cluster::start(options.nodes)?;
    let nodes = options.nodes;
    say("cluster", &format!("{nodes} node(s), {}", since(began)));
    let began = Instant::now();
    let pods = cluster.host();
    let kafka = Kafka::with(&kafka::Options { pods, ..Default::default() })?;
    say("kafka", &format!("{} at {}, {}", kafka::VERSION, kafka.address(), since(began)));
    for image in &images {
        cluster.load(image)?;
        say("image", &format!("{:.1} MB, {}", image.size() as f64 / 1e6, image.name()));
    }
    let began = Instant::now();
    let installation = Installation::put(&cluster)?;
    say("chart", &format!("installed, {}", since(began)));
    fs::create_dir_all(cache().join("environment"))?;
    fs::copy(cluster.kubeconfig(), kubeconfig())?;
    let shown = show(options, cluster.client(), &kafka, &installation, &stop);
    // What is interrupted is put in order, too.
    shown.and(clean(&cluster, &installation))
}

/// The part that people came for.
fn show(
    options: &Options,
    client: &Client,
    kafka: &Kafka,
    installation: &Installation<'_>,
    stop: &AtomicBool,
) -> Result<()> {
    kafka.create_topics(TOPIC, &[TOPIC], BEDS)?;
    let brokers = kafka.address_for_pods().context("pods do not reach the Kafka")?;
    client.apply(&kafka_service(NAMESPACE, &brokers)?)?;
    let ward = Ward::play(&kafka.connection(), TOPIC, BEDS, options.speed)?;
    let speed = options.speed;
    say("ecg", &format!("{BEDS} beds play into the topic {TOPIC}, {speed} times as fast as life"));
    let mut alerts = Alerts::open(&kafka.connection(), TOPIC)?;
    let _table = Watch::start("get -w", installation.kubectl_command(), &["get", "stda", "-w"])?;
    let began = Instant::now();
    installation.kubectl(&["apply", "-f", EXAMPLE])?;
    say("apply", EXAMPLE);
    let _status = status(installation)?;
    follow(&mut alerts, stop, || ward.goes_on(), |alerts| Ok(alerts.diagrams > 0))?;
    say("measured", &format!("apply to first diagram readable: {}", since(began)));
    follow(&mut alerts, stop, || ward.goes_on(), |_| converged(client))?;
    say("measured", &format!("apply to converged: {}", since(began)));
    how_to_look(installation);

    let began = Instant::now();
    let over = |alerts: &Alerts| match options.seconds {
        Some(seconds) => Ok(began.elapsed() >= Duration::from_secs(seconds) && alerts.count > 0),
        None => Ok(false),
    };
    follow(&mut alerts, stop, || ward.goes_on(), over)?;
    if !stop.load(Ordering::Relaxed) {
        change(client, installation, &mut alerts, stop)?;
    }
    let samples = ward.end()?;
    let (diagrams, count) = (alerts.diagrams, alerts.count);
    say("sum", &format!("{samples} samples a bed, {diagrams} diagrams, {count} alerts"));
    Ok(())
}

/// Follows the resource until its spec is in force.
fn status(installation: &Installation<'_>) -> Result<Watch> {
    let arguments = ["stda", "status", "ecg", "--watch"];
    Watch::start("status", installation.kubectl_command(), &arguments)
}

/// Another spec, while alerts go on.
fn change(
    client: &Client,
    installation: &Installation<'_>,
    alerts: &mut Alerts,
    stop: &AtomicBool,
) -> Result<()> {
    let began = Instant::now();
    let spec = json!({"spec": {"observability": {"logLevel": "Debug"}}}).to_string();
    installation.kubectl(&["patch", "stda", "ecg", "--type", "merge", "--patch", &spec])?;
    say("change", &format!("kubectl patch stda ecg --type merge --patch '{spec}'"));
    let _status = status(installation)?;
    follow(alerts, stop, || true, |_| converged(client))?;
    say("measured", &format!("changed spec to converged: {}", since(began)));
    Ok(())
}

/// Shows alerts until something is the case, or the user has seen enough.
fn follow(
    alerts: &mut Alerts,
    stop: &AtomicBool,
    goes_on: impl Fn() -> bool,
    is: impl Fn(&Alerts) -> Result<bool>,
) -> Result<()> {
    let mut quiet = Instant::now();
    while !stop.load(Ordering::Relaxed) && !is(alerts)? {
        if !goes_on() {
            bail!("the electrocardiograms have stopped: is the broker there?");
        }
        if alerts.read(Duration::from_millis(50))? {
            quiet = Instant::now();
        }
        if quiet.elapsed() > PATIENCE {
            bail!("no diagram has come for {PATIENCE:?}; `status` above says why");
        }
    }
    Ok(())
}

fn converged(client: &Client) -> Result<bool> {
    let resource = client.get(RESOURCE)?.unwrap_or_default();
    let newest = &resource["metadata"]["generation"];
    let mut conditions = resource["status"]["conditions"].as_array().into_iter().flatten();
    Ok(conditions.any(|c: &Value| {
        c["type"] == "Ready" && c["status"] == "True" && &c["observedGeneration"] == newest
    }))
}

fn how_to_look(installation: &Installation<'_>) {
    say("look", "while this goes on, in another terminal:");
    say("", &format!("export KUBECONFIG={}", kubeconfig().display()));
    say("", &format!("export PATH={}:$PATH", installation.path()));
    say("", "kubectl get stda,pods   kubectl stda partitions ecg   kubectl stda logs ecg -f");
}

/// Where people find it.
fn kubeconfig() -> PathBuf {
    cache().join("environment/demo.kubeconfig")
}

/// Deletes the resource, and tells what is left of it.
fn clean(cluster: &Cluster, installation: &Installation<'_>) -> Result<()> {
    let client = cluster.client();
    let began = Instant::now();
    if client.get(RESOURCE)?.is_some() {
        client.send(Method::DELETE, RESOURCE, "application/json", &json!({}))?;
        let gone = |_: &Client| Ok(left(installation)?.is_empty());
        client.wait_until("what belonged to the resource has gone", PATIENCE, gone)?;
        say("delete", &format!("the resource, and all that belonged to it: {}", since(began)));
    }
    thread::sleep(Duration::from_millis(200));
    installation.remove()?;
    let _ = fs::remove_file(kubeconfig());
    say("down", "chart, Kafka and cluster");
    Ok(())
}

/// The objects of the resource.
fn left(installation: &Installation<'_>) -> Result<String> {
    let kinds = "deploy,rs,pod,cm,svc,endpointslice,sa,role,rolebinding,pdb,controllerrevision";
    let arguments = ["get", kinds, "-l", "streamingtda.io/name=ecg", "-o", "name"];
    installation.kubectl(&arguments)
}

fn since(began: Instant) -> String {
    format!("{:.1} s", began.elapsed().as_secs_f64())
}
