use super::Envelope;

/// The headers that make an output record a CloudEvent in binary mode (CloudEvents 1.0.2, Kafka
/// Protocol Binding §3.2), to stand beside ours; the content type is in the header `content-type`.
///
/// Source and id together are unique, and the same whenever the record is sent again.
pub fn cloud_events(envelope: &Envelope) -> Vec<(&'static str, String)> {
    let source = &envelope.source;
    let mut headers = vec![
        ("ce_specversion", "1.0".into()),
        ("ce_id", envelope.id.clone()),
        ("ce_source", format!("/{}/{}", percent_encoded(&source.topic), source.partition)),
        ("ce_type", envelope.schema.replace('/', ".")),
        ("ce_subject", envelope.series.clone()),
        ("ce_dataschema", format!("urn:{}", envelope.schema.replace('/', ":"))),
    ];
    // CloudEvents knows no empty attributes.
    headers.retain(|(_, value)| !value.is_empty());
    let micros = envelope.time * 1000.0;
    if let Some(time) = chrono::DateTime::from_timestamp_micros(micros.round() as i64)
        && micros.is_finite()
    {
        headers.push(("ce_time", time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)));
    }
    headers
}

/// What a URI may not hold (RFC 3986 §2.1) as `%` and two digits.
pub(super) fn percent_encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let encode = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Kind, Origin};

    #[test]
    fn the_headers_say_what_the_envelope_says() {
        let source = Origin { topic: "ecg ü".into(), partition: 3, offset: 7, row: None };
        let envelope = Envelope::new(Kind::Alerts, source, "208", "beat", 1_790_000_000_000.25);
        let headers = cloud_events(&envelope);
        assert_eq!(
            headers,
            [
                ("ce_specversion", "1.0".to_owned()),
                ("ce_id", "ecg ü/3/7/alerts/beat".into()),
                ("ce_source", "/ecg%20%C3%BC/3".into()),
                ("ce_type", "streaming-tda.alerts.v1".into()),
                ("ce_subject", "208".into()),
                ("ce_dataschema", "urn:streaming-tda.alerts:v1".into()),
                ("ce_time", "2026-09-21T14:13:20.000250Z".into()),
            ]
        );
    }

    #[test]
    fn what_has_no_value_has_no_header() {
        let source = Origin { topic: "t".into(), partition: 0, offset: 0, row: None };
        let headers = cloud_events(&Envelope::new(Kind::Diagrams, source, "", "s", 1e300));
        assert!(headers.iter().all(|(name, _)| !["ce_subject", "ce_time"].contains(name)));
    }
}
