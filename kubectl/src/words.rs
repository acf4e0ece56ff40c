//! Times and numbers as people read and write them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// A length of time such as `90s`, `5m`, `1h30m`, or a number of seconds.
///
/// # Errors
/// When it is none.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is no length of time: write one such as 90s, 5m or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let length: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(length).map_err(|_| wrong())
}

/// How long something has been so, as `kubectl get` says it.
pub(crate) fn age(since: Option<&Time>, now: Timestamp) -> String {
    match since {
        Some(Time(since)) => length(now.duration_since(*since).as_secs()),
        None => "<unknown>".into(),
    }
}

/// A length of time with the two units that tell the most.
pub(crate) fn length(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: char, small: i64, of: char| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{of}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}

/// A number of things: `1 pod`, `2 pods`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// A time in seconds as short as it may be: `0.4 s`, `12 s`, `5m3s`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        _ => length(seconds as i64),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_written_as_kubectl_does() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "soon", "-5m", "5x"] {
            assert!(duration(wrong).unwrap_err().contains("no length of time"), "{wrong}");
        }
        for (seconds, text) in [
            (-3, "0s"),
            (119, "119s"),
            (120, "2m"),
            (312, "5m12s"),
            (5700, "95m"),
            (11_100, "3h5m"),
            (97_200, "27h"),
            (273_600, "3d4h"),
            (3_456_000, "40d"),
        ] {
            assert_eq!(length(seconds), text);
        }
        assert_eq!([seconds(0.42), seconds(31.0), seconds(303.0)], ["0.4 s", "31 s", "5m3s"]);
    }
}
