//! When a lease may be taken, and what is then written into it. Clocks of others are not trusted: a
//! lease has expired when it has not changed for as long as it says, by the clock here.

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{Timestamp, Unit};
use std::time::{Duration, Instant};

/// How long a lease is good for since it was renewed.
pub(crate) const DURATION: Duration = Duration::from_secs(15);

/// The lease as it was seen last, and since when it has been like that.
#[derive(Debug, Default)]
pub(crate) struct Sight(Option<(LeaseSpec, Instant)>);

impl Sight {
    /// Whether `me` may take the lease that is seen now.
    pub(crate) fn may_take(&mut self, lease: &LeaseSpec, me: &str, now: Instant) -> bool {
        let since = match &self.0 {
            Some((seen, since)) if seen == lease => *since,
            _ => now,
        };
        self.0 = Some((lease.clone(), since));
        let holder = lease.holder_identity.as_deref().unwrap_or_default();
        let seconds = lease.lease_duration_seconds.and_then(|s| s.try_into().ok());
        let duration = seconds.map_or(DURATION, Duration::from_secs);
        holder.is_empty() || holder == me || now.duration_since(since) > duration
    }
}

/// The lease as `me` holds it.
pub(crate) fn held(before: &LeaseSpec, me: &str, now: Timestamp) -> LeaseSpec {
    let now = MicroTime(now.round(Unit::Microsecond).unwrap_or(now));
    let goes_on = before.holder_identity.as_deref() == Some(me);
    let transitions = before.lease_transitions.unwrap_or_default();
    LeaseSpec {
        holder_identity: Some(me.into()),
        lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
        acquire_time: before.acquire_time.clone().filter(|_| goes_on).or(Some(now.clone())),
        renew_time: Some(now),
        lease_transitions: Some(transitions + i32::from(!goes_on)),
        ..LeaseSpec::default()
    }
}

/// The lease as nobody holds it, for the next one to take at once.
pub(crate) fn released(before: &LeaseSpec) -> LeaseSpec {
    LeaseSpec {
        lease_duration_seconds: Some(1),
        lease_transitions: before.lease_transitions,
        ..LeaseSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{DURATION, Sight, held, released};
    use k8s_openapi::api::coordination::v1::LeaseSpec;
    use k8s_openapi::jiff::Timestamp;
    use std::time::{Duration, Instant};

    #[test]
    fn a_lease_is_taken_when_it_is_free_or_has_not_changed_for_long() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut sight = Sight::default();
        assert!(sight.may_take(&LeaseSpec::default(), "b", at(0)));
        let lease = held(&LeaseSpec::default(), "a", time(1_000_000));
        assert!(!sight.may_take(&lease, "b", at(0)));
        assert!(sight.may_take(&lease, "a", at(0)));
        assert!(!sight.may_take(&lease, "b", at(DURATION.as_secs())));
        let renewed = held(&lease, "a", time(5));
        assert!(!sight.may_take(&renewed, "b", at(16)));
        assert!(!sight.may_take(&renewed, "b", at(31)));
        assert!(sight.may_take(&renewed, "b", at(32)));
        assert!(sight.may_take(&released(&renewed), "b", at(33)));
    }

    #[test]
    fn transitions_are_counted_and_the_time_of_the_first_is_kept() {
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        let first = held(&LeaseSpec::default(), "a", time(1));
        let renewed = held(&first, "a", time(2));
        assert_eq!(renewed.acquire_time, first.acquire_time);
        assert_eq!(renewed.lease_transitions, Some(1));
        assert_eq!(held(&released(&renewed), "b", time(3)).lease_transitions, Some(2));
    }
}
