use super::files::FileKey;
use super::words::snake;
use crate::spec::{
    Auto, Detection, FileSource, Input, Kafka, Radius, Registry, Scale, SecretSource, Security,
    Span, StreamingTDASpec, Values,
};
use serde_json::{Map, Value, json};

/// What a worker is told that its resource does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The consumer group that the worker joins.
    pub group: String,
}

/// The configuration of `streaming-tda-worker run` for a resource, with every default written out.
/// As text in JSON it is YAML too.
pub fn configuration(spec: &StreamingTDASpec, placement: &Placement) -> Value {
    let series = &spec.series;
    let engine = &spec.engine;
    present(json!({
        "kafka": kafka(spec, placement),
        "input": input(&spec.input),
        "series": {
            "dimension": series.dimension,
            "preprocess": {
                "decimate": series.preprocess.decimate,
                "high_pass": series.preprocess.high_pass,
            },
            "max": series.max,
            "max_record_bytes": series.max_record_bytes,
        },
        "scales": spec.scales.iter().map(scale).collect::<Vec<_>>(),
        "http": {"listen": format!("0.0.0.0:{}", spec.observability.port)},
        "compute": {
            "threads": engine.threads,
            "queue_bytes": engine.queue_bytes,
            "latency_goal_ms": engine.latency_goal_milliseconds,
        },
    }))
}

fn kafka(spec: &StreamingTDASpec, placement: &Placement) -> Value {
    let Kafka { input, outputs, dead_letters, breaker, properties, .. } = &spec.kafka;
    let brokers: Vec<&str> = spec.kafka.brokers.iter().map(|b| b.0.as_str()).collect();
    json!({
        "brokers": brokers.join(","),
        "group": placement.group,
        "input": input,
        "outputs": {
            "diagrams": outputs.diagrams,
            "features": outputs.features,
            "alerts": outputs.alerts,
            "cloud_events": outputs.cloud_events,
        },
        "dead_letters": {
            "enabled": dead_letters.enabled,
            "topic": dead_letters.topic,
            "headers": dead_letters.headers.iter().map(snake).collect::<Vec<_>>(),
        },
        "checkpoints": spec.state.checkpoints,
        "delivery": snake(&spec.kafka.delivery),
        "checkpoint_ms": spec.state.checkpoint_milliseconds,
        "on_lost_points": snake(&spec.state.on_lost_points),
        "on_recreated_input": snake(&spec.state.on_recreated_input),
        "group_protocol": snake(&spec.kafka.group_protocol),
        "session_timeout_ms": spec.kafka.session_timeout_milliseconds,
        "security": security(&spec.kafka.security),
        "breaker": {
            "failures": breaker.failures,
            "unacknowledged_ms": breaker.unacknowledged_milliseconds,
            "brokers_down_ms": breaker.brokers_down_milliseconds,
            "dead_letters": {
                "share": breaker.dead_letters.share,
                "window_ms": breaker.dead_letters.window_milliseconds,
                "least": breaker.dead_letters.least,
            },
            "backoff_ms": breaker.backoff_milliseconds,
            "backoff_max_ms": breaker.backoff_max_milliseconds,
        },
        "properties": properties,
    })
}

fn security(security: &Security) -> Value {
    let tls = security.tls.as_ref().map(|tls| {
        json!({
            "ca_file": file(&tls.ca),
            "certificate_file": secret(&tls.certificate),
            "key_file": secret(&tls.key),
            "key_password_file": secret(&tls.key_password),
        })
    });
    let sasl = security.sasl.as_ref().map(|sasl| {
        json!({
            "mechanism": sasl.mechanism,
            "username": sasl.username,
            "password_file": FileKey::secret(&sasl.password).path(),
        })
    });
    json!({"tls": tls, "sasl": sasl})
}

fn input(input: &Input) -> Value {
    let fields = &input.fields;
    json!({
        "codec": snake(&input.codec),
        "framing": input.framing.as_ref().map(snake),
        "fields": {
            "series": fields.series,
            "time": fields.time,
            "time_unit": time_unit(input),
            "values": values(&fields.values),
        },
        "registry": input.registry.as_ref().map(registry),
        "schema_file": file(&input.schema),
        "message": input.message,
        "max_points": input.max_points,
        "time": {
            "earliest_ms": input.time.earliest_milliseconds,
            "max_behind_ms": input.time.max_behind_milliseconds,
            "max_ahead_ms": input.time.max_ahead_milliseconds,
        },
    })
}

fn time_unit(input: &Input) -> &'static str {
    use crate::spec::TimeUnit;
    match input.fields.time_unit {
        TimeUnit::Seconds => "s",
        TimeUnit::Milliseconds => "ms",
        TimeUnit::Microseconds => "us",
        TimeUnit::Nanoseconds => "ns",
        TimeUnit::Rfc3339 => "rfc3339",
    }
}

fn values(values: &Values) -> Value {
    match (&values.list, &values.each) {
        (None, Some(each)) => json!(each),
        (list, _) => json!(list),
    }
}

fn registry(registry: &Registry) -> Value {
    json!({
        "url": registry.url,
        "ca_file": file(&registry.ca),
        "username": registry.username,
        "password_file": secret(&registry.password),
        "timeout_ms": registry.timeout_milliseconds,
    })
}

fn scale(scale: &Scale) -> Value {
    let embedding = &scale.embedding;
    let calibration = scale.calibration.as_ref().map(|calibration| {
        json!({
            "samples": calibration.samples,
            "min_period": calibration.min_period,
            "max_period": calibration.max_period,
        })
    });
    json!({
        "name": scale.name,
        "embedding": {
            "delay": auto(&embedding.delay),
            "copies": embedding.copies,
            "channels": embedding.channels,
        },
        "window": auto(&scale.window),
        "hop": scale.hop,
        "stride": scale.stride,
        "max_radius": radius(&scale.max_radius),
        "max_degree": scale.max_degree,
        "calibration": calibration,
        "detection": scale.detection.as_ref().map(detection),
    })
}

fn auto(auto: &Auto) -> Value {
    match auto {
        Auto::Fixed(number) => json!(number),
        Auto::Word(word) => json!(word),
    }
}

fn radius(radius: &Radius) -> Value {
    match radius {
        Radius { value: Some(value), .. } => json!(value),
        Radius { deviations: Some(deviations), .. } => json!({"deviations": deviations}),
        _ => json!("infinity"),
    }
}

fn detection(detection: &Detection) -> Value {
    json!({
        "h0_degree": detection.h0_degree,
        "h1_degree": detection.h1_degree,
        "h1_score": snake(&detection.h1_score),
        "channels": detection.channels.iter().map(snake).collect::<Vec<_>>(),
        "threshold": detection.threshold,
        "clip": detection.clip,
        "memory": span(&detection.memory),
        "warm_up": span(&detection.warm_up),
        "refractory_seconds": detection.refractory_seconds,
        "betti_radii": detection.betti_radii,
        "landscapes": detection.landscapes,
        "distance_bars": detection.distance_bars,
    })
}

fn span(span: &Span) -> Value {
    match span.seconds {
        Some(seconds) => json!({"seconds": seconds}),
        None => json!({"emissions": span.emissions}),
    }
}

fn file(source: &Option<FileSource>) -> Option<String> {
    source.as_ref().and_then(FileKey::of).map(|key| key.path())
}

fn secret(source: &Option<SecretSource>) -> Option<String> {
    source.as_ref().map(|source| FileKey::secret(source).path())
}

/// Without what is null, which means the same to the worker.
fn present(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, v)| !v.is_null());
            Value::Object(kept.map(|(k, v)| (k, present(v))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(present).collect(),
        other => other,
    }
}
