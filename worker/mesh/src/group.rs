use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a worker is a member of its consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name of the group.
    pub name: String,
    /// Who assigns the partitions.
    pub protocol: Protocol,
    /// The name under which the worker is known over its restarts; none when each start is a new
    /// member.
    pub instance: Option<String>,
    /// After how long without a sign of life the partitions are given to others.
    pub session: Duration,
}

/// Who assigns the partitions of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// One of the members, in rounds.
    #[default]
    Classic,
    /// The broker (KIP-848).
    Consumer,
}

impl Group {
    /// The session of a group that says nothing else; the shortest that brokers allow by default.
    pub const SESSION: Duration = Duration::from_secs(6);

    /// A group with this name and the defaults.
    pub fn named(name: &str) -> Group {
        let protocol = Protocol::default();
        Group { name: name.into(), protocol, instance: None, session: Group::SESSION }
    }

    /// How long a partition that is given up may take to be finished: less than a session, so that
    /// the worker is still a member when it commits.
    pub fn drain(&self) -> Duration {
        self.session * 2 / 3
    }

    /// The properties of librdkafka that say so. The brokers decide about sessions and assignments
    /// of the protocol `consumer`; a client that says anything about them is refused.
    pub(crate) fn properties(&self) -> Vec<(&'static str, String)> {
        let mut properties = vec![("group.id", self.name.clone())];
        match self.protocol {
            Protocol::Consumer => properties.push(("group.protocol", "consumer".into())),
            Protocol::Classic => properties.extend([
                ("partition.assignment.strategy", "cooperative-sticky".into()),
                ("session.timeout.ms", self.session.as_millis().to_string()),
                ("heartbeat.interval.ms", (self.session / 4).as_millis().to_string()),
            ]),
        }
        properties.extend(self.instance.iter().map(|id| ("group.instance.id", id.clone())));
        properties
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_says_what_it_may() {
        let mut group = Group::named("g");
        let names = |group: &Group| group.properties().into_iter().map(|p| p.0).collect::<Vec<_>>();
        let classic = [
            "group.id",
            "partition.assignment.strategy",
            "session.timeout.ms",
            "heartbeat.interval.ms",
        ];
        assert_eq!(names(&group), classic);
        group.session = Duration::from_secs(10);
        let expected =
            [("session.timeout.ms", "10000".into()), ("heartbeat.interval.ms", "2500".into())];
        assert_eq!(group.properties()[2..], expected);
        group.protocol = Protocol::Consumer;
        group.instance = Some("worker-3".into());
        assert_eq!(names(&group), ["group.id", "group.protocol", "group.instance.id"]);
    }

    #[test]
    fn a_partition_is_finished_within_the_session() {
        for session in [6000, 8000, 10_000].map(Duration::from_millis) {
            let group = Group { session, ..Group::named("g") };
            assert!(group.drain() < session);
        }
    }
}
