use crate::holder;
use crate::traces::{Traces, gone};
use harness::cluster::{Client, Cluster, KUBECONFIG};
use harness::image::Image;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const MINUTES: Duration = Duration::from_secs(120);

/// A server, the service before it, and a client, on another node where there is one, that asks by
/// name and by address.
const OBJECTS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: server, namespace: default, labels: {app: server}}
spec:
  containers:
    - name: server
      image: localhost/busybox:1
      imagePullPolicy: Never
      args: [httpd, -f, -p, '8080', -h, /www]
      readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: server, namespace: default}
spec:
  clusterIP: ADDRESS
  selector: {app: server}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec:
  restartPolicy: OnFailure
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector: {matchLabels: {app: server}}
  containers:
    - name: client
      image: localhost/busybox:1
      imagePullPolicy: Never
      args: [sh, -ec, 'busybox wget -q -O - http://server; busybox wget -q -O - http://ADDRESS']
";

#[test]
fn pods_run_from_images_of_our_own_and_reach_each_other() {
    let _alone = alone();
    let Some(cluster) = cluster("pods_run_from_images_of_our_own_and_reach_each_other") else {
        return;
    };
    let is_ours = cluster.is_ours();
    if is_ours {
        cluster.load(&busybox()).unwrap();
    }
    let address = address_of_services(cluster.client());
    let client = cluster.client();
    client.apply(&OBJECTS.replace("ADDRESS", &address)).unwrap();
    let server = "/api/v1/namespaces/default/pods/server";
    client.wait_until("the server is ready", MINUTES, |client| ready(client, server)).unwrap();
    let asked = "/api/v1/namespaces/default/pods/client";
    let done = |client: &Client| Ok(client.get(asked)?.unwrap()["status"]["phase"] == "Succeeded");
    client.wait_until("the client is done", MINUTES, done).unwrap();
    assert!(client.text(&format!("{asked}/log")).unwrap().ends_with("a loop\na loop\n"));
    if is_ours {
        let node = |pod| client.get(pod).unwrap().unwrap()["spec"]["nodeName"].clone();
        assert_ne!(node(server), node(asked));
        assert!(page(&address).ends_with("a loop\n"));
    }
}

#[test]
fn a_cluster_leaves_nothing_behind() {
    let _alone = alone();
    let test = "a_cluster_leaves_nothing_behind";
    if let Some(missing) = Cluster::impossible() {
        return skip(test, &missing);
    }
    let (mut holder, kubeconfig) = holder::start("nodes::hold");
    let killed = Traces::of(Path::new(&kubeconfig));
    assert!(killed.alive().len() > 5);
    holder.kill().unwrap();
    holder.wait().unwrap();
    gone(|| killed.alive());

    let cluster = Cluster::start(2).unwrap();
    let traces = Traces::of(cluster.kubeconfig());
    assert!(traces.alive().len() > 5 && traces.kept().len() > 1);
    drop(cluster);
    assert_eq!([traces.alive(), traces.kept()], [[""; 0], [""; 0]]);
    assert_eq!(killed.kept(), [""; 0]);
}

#[test]
#[ignore = "what another test starts and kills"]
fn hold() {
    holder::hold(Cluster::start(1).unwrap().kubeconfig());
}

/// The one to be used, where this machine may have one.
pub(crate) fn cluster(test: &str) -> Option<Arc<Cluster>> {
    let named = std::env::var_os(KUBECONFIG).is_some();
    if let (false, Some(missing)) = (named, Cluster::impossible()) {
        skip(test, &missing);
        return None;
    }
    Some(Cluster::shared().unwrap())
}

/// Held by a test while it has a cluster: the traces of another would be taken for its own.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn skip(test: &str, reason: &str) {
    // Not by `println!`, which the test runner keeps to itself.
    let line = format!("{test}: skipped: {reason}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

fn busybox() -> Image {
    let places = ["/bin/busybox", "/usr/bin/busybox", "/usr/sbin/busybox"].map(Path::new);
    let place = places.into_iter().find(|place| place.exists()).unwrap();
    let image = Image::new("localhost/busybox:1").entrypoint(&["/bin/busybox"]);
    let image = image.program("/bin/busybox", place).unwrap();
    image.link("/bin/sh", "busybox").text("/www/index.html", "a loop\n")
}

/// A free address: one beside that of the API server.
fn address_of_services(client: &Client) -> String {
    let kubernetes = client.get("/api/v1/namespaces/default/services/kubernetes").unwrap();
    let first = kubernetes.unwrap()["spec"]["clusterIP"].as_str().unwrap().to_owned();
    format!("{}77", first.strip_suffix('1').unwrap())
}

fn ready(client: &Client, pod: &str) -> anyhow::Result<bool> {
    let pod = client.get(pod)?.unwrap();
    let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    Ok(conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
}

/// What a process of this machine gets from a service.
fn page(address: &str) -> String {
    let mut stream = TcpStream::connect((address, 80)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}
