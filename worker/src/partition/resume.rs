//! How a partition is taken up, in a world that may have changed since it was left.

use super::Partition;
use crate::config::{Answer, Guarantee};
use crate::metrics::{Change, Metrics};
use crate::series::Series;
use crate::settings::Fit;
use mesh::Error;
use mesh::checkpoint::{Saved, SavedSeries, Witness};
use std::fmt;

/// What is known of a partition when it is taken up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// Its checkpoint.
    pub(crate) saved: Option<&'a Saved>,
    /// The offset that the group has committed.
    pub(crate) committed: Option<i64>,
    /// Offsets of the first record that still exists, and after the last one.
    pub(crate) ends: (i64, i64),
    /// The record that is now where the checkpoint's last one was, if there is one.
    pub(crate) witness: Option<&'a Witness>,
}

impl Known<'_> {
    /// The offset of the first record whose outputs are not known to be acknowledged.
    fn live(&self) -> i64 {
        let next = self.saved.map_or(0, |saved| saved.next);
        let committed = if self.outdated().is_some() { None } else { self.committed };
        committed.unwrap_or(0).max(next)
    }

    /// The committed offset, when it is still that of another topic that had the same name.
    fn outdated(&self) -> Option<i64> {
        let outdated = self.saved?.outdated;
        outdated.filter(|_| outdated == self.committed)
    }

    /// How it is known that this is not the partition that was read before, if it is not.
    fn recreated(&self) -> Option<String> {
        let (first, end) = self.ends;
        let live = self.live();
        if live > end {
            return Some(format!("it was read up to offset {live}, and it ends at {end}"));
        }
        let last = self.saved?.last.as_ref().filter(|last| last.offset >= first)?;
        let other = self.witness != Some(last);
        other.then(|| format!("the record of offset {} is another one", last.offset))
    }
}

impl Partition {
    /// Goes on where the partition was left; gives the offset from which it has to be read.
    ///
    /// Windows are rebuilt below the checkpoint's `next`. The records from there to the committed
    /// offset are computed once more, since detectors learn from them, but their results were
    /// acknowledged. A commit that lags behind the checkpoint is not needed: nothing is
    /// remembered before its outputs are acknowledged. Series whose records are gone start anew.
    ///
    /// # Errors
    /// When a state in the checkpoint cannot be read, or something has changed with which the
    /// configuration does not want to go on.
    pub(crate) fn resume(&mut self, known: &Known<'_>, metrics: &Metrics) -> Result<i64, Error> {
        let (first, _) = known.ends;
        if let Some(reason) = known.recreated() {
            metrics.changed(Change::Recreated);
            self.refuse_recreated(&reason)?;
            let partition = self.partition;
            tracing::warn!(partition, first, reason, "the input was created anew: begins anew");
            self.begin(first, first);
            self.remembered = None;
            self.outdated = self.outlives_the_first_checkpoint(known.committed);
            return Ok(first);
        }
        self.outdated = known.outdated();
        self.count_lost(known, metrics)?;
        let Some(saved) = known.saved else {
            self.begin_without_checkpoint(known, metrics);
            return Ok(self.read);
        };
        let live = known.live().max(first);
        if first > saved.next {
            self.begin(live, live);
            self.remembered = None;
            return Ok(live);
        }
        self.begin(saved.next, live);
        self.last = saved.last.clone();
        let fit = self.blueprint.fit(&saved.settings);
        self.tell_of_changes(saved, &fit, metrics);
        if fit.records {
            self.unknown = saved.unknown.iter().copied().collect();
            for series in &saved.series {
                self.restore(series, &fit, first, metrics)?;
            }
        }
        Ok(self.read)
    }

    /// A transaction replaces what was committed together with the first checkpoint. Otherwise a
    /// worker may be lost in between.
    fn outlives_the_first_checkpoint(&self, committed: Option<i64>) -> Option<i64> {
        let delivery = self.blueprint.config.kafka.delivery;
        committed.filter(|_| delivery == Guarantee::AtLeastOnce)
    }

    fn begin(&mut self, rebuilt: i64, live: i64) {
        (self.read, self.rebuilt) = (rebuilt, rebuilt);
        (self.live, self.next, self.remembered) = (live, live, Some(live));
    }

    fn begin_without_checkpoint(&mut self, known: &Known<'_>, metrics: &Metrics) {
        let (partition, next) = (self.partition, known.live().max(known.ends.0));
        if let Some(committed) = known.committed {
            metrics.changed(Change::NoCheckpoint);
            tracing::warn!(
                partition,
                committed,
                "the group has read up to here, and there is no checkpoint: all series begin anew"
            );
        }
        self.begin(next, next);
        // Without a checkpoint at the very start, the next owner would find a committed
        // offset and no windows before it.
        self.remembered = None;
    }

    fn refuse_recreated(&self, reason: &str) -> Result<(), Error> {
        let kafka = &self.blueprint.config.kafka;
        match kafka.on_recreated_input {
            Answer::BeginAnew => Ok(()),
            Answer::Fail => Err(Error::Recreated {
                topic: kafka.input.clone(),
                partition: self.partition,
                reason: reason.into(),
            }),
        }
    }

    /// Records were deleted before they were read.
    fn count_lost(&self, known: &Known<'_>, metrics: &Metrics) -> Result<(), Error> {
        let (first, live, last) = (known.ends.0, known.live(), known.ends.0 - 1);
        let is_known = known.saved.is_some() || known.committed.is_some();
        if is_known && first > live {
            metrics.changed(Change::RecordsLost);
            metrics.lost(first - live);
            return self.refuse_lost(format!("those from {live} to {last} were not computed"));
        }
        match known.saved.filter(|saved| first > saved.next) {
            None => Ok(()),
            Some(Saved { next, .. }) => {
                metrics.changed(Change::SeriesLost);
                self.refuse_lost(format!("all series need those from {next} to {last}"))
            }
        }
    }

    fn refuse_lost(&self, reason: String) -> Result<(), Error> {
        let kafka = &self.blueprint.config.kafka;
        if kafka.on_lost_points == Answer::Fail {
            let (topic, partition) = (kafka.input.clone(), self.partition);
            return Err(Error::Lost { topic, partition, reason });
        }
        tracing::warn!(partition = self.partition, reason, "records were deleted: begins anew");
        Ok(())
    }

    fn tell_of_changes(&self, saved: &Saved, fit: &Fit, metrics: &Metrics) {
        let partition = self.partition;
        if let Some(then) = saved.partitions.filter(|then| *then != self.partitions) {
            metrics.changed(Change::Partitions);
            let now = self.partitions;
            tracing::warn!(
                partition,
                then,
                now,
                "the input has another number of partitions: keys may have moved, and their \
                 series begin anew where they are now"
            );
        }
        if !fit.records {
            metrics.changed(Change::Records);
            let series = saved.series.len();
            tracing::warn!(
                partition,
                series,
                "records are read in another way: all series begin anew"
            );
            return;
        }
        if !fit.filters {
            metrics.changed(Change::Filters);
            tracing::warn!(partition, "series are filtered in another way: detectors begin anew");
        }
        let scales = self.blueprint.scales.iter().filter(|scale| !fit.scales.contains(&scale.name));
        let scales: Vec<&str> = scales.map(|scale| scale.name.as_str()).collect();
        if !scales.is_empty() {
            metrics.changed(Change::Scales);
            tracing::warn!(
                partition,
                ?scales,
                "scales are new or have changed: their detectors begin anew"
            );
        }
        if !fit.engine {
            metrics.changed(Change::Engine);
            tracing::warn!(
                partition,
                "the engine has another revision: windows are rebuilt with it"
            );
        }
    }

    /// Takes a series up, if what it needs is there.
    fn restore(
        &mut self,
        known: &SavedSeries,
        fit: &Fit,
        first: i64,
        metrics: &Metrics,
    ) -> Result<(), Error> {
        let (name, start) = (known.series.as_str(), known.place.start);
        if start < first {
            metrics.changed(Change::SeriesLost);
            let last = first - 1;
            return self.refuse_lost(format!("series {name:?} needs those from {start} to {last}"));
        }
        // Points were filtered as it was then.
        if known.points.is_some() && !fit.filters {
            metrics.changed(Change::SeriesLost);
            return Ok(());
        }
        let broken = |reason| Error::Checkpoint {
            partition: self.partition,
            reason: format!("series {name:?}: {reason}"),
        };
        let series = Series::resume(&self.blueprint, known, fit).map_err(broken)?;
        self.series.push(name.into(), Some(Box::new(series)));
        self.read = self.read.min(start);
        Ok(())
    }
}

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.saved {
            Some(saved) => {
                let stored = saved.series.iter().filter(|series| series.points.is_some()).count();
                let (next, series) = (saved.next, saved.series.len());
                write!(f, "taken up at the checkpoint of offset {next}: {series} series, ")?;
                write!(f, "{stored} of them with their points")
            }
            None => write!(f, "taken up without a checkpoint"),
        }
    }
}
