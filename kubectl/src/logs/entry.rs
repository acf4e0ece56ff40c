//! Lines of logs, and when they were written.

use k8s_openapi::jiff::Timestamp;

/// A line of a pod's log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) time: Timestamp,
    pub(super) pod: String,
    pub(super) text: String,
}

impl Entry {
    /// A line as the API server sends it: the time, and what was written then. A line without a time
    /// goes on from the one before.
    pub(super) fn read(pod: &str, line: &str, before: Timestamp) -> Entry {
        let timed = line.split_once(' ').unwrap_or((line, ""));
        let (time, text) = match timed.0.parse() {
            Ok(time) => (time, timed.1),
            Err(_) => (before, line),
        };
        Entry { time, pod: pod.to_owned(), text: text.to_owned() }
    }
}

/// Merges the logs of pods, each of which is in the order of time, into one that is.
pub(super) fn merge(logs: Vec<Vec<Entry>>) -> Vec<Entry> {
    let mut all: Vec<Entry> = logs.into_iter().flatten().collect();
    // Lines of one time stay in the order in which their pod wrote them.
    all.sort_by_key(|entry| entry.time);
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_merged_by_time_and_keep_the_order_of_each_pod() {
        let log = |pod: &str, lines: &[&str]| {
            let mut before = Timestamp::UNIX_EPOCH;
            let read = |line: &&str| {
                let entry = Entry::read(pod, line, before);
                before = entry.time;
                entry
            };
            lines.iter().map(read).collect::<Vec<_>>()
        };
        let a = log("a", &["2026-03-01T12:00:00.1Z one", "2026-03-01T12:00:02Z", "of two lines"]);
        let b = log("b", &["2026-03-01T12:00:01.000000001Z between", "2026-03-01T12:00:02Z last"]);
        let merged = merge(vec![a, b]);
        let told: Vec<String> = merged.iter().map(|e| format!("{} {}", e.pod, e.text)).collect();
        assert_eq!(told, ["a one", "b between", "a ", "a of two lines", "b last"]);
    }
}
