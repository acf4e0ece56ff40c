//! One of several operators acts: the one that holds a Lease.

use crate::lease::{Sight, held, released};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ObjectMeta, PostParams};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout, timeout_at};

/// How often a lease that someone else holds is looked at, and one is tried again that could not be
/// renewed.
const RETRY: Duration = Duration::from_secs(2);
/// How often the lease that is held is renewed.
const RENEWAL: Duration = Duration::from_secs(5);
/// After how long without a renewal the lease counts as lost: well before someone else may take it.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long the API server may take for an answer.
const ANSWER: Duration = Duration::from_secs(4);

/// A candidate for a lease, or its holder.
#[derive(Debug)]
pub struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
}

/// The lease has not been renewed in time: someone else may act now.
#[derive(Debug, thiserror::Error)]
#[error("the lease {0} could not be renewed in time: another operator may act now")]
pub struct Lost(String);

impl Candidate {
    /// A candidate for the lease of this name, under an identity that no other candidate has.
    pub fn new(leases: Api<Lease>, name: String, identity: String) -> Candidate {
        Candidate { leases, name, identity }
    }

    /// Waits until the lease is held; gives a moment before it was written.
    pub async fn acquire(&self) -> Instant {
        let mut sight = Sight::default();
        loop {
            let asked = Instant::now();
            match answered(self.try_hold(&mut sight)).await {
                Ok(Hold::Ours) => return asked,
                Ok(Hold::Anothers | Hold::Unclear) => {}
                Err(error) => tracing::warn!(lease = self.name, error, "cannot take the lease"),
            }
            sleep(RETRY).await;
        }
    }

    /// Renews the lease, which was last written after `renewed`, for as long as that works.
    pub async fn keep(&self, mut renewed: Instant) -> Lost {
        loop {
            let (asked, deadline) = (Instant::now(), (renewed + DEADLINE).into());
            match timeout_at(deadline, answered(self.try_hold(&mut Sight::default()))).await {
                Ok(Ok(Hold::Ours)) => renewed = asked,
                Ok(Ok(Hold::Anothers)) | Err(_) => return Lost(self.name.clone()),
                Ok(Ok(Hold::Unclear)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(lease = self.name, error, "cannot renew the lease");
                }
            }
            let pause = if renewed == asked { RENEWAL } else { RETRY };
            if timeout_at((renewed + DEADLINE).into(), sleep(pause)).await.is_err() {
                return Lost(self.name.clone());
            }
        }
    }

    /// Lets go of the lease, so that the next one need not wait for it to expire.
    pub async fn release(&self) {
        let release = async {
            let Some(mut lease) = self.leases.get_opt(&self.name).await? else { return Ok(()) };
            let spec = lease.spec.unwrap_or_default();
            if spec.holder_identity.as_deref() != Some(&self.identity) {
                return Ok(());
            }
            lease.spec = Some(released(&spec));
            self.leases.replace(&self.name, &PostParams::default(), &lease).await?;
            Ok(())
        };
        if let Err(error) = answered(release).await {
            tracing::warn!(lease = self.name, error, "cannot release the lease");
        }
    }

    /// Takes or renews the lease if that is allowed. A write of someone else in between is noticed by
    /// the API server.
    async fn try_hold(&self, sight: &mut Sight) -> Result<Hold, kube::Error> {
        let how = PostParams::default();
        let there = self.leases.get_opt(&self.name).await?;
        let before = there.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        if !sight.may_take(&before, &self.identity, Instant::now()) {
            return Ok(Hold::Anothers);
        }
        let spec = Some(held(&before, &self.identity, Timestamp::now()));
        let written = match there {
            Some(lease) => self.leases.replace(&self.name, &how, &Lease { spec, ..lease }).await,
            None => {
                let metadata =
                    ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                self.leases.create(&how, &Lease { metadata, spec }).await
            }
        };
        match written {
            Ok(_) => Ok(Hold::Ours),
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                Ok(Hold::Unclear)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whose the lease is.
enum Hold {
    Ours,
    Anothers,
    /// Someone has written it at the same time, be it a request of ours that came late.
    Unclear,
}

async fn answered<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, String> {
    match timeout(ANSWER, request).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the API server took longer than {ANSWER:?}")),
    }
}
