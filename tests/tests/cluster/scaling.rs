//! The operator asks workers what they do. Nobody runs pods here: the test says where they are, and
//! answers for them.

use crate::chart::{asked, nothing_is_forbidden};
use crate::operator::{
    NAMESPACE, SOON, apply, condition, ecg, nothing_is_written_when_nothing_happens, resources,
    rights, send,
};
use crate::resources::plane;
use harness::cluster::Client;
use harness::free_port;
use harness::operator::Operator;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const PARTITIONS: usize = 6;

/// What the workers say that they do.
#[derive(Default)]
struct Stage {
    /// The address of each pod, by its name.
    pods: BTreeMap<String, IpAddr>,
    /// Their busy time, added up, in percent.
    busy: f64,
    /// Who does not answer.
    silent: Option<IpAddr>,
    given: u8,
}

type Shared = Arc<Mutex<Stage>>;

/// Answers for all workers, at one port of many addresses of this machine.
fn answer(port: u16, stage: &Shared) {
    let (listener, stage) = (TcpListener::bind(("0.0.0.0", port)).unwrap(), stage.clone());
    let began = Instant::now();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, stage) = (stream.unwrap(), stage.clone());
            thread::spawn(move || reply(stream, &stage, began.elapsed()));
        }
    });
}

fn reply(mut stream: TcpStream, stage: &Shared, time: Duration) {
    let address = stream.local_addr().unwrap().ip();
    let mut request = [0; 4096];
    let read = stream.read(&mut request).unwrap_or_default();
    if !request[..read].starts_with(b"GET /status ") {
        return;
    }
    if stage.lock().unwrap().silent == Some(address) {
        return thread::sleep(Duration::from_secs(5));
    }
    let body = status(&stage.lock().unwrap(), address, time).to_string();
    let length = body.len();
    _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
}

/// Each worker has every n-th partition.
fn status(stage: &Stage, address: IpAddr, time: Duration) -> Value {
    let count = stage.pods.len();
    let Some(index) = stage.pods.values().position(|pod| *pod == address) else { return json!({}) };
    let offset = time.as_millis();
    let partition = |number: usize| {
        json!({
            "partition": number, "state": "Running", "next_offset": offset, "end_offset": offset,
            "lag_records": 0, "lag_seconds": 0.0, "series": 1, "points_per_second": 1000.0,
        })
    };
    let partitions: Vec<Value> = (index..PARTITIONS).step_by(count).map(partition).collect();
    json!({
        "group": "g", "topic": "ecg", "revision": "r", "threads": 1, "partitions_total": PARTITIONS,
        "busy_percent": stage.busy / count as f64, "partitions": partitions,
    })
}

/// Says of all pods that they are ready, and where, as a node would.
fn place_pods(client: &Client, stage: &Shared) {
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    let list = client.get(&pods).unwrap().unwrap();
    let there = list["items"].as_array().unwrap().iter();
    let there = there.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    let names: Vec<&str> = there.map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
    let mut stage = stage.lock().unwrap();
    stage.pods.retain(|name, _| names.contains(&name.as_str()));
    for name in names {
        if stage.pods.contains_key(name) {
            continue;
        }
        stage.given += 1;
        let address = Ipv4Addr::new(127, 0, 9, stage.given);
        let status = json!({"status": {
            "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }});
        let path = format!("{pods}/{name}/status");
        if client.send(Method::PATCH, &path, "application/merge-patch+json", &status).is_ok() {
            stage.pods.insert(name.to_owned(), address.into());
        }
    }
}

fn replicas(client: &Client) -> Value {
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments");
    let list = client.get(&path).unwrap().unwrap();
    list["items"][0]["spec"]["replicas"].clone()
}

struct Scene<'a> {
    client: &'a Client,
    operator: &'a Operator,
    stage: Shared,
}

impl Scene<'_> {
    fn wait(&self, what: &str, is: impl Fn(&Client) -> bool) {
        let is = |client: &Client| {
            place_pods(client, &self.stage);
            Ok(is(client))
        };
        self.client.wait_until(what, 2 * SOON, is).unwrap_or_else(|error| {
            panic!("{error:#}\n{:#}\n{}", ecg(self.client)["status"], self.operator.log())
        });
    }

    fn wait_for_pods(&self, count: i32) {
        self.wait(&format!("there are {count} pods"), |client| {
            replicas(client) == count && ecg(client)["status"]["readyReplicas"] == count
        });
    }

    fn stays(&self, count: i32, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            place_pods(self.client, &self.stage);
            assert_eq!(replicas(self.client), count, "{:#}", ecg(self.client)["status"]);
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn message(&self) -> String {
        let message = ecg(self.client)["status"]["autoscaling"]["message"].clone();
        message.as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn the_number_of_pods_follows_what_workers_tell() {
    let plane = plane();
    let client = plane.client();
    let rights = rights(&plane);
    let mut operator = Operator::start(&rights, "operator-a").unwrap();
    let (port, stage) = (free_port().unwrap(), Shared::default());
    answer(port, &stage);
    let scaled = json!({
        "replicas": 5,
        "autoscaling": {"maxReplicas": 4, "scaleDownStabilizationSeconds": 20},
        "observability": {"port": port},
    });
    apply(client, &scaled);
    {
        let scene = Scene { client, operator: &operator, stage: stage.clone() };
        it_begins_with_the_least(&scene);
        scene.wait("it is known how many are enough", |client| {
            let message = ecg(client)["status"]["autoscaling"]["message"].clone();
            message.as_str().is_some_and(|message| !message.contains("not known yet"))
        });
        nothing_is_written_when_nothing_happens(client, &operator, Duration::from_secs(60));
        more_load_is_more_pods(&scene);
        who_cannot_see_holds(&scene);
    }
    operator.terminate().unwrap();
    operator = Operator::start(&rights, "operator-b").unwrap();
    let scene = Scene { client, operator: &operator, stage };
    another_operator_goes_on(&scene);
    less_load_is_fewer_pods(&scene);
    without_it_the_scale_is_the_users(&scene, port);
    nothing_is_forbidden(&asked(&plane, NAMESPACE));
}

fn it_begins_with_the_least(scene: &Scene<'_>) {
    scene.stage.lock().unwrap().busy = 40.0;
    scene.wait_for_pods(1);
    scene.wait("partitions are counted", |client| {
        let status = &ecg(client)["status"];
        status["partitions"] == json!({"total": PARTITIONS, "owned": PARTITIONS})
            && condition(client, "Serving")["reason"] == "AllPartitionsOwned"
            && status["autoscaling"]["busyPercent"].is_number()
    });
    let status = ecg(scene.client)["status"].clone();
    assert_eq!(status["revisions"][0]["activePartitions"], PARTITIONS);
    assert_eq!(status["autoscaling"]["desiredReplicas"], 1);
    assert!(scene.message().contains("spec.replicas is not used"), "{}", scene.message());
    assert_eq!(status["autoscaling"]["lastScaleTime"], Value::Null);
}

fn more_load_is_more_pods(scene: &Scene<'_>) {
    // More than one can carry: twice as many, and then what is needed.
    scene.stage.lock().unwrap().busy = 180.0;
    scene.wait_for_pods(2);
    scene.wait_for_pods(3);
    scene.stays(3, Duration::from_secs(25));
    assert_eq!(condition(scene.client, "Ready")["status"], "True");
    assert!(ecg(scene.client)["status"]["autoscaling"]["lastScaleTime"].is_string());
    let events = format!("/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events");
    let events = scene.client.get(&events).unwrap().unwrap();
    let scaled = events["items"].as_array().unwrap().iter().filter(|e| e["reason"] == "Scaled");
    let notes: Vec<&str> = scaled.filter_map(|event| event["note"].as_str()).collect();
    assert!(notes.iter().any(|note| note.starts_with("from 2 to 3 pods: ")), "{notes:?}");
}

fn who_cannot_see_holds(scene: &Scene<'_>) {
    {
        let mut stage = scene.stage.lock().unwrap();
        stage.busy = 10.0;
        stage.silent = stage.pods.values().next().copied();
    }
    scene.wait("it is said that the load cannot be seen", |_| {
        scene.message().contains("2 of 3 workers answer")
    });
    scene.stays(3, Duration::from_secs(40));
    let serving = condition(scene.client, "Serving");
    assert_eq!((&serving["status"], &serving["reason"]), (&json!("True"), &json!("PodsReady")));
    assert_eq!(ecg(scene.client)["status"]["partitions"], Value::Null);
}

fn another_operator_goes_on(scene: &Scene<'_>) {
    scene.stays(3, Duration::from_secs(20));
    assert_eq!(ecg(scene.client)["status"]["autoscaling"]["desiredReplicas"], 3);
}

fn less_load_is_fewer_pods(scene: &Scene<'_>) {
    scene.stage.lock().unwrap().silent = None;
    let seen = Instant::now();
    scene.wait_for_pods(2);
    assert!(seen.elapsed() > Duration::from_secs(20), "down after {:?}", seen.elapsed());
    scene.wait_for_pods(1);
}

/// As a HorizontalPodAutoscaler does it.
fn without_it_the_scale_is_the_users(scene: &Scene<'_>, port: u16) {
    let path = format!("{}/ecg/scale", resources());
    let set = |count: i32| {
        let mut scale = scene.client.get(&path).unwrap().unwrap();
        scale["spec"]["replicas"] = json!(count);
        send(scene.client, Method::PUT, &path, "application/json", &scale)
    };
    set(4);
    scene.stays(1, Duration::from_secs(15));
    apply(scene.client, &json!({"replicas": 1, "observability": {"port": port}}));
    scene.wait("autoscaling is told of no more", |client| {
        ecg(client)["status"]["autoscaling"].is_null()
    });
    set(2);
    scene.wait_for_pods(2);
    let scale = scene.client.get(&path).unwrap().unwrap();
    assert_eq!(scale["status"]["replicas"], 2);
    let selector = scale["status"]["selector"].as_str().unwrap().replace('/', "%2F");
    let selector = selector.replace('=', "%3D");
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods?labelSelector={selector}");
    let pods = scene.client.get(&pods).unwrap().unwrap();
    assert_eq!(pods["items"].as_array().unwrap().len(), 2);
}
