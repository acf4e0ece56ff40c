use super::conform::differences;
use super::{Config, Problem, Problems};
use serde_json::Value;

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// Lists all that is wrong.
    pub fn from_yaml(text: &str) -> Result<Config, Problems> {
        // serde-saphyr: maintained, parses without `unsafe`, and is fuzzed; serde_yaml is archived
        // by its author, and its forks are either quiet or have advisories.
        // A field may well be called y, which YAML 1.1 takes for a word of agreement.
        let options = serde_saphyr::options! { strict_booleans: true };
        let document: Value =
            serde_saphyr::from_str_with_options(text, options).map_err(|e| whole(refusal(&e)))?;
        let schema = schemars::schema_for!(Config).to_value();
        let mut problems = differences(&schema, &document);
        let rest = without(document, &problems);
        match serde_json::from_value::<Config>(rest) {
            Ok(config) => {
                let more = config.validate().err().map(|p| p.0).unwrap_or_default();
                problems.extend(more);
                if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
            }
            Err(error) if problems.is_empty() => Err(whole(error.to_string())),
            Err(_) => Err(Problems(problems)),
        }
    }
}

/// In words for whoever wrote the document.
fn refusal(error: &serde_saphyr::Error) -> String {
    let message = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
    match error.without_snippet() {
        serde_saphyr::Error::NonFiniteFloat { .. } => {
            format!("{message} (a radius without a limit is written as the word infinity)")
        }
        _ => message.strip_prefix("error: ").unwrap_or(&message).into(),
    }
}

fn whole(message: String) -> Problems {
    Problems(vec![Problem { path: String::new(), message }])
}

/// The document without the fields that are wrong, so that the others can be checked too.
fn without(mut document: Value, problems: &[Problem]) -> Value {
    for Problem { path, .. } in problems {
        let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
        let pointer = parent.replace(['.', '['], "/").replace(']', "");
        let pointer = if parent.is_empty() { pointer } else { format!("/{pointer}") };
        if let Some(Value::Object(fields)) = document.pointer_mut(&pointer) {
            fields.remove(field);
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Auto, Radius};
    use mesh::schema::Values;

    const GOOD: &str = "
kafka: {brokers: 'localhost:9092', input: ecg, properties: {linger.ms: '2'}}
scales:
  - {name: beat, window: auto, max_radius: {deviations: 1.5}, embedding: {copies: 3, delay: auto},
     calibration: {samples: 3000, min_period: 40, max_period: 200}, detection: {threshold: 7}}
  - {name: slow, window: 100, max_radius: infinity, max_degree: 0}
";

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = Config::from_yaml(GOOD).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(config.kafka.checkpoints(), "ecg.checkpoints");
        assert_eq!(config.kafka.output(mesh::schema::Kind::Alerts), "ecg.alerts");
        assert_eq!((config.series.dimension, config.series.max), (1, 1000));
        assert_eq!(config.scales[1].window, Auto::Fixed(100));
        assert_eq!(config.scales[1].max_radius.fixed(), Some(f32::INFINITY));
        assert!(matches!(config.scales[0].max_radius, Radius::Relative(_)));
        assert_eq!(config.scales[0].detection.as_ref().map(|d| d.threshold), Some(7.0));
        assert_eq!(config.http.listen.port(), 9464);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let text = "
kafka: {broker: 'localhost:9092', input: ecg, checkpoint_ms: often, properties: {acks: '0'}}
series: {dimension: 0, preprocess: {decimate: 0}}
scales:
  - {name: 'a b', window: 0, max_radius: wide, stride: -1}
  - {name: b, window: auto, max_radius: 1, embedding: {channels: [7]}, detection: {treshold: 7}}
  - {name: b, window: 10, max_radius: -1, hop: 0}
http: {listen: here}
";
        let problems = Config::from_yaml(text).unwrap_err();
        let paths: Vec<&str> = problems.0.iter().map(|p| p.path.as_str()).collect();
        for path in [
            "kafka.broker",
            "kafka.brokers",
            "kafka.checkpoint_ms",
            "scales[0].max_radius",
            "scales[0].stride",
            "scales[1].detection.treshold",
            "http.listen",
        ] {
            assert!(paths.contains(&path), "{path} is not in:\n{problems}");
        }
        let text = "
kafka: {brokers: '', input: ecg, properties: {acks: '0'}, colour: red}
series: {dimension: 0, preprocess: {decimate: 0}}
scales:
  - {name: 'a b', window: 0, max_radius: 1, stride: 0}
  - {name: b, window: auto, max_radius: 1, embedding: {channels: [7]}, detection: {threshold: -7}}
  - {name: b, window: 10, max_radius: -1, hop: 0}
";
        let problems = Config::from_yaml(text).unwrap_err();
        let paths: Vec<&str> = problems.0.iter().map(|p| p.path.as_str()).collect();
        for path in [
            "kafka.brokers",
            "kafka.colour",
            "kafka.properties.acks",
            "series.dimension",
            "series.preprocess.decimate",
            "scales[0].name",
            "scales[0].stride",
            "scales[0].window",
            "scales[1].calibration",
            "scales[1].embedding.channels",
            "scales[1].detection",
            "scales[2].name",
            "scales[2].hop",
            "scales[2].max_radius",
        ] {
            assert!(paths.contains(&path), "{path} is not in:\n{problems}");
        }
        assert!(problems.to_string().starts_with("14 things are wrong"), "{problems}");
    }

    #[test]
    fn properties_are_numbers_flags_or_text() {
        let lines = "{linger.ms: 2, log.connection.close: false, queue.buffering.max.ms: 0.5, \
                     client.id: a}";
        let text = GOOD.replace("{linger.ms: '2'}", lines);
        let read = Config::from_yaml(&text).unwrap_or_else(|e| panic!("{e}")).kafka.properties;
        let read: Vec<&str> = read.values().map(String::as_str).collect();
        assert_eq!(read, ["a", "2", "false", "0.5"]);
        let text = GOOD.replace("{linger.ms: '2'}", "{linger.ms: [2]}");
        let problems = Config::from_yaml(&text).unwrap_err().0;
        assert_eq!(problems[0].path, "kafka.properties.linger.ms");
    }

    #[test]
    fn fields_may_be_called_x_and_y() {
        let lines = "series: {dimension: 2}\ninput: {fields: {values: [x, y], series: n}}";
        let config = Config::from_yaml(&format!("{GOOD}{lines}")).unwrap();
        assert_eq!(config.input.fields.series.as_deref(), Some("n"));
        assert_eq!(config.input.fields.values, Values::Each(vec!["x".into(), "y".into()]));
    }

    #[test]
    fn what_a_group_or_a_broker_would_refuse_is_refused_here() {
        let kafka = |lines: &str| {
            let text = GOOD.replace("properties: {linger.ms: '2'}", lines);
            Config::from_yaml(&text).map(|c| c.kafka)
        };
        let paths = |lines: &str| match kafka(lines) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.0.into_iter().map(|p| p.path).collect(),
        };
        assert_eq!(
            kafka("session_timeout_ms: 8000").unwrap().membership().session.as_millis(),
            8000
        );
        assert_eq!(
            kafka("instance_id: a, group_protocol: consumer").unwrap().instance_id.unwrap(),
            "a"
        );
        for (lines, path) in [
            ("session_timeout_ms: 5999", "session_timeout_ms"),
            ("session_timeout_ms: 10001", "session_timeout_ms"),
            ("session_timeout_ms: 7000, group_protocol: consumer", "session_timeout_ms"),
            ("group_protocol: eager", "group_protocol"),
            ("instance_id: ''", "instance_id"),
            ("properties: {session.timeout.ms: '6000'}", "properties.session.timeout.ms"),
            ("properties: {sasl.password: x}", "properties.sasl.password"),
            ("properties: {linger.msx: '5'}", "properties.linger.msx"),
            ("properties: {linger.ms: soon}", "properties.linger.ms"),
            (
                "security: {tls: {}}, properties: {security.protocol: ssl}",
                "properties.security.protocol",
            ),
            ("security: {tls: {ca_file: /none}}", "security.tls.ca_file"),
            (
                "security: {sasl: {mechanism: SCRAM, username: a, password_file: /none}}",
                "security.sasl.mechanism",
            ),
            ("breaker: {backoff_ms: 0}", "breaker.backoff_ms"),
            ("breaker: {dead_letters: {share: 0}}", "breaker.dead_letters.share"),
        ] {
            assert_eq!(paths(lines), [format!("kafka.{path}")], "{lines}");
        }
    }

    #[test]
    fn a_secret_in_the_configuration_is_not_repeated() {
        let text = GOOD.replace("linger.ms: '2'", "sasl.password: hunter2");
        let problems = Config::from_yaml(&text).unwrap_err().to_string();
        assert!(problems.contains("password_file") && !problems.contains("hunter2"), "{problems}");
    }

    #[test]
    fn text_that_is_no_yaml_says_where() {
        let refused = |text: &str| Config::from_yaml(text).unwrap_err().to_string();
        assert!(refused("kafka: [").contains("line"));
        let twice = refused("http: {}\nhttp: {}");
        assert!(twice.contains("http") && !twice.contains("Policy"), "{twice}");
        let infinite = refused("scales: [{max_radius: .inf}]");
        assert!(infinite.contains("the word infinity"), "{infinite}");
    }
}
