//! Whether an operator acts, as seen from beside it: for the tests of the chart.

use crate::run::{Arguments, Resource};
use anyhow::{Result, bail};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{Api, ListParams};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// For how long it is looked: an operator that takes over from one that has died needs 17 s.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often.
const LOOKING: Duration = Duration::from_secs(1);

/// Says what is the case on standard output.
pub(crate) async fn run(
    arguments: &Arguments,
    resources: &Api<Resource>,
    leases: &Api<Lease>,
) -> Result<()> {
    let began = Instant::now();
    let mut sight = Sight::default();
    loop {
        let missing = match timeout(PATIENCE, look(arguments, resources, leases, &mut sight)).await
        {
            Ok(Ok(said)) => {
                println!("{said}");
                return Ok(());
            }
            Ok(Err(missing)) => missing,
            Err(_) => format!("the API server has taken longer than {PATIENCE:?}"),
        };
        if began.elapsed() > PATIENCE {
            bail!(missing);
        }
        sleep(LOOKING).await;
    }
}

/// What is the case, or what is missing.
async fn look(
    arguments: &Arguments,
    resources: &Api<Resource>,
    leases: &Api<Lease>,
    sight: &mut Sight,
) -> Result<String, String> {
    let listed = resources.list(&ListParams::default().limit(1)).await;
    listed.map_err(|error| {
        format!("cannot list StreamingTDAs: are their definitions installed? {error}")
    })?;
    if arguments.alone {
        return Ok("StreamingTDAs can be listed; the operator acts without a lease".into());
    }
    let name = &arguments.lease;
    let lease = leases.get_opt(name).await;
    let lease = lease.map_err(|error| format!("cannot look at the lease {name}: {error}"))?;
    let spec = lease.and_then(|lease| lease.spec).unwrap_or_default();
    match sight.acts(spec) {
        Some(holder) => Ok(format!("{holder} acts: it renews the lease {name}")),
        None => Err(format!("no operator renews the lease {name}: its logs say why")),
    }
}

/// The lease as it was seen first. Clocks of others are not trusted: who acts renews it meanwhile.
#[derive(Debug, Default)]
struct Sight(Option<LeaseSpec>);

impl Sight {
    /// Who has renewed the lease that is seen now since it was seen first.
    fn acts(&mut self, now: LeaseSpec) -> Option<String> {
        let first = self.0.get_or_insert_with(|| now.clone());
        let renewed = now.renew_time.is_some() && now.renew_time != first.renew_time;
        now.holder_identity.filter(|holder| renewed && !holder.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Sight;
    use crate::lease::{held, released};
    use k8s_openapi::api::coordination::v1::LeaseSpec;
    use k8s_openapi::jiff::Timestamp;

    #[test]
    fn who_acts_renews_the_lease_while_it_is_looked_at() {
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        let old = held(&LeaseSpec::default(), "dead", time(1));
        let mut sight = Sight::default();
        assert_eq!(sight.acts(old.clone()), None);
        assert_eq!(sight.acts(old.clone()), None);
        assert_eq!(sight.acts(released(&old)), None);
        assert_eq!(sight.acts(held(&old, "alive", time(2))).as_deref(), Some("alive"));
        assert_eq!(Sight::default().acts(LeaseSpec::default()), None);
    }
}
